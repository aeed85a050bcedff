//! `evalh probe`, `evalh train`, `evalh experiment` and `evalh demo`.

use crate::support::{Evalh, Shown, copy_fixture, has_sandbox};
use serde_json::Value;
use std::{fmt::Write as _, fs};

/// Steps of every training here.
const STEPS: &str =
    "--rank 4 --max-tokens 64 --batch-size 2 --steps 6 --learning-rate 5e-3 --threads 1";

fn with_data() -> Evalh {
    let evalh = Evalh::new();
    copy_fixture("llama", &evalh.path("llama"));
    let rows: Vec<String> = (0..12)
        .map(|i| {
            format!(
                r#"{{"prompt": "Add {i} and {}.", "response": " The sum is {}."}}"#,
                i + 3,
                2 * i + 3
            )
        })
        .collect();
    evalh.write("data.jsonl", rows.join("\n"));
    evalh
}

/// Checks a text against its snapshot, without what depends on the moment.
fn assert_shown(name: &str, text: &str) {
    insta::with_settings!({ filters => [
        (r"\d+\.\d+ s\b", "# s"),
        (r"loss \d+\.\d+ to \d+\.\d+", "loss # to #"),
    ]}, {
        insta::assert_snapshot!(name, text);
    });
}

fn done(shown: &Shown) {
    assert_eq!(shown.code, Some(0), "{}\n{}", shown.out, shown.err);
}

fn json(evalh: &Evalh, path: &str) -> Value {
    serde_json::from_str(&evalh.read(path)).unwrap()
}

#[test]
fn layers_are_probed_and_the_chosen_ones_trained_and_evaluated() {
    let evalh = with_data();
    let probe = evalh.run(
        "probe --model llama --data data.jsonl --max-tokens 64 --batches 2 --batch-size 2 --top 1 --threads 1",
    );
    done(&probe);
    let layers = json(&evalh, "layers.json");
    let chosen = layers["layers_to_transform"].as_array().unwrap();
    assert_eq!(chosen.len(), 1);
    assert_eq!(layers["scores"].as_array().unwrap().len(), 2);

    let trained = evalh.run(&format!(
        "train --model llama --data data.jsonl {STEPS} --layers layers.json --out selective"
    ));
    done(&trained);
    assert_shown("train", &trained.out);
    let config = json(&evalh, "selective/adapter_config.json");
    assert_eq!(config["layers_to_transform"], layers["layers_to_transform"]);
    assert_eq!(config["r"], 4);
    let record = json(&evalh, "selective/training.json");
    assert_eq!(record["status"]["state"], "done");
    assert_eq!(record["settings"]["layers"]["chosen"]["by"], "probe");
    let steps = evalh.read("selective/steps.jsonl");
    assert_eq!(steps.lines().count(), 6);
    let loss = |line: &str| serde_json::from_str::<Value>(line).unwrap()["loss"].as_f64();
    assert!(loss(steps.lines().last().unwrap()) < loss(steps.lines().next().unwrap()));

    let run = evalh.run(
        "run --suite mini_perplexity --limit 2 --model llama --adapter selective=selective --window 64 --out run",
    );
    done(&run);
    assert!(run.out.contains("selective"), "{}", run.out);
}

#[test]
fn an_adapter_of_the_upper_layer_shares_the_lower_one_with_the_base() {
    let evalh = with_data();
    done(&evalh.run(&format!(
        "train --model llama --data data.jsonl {STEPS} --layers 1 --out upper"
    )));
    for (dir, options) in [("together", ""), ("apart", "--one-by-one")] {
        done(&evalh.run(&format!(
            "run --suite mini_mmlu,mini_gsm8k --limit 4 --max-new-tokens 12 --model llama --adapter upper=upper --out {dir} {options}"
        )));
    }
    let samples = |dir: &str| evalh.read(&format!("{dir}/samples.jsonl"));
    assert_eq!(samples("together"), samples("apart"));
    let read = |dir: &str| {
        let timings = json(&evalh, &format!("{dir}/timings.json"));
        let sitting = timings["sittings"].as_array().unwrap().last().unwrap();
        let upper = sitting["variants"].as_array().unwrap().last().unwrap();
        assert_eq!(upper["variant"], "upper");
        ["prefill_tokens", "beside_tokens", "drafted_tokens"].map(|of| upper[of].as_u64().unwrap())
    };
    let ([prompts, beside, drafted], apart) = (read("together"), read("apart"));
    assert!(beside >= prompts && drafted == 0, "{beside} of {prompts}");
    assert_eq!(apart, [prompts, 0, 0]);
    for (dir, tells) in [("together", true), ("apart", false)] {
        let report = evalh.read(&format!("{dir}/report.md"));
        assert_eq!(report.contains("lower layers shared"), tells, "{dir}");
    }
}

