//! `--device wgpu` beside `--device cpu`: the same scores, texts, probes and trainings, to the rounding of sums that are
//! added in another order.

use crate::support::{Evalh, copy_encoder, copy_fixture, fixtures, has_gpu, with_reference};
use serde_json::Value;
use std::path::Path;

/// How far a number may be from the processor's, beside those below one.
const TOLERANCE: f64 = 1e-4;

/// What two devices may differ in: a float by [`TOLERANCE`] of its size or of one, nothing else at all.
fn assert_close(place: &str, cpu: &Value, gpu: &Value) {
    match (cpu, gpu) {
        (Value::Object(cpu), Value::Object(gpu)) => {
            assert!(cpu.keys().eq(gpu.keys()), "{place}");
            for (key, value) in cpu {
                assert_close(&format!("{place}.{key}"), value, &gpu[key]);
            }
        }
        (Value::Array(cpu), Value::Array(gpu)) => {
            assert_eq!(cpu.len(), gpu.len(), "{place}");
            for (index, (cpu, gpu)) in cpu.iter().zip(gpu).enumerate() {
                assert_close(&format!("{place}[{index}]"), cpu, gpu);
            }
        }
        (Value::Number(a), Value::Number(b)) if a.is_f64() && b.is_f64() => {
            let [a, b] = [a, b].map(|number| number.as_f64().unwrap());
            let most = TOLERANCE * a.abs().max(1.0);
            assert!((a - b).abs() <= most, "{place}: {a} and {b}");
        }
        _ => assert_eq!(cpu, gpu, "{place}"),
    }
}

