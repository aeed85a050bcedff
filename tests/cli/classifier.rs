//! `evalh train` of encoders.

use crate::support::{Evalh, copy_encoder, fixtures};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Rows of a task of the built-in suite `mini_glue`, as a training reads them.
pub fn rows(task: &str, label: fn(&str) -> Value) -> String {
    let path = format!(
        "{}/../../datasets/mini/mini_glue/{task}/dev.tsv",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>());
    let names = lines.next().unwrap();
    let place = |name: &str| names.iter().position(|own| *own == name).unwrap();
    let label_at = names.len() - 1;
    lines.fold(String::new(), |mut all, fields| {
        let row = json!({
            "sentence1": fields[place("sentence1")],
            "sentence2": fields[place("sentence2")],
            "label": label(fields[label_at]),
        });
        writeln!(all, "{row}").unwrap();
        all
    })
}

/// The values of a suite's metric, by variant.
fn values(evalh: &Evalh, out: &str, metric: &str) -> Vec<(String, f64)> {
    let results: Value = serde_json::from_str(&evalh.read(&format!("{out}/results.json"))).unwrap();
    let rows = results.as_array().unwrap().iter();
    rows.filter(|row| row["metric"] == metric)
        .map(|row| {
            let variant = row["variant"].as_str().unwrap().to_owned();
            (variant, row["value"].as_f64().unwrap())
        })
        .collect()
}

#[test]
fn an_adapter_and_its_head_learn_the_rows_that_they_are_given() {
    let evalh = Evalh::new();
    copy_encoder(&evalh, "roberta_mlm");
    let label = |name: &str| json!(usize::from(name == "not_entailment"));
    evalh.write("rte.jsonl", rows("RTE", label));
    let shown = evalh.run(
        "train --model roberta_mlm --data rte.jsonl --out adapter --rank 4 --targets query,value --max-tokens 38 \
         --batch-size 5 --steps 120 --learning-rate 0.01 --checkpoint-every 0",
    );
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    for module in ["classifier.dense", "classifier.out_proj"] {
        let said = format!("{module} begins with random weights");
        assert!(shown.err.contains(&said), "{}", shown.err);
    }
    let training: Value = serde_json::from_str(&evalh.read("adapter/training.json")).unwrap();
    assert_eq!(
        training["settings"]["objective"],
        json!({"kind": "classification", "labels": 2})
    );
    assert_eq!(training["loss_tokens"], 600);
    assert!(training["loss"]["mean_last_10"].as_f64().unwrap() < 0.1);
    let config: Value = serde_json::from_str(&evalh.read("adapter/adapter_config.json")).unwrap();
    assert_eq!(config["task_type"], "SEQ_CLS");
    assert_eq!(config["modules_to_save"], json!(["classifier", "score"]));
    assert_eq!(config["target_modules"], json!(["query", "value"]));
    let run = evalh.run(
        "run --suite mini_glue --tasks rte --model roberta_mlm --adapter own=adapter --out run",
    );
    assert_eq!(run.code, Some(0), "{}", run.err);
    let found = values(&evalh, "run", "acc");
    let right = |(variant, value): &(String, f64)| variant == "own" && *value > 0.99;
    assert!(!found.is_empty() && found.iter().all(right), "{found:?}");
}

#[test]
fn a_regression_with_the_checkpoints_own_head_comes_nearer() {
    let evalh = Evalh::new();
    copy_encoder(&evalh, "deberta_v2");
    let number = |text: &str| json!(text.parse::<f64>().unwrap());
    evalh.write("stsb.jsonl", rows("STS-B", number));
    let shown = evalh.run(
        "train --model deberta_v2 --data stsb.jsonl --out adapter --rank 2 --max-tokens 40 --batch-size 5 \
         --steps 60 --learning-rate 0.01 --dropout 0.1 --checkpoint-every 0",
    );
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    assert!(!shown.err.contains("random weights"), "{}", shown.err);
    let training: Value = serde_json::from_str(&evalh.read("adapter/training.json")).unwrap();
    assert_eq!(
        training["settings"]["objective"],
        json!({"kind": "regression"})
    );
    let (first, last) = (
        &training["loss"]["first"],
        &training["loss"]["mean_last_10"],
    );
    assert!(
        last.as_f64().unwrap() < 0.5 * first.as_f64().unwrap(),
        "{training}"
    );
    let run = evalh.run(
        "run --suite mini_glue --tasks stsb --model deberta_v2 --adapter own=adapter --out run",
    );
    assert_eq!(run.code, Some(0), "{}", run.err);
    let found = values(&evalh, "run", "pearson");
    let of = |name: &str| found.iter().find(|(variant, _)| variant == name).unwrap().1;
    assert!(of("own") > of("base") && of("own") > 0.8, "{found:?}");
}