#[test]
fn every_method_scores_every_layer() {
    let evalh = with_data();
    for method in [
        "cka --samples 6",
        "fisher --batches 1",
        "random",
        "first",
        "last",
    ] {
        let data = match method {
            "random" | "first" | "last" => "",
            _ => "--data data.jsonl",
        };
        let name = method.split(' ').next().unwrap();
        let shown = evalh.run(&format!(
            "probe --model llama --method {method} {data} --top 1 --threads 1 --out {name}.json"
        ));
        done(&shown);
        let found = json(&evalh, &format!("{name}.json"));
        assert_eq!(found["scores"].as_array().unwrap().len(), 2, "{name}");
        let chosen = found["layers_to_transform"].as_array().unwrap();
        assert_eq!(chosen.len(), 1, "{name}");
    }
    assert_eq!(json(&evalh, "first.json")["layers_to_transform"][0], 0);
    assert_eq!(json(&evalh, "last.json")["layers_to_transform"][0], 1);
}

#[test]
fn a_killed_training_goes_on_to_the_same_bytes() {
    let evalh = with_data();
    let words = format!(
        "train --model llama --data data.jsonl {STEPS} --dropout 0.1 --checkpoint-every 2 --out out"
    );
    done(&evalh.run(&words));
    let adapter = fs::read(evalh.path("out/adapter_model.safetensors")).unwrap();
    // As it was left by a kill within step five.
    fs::remove_dir_all(evalh.path("out/checkpoints/step-6")).unwrap();
    fs::remove_file(evalh.path("out/adapter_model.safetensors")).unwrap();
    fs::remove_file(evalh.path("out/adapter_config.json")).unwrap();
    let mut record = json(&evalh, "out/training.json");
    record["status"] = serde_json::json!({ "state": "running" });
    record["ended"] = Value::Null;
    evalh.write("out/training.json", record.to_string());
    let steps = evalh.read("out/steps.jsonl");
    let kept: Vec<&str> = steps.lines().take(4).collect();
    evalh.write("out/steps.jsonl", kept.join("\n") + "\n{\"step\":5,\"lo");

    let other = evalh.run(&format!("{} --resume", words.replace("5e-3", "1e-3")));
    assert_eq!(other.code, Some(2));
    assert!(other.err.contains("learning_rate"), "{}", other.err);
    done(&evalh.run(&format!("{words} --resume")));
    let again = fs::read(evalh.path("out/adapter_model.safetensors")).unwrap();
    assert!(adapter == again, "other bytes");
    let record = json(&evalh, "out/training.json");
    assert_eq!(
        (&record["steps"], &record["sessions"]),
        (&6.into(), &2.into())
    );
    let over = evalh.run(&format!("{words} --resume"));
    assert_eq!(over.code, Some(2));
    assert!(over.err.contains("is over"), "{}", over.err);
}

#[test]
fn every_weight_is_trained_from_random_ones() {
    let evalh = with_data();
    evalh.write(
        "start/config.json",
        r#"{"model_type": "llama", "vocab_size": 384, "hidden_size": 16, "num_hidden_layers": 2,
            "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 24, "rms_norm_eps": 1e-5,
            "max_position_embeddings": 64, "tie_word_embeddings": true, "hidden_act": "silu"}"#,
    );
    for file in ["tokenizer.json", "tokenizer_config.json"] {
        fs::copy(
            evalh.path("llama").join(file),
            evalh.path("start").join(file),
        )
        .unwrap();
    }
    done(&evalh.run("train --from-scratch start --seed 3 --out random"));
    let trained = evalh.run(
        "train --model random --method full --data data.jsonl --max-tokens 64 --packing --batch-size 2 --epochs 4 --learning-rate 1e-2 --threads 1 --out full",
    );
    done(&trained);
    let weights = |dir: &str| fs::read(evalh.path(&format!("{dir}/model.safetensors"))).unwrap();
    assert!(weights("random") != weights("full"));
    let record = json(&evalh, "full/training.json");
    let loss = &record["loss"];
    assert!(loss["last"].as_f64() < loss["first"].as_f64(), "{loss}");
    assert_eq!(record["trainable_parameters"], record["total_parameters"]);
    done(&evalh.run("run --suite mini_perplexity --limit 1 --window 64 --model random --variant full=full --out run"));
}

