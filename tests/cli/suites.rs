//! Suites of choices, texts and losses, end to end on a tiny model; packs, per-suite settings, suites of one's own.

use crate::support::{
    Evalh, TinyModel, copy_encoder, encoder_data, fixtures, has_sandbox, write_adapter,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// A folder with a checkpoint and an adapter.
fn with_model() -> Evalh {
    let evalh = Evalh::new();
    TinyModel::new().write(&evalh.path("tiny"));
    write_adapter(&evalh.path("one"), 1, 64);
    evalh
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn several_suites_run_one_after_another_each_with_its_settings() {
    let evalh = with_model();
    let shown = evalh.run(
        "run --suite mini_mmlu,mini_gsm8k,mini_glue_prompt --model tiny --adapter one=one --limit mini_mmlu=2 \
         --limit mini_gsm8k=3 --limit 4 --shots mini_mmlu=1 --max-new-tokens 8 --out out",
    );
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    let samples = json_lines(&evalh.read("out/samples.jsonl"));
    let mut counts: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    for sample in &samples {
        let name = |field: &str| sample[field].as_str().unwrap();
        *counts
            .entry((name("suite"), name("variant"), name("task")))
            .or_default() += 1;
    }
    let of_base: Vec<_> = counts
        .iter()
        .filter(|((_, variant, _), _)| *variant == "base")
        .map(|((suite, _, _), count)| (*suite, *count))
        .collect();
    let expected = [
        ("mini_glue_prompt", 4),
        ("mini_glue_prompt", 4),
        ("mini_glue_prompt", 4),
        ("mini_glue_prompt", 4),
        ("mini_gsm8k", 3),
        ("mini_mmlu", 2),
        ("mini_mmlu", 2),
        ("mini_mmlu", 2),
    ];
    assert_eq!(of_base, expected);
    assert_eq!(samples.len(), 2 * (16 + 3 + 6));
    let choice = samples
        .iter()
        .find(|sample| sample["suite"] == "mini_mmlu")
        .unwrap();
    assert_eq!(choice["shots"], serde_json::json!([0]));
    assert_eq!(choice["answer"]["scored"].as_array().unwrap().len(), 4);
    assert!(["A", "B", "C", "D"].contains(&choice["extracted"].as_str().unwrap()));
    let solved = samples
        .iter()
        .find(|sample| sample["suite"] == "mini_gsm8k")
        .unwrap();
    assert_eq!(solved["shots"].as_array().unwrap().len(), 5);
    assert_eq!(solved["extracted"], "[invalid]");

    let manifest: Value = serde_json::from_str(&evalh.read("out/manifest.json")).unwrap();
    assert_eq!(manifest["settings"]["sandbox"], Value::Null);
    let suites = manifest["settings"]["suites"].as_array().unwrap();
    assert_eq!(
        (&suites[0]["max_new_tokens"], &suites[1]["max_new_tokens"]),
        (&Value::Null, &Value::from(8))
    );
    let report = evalh.read("out/report.md");
    for said in [
        "## mini_mmlu (lm-eval)",
        "## mini_gsm8k (lm-eval)",
        "1 shot",
    ] {
        assert!(report.contains(said), "{said}\n{report}");
    }
    // Everything of the same plan again gives the same bytes.
    let again = evalh.run(
        "run --suite mini_mmlu,mini_gsm8k,mini_glue_prompt --model tiny --adapter one=one --limit mini_mmlu=2 \
         --limit mini_gsm8k=3 --limit 4 --shots mini_mmlu=1 --max-new-tokens 8 --out again --threads 1 --batch 1",
    );
    assert_eq!(again.code, Some(0), "{}", again.err);
    assert_eq!(
        evalh.read("out/samples.jsonl"),
        evalh.read("again/samples.jsonl")
    );
}

#[test]
fn the_tiny_pack_asks_a_few_items_of_everything() {
    if !has_sandbox("the_tiny_pack_asks_a_few_items_of_everything") {
        return;
    }
    let evalh = with_model();
    let shown = evalh.run("run --suite tiny --model tiny --max-new-tokens 8 --out out");
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    let results: Value = serde_json::from_str(&evalh.read("out/results.json")).unwrap();
    let wholes: Vec<_> = results
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["part"] == "whole")
        .map(|row| {
            let name = |field: &str| row[field].as_str().unwrap().to_owned();
            format!("{} {} ({})", name("suite"), name("metric"), row["n"])
        })
        .collect();
    insta::assert_snapshot!(wholes.join("\n"));
}

#[test]
fn prompts_are_printed_without_a_model_and_with_its_tokens() {
    let evalh = with_model();
    let shown = evalh.run("prompts --suite mini_mmlu --limit 1 --shots 1");
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    insta::assert_snapshot!("prompts_plain", shown.out);
    let shown = evalh.run(
        "prompts --suite mini_gsm8k --limit 1 --shots 1 --model tiny --chat --system Think. --shots-as-turns",
    );
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    let line = &json_lines(&shown.out)[0];
    assert_eq!(line["protocol"], "lm-eval+chat-turns");
    let roles: Vec<_> = line["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["system", "user", "assistant", "user"]);
    assert!(line["context_ids"].as_array().unwrap().len() > 20);
}

#[test]
fn a_suite_of_ones_own_needs_no_rust() {
    let evalh = with_model();
    evalh.write(
        "own/capitals.toml",
        r#"
name = "capitals"
description = "Capitals"
rows = 3

[[layout]]
items = { file = "capitals.csv" }

[protocol.plain]
context = "The capital of {{ country }} is"
choices = "[a, b]"
target = "{{ right }}"
target_is = "text"
metrics = ["acc", "acc_norm"]
"#,
    );
    evalh.write(
        "own/capitals.csv",
        "country,a,b,right\nFrance,Paris,Rome,Paris\nItaly,Paris,Rome,Rome\n\"Spain\",Madrid,Oslo,Madrid\n",
    );
    let shown = evalh.run("run --suite own/capitals.toml --model tiny --out out");
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    let samples = json_lines(&evalh.read("out/samples.jsonl"));
    assert_eq!(samples.len(), 3);
    assert_eq!(samples[1]["target"], "Rome");
    assert!(samples[0]["scores"].get("acc_norm").is_some());
    let manifest: Value = serde_json::from_str(&evalh.read("out/manifest.json")).unwrap();
    let suite = &manifest["settings"]["suites"][0];
    assert_eq!(suite["name"], "capitals");
    assert_eq!(suite["data"][0]["name"], "capitals.csv");
    assert!(suite["options"].get("definition_sha256").is_some());

    // A row more is another data set.
    evalh.write(
        "own/capitals.csv",
        "country,a,b,right\nFrance,Paris,Rome,Paris\nItaly,Paris,Rome,Rome\n",
    );
    let shown = evalh.run("run --suite own/capitals.toml --model tiny --out other");
    assert_eq!(shown.code, Some(2));
    insta::assert_snapshot!("own_suite_of_another_size", evalh.shown(&shown));
}

#[test]
fn an_lm_eval_task_is_carried_over_and_what_is_not_is_named() {
    let evalh = with_model();
    evalh.write(
        "colours.yaml",
        r#"
task: colours
dataset_path: json
output_type: multiple_choice
test_split: test
doc_to_text: "The {{thing}} is"
doc_to_choice: ["red", "blue"]
doc_to_target: "{{answer}}"
metric_list:
  - metric: acc
metadata:
  version: 1.0
"#,
    );
    let shown = evalh.run("suite import colours.yaml");
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    insta::assert_snapshot!("import_of_a_task", evalh.shown(&shown));
    assert!(evalh.read("colours.toml").contains("name = \"colours\""));
    let again = evalh.run("suite import colours.yaml");
    insta::assert_snapshot!("import_onto_a_file", evalh.shown(&again));
    evalh.write(
        "code.yaml",
        "task: code\ndataset_path: json\noutput_type: multiple_choice\ntest_split: test\ndoc_to_text: !function utils.text\ndoc_to_choice: [\"a\", \"b\"]\ndoc_to_target: label\n",
    );
    let refused = evalh.run("suite import code.yaml");
    assert_eq!(refused.code, Some(2));
    insta::assert_snapshot!("import_of_python", evalh.shown(&refused));
    assert!(!evalh.path("code.toml").exists());
}

#[test]
fn a_setting_without_effect_is_refused() {
    let evalh = with_model();
    let mut shown = String::new();
    for line in [
        "--suite mini_mmlu,mini_gsm8k --limit gsm8k=2",
        "--suite mini_mmlu --temperature 0.5",
        "--suite mini_mmlu --max-new-tokens 5",
        "--suite mini_humaneval,mini_gsm8k --tasks astronomy",
        "--suite mini_humaneval --shots 3",
        "--suite mini_gsm8k --shots 50",
        "--suite mini_mmlu --tasks geologie",
        "--suite mini_mmlu --protocol original",
        "--suite mini_humaneval --system Be.",
        "--suite mini_humaneval --chat --system Be.",
        "--suite tiny,mini_mmlu",
    ] {
        let failed = evalh.run(&format!("run {line} --model tiny --out out"));
        assert_eq!(failed.code, Some(2), "{line}: {}", failed.err);
        assert!(!evalh.path("out").exists(), "{line}");
        shown.extend(["$ ", line, "\n", &evalh.without_paths(&failed.err)]);
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn an_encoder_answers_glue_with_the_head_that_its_adapter_brings() {
    let evalh = Evalh::new();
    copy_encoder(&evalh, "roberta_mlm");
    let adapter = encoder_data().join("roberta_mlm/adapter_2");
    let line = format!(
        "run --suite mini_glue --tasks rte --model roberta_mlm --adapter two={}",
        adapter.display()
    );
    let shown = evalh.run(&format!("{line} --out merged"));
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    assert!(
        shown.err.contains("the others are compared with `two`"),
        "{}",
        shown.err
    );
    let samples = json_lines(&evalh.read("merged/samples.jsonl"));
    assert_eq!(samples.len(), 10);
    for sample in &samples {
        assert_eq!(sample["variant"], "two");
        assert_eq!(sample["answer"]["classified"].as_array().unwrap().len(), 2);
        assert!(["entailment", "not_entailment"].contains(&sample["target"].as_str().unwrap()));
    }
    let manifest: Value = serde_json::from_str(&evalh.read("merged/manifest.json")).unwrap();
    let suite = &manifest["settings"]["suites"][0];
    assert_eq!(
        (&suite["protocol"], &suite["items"]),
        (&"head".into(), &10.into())
    );
    let shown = evalh.run(&format!("{line} --apply unmerged --out unmerged"));
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    let unmerged = json_lines(&evalh.read("unmerged/samples.jsonl"));
    for (a, b) in samples.iter().zip(&unmerged) {
        let outputs = |sample: &Value| -> Vec<f64> {
            let values = sample["answer"]["classified"].as_array().unwrap();
            values.iter().map(|value| value.as_f64().unwrap()).collect()
        };
        for (x, y) in outputs(a).iter().zip(outputs(b)) {
            assert!((x - y).abs() < 1e-4);
        }
    }
}

#[test]
fn an_encoder_of_one_output_answers_the_regression() {
    let evalh = Evalh::new();
    copy_encoder(&evalh, "deberta_v2");
    let shown = evalh.run("run --suite mini_glue --tasks stsb --model deberta_v2 --out out");
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    let results: Value = serde_json::from_str(&evalh.read("out/results.json")).unwrap();
    let metrics: Vec<_> = results
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["metric"].as_str().unwrap())
        .collect();
    assert!(
        metrics.contains(&"pearson") && metrics.contains(&"spearman"),
        "{metrics:?}"
    );
}

#[test]
fn a_suite_for_the_other_kind_of_model_is_refused_with_the_one_for_this() {
    let evalh = with_model();
    let bert = fixtures().join("bert");
    let mut shown = String::new();
    for line in [
        format!("--suite mini_glue_prompt --model {}", bert.display()),
        "--suite mini_glue --tasks rte --model tiny".to_owned(),
        format!("--suite mini_gsm8k --model {}", bert.display()),
        format!("--suite mini_glue --model {}", bert.display()),
        format!(
            "--suite mini_glue --tasks rte --model {}",
            fixtures().join("roberta_mlm").display()
        ),
    ] {
        let failed = evalh.run(&format!("run {line} --out out"));
        assert_eq!(failed.code, Some(2), "{line}: {}", failed.err);
        shown += &failed
            .err
            .replace(&fixtures().display().to_string(), "[FIXTURES]");
    }
    insta::assert_snapshot!(evalh.without_paths(&shown));
}

#[test]
fn the_loss_of_a_text_of_ones_own_is_taken() {
    let evalh = with_model();
    evalh.write("text.txt", "Rain falls on the roof. ".repeat(60));
    evalh.write(
        "texts.jsonl",
        "{\"text\": \"One.\"}\n{\"text\": \"And two.\"}\n",
    );
    let loss = |arguments: &str, out: &str| -> (usize, f64, u64) {
        let line = format!("run --suite perplexity --model tiny {arguments} --out {out}");
        let shown = evalh.run(&line);
        assert_eq!(shown.code, Some(0), "{}", shown.err);
        let samples = json_lines(&evalh.read(&format!("{out}/samples.jsonl")));
        let results: Value =
            serde_json::from_str(&evalh.read(&format!("{out}/results.json"))).unwrap();
        assert_eq!(results[0]["metric"], "nats_per_token");
        let windows = samples[0]["answer"]["loss"]["windows"].as_u64().unwrap();
        (
            samples.len(),
            results[0]["value"].as_f64().unwrap(),
            windows,
        )
    };
    let (documents, whole, windows) = loss("--data text.txt", "a");
    assert_eq!((documents, windows), (1, 1));
    let (_, narrow, windows) = loss("--data text.txt --window 64 --stride 16", "b");
    assert!(windows > 50, "{windows}");
    // A token with less before it is another prediction.
    assert!((whole - narrow).abs() > 1e-6);
    assert_eq!(loss("--data texts.jsonl", "c").0, 2);
    let without = evalh.run("run --suite perplexity --model tiny --out d");
    let unnamed = evalh.run("run --suite perplexity --model tiny --data tiny/config --out d");
    evalh.write("notes.md", "x");
    let unknown = evalh.run("run --suite perplexity --model tiny --data notes.md --out d");
    insta::assert_snapshot!(
        "perplexity_of_no_text",
        evalh.without_paths(&format!("{}{}{}", without.err, unnamed.err, unknown.err))
    );
}