#[test]
fn every_weight_of_a_new_classifier_is_trained_and_is_a_checkpoint() {
    let evalh = Evalh::new();
    copy_encoder(&evalh, "roberta_mlm");
    let label = |name: &str| json!(usize::from(name == "not_entailment"));
    evalh.write("rte.jsonl", rows("RTE", label));
    let shown = evalh.run(
        "train --model roberta_mlm --method full --data rte.jsonl --out full --max-tokens 38 --batch-size 5 --steps 60 \
         --learning-rate 0.003 --checkpoint-every 0",
    );
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    let training: Value = serde_json::from_str(&evalh.read("full/training.json")).unwrap();
    assert_eq!(training["settings"]["method"], "full");
    let trained = &training["trainable_parameters"];
    assert_eq!(trained, &training["total_parameters"]);
    let config: Value = serde_json::from_str(&evalh.read("full/config.json")).unwrap();
    assert_eq!(
        config["architectures"],
        json!(["RobertaForSequenceClassification"])
    );
    let run = evalh.run("run --suite mini_glue --tasks rte --model full --out run");
    assert_eq!(run.code, Some(0), "{}", run.err);
    let found = values(&evalh, "run", "acc");
    assert!(!found.is_empty() && found.iter().all(|(_, value)| *value > 0.99));
}

#[test]
fn every_weight_of_a_regression_is_trained_beside_the_checkpoint_it_was() {
    let evalh = Evalh::new();
    copy_encoder(&evalh, "deberta_v2");
    let number = |text: &str| json!(text.parse::<f64>().unwrap());
    evalh.write("stsb.jsonl", rows("STS-B", number));
    let shown = evalh.run(
        "train --model deberta_v2 --method full --data stsb.jsonl --out full --max-tokens 40 --batch-size 5 --steps 60 \
         --learning-rate 0.003 --checkpoint-every 0",
    );
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    let run = evalh
        .run("run --suite mini_glue --tasks stsb --model deberta_v2 --variant full=full --out run");
    assert_eq!(run.code, Some(0), "{}", run.err);
    let found = values(&evalh, "run", "pearson");
    let of = |name: &str| found.iter().find(|(variant, _)| variant == name).unwrap().1;
    assert!(of("full") > of("base") && of("full") > 0.8, "{found:?}");
}

#[test]
fn an_adapter_is_trained_over_rounded_weights_and_a_head_that_is_not() {
    let evalh = Evalh::new();
    copy_encoder(&evalh, "deberta_v2");
    let number = |text: &str| json!(text.parse::<f64>().unwrap());
    evalh.write("stsb.jsonl", rows("STS-B", number));
    let train = |out: &str, quantize: &str, steps: usize| {
        let shown = evalh.run(&format!(
            "train --model deberta_v2 --data stsb.jsonl --out {out} --rank 2 --max-tokens 40 --batch-size 5 \
             --steps {steps} --learning-rate 0.01 --warmup 0 --checkpoint-every 0 {quantize}"
        ));
        assert_eq!(shown.code, Some(0), "{}", shown.err);
        let training = evalh.read(&format!("{out}/training.json"));
        serde_json::from_str::<Value>(&training).unwrap()
    };
    let training = train("own", "--quantize nf4", 60);
    assert_eq!(training["settings"]["model"]["quantized"], "nf4");
    let exact = train("exact", "", 60);
    assert!(training["loss"]["first"] != exact["loss"]["first"]);
    // The loss that was trained is that of the rounded base with the adapter.
    let run = evalh.run(
        "run --suite mini_glue --tasks stsb --model deberta_v2 --quantize nf4 --adapter own=own --out run",
    );
    assert_eq!(run.code, Some(0), "{}", run.err);
    let found = values(&evalh, "run", "pearson");
    let of = |name: &str| found.iter().find(|(variant, _)| variant == name).unwrap().1;
    assert!(of("own") > of("base") && of("own") > 0.8, "{found:?}");
}

