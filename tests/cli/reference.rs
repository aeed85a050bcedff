//! The published suites on the real model, against what lm-eval asked it and what it answered: `../shared/reference`.
//!
//! Needs `../shared` and `EVALH_TEST_MODEL`, SmolLM2-135M-Instruct as the reference used it.

use crate::support::{Evalh, has_sandbox, real_model};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// How far a log-probability may be from the reference's, which another engine computed.
const TOLERANCE: f64 = 1e-3;

/// The model and the folder `../shared`, or a note that the test is skipped.
fn reference(test: &str) -> Option<(PathBuf, PathBuf)> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    if !shared.is_dir() {
        eprintln!("skipped {test}: ../shared is absent");
        return None;
    }
    Some((real_model(test)?, shared.canonicalize().unwrap()))
}

fn lines(path: &Path) -> Vec<Value> {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The arguments that ask a suite of the model with the data beside the repository.
fn on_model(of: &str, model: &Path, shared: &Path) -> String {
    format!(
        "{of} --model {} --data {}",
        model.display(),
        shared.join("datasets").display()
    )
}

/// What `evalh prompts` shows, by item.
fn prompts(arguments: &str) -> BTreeMap<String, Value> {
    let shown = Evalh::new().run(&format!("prompts {arguments}"));
    assert_eq!(shown.code, Some(0), "{arguments}: {}", shown.err);
    let parse = |line: &str| {
        let prompt: Value = serde_json::from_str(line).unwrap();
        (prompt["item"].as_str().unwrap().to_owned(), prompt)
    };
    shown.out.lines().map(parse).collect()
}

/// The item that a row of the reference is about: `local_mmlu_anatomy`, 3 is `anatomy/3`.
fn item(row: &Value, before: &str) -> String {
    let task = row["task"]
        .as_str()
        .unwrap()
        .strip_prefix("local_")
        .unwrap();
    let id = &row["doc_id"];
    match task.strip_prefix(before) {
        Some("") => id.to_string(),
        Some(task) => format!("{task}/{id}"),
        None => panic!("{task} is no task of {before}"),
    }
}

#[test]
fn every_prompt_is_lm_evals_byte_for_byte_and_token_for_token() {
    let Some((model, shared)) =
        reference("every_prompt_is_lm_evals_byte_for_byte_and_token_for_token")
    else {
        return;
    };
    let human_eval = "--suite humaneval --protocol completion --max-new-tokens 256";
    for (file, of, before, count) in [
        ("mmlu", "--suite mmlu", "mmlu_", 400),
        ("gsm8k", "--suite gsm8k", "gsm8k", 25),
        ("gsm8k_cot", "--suite gsm8k_cot", "gsm8k_cot", 25),
        ("glue", "--suite glue_prompt --tasks cola,rte,sst2", "", 300),
        ("humaneval", human_eval, "humaneval", 82),
    ] {
        let ours = prompts(&on_model(of, &model, &shared));
        let rows = lines(&shared.join(format!("reference/prompts.{file}.jsonl")));
        assert_eq!(rows.len(), count, "{file}");
        for row in rows {
            let item = match file {
                "humaneval" => format!("HumanEval/{}", row["doc_id"]),
                _ => item(&row, before),
            };
            let ours = ours
                .get(&item)
                .unwrap_or_else(|| panic!("{file} has no {item}"));
            // A choice's context is written at the first of them only.
            if let Some(context) = row["context"].as_str() {
                assert_eq!(ours["context"], context, "{file} {item}");
                assert_eq!(ours["context_ids"], row["context_ids"], "{file} {item}");
            }
            if row["type"] == "loglikelihood" {
                let place = row["idx"].as_u64().unwrap() as usize;
                assert_eq!(
                    ours["continuations"][place], row["continuation"],
                    "{file} {item}"
                );
                assert_eq!(ours["continuation_ids"][place], row["continuation_ids"]);
            } else {
                let arguments = &row["gen_kwargs"];
                assert_eq!(ours["stops"], arguments["until"], "{file} {item}");
                let most = arguments
                    .get("max_gen_toks")
                    .map_or(256, |n| n.as_u64().unwrap());
                assert_eq!(ours["max_new_tokens"], most, "{file} {item}");
            }
            if let Some(shots) = row.get("shot_train_rows") {
                assert_eq!(&ours["shots"], shots, "{file} {item}");
            }
        }
    }
}

/// The samples of a run of the base alone, by item.
fn run(evalh: &Evalh, arguments: &str) -> BTreeMap<String, Value> {
    let shown = evalh.run(&format!("run {arguments} --out out"));
    assert_eq!(shown.code, Some(0), "{arguments}: {}", shown.err);
    let samples = lines(&evalh.path("out/samples.jsonl"));
    let of_item = |sample: Value| (sample["item"].as_str().unwrap().to_owned(), sample);
    samples.into_iter().map(of_item).collect()
}

#[test]
fn log_probabilities_and_scores_of_choices_are_lm_evals() {
    let Some((model, shared)) = reference("log_probabilities_and_scores_of_choices_are_lm_evals")
    else {
        return;
    };
    let subjects = "abstract_algebra,anatomy,astronomy,college_computer_science,global_facts,high_school_geography,\
                    high_school_macroeconomics,marketing,us_foreign_policy,world_religions";
    for (file, of, before) in [
        (
            "mmlu",
            format!("--suite mmlu --limit 3 --tasks {subjects}"),
            "mmlu_",
        ),
        (
            "glue",
            "--suite glue_prompt --limit 10 --tasks cola,rte,sst2".to_owned(),
            "",
        ),
    ] {
        let evalh = Evalh::new();
        let ours = run(&evalh, &on_model(&of, &model, &shared));
        let rows = lines(&shared.join(format!("reference/base.{file}.jsonl")));
        assert_eq!((rows.len(), ours.len()), (30, 30), "{file}");
        for row in rows {
            let item = item(&row, before);
            let sample = &ours[&item];
            let scored = sample["answer"]["scored"].as_array().unwrap();
            let expected = row["filtered_resps"].as_array().unwrap();
            assert_eq!(scored.len(), expected.len(), "{file} {item}");
            for (ours, theirs) in scored.iter().zip(expected) {
                let log_prob = ours["log_prob"].as_f64().unwrap();
                let off = log_prob - theirs[0].as_f64().unwrap();
                assert!(off.abs() < TOLERANCE, "{file} {item}: off by {off}");
                assert_eq!(ours["is_greedy"], theirs[1], "{file} {item}");
            }
            // lm-eval notes no score of an item whose metric is Matthews' correlation.
            if let Some(acc) = row.get("acc") {
                assert_eq!(&sample["score"], acc, "{file} {item}");
            }
        }
    }
}

#[test]
fn greedy_texts_and_what_is_read_out_of_them_are_lm_evals() {
    let name = "greedy_texts_and_what_is_read_out_of_them_are_lm_evals";
    let Some((model, shared)) = reference(name) else {
        return;
    };
    for (suite, limit, headline) in [
        ("gsm8k", 8, "strict-match"),
        ("gsm8k_cot", 4, "strict-match"),
    ] {
        let evalh = Evalh::new();
        let of = format!("--suite {suite} --limit {limit}");
        let ours = run(&evalh, &on_model(&of, &model, &shared));
        let rows = lines(&shared.join(format!("reference/base.local_{suite}.jsonl")));
        assert_eq!(rows.len(), 2 * limit, "{suite}");
        for row in rows {
            let item = row["doc_id"].to_string();
            let sample = &ours[&item];
            let text = &sample["answer"]["generated"]["text"];
            assert_eq!(text, &row["resps"][0][0], "{suite} {item}");
            let filter = row["filter"].as_str().unwrap();
            let score = if filter == headline {
                assert_eq!(
                    sample["extracted"], row["filtered_resps"][0],
                    "{suite} {item}"
                );
                &sample["score"]
            } else {
                &sample["scores"][format!("exact_match,{filter}")]
            };
            assert_eq!(score, &row["exact_match"], "{suite} {item} {filter}");
        }
    }
}

#[test]
fn greedy_completions_and_their_passes_are_lm_evals() {
    let name = "greedy_completions_and_their_passes_are_lm_evals";
    let Some((model, shared)) = reference(name) else {
        return;
    };
    if !has_sandbox(name) {
        return;
    }
    let evalh = Evalh::new();
    let of = "--suite humaneval --protocol completion --max-new-tokens 256 --limit 8";
    let ours = run(&evalh, &on_model(of, &model, &shared));
    for row in lines(&shared.join("reference/base.local_humaneval.jsonl")) {
        let item = format!("HumanEval/{}", row["doc_id"]);
        let text = &ours[&item]["answer"]["generated"]["text"];
        assert_eq!(text, &row["resps"][0][0], "{item}");
        assert_eq!(ours[&item]["score"], row["pass@1"], "{item}");
    }
}
