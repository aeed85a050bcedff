//! `evalh experiment` with encoders.

use crate::classifier::rows;
use crate::support::{Evalh, copy_encoder};
use serde_json::{Value, json};

const PLAN: &str = r#"
[experiment]
name = "A small one"
seeds = [1, 2]
out = "out"
threads = 1

[model]
path = "MODEL"

[data]
train = "data.jsonl"
max_tokens = 38

[train]
rank = 2
batch_size = 5
steps = 12
learning_rate = 5e-3

[[arm]]
name = "standard"

[[arm]]
name = "selective"
probe = { method = "gradient", top = 1, batches = 2 }

[[arm]]
name = "full"
method = "full"
"#;

const EVALUATE: &str = r#"
[evaluate]
target = ["mini_glue"]
tasks = "stsb"
"#;

#[test]
fn an_experiment_with_a_regression_runs_to_its_report() {
    let evalh = Evalh::new();
    copy_encoder(&evalh, "deberta_v2");
    let number = |text: &str| json!(text.parse::<f64>().unwrap());
    evalh.write("data.jsonl", rows("STS-B", number));
    let plan = format!("{PLAN}{EVALUATE}").replace("MODEL", "deberta_v2");
    evalh.write("plan.toml", plan);
    let shown = evalh.run("experiment plan.toml --offline");
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    let found: Value = serde_json::from_str(&evalh.read("out/report/experiment.json")).unwrap();
    assert_eq!(found["objective"], json!({"kind": "regression"}));
    let scores = &found["scores"][0];
    assert_eq!(scores["suite"], "mini_glue");
    assert!(scores["base"].is_number(), "{scores}");
    assert_eq!(scores["arms"].as_array().unwrap().len(), 3, "{scores}");
    let report = evalh.read("out/report/experiment.md");
    for needed in ["standard", "selective", "full", "of squared error"] {
        assert!(report.contains(needed), "{report}");
    }
    assert!(!report.contains("nats"), "{report}");
}

#[test]
fn a_base_without_a_head_is_trained_but_not_asked() {
    let evalh = Evalh::new();
    copy_encoder(&evalh, "roberta_mlm");
    let label = |name: &str| json!(usize::from(name == "not_entailment"));
    evalh.write("data.jsonl", rows("RTE", label));
    let plan = PLAN.replace("MODEL", "roberta_mlm");
    let whole = plan.replace("max_tokens = 38", "max_tokens = 38\nloss = \"all\"");
    for (odd, why) in [
        (format!("{plan}{EVALUATE}"), "no classification head"),
        (whole, "loss = \"all\" is for decoders"),
    ] {
        evalh.write("plan.toml", odd);
        let refused = evalh.run("experiment plan.toml --offline");
        assert_eq!(refused.code, Some(2), "{}", refused.err);
        assert!(refused.err.contains(why), "{}", refused.err);
        assert!(!evalh.path("out/trainings").exists());
    }
    evalh.write("plan.toml", plan);
    let shown = evalh.run("experiment plan.toml --offline");
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    let report = evalh.read("out/report/experiment.md");
    assert!(report.contains("nats a label"), "{report}");
}