#[test]
fn layers_of_an_encoder_are_probed_and_the_chosen_ones_trained() {
    let evalh = Evalh::new();
    copy_encoder(&evalh, "roberta_mlm");
    let label = |name: &str| json!(usize::from(name == "not_entailment"));
    evalh.write("rte.jsonl", rows("RTE", label));
    for (method, given) in [
        (
            "gradient",
            "--data rte.jsonl --max-tokens 38 --batches 2 --batch-size 3",
        ),
        (
            "fisher",
            "--data rte.jsonl --max-tokens 38 --batches 2 --batch-size 3",
        ),
        ("cka", "--data rte.jsonl --max-tokens 38 --samples 8"),
        ("random", ""),
        ("last", ""),
    ] {
        let shown = evalh.run(&format!(
            "probe --model roberta_mlm --method {method} {given} --top 1 --seed 3 --out {method}.json"
        ));
        assert_eq!(shown.code, Some(0), "{method}: {}", shown.err);
        let begun = "classifier.out_proj begins with random weights";
        assert_eq!(
            shown.err.contains(begun),
            !given.is_empty(),
            "{}",
            shown.err
        );
        let found: Value = serde_json::from_str(&evalh.read(&format!("{method}.json"))).unwrap();
        let scores = found["scores"].as_array().unwrap();
        assert_eq!(scores.len(), 2);
        let chosen = found["layers_to_transform"].as_array().unwrap();
        assert_eq!(chosen.len(), 1);
        if !given.is_empty() {
            assert_eq!(found["data"]["name"], "rte.jsonl");
            let score = |at: usize| scores[at].as_f64().unwrap();
            let best = usize::from(score(1) > score(0));
            assert_eq!(chosen[0], best, "{method}: {scores:?}");
        }
    }
    let shown = evalh.run(
        "train --model roberta_mlm --data rte.jsonl --layers gradient.json --out adapter --rank 4 --max-tokens 38 \
         --batch-size 5 --steps 3 --seed 3 --checkpoint-every 0",
    );
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    let training: Value = serde_json::from_str(&evalh.read("adapter/training.json")).unwrap();
    let chosen = &training["settings"]["layers"]["chosen"];
    assert_eq!(chosen["by"], "probe", "{chosen}");
}

#[test]
fn what_is_not_done_with_encoders_is_refused_by_name() {
    let evalh = Evalh::new();
    copy_encoder(&evalh, "bert");
    let class = |_: &str| json!(3);
    evalh.write("four.jsonl", rows("RTE", class));
    evalh.write("two.jsonl", rows("RTE", |_| json!(1)));
    evalh.write("numbers.jsonl", rows("RTE", |_| json!(0.5)));
    evalh.write("text.jsonl", "{\"text\":\"a\"}\n");
    let mut shown = String::new();
    for line in [
        "train --data two.jsonl --loss all",
        "train --data two.jsonl --chat-template",
        "train --data two.jsonl --initial adapter",
        "train --data two.jsonl --write-batches batches.json",
        "train --data two.jsonl --max-tokens 33",
        "train --data four.jsonl --max-tokens 32",
        "train --data numbers.jsonl --max-tokens 32",
        "train --data text.jsonl --max-tokens 32",
        "probe --data two.jsonl --loss all",
        "probe --data four.jsonl --batches 2 --batch-size 2",
    ] {
        let failed = evalh.run(&format!("{line} --model bert --out out"));
        assert_eq!(failed.code, Some(2), "{line}: {}", failed.err);
        writeln!(shown, "$ {line}\n{}", evalh.without_paths(&failed.err)).unwrap();
    }
    insta::assert_snapshot!(shown.replace(&fixtures().display().to_string(), "[FIXTURES]"));
}