fn lines(text: &str) -> Vec<Value> {
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn json(evalh: &Evalh, path: &str) -> Value {
    serde_json::from_str(&evalh.read(path)).unwrap()
}

fn done(evalh: &Evalh, line: &str) {
    let shown = evalh.run(line);
    assert_eq!(shown.code, Some(0), "{line}\n{}{}", shown.out, shown.err);
}

/// Runs the same on either device, and compares every sample and every result.
fn compare_runs(evalh: &Evalh, name: &str, line: &str) -> Vec<Value> {
    let samples = ["cpu", "wgpu"].map(|device| {
        let out = format!("{name}-{device}");
        done(
            evalh,
            &format!("run {line} --quiet --device {device} --out {out}"),
        );
        assert_eq!(
            json(evalh, &format!("{out}/manifest.json"))["settings"]["device"],
            device
        );
        evalh.read(&format!("{out}/samples.jsonl"))
    });
    let [cpu, gpu] = samples.map(|text| lines(&text));
    assert_eq!(cpu.len(), gpu.len());
    for (index, (cpu, gpu)) in cpu.iter().zip(&gpu).enumerate() {
        assert_close(&format!("{name} sample {index}"), cpu, gpu);
    }
    let [cpu_results, gpu_results] =
        ["cpu", "wgpu"].map(|device| json(evalh, &format!("{name}-{device}/results.json")));
    assert_close(&format!("{name} results"), &cpu_results, &gpu_results);
    gpu
}

/// The demo's base and adapters.
fn trio(apply: &str) -> String {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/demo");
    let demo = demo.display();
    format!(
        "--model {demo}/base --adapter standard={demo}/standard --adapter selective={demo}/selective --apply {apply}"
    )
}

#[test]
fn a_gpu_scores_small_suites_like_the_processor() {
    if !has_gpu("a_gpu_scores_small_suites_like_the_processor") {
        return;
    }
    let evalh = Evalh::new();
    // Choices, texts' loss, and written answers that stop where they end.
    let suites = "--suite mini_mmlu,mini_glue_prompt,mini_perplexity,mini_gsm8k --shots mini_mmlu=1 --shots mini_gsm8k=1 \
                  --max-new-tokens mini_gsm8k=48 --limit 3";
    for apply in ["unmerged", "merged"] {
        let samples = compare_runs(&evalh, apply, &format!("{suites} {}", trio(apply)));
        for variant in ["base", "standard", "selective"] {
            let own: Vec<_> = samples
                .iter()
                .filter(|sample| sample["variant"] == variant)
                .collect();
            for answer in ["scored", "generated"] {
                assert!(own.iter().any(|sample| !sample["answer"][answer].is_null()));
            }
            if variant != "base" {
                let base = samples.iter().filter(|sample| sample["variant"] == "base");
                assert!(
                    own.iter()
                        .zip(base)
                        .any(|(a, b)| a["answer"] != b["answer"])
                );
            }
        }
    }
}

#[test]
fn a_gpu_draws_the_texts_that_the_processor_draws() {
    if !has_gpu("a_gpu_draws_the_texts_that_the_processor_draws") {
        return;
    }
    let options = "--suite mini_gsm8k --shots 0 --limit 3 --max-new-tokens 32 --samples 2 --temperature 0.8 --top-p 0.9 --seed 3";
    compare_runs(
        &Evalh::new(),
        "drawn",
        &format!("{options} {}", trio("unmerged")),
    );
}

#[test]
fn a_gpu_has_the_logits_and_texts_of_transformers_and_peft() {
    if !has_gpu("a_gpu_has_the_logits_and_texts_of_transformers_and_peft") {
        return;
    }
    let evalh = Evalh::new();
    let mut command = evalh.command("verify --device wgpu --json");
    let shown = Evalh::finish(command.args(with_reference(&fixtures())));
    assert_eq!(shown.code, Some(0), "{}{}", shown.err, shown.out);
    let found: Value = serde_json::from_str(&shown.out).unwrap();
    assert!(found["folders"].as_array().unwrap().len() >= 10);
}

#[test]
fn a_gpu_that_is_not_there_is_refused_without_a_panics_report() {
    if !has_gpu("a_gpu_that_is_not_there_is_refused_without_a_panics_report") {
        return;
    }
    let evalh = Evalh::new();
    copy_fixture("llama", &evalh.path("llama"));
    let mut command = evalh.command("verify llama --device wgpu:99");
    let shown = Evalh::finish(command.env("RUST_BACKTRACE", "0"));
    assert_eq!(shown.code, Some(2), "{}", shown.err);
    let said = "wgpu:99: it does not answer on this machine";
    assert!(shown.err.contains(said), "{}", shown.err);
    assert!(!shown.err.contains("panicked"), "{}", shown.err);
}

const DATA: &str = r#"{"prompt": "Add 1 and 2.", "response": " The sum is 3."}
{"prompt": "Add 3 and 4.", "response": " The sum is 7."}
{"prompt": "Take 2 from 7.", "response": " Five are left."}
{"prompt": "Add 5 and 5 and 5.", "response": " Fifteen."}
"#;

/// Trains the same on either device, and compares every step. What is timed is left out.
fn compare_trainings(evalh: &Evalh, name: &str, line: &str) {
    let [cpu, gpu] = ["cpu", "wgpu"].map(|device| {
        let out = format!("{name}-{device}");
        done(
            evalh,
            &format!("train {line} --device {device} --checkpoint-every 0 --out {out}"),
        );
        let mut steps = lines(&evalh.read(&format!("{out}/steps.jsonl")));
        for step in &mut steps {
            for timed in ["wall_s", "cpu_s", "rss_bytes", "power_w"] {
                step.as_object_mut().unwrap().remove(timed);
            }
        }
        steps
    });
    assert_eq!(cpu.len(), 4);
    assert_close(name, &cpu.clone().into(), &gpu.into());
    assert!(cpu[3]["loss"].as_f64() < cpu[0]["loss"].as_f64());
}

#[test]
fn a_gpu_trains_and_probes_like_the_processor() {
    if !has_gpu("a_gpu_trains_and_probes_like_the_processor") {
        return;
    }
    let evalh = Evalh::new();
    copy_fixture("llama", &evalh.path("llama"));
    copy_encoder(&evalh, "roberta_mlm");
    evalh.write("data.jsonl", DATA);
    let labelled =
        "{\"text\": \"a good day\", \"label\": 1}\n{\"text\": \"a bad day\", \"label\": 0}\n";
    evalh.write("labelled.jsonl", labelled);
    let llama = "--model llama --data data.jsonl --max-tokens 64 --batch-size 2";
    let steps = "--steps 4 --learning-rate 5e-3";
    for (name, line) in [
        ("lora", format!("{llama} {steps} --rank 4")),
        ("dropout", format!("{llama} {steps} --rank 4 --dropout 0.1")),
        ("upper", format!("{llama} {steps} --rank 4 --layers 1")),
        ("full", format!("{llama} {steps} --method full")),
        (
            "encoder",
            format!(
                "--model roberta_mlm --data labelled.jsonl --max-tokens 38 --batch-size 2 {steps} --rank 4 --targets query,value"
            ),
        ),
    ] {
        compare_trainings(&evalh, name, &line);
    }
    for method in [
        "gradient --batches 2 --batch-size 2",
        "fisher --batches 2 --batch-size 2",
        "cka --samples 4",
    ] {
        let [cpu, gpu] = ["cpu", "wgpu"].map(|device| {
            done(
                &evalh,
                &format!(
                    "probe --model llama --data data.jsonl --max-tokens 64 --top 1 --method {method} --device {device} --out {device}.json"
                ),
            );
            json(&evalh, &format!("{device}.json"))
        });
        for key in ["scores", "ranks", "layers_to_transform"] {
            assert_close(&format!("{method} {key}"), &cpu[key], &gpu[key]);
        }
    }
}
