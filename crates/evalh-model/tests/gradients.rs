//! Gradients of every family, against those of transformers (`make_gradients.py`).

use evalh_checkpoint::Checkpoint;
use evalh_model::{
    Decoder, DeviceChoice, KernelChoice, LoadOptions, Parameter, Sink, Start, SummedGradient,
    TrainingRow,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Relative to the norm of the tensor's gradient.
const TOLERANCE: f64 = 2e-4;

fn references() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/references/gradients.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn fixture(test: &str, name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/fixtures")
        .join(name);
    if !path.exists() {
        eprintln!("skipped {test}: ../shared is absent");
        return None;
    }
    Some(path)
}

struct Row {
    tokens: Vec<u32>,
    counted: Vec<bool>,
}

fn rows(references: &Value) -> Vec<Row> {
    let sequences = references["sequences"].as_array().unwrap();
    let numbers = |value: &Value| -> Vec<u32> {
        let values = value.as_array().unwrap().iter();
        values.map(|v| v.as_u64().unwrap() as u32).collect()
    };
    sequences
        .iter()
        .map(|row| Row {
            tokens: numbers(&row["tokens"]),
            counted: numbers(&row["loss"]).iter().map(|v| *v > 0).collect(),
        })
        .collect()
}

fn load(folder: &Path, kernel: KernelChoice) -> Decoder {
    let checkpoint = Checkpoint::open(folder).unwrap();
    let options = LoadOptions {
        kernel,
        ..LoadOptions::default()
    };
    Decoder::load(&checkpoint, DeviceChoice::Cpu, options).unwrap()
}

/// The mean loss, and the gradient of every tensor of the checkpoint.
fn gradients(
    model: &mut Decoder,
    rows: &[Row],
    start: &Start,
) -> (f64, BTreeMap<String, Vec<f32>>) {
    let mut sinks: Vec<(Parameter, Arc<SummedGradient>)> = Vec::new();
    let after = match start {
        Start::Tokens => 0,
        Start::Stream { layer, .. } => *layer,
    };
    model.watch(|parameter| {
        if after > 0 && parameter.layer.is_none_or(|layer| layer < after) {
            return None;
        }
        let sink = Arc::new(SummedGradient::new(parameter.len()));
        sinks.push((parameter.clone(), Arc::clone(&sink)));
        Some(sink as Sink)
    });
    let rows: Vec<TrainingRow<'_>> = rows
        .iter()
        .map(|row| TrainingRow {
            tokens: &row.tokens,
            counted: &row.counted,
        })
        .collect();
    let loss = model.train(&rows, start).unwrap();
    let count = loss.each.len() as f64;
    let mut all = BTreeMap::new();
    for (parameter, sink) in sinks {
        let mean: Vec<f32> = sink.with(|sum| sum.iter().map(|g| g / count as f32).collect());
        for tensor in &parameter.tensors {
            all.insert(tensor.name.clone(), parameter.stored(tensor, &mean));
        }
    }
    let sum: f64 = loss.each.iter().map(|loss| f64::from(*loss)).sum();
    (sum / count, all)
}

fn norm(values: &[f32]) -> f64 {
    let squares = values.iter().map(|v| f64::from(*v).powi(2));
    squares.sum::<f64>().sqrt()
}

#[test]
fn every_decoder_has_the_gradients_of_transformers() {
    let references = references();
    let rows = rows(&references);
    let mut worst = 0.0f64;
    for (family, want) in references["decoders"].as_object().unwrap() {
        let Some(folder) = fixture("every_decoder_has_the_gradients", family) else {
            return;
        };
        for kernel in [KernelChoice::Auto, KernelChoice::Portable] {
            let mut model = load(&folder, kernel);
            let (loss, found) = gradients(&mut model, &rows, &Start::Tokens);
            let wanted = want["loss"].as_f64().unwrap();
            assert!(
                (loss - wanted).abs() < 1e-5 * wanted,
                "{family} {kernel:?}: {loss} for {wanted}"
            );
            let tensors = want["gradients"].as_object().unwrap();
            for (name, want) in tensors {
                let gradient = found
                    .get(name)
                    .unwrap_or_else(|| panic!("{family} has no {name}: {:?}", found.keys()));
                let (length, dot) = (want[0].as_f64().unwrap(), want[1].as_f64().unwrap());
                let found_dot: f64 = gradient
                    .iter()
                    .enumerate()
                    .map(|(i, g)| (0.7 * i as f64).cos() * f64::from(*g))
                    .sum();
                let off = (norm(gradient) - length).abs().max((found_dot - dot).abs());
                // A key's bias moves all scores of a softmax alike: its gradient is nothing but rounding.
                let scale = length.max(1e-3);
                worst = worst.max(off / scale);
                assert!(
                    off < TOLERANCE * scale,
                    "{family} {kernel:?} {name}: norm {} for {length}, dot {found_dot} for {dot}",
                    norm(gradient)
                );
            }
            assert_eq!(tensors.len(), found.len(), "{family}: {:?}", found.keys());
        }
    }
    eprintln!("largest difference, relative to the norm: {worst:.1e}");
}

#[test]
fn what_lies_below_is_computed_once_and_changes_nothing() {
    let references = references();
    let rows = rows(&references);
    for family in ["llama", "gemma2", "gpt2"] {
        let Some(folder) = fixture("what_lies_below_is_computed_once", family) else {
            return;
        };
        let mut model = load(&folder, KernelChoice::Auto);
        let (loss, whole) = gradients(&mut model, &rows, &Start::Tokens);
        let given: Vec<TrainingRow<'_>> = rows
            .iter()
            .map(|row| TrainingRow {
                tokens: &row.tokens,
                counted: &row.counted,
            })
            .collect();
        let values = model.stream_before(1, &given).unwrap();
        // A row's stream is the same alone.
        let alone = model.stream_before(1, &given[1..]).unwrap();
        assert_eq!(values[values.len() - alone.len()..], alone);
        let start = Start::Stream { layer: 1, values };
        let (again, upper) = gradients(&mut model, &rows, &start);
        assert_eq!(loss.to_bits(), again.to_bits(), "{family}");
        assert!(!upper.is_empty());
        for (name, gradient) in upper {
            assert_eq!(whole[&name], gradient, "{family} {name}");
        }
    }
}

/// The mean loss of the rows, in f64.
fn mean_loss(model: &Decoder, rows: &[TrainingRow<'_>]) -> f64 {
    let loss = model.loss(rows, &Start::Tokens).unwrap();
    let sum: f64 = loss.each.iter().map(|loss| f64::from(*loss)).sum();
    sum / loss.each.len() as f64
}

#[test]
fn every_decoder_goes_down_as_its_gradient_says() {
    let references = references();
    let rows = rows(&references);
    for family in references["decoders"].as_object().unwrap().keys() {
        let Some(folder) = fixture("every_decoder_goes_down_as_its_gradient_says", family) else {
            return;
        };
        let mut model = load(&folder, KernelChoice::Auto);
        let (_, found) = gradients(&mut model, &rows, &Start::Tokens);
        model.watch(|_| None);
        let given: Vec<TrainingRow<'_>> = rows
            .iter()
            .map(|row| TrainingRow {
                tokens: &row.tokens,
                counted: &row.counted,
            })
            .collect();
        // Each kind of parameter by itself, along its own gradient: there the derivative is the gradient's norm.
        for (parameter, values) in model.parameter_values(|_| true) {
            let gradient: Vec<f32> = parameter_gradient(&parameter, &found);
            let length = norm(&gradient);
            if length < 1e-4 {
                continue;
            }
            let step = 2e-3 * norm(&values).max(1.0) / (1.0 + length);
            let at = |model: &mut Decoder, by: f64| {
                let moved: Vec<f32> = values
                    .iter()
                    .zip(&gradient)
                    .map(|(v, g)| (f64::from(*v) + by * f64::from(*g) / length) as f32)
                    .collect();
                model.set_parameters(|other| (*other == parameter).then_some(moved.as_slice()));
                mean_loss(model, &given)
            };
            // The loss jumps where another expert is chosen within a step, and is rounded where a step is small: one of
            // three tells.
            let slopes = [1.0, 0.25, 0.0625].map(|part| {
                let step = part * step;
                (at(&mut model, step) - at(&mut model, -step)) / (2.0 * step)
            });
            model.set_parameters(|other| (*other == parameter).then_some(values.as_slice()));
            let name = &parameter.tensors[0].name;
            let near = |slope: &f64| (slope - length).abs() < 0.03 * length + 2e-4;
            assert!(
                slopes.iter().any(near),
                "{family} {name}: slopes {slopes:?}, norm of the gradient {length}"
            );
        }
    }
}

/// The gradient of a whole parameter from those of its tensors.
fn parameter_gradient(parameter: &Parameter, found: &BTreeMap<String, Vec<f32>>) -> Vec<f32> {
    let mut all = Vec::with_capacity(parameter.len());
    for tensor in &parameter.tensors {
        let own = &found[&tensor.name];
        let (rows, width) = (tensor.rows.len(), parameter.width);
        if tensor.turned {
            for row in 0..rows {
                all.extend((0..width).map(|column| own[column * rows + row]));
            }
        } else {
            all.extend_from_slice(own);
        }
    }
    all
}
