//! Prompts and scores against those that lm-eval 0.4.13 made (`../shared/reference`).
#![allow(missing_docs)]

mod common;

use common::{lines, reference_task, requests_by_item, response, scored_response};
use evalh_record::{ContinuationScore, Prompt, RequestKind, Sampling};
use evalh_task::{Judgement, Scored, Task, sample};
use serde_json::Value;

/// The suite, the folder of its data, and how lm-eval's task is named there.
const SUITES: [(&str, &str, &str); 4] = [
    ("mmlu", "mmlu", "local_mmlu_"),
    ("gsm8k", "gsm8k", "local_gsm8k"),
    ("gsm8k_cot", "gsm8k", "local_gsm8k_cot"),
    ("glue_prompt", "glue", "local_"),
];

fn item_of(suite: &str, prefix: &str, row: &Value) -> String {
    let task = row["task"].as_str().unwrap().strip_prefix(prefix).unwrap();
    let number = &row["doc_id"];
    match suite {
        "gsm8k" | "gsm8k_cot" => number.to_string(),
        _ => format!("{task}/{number}"),
    }
}

#[test]
fn every_prompt_is_lm_evals_byte_for_byte() {
    let Some(shared) = common::shared("every_prompt_is_lm_evals_byte_for_byte") else {
        return;
    };
    let (mut compared, mut contexts) = (0, 0);
    for (suite, folder, prefix) in SUITES {
        let task = reference_task(&shared, suite, folder);
        let requests = requests_by_item(&*task);
        let file = format!(
            "reference/prompts.{}.jsonl",
            suite.trim_end_matches("_prompt")
        );
        for row in lines(&shared.join(file)) {
            let request = &requests[&item_of(suite, prefix, &row)];
            // of several choices the first holds the context
            if let Some(context) = row["context"].as_str() {
                assert_eq!(request.prompt, Prompt::Text(context.into()));
                contexts += 1;
            }
            match &request.kind {
                RequestKind::LogLikelihood(asked) => {
                    let choice = row["idx"].as_u64().unwrap() as usize;
                    assert_eq!(asked.continuations[choice], row["continuation"]);
                }
                RequestKind::Generate(asked) => {
                    let kwargs = &row["gen_kwargs"];
                    assert_eq!(serde_json::json!(asked.stops), kwargs["until"]);
                    assert_eq!(
                        (asked.max_new_tokens, asked.sampling),
                        (256, Sampling::Greedy)
                    );
                    let slot = task.slot(request.index).unwrap();
                    if let Some(rows) = row.get("shot_train_rows") {
                        assert_eq!(serde_json::json!(slot.shots), *rows);
                    }
                }
                kind => panic!("{kind:?}"),
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 400 + 25 + 25 + 300);
    assert_eq!(contexts, 100 + 25 + 25 + 150);
}

#[test]
fn scores_are_those_that_lm_eval_gave_the_same_answers() {
    let Some(shared) = common::shared("scores_are_those_that_lm_eval_gave_the_same_answers") else {
        return;
    };
    let mut compared = [0; 3];
    for (suite, folder, prefix) in SUITES {
        let task = reference_task(&shared, suite, folder);
        let requests = requests_by_item(&*task);
        let name = suite
            .trim_end_matches("_prompt")
            .replace("gsm8k", "local_gsm8k");
        for row in lines(&shared.join(format!("reference/base.{name}.jsonl"))) {
            let request = &requests[&item_of(suite, prefix, &row)];
            let slot = task.slot(request.index).unwrap();
            let answers = row["filtered_resps"].as_array().unwrap();
            if let RequestKind::LogLikelihood(asked) = &request.kind {
                let scores = answers.iter().map(|answer| ContinuationScore {
                    log_prob: answer[0].as_f64().unwrap(),
                    tokens: 1,
                    is_greedy: answer[1].as_bool().unwrap(),
                });
                let scored = judged(&*task, scored_response(request, scores.collect()));
                // where lm-eval's metric is no mean it gives the pair of right and chosen labels
                let is_right = match row["mcc"].as_str() {
                    Some("(0, np.int64(0))" | "(1, np.int64(1))") => 1.0.into(),
                    Some("(0, np.int64(1))" | "(1, np.int64(0))") => 0.0.into(),
                    _ => row["acc"].clone(),
                };
                assert_eq!(is_right, scored.score, "{}", slot.item);
                let gold = row["target"].as_u64().unwrap() as usize;
                assert_eq!(
                    asked.continuations[gold],
                    format!(" {}", slot.target.unwrap())
                );
                compared[0] += 1;
            } else {
                let text = row["resps"][0][0].as_str().unwrap();
                let scored = judged(&*task, response(request, text));
                assert_eq!(slot.target.unwrap(), row["target"].as_str().unwrap());
                if row["filter"] == "strict-match" {
                    assert_eq!(
                        scored.extracted.as_deref(),
                        answers[0].as_str(),
                        "{}",
                        slot.item
                    );
                    assert_eq!(row["exact_match"], scored.score);
                    compared[1] += 1;
                } else {
                    let flexible = scored.scores["exact_match,flexible-extract"];
                    assert_eq!(row["exact_match"], flexible, "{}", slot.item);
                    compared[2] += 1;
                }
            }
        }
    }
    assert_eq!(compared, [60, 12, 12]);
}

fn judged(task: &dyn Task, response: evalh_record::Response) -> Scored {
    let Judgement::Scored(scored) = task.judge(&response).unwrap() else {
        panic!("read off the response")
    };
    sample(task, "base", response, scored.clone()).unwrap();
    scored
}
