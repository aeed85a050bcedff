//! lm-eval's YAML files as definitions. The files in `data/import` say what lm-eval's of the same names say, shorter, or are
//! the project's own.

use evalh_task::{
    TaskError,
    definition::{Definition, Extract, Form, Generate, Metric, Sampler, TextOrList},
    import::{Imported, import_lm_eval},
};
use std::path::{Path, PathBuf};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/import")
        .join(name)
}

fn imported(name: &str) -> Imported {
    let imported = import_lm_eval(&file(name), false).unwrap();
    let again: Definition = toml::from_str(&imported.toml).unwrap();
    assert_eq!(again, imported.definition);
    imported
}

fn form(imported: &Imported) -> &Form {
    assert_eq!(imported.definition.protocols.len(), 1);
    &imported.definition.protocols["lm-eval"]
}

/// The keys that are not carried over.
fn keys(imported: &Imported) -> Vec<&str> {
    let pairs = imported.not_carried.iter();
    pairs.map(|(key, _)| key.as_str()).collect()
}

/// What an import of a text says, with `allow_partial`.
fn import_text(text: &str, allow_partial: bool) -> Result<Imported, TaskError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("task.yaml");
    std::fs::write(&path, text).unwrap();
    import_lm_eval(&path, allow_partial)
}

const SMALL: &str = "task: t\ndataset_path: a/b\ntest_split: test\nfewshot_split: train\noutput_type: multiple_choice\n\
    doc_to_text: '{{q}}'\ndoc_to_target: a\ndoc_to_choice: [x, y]\n";

/// The small task with a line more, which may replace one.
fn small_with(line: &str) -> String {
    let key = line.split(':').next().unwrap();
    let kept = SMALL
        .lines()
        .filter(|old| old.split(':').next() != Some(key));
    kept.chain([line]).flat_map(|line| [line, "\n"]).collect()
}

#[test]
fn a_generation_task_is_carried_over_whole() {
    let imported = imported("gsm8k.yaml");
    assert_eq!(keys(&imported), ["dataset_path", "tag"]);
    let definition = &imported.definition;
    assert_eq!(
        (definition.name.as_str(), definition.split.as_str()),
        ("gsm8k", "test")
    );
    let layout = &definition.layouts[0];
    assert_eq!(layout.items.file, "main/test-00000-of-00001.parquet");
    assert_eq!(
        layout.shots.as_ref().unwrap().file,
        "main/train-00000-of-00001.parquet"
    );
    let form = form(&imported);
    assert_eq!(
        form.source.as_deref(),
        Some("lm-eval's task gsm8k, version 3.0")
    );
    assert_eq!(
        form.context.as_deref(),
        Some("Question: {{question}}\nAnswer:")
    );
    assert_eq!(form.target.as_deref(), Some("{{answer}}"));
    let shots = form.shots.as_ref().unwrap();
    assert_eq!(
        (shots.count, shots.sampler, shots.seed),
        (5, Sampler::Random, None)
    );
    assert_eq!(
        form.generate,
        Some(Generate {
            max_new_tokens: 256,
            stops: ["Question:", "</s>", "<|im_end|>"]
                .map(String::from)
                .to_vec(),
        })
    );
    let extract = |name: &str, regex: &str, select| Extract {
        name: name.into(),
        regex: Some(regex.into()),
        select,
        fallback: None,
    };
    assert_eq!(
        form.extracts,
        [
            extract("strict-match", r"#### (\-?[0-9\.\,]+)", 0),
            extract("flexible-extract", "(-?[$0-9.,]{2,})|(-?[0-9]+)", -1),
        ]
    );
    let normalize = form.normalize.as_ref().unwrap();
    assert_eq!(normalize.remove, [",", r"\$", "(?s).*#### ", r"\.$"]);
    assert!(normalize.ignore_case && !normalize.ignore_punctuation && !normalize.ignore_numbers);
    assert_eq!(form.metrics, Some(vec![Metric::ExactMatch]));
}