#[test]
fn what_cannot_be_trained_is_told_with_the_remedy() {
    let evalh = with_data();
    evalh.write("odd.jsonl", "{\"prompt\": \"a\", \"respnse\": \"b\"}");
    let mut told = String::new();
    for words in [
        "train --model llama --data absent.jsonl --out a",
        "train --model llama --data odd.jsonl --out b",
        "train --model llama --data data.jsonl --layers 0-7 --out c",
        "train --model llama --data data.jsonl --targets q_prj --out d",
        "train --model llama --data data.jsonl --method full --rslora --out e",
        "train --model llama --data data.jsonl --method full --rank 4 --out e",
        "train --model llama --data data.jsonl --max-tokens 4096 --out f",
        "train --from-scratch llama --steps 3 --out g",
        "train --model llama --data data.jsonl --learning-rate 0 --out h",
        "train --model llama --data data.jsonl --steps 3 --warmup 10 --out i",
        "train --model llama --data data.jsonl --resume --out j",
        "probe --model llama --method gradient",
        "probe --model llama --method random --data data.jsonl",
        "probe --model llama --method cka --data data.jsonl",
    ] {
        let shown = evalh.run(words);
        assert_eq!(shown.code, Some(2), "{words}\n{}", shown.err);
        let _ = writeln!(told, "$ evalh {words}\n{}", shown.err);
    }
    insta::assert_snapshot!("train_bad_input", evalh.without_paths(&told));
}

#[test]
fn a_loss_that_blows_up_ends_with_a_record() {
    let evalh = with_data();
    let shown = evalh.run(
        "train --model llama --data data.jsonl --rank 4 --max-tokens 64 --steps 9 --warmup 0 --learning-rate 1e38 --weight-decay 0 --threads 1 --out out",
    );
    assert_eq!(shown.code, Some(2), "{}", shown.err);
    assert!(shown.err.contains("no finite number"), "{}", shown.err);
    let record = json(&evalh, "out/training.json");
    assert_eq!(record["status"]["state"], "failed");
    assert!(record["status"]["step"].as_u64() > Some(1));
    assert!(!evalh.path("out/adapter_config.json").exists());
}

const PLAN: &str = r#"
[experiment]
name = "A small one"
seeds = [1, 2, 3]
out = "out"
threads = 1

[model]
path = "llama"

[data]
train = "data.jsonl"
max_tokens = 64

[train]
rank = 4
batch_size = 2
steps = 4
learning_rate = 5e-3

[[arm]]
name = "standard"

[[arm]]
name = "selective"
probe = { method = "gradient", top = 1, batches = 2 }

[[arm]]
name = "matched"
probe = { method = "gradient", top = 1, batches = 2 }
match = "compute"
of = "standard"

[evaluate]
target = ["mini_perplexity"]
limit = 2
window = 64
"#;

#[test]
fn an_experiment_runs_to_its_report_and_is_not_done_again() {
    let evalh = with_data();
    evalh.write("plan.toml", PLAN);
    let first = evalh.run("experiment plan.toml --offline");
    done(&first);
    assert!(
        first.err.contains("10 jobs, 0 of them done"),
        "{}",
        first.err
    );
    let report = evalh.read("out/report/experiment.md");
    for needed in ["standard", "selective", "matched", "mini_perplexity"] {
        assert!(report.contains(needed), "{report}");
    }
    let record = json(&evalh, "out/trainings/matched-s2/training.json");
    assert_eq!(record["settings"]["budget"]["of"], "standard-s2");
    let again = evalh.run("experiment plan.toml --offline");
    done(&again);
    let machine = evalh.run("experiment plan.toml --offline --json --quiet");
    let found: Value = serde_json::from_str(&machine.out).unwrap();
    assert_eq!(found["arms"].as_array().unwrap().len(), 3);
    assert!(
        again.err.contains("10 jobs, 10 of them done"),
        "{}",
        again.err
    );
    evalh.write("plan.toml", PLAN.replace("rank = 4", "rank = 2"));
    let changed = evalh.run("experiment plan.toml --offline");
    assert_eq!(changed.code, Some(2));
    assert!(changed.err.contains("rank"), "{}", changed.err);
}

#[test]
fn a_training_that_fails_is_a_row_of_the_experiment() {
    let evalh = with_data();
    let plan = PLAN.replace(
        "[[arm]]\nname = \"matched\"\nprobe = { method = \"gradient\", top = 1, batches = 2 }\nmatch = \"compute\"\nof = \"standard\"",
        "[[arm]]\nname = \"hot\"\nlearning_rate = 1e38\nwarmup = 0\nweight_decay = 0.0",
    );
    evalh.write("plan.toml", plan);
    let shown = evalh.run("experiment plan.toml --offline");
    assert_eq!(shown.code, Some(1), "{}", shown.err);
    let report = evalh.read("out/report/experiment.md");
    assert!(report.contains("no finite number"), "{report}");
}

#[test]
fn the_demo_compares_three_models_and_they_answer() {
    if !has_sandbox("the_demo_compares_three_models_and_they_answer") {
        return;
    }
    let evalh = Evalh::new();
    let shown = evalh.run("demo --no-open --out demo");
    done(&shown);
    assert!(evalh.path("demo/report.html").exists());
    for variant in ["base", "standard", "selective"] {
        assert!(shown.out.contains(variant), "{}", shown.out);
    }
}