#[test]
fn choices_tasks_are_carried_over_whole() {
    let rte = imported("rte.yaml");
    assert_eq!(rte.definition.split, "validation");
    assert_eq!(form(&rte).target.as_deref(), Some("{{ label }}"));
    let texts = |texts: [&str; 2]| Some(TextOrList::List(texts.map(String::from).to_vec()));
    assert_eq!(form(&rte).choices, texts(["True", "False"]));
    assert_eq!(form(&rte).metrics, Some(vec![Metric::Acc]));

    let cola = imported("cola.yaml");
    assert_eq!(cola.definition.name, "cola");
    assert_eq!(
        cola.definition.layouts[0].items.file,
        "cola/validation-00000-of-00001.parquet"
    );
    assert_eq!(
        form(&cola).context.as_deref(),
        Some("{{sentence}}\nQuestion: Does this sentence make sense?\nAnswer:")
    );
    assert_eq!(form(&cola).choices, texts(["no", "yes"]));
    assert_eq!(form(&cola).metrics, Some(vec![Metric::Mcc]));
    assert!(keys(&cola).contains(&"doc_to_decontamination_query"));

    let boolq = imported("boolq.yaml");
    assert_eq!(form(&boolq).choices, texts(["no", "yes"]));
    assert_eq!(
        form(&boolq).source.as_deref(),
        Some("lm-eval's task boolq, version 2.0")
    );
}

#[test]
fn what_a_file_says_itself_goes_before_what_it_includes() {
    let imported = imported("subject.yaml");
    assert_eq!(imported.definition.name, "subjects_sea");
    assert_eq!(keys(&imported), ["dataset_path", "metadata.author", "task"]);
    let form = form(&imported);
    assert_eq!(
        form.preamble.as_deref(),
        Some("Questions about {{subject}}.\n\n")
    );
    assert_eq!(
        form.prefill.as_deref(),
        Some("{{ Answer if Answer is defined else 'Answer' }}")
    );
    assert_eq!(form.delimiter.as_deref(), Some(""));
    assert_eq!(form.separator.as_deref(), Some("\n---\n"));
    assert_eq!(form.metrics, Some(vec![Metric::Acc, Metric::AccNorm]));
    let shots = form.shots.as_ref().unwrap();
    assert_eq!((shots.count, shots.sampler), (2, Sampler::First));
    assert_eq!(
        imported.definition.layouts[0].shots.as_ref().unwrap().file,
        "sea/dev-00000-of-00001.parquet"
    );
}

#[test]
fn written_examples_stay_with_the_task() {
    let imported = imported("exemplars.yaml");
    assert_eq!(imported.definition.layouts[0].shots, None);
    let form = form(&imported);
    let shots = form.shots.as_ref().unwrap();
    assert_eq!((shots.count, shots.sampler), (2, Sampler::First));
    assert_eq!(shots.exemplars[1]["q"], "Two and two?");
    assert_eq!(shots.exemplars[1]["a"], 4);
    // Without `until` what stands between examples ends an answer, and `take_first` is what is done anyway.
    assert_eq!(
        form.generate,
        Some(Generate {
            max_new_tokens: 8,
            stops: vec!["\n\n".into()],
        })
    );
    assert_eq!(form.extracts.len(), 1);
    assert_eq!(form.metrics, Some(vec![Metric::ExactMatch]));
}

#[test]
fn a_texts_loss_is_that_of_the_target() {
    let imported = imported("prose.yaml");
    let form = form(&imported);
    assert_eq!(
        (form.context.as_deref(), &form.target),
        (Some("{{page}}"), &None)
    );
    assert!(form.loss.is_some() && form.shots.is_none());
    assert_eq!(
        form.metrics,
        Some(vec![Metric::WordPerplexity, Metric::BitsPerByte])
    );
    assert!(keys(&imported).contains(&"metric_list.byte_perplexity"));
}

#[test]
fn python_functions_make_an_import_partial_and_only_if_that_is_asked_for() {
    let error = import_lm_eval(&file("code.yaml"), false)
        .unwrap_err()
        .to_string();
    for part in [
        "`process_docs`",
        "`doc_to_text`",
        "utils.text",
        "--allow-partial",
    ] {
        assert!(error.contains(part), "{error}");
    }
    let imported = import_lm_eval(&file("code.yaml"), true).unwrap();
    assert_eq!(
        keys(&imported),
        ["dataset_path", "doc_to_text", "metric_list", "process_docs"]
    );
    let form = form(&imported);
    assert_eq!(form.context, None);
    assert_eq!(form.choices, Some(TextOrList::Text("choices".into())));
    assert_eq!(form.metrics, Some(vec![Metric::Acc]));
    for (key, why) in &imported.not_carried {
        assert!(
            imported.toml.contains(&format!("# - {key}: {why}")),
            "{key}"
        );
    }
}

#[test]
fn what_is_no_single_task_is_refused_by_name() {
    let cases = [
        ("group: g\ntask: [a, b]\n", "group of tasks"),
        ("class: !function a.B\ntask: t\n", "Python class"),
        ("task_list:\n- task: a\ntask: t\n", "several tasks"),
        ("dataset_path: a/b\n", "names no `task`"),
        ("task: t\noutput_type: loglikelihood\n", "`loglikelihood`"),
        ("- a\n", "a list, not a task's keys"),
        ("a: [b\n", "line "),
        ("", "there is no document"),
        ("include: nowhere.yaml\n", "nowhere.yaml"),
        ("include: task.yaml\n", "included twice"),
        ("a: 1\n---\nb: 2\n", "second document"),
        ("? [a]\n: b\n", "a key is a list"),
    ];
    for (text, part) in cases {
        let error = import_text(text, true).unwrap_err().to_string();
        assert!(error.contains(part), "{text:?}: {error}");
    }
}

/// Every key of a task of lm-eval's, with a value that is not its default, is carried over or named. (The other
/// splits have no effect where `test_split` and `fewshot_split` are named.)
#[test]
fn no_key_is_dropped_in_silence() {
    let small = import_text(SMALL, true).unwrap();
    let lines = [
        "tag: [a]",
        "group: g",
        "task_alias: x",
        "custom_dataset: !function a.b",
        "dataset_path: c/d",
        "dataset_name: e",
        "dataset_kwargs: {data_files: x.json}",
        "test_split: other",
        "fewshot_split: dev",
        "process_docs: !function a.b",
        "doc_to_text: 'Q {{q}}'",
        "doc_to_target: b",
        "doc_to_image: [i]",
        "doc_to_audio: [i]",
        "unsafe_code: true",
        "doc_to_choice: ['no', 'yes']",
        "process_results: !function a.b",
        "use_prompt: p",
        "description: 'About.'",
        "target_delimiter: ''",
        "fewshot_delimiter: ' '",
        "fewshot_config: {sampler: first_n}",
        "fewshot_config: {sampler: balanced}",
        "fewshot_config: {split: dev}",
        "fewshot_config: {doc_to_text: x}",
        "fewshot_config: {fewshot_indices: [1]}",
        "fewshot_config: {unheard: [1]}",
        "num_fewshot: 3",
        "num_fewshot: many",
        "output_type: generate_until",
        "generation_kwargs: {until: x}",
        "repeats: 2",
        "filter_list: [{name: f, filter: [{function: regex}, {function: take_first}]}]",
        "should_decontaminate: true",
        "doc_to_decontamination_query: q",
        "gen_prefix: 'So '",
        "metadata: {version: 2}",
        "metadata: {kind: x}",
        "metric_list: [{metric: acc}]",
        "metric_list: [{metric: acc, aggregation: median}]",
        "metric_list: [{metric: acc, higher_is_better: false}]",
        "metric_list: [{metric: acc, ignore_case: true}]",
        "metric_list: [{metric: brier_score}]",
        "unheard_of: 1",
    ];
    for line in lines {
        let with = import_text(&small_with(line), true).unwrap();
        assert!(
            with.definition != small.definition || with.not_carried != small.not_carried,
            "{line}"
        );
    }
}

#[test]
fn settings_of_a_generation_are_carried_over_or_named() {
    let cases = [
        (
            "generation_kwargs: {do_sample: true, temperature: 0.7}",
            Some("--temperature 0.7"),
        ),
        (
            "generation_kwargs: {temperature: 0.7}",
            Some("--temperature 0.7"),
        ),
        (
            "generation_kwargs: {do_sample: false, temperature: 0.7, top_p: 0.5}",
            None,
        ),
        (
            "generation_kwargs: {do_sample: true, temperature: 1, top_p: 0.5}",
            Some("--top-p"),
        ),
        ("generation_kwargs: {until: [3]}", Some("the number 3")),
        ("generation_kwargs: {max_tokens: 0}", Some("the number 0")),
        (
            "generation_kwargs: {unheard: 0}",
            Some("generation_kwargs.unheard"),
        ),
        (
            "filter_list: [{name: f, filter: [{function: regex}]}]",
            Some("take_first"),
        ),
        (
            "filter_list: [{name: f, filter: [{function: lowercase}]}]",
            Some("lowercase"),
        ),
        (
            "filter_list: [{name: f, filter: [{function: !function a.b}]}]",
            Some("a.b"),
        ),
        (
            "metric_list: [{metric: exact_match, unheard: 1}]",
            Some("exact_match.unheard"),
        ),
        ("metric_list: [{metric: bleu}]", Some("none of its metrics")),
    ];
    for (line, refusal) in cases {
        let text = format!(
            "task: t\ndataset_path: a/b\ntest_split: test\ndoc_to_text: q\ndoc_to_target: a\n{line}\n"
        );
        match (import_text(&text, false), refusal) {
            (Ok(_), None) => {}
            (Err(error), Some(part)) => {
                assert!(error.to_string().contains(part), "{line}: {error}");
            }
            (other, _) => panic!("{line}: {other:?}"),
        }
    }
}

#[test]
fn values_of_the_wrong_kind_are_refused() {
    let cases = [
        // YAML 1.1 takes these words for truth values, on which lm-eval itself fails.
        ("doc_to_choice: [no, yes]", "the truth value false"),
        ("doc_to_target: ['{{a}}', b]", "several right answers"),
        ("doc_to_target: '{{[a, b]}}'", "several right answers"),
        ("doc_to_text: 1", "context of its own"),
        ("doc_to_text: '{{q'", "no template"),
        ("doc_to_text: '{{q|urlize}}'", "`urlize`"),
        ("doc_to_choice: 'a{{b}}'", "neither one expression"),
        ("test_split: 'test[:10]'", "a part of a split"),
        ("test_split: [a]", "a list, not a text"),
        ("metric_list: acc", "`metric_list`"),
    ];
    for (line, part) in cases {
        let error = import_text(&small_with(line), false)
            .unwrap_err()
            .to_string();
        assert!(error.contains(part), "{line}: {error}");
    }
}

#[test]
fn the_last_of_equal_keys_counts_and_is_named() {
    let imported = import_text(
        &format!("{SMALL}target_delimiter: a\ntarget_delimiter: b\n"),
        false,
    )
    .unwrap();
    assert_eq!(form(&imported).delimiter.as_deref(), Some("b"));
    assert!(keys(&imported).contains(&"target_delimiter"));
}

#[test]
fn anchors_and_merges_are_followed_within_bounds() {
    let text = format!(
        "{SMALL}metric_list:\n- &m {{metric: acc, aggregation: mean}}\n- {{<<: *m, metric: acc_norm}}\n"
    );
    let imported = import_text(&text, false).unwrap();
    assert_eq!(
        form(&imported).metrics,
        Some(vec![Metric::Acc, Metric::AccNorm])
    );

    let list = |level: usize| {
        let before = if level == 0 {
            vec!["x".to_owned(); 10]
        } else {
            vec![format!("*a{}", level - 1); 10]
        };
        format!("a{level}: &a{level} [{}]\n", before.join(", "))
    };
    let bomb = (0..9).map(list).collect::<Vec<_>>().concat();
    let error = import_text(&bomb, true).unwrap_err().to_string();
    assert!(error.contains("more than 200000 values"), "{error}");
    let deep = format!("a: {}\n", "[".repeat(5000));
    assert!(import_text(&deep, true).is_err());
}
