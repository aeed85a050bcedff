//! Gradients of encoders, against those of transformers (`make_gradients.py`) and against their losses.

use crate::reference::{KERNELS, committed, load, shared};
use evalh_model::{
    Encoder, EncoderInput, EncoderTask, KernelChoice, Label, ModelError, Parameter, Sink, Start,
    SummedGradient, UpdateStart,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Relative to the norm of the tensor's gradient.
const TOLERANCE: f64 = 2e-4;

fn norm(values: &[f32]) -> f64 {
    let squares = values.iter().map(|v| f64::from(*v).powi(2));
    squares.sum::<f64>().sqrt()
}

/// The mean loss, and the gradient of it of every tensor of the checkpoint.
fn gradients(
    model: &mut Encoder,
    inputs: &[EncoderInput],
    labels: &[Label],
    start: &Start,
) -> (f64, BTreeMap<String, Vec<f32>>) {
    let mut sinks: Vec<(Parameter, Arc<SummedGradient>)> = Vec::new();
    let first = match start {
        Start::Tokens => 0,
        Start::Stream { layer, .. } => *layer,
    };
    model.watch(|parameter| {
        let is_head = |name: &str| name.contains("classifier") || name.contains("pooler");
        let behind = match parameter.layer {
            Some(layer) => layer >= first,
            None => first == 0 || is_head(&parameter.tensors[0].name),
        };
        if !behind {
            return None;
        }
        let sink = Arc::new(SummedGradient::new(parameter.len()));
        sinks.push((parameter.clone(), Arc::clone(&sink)));
        Some(sink as Sink)
    });
    let inputs: Vec<&EncoderInput> = inputs.iter().collect();
    let loss = model.train(&inputs, labels, start).unwrap();
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

fn references() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/references/gradients.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn referenced_inputs(references: &Value) -> Vec<EncoderInput> {
    let numbers = |list: &Value| -> Vec<u32> {
        let list = list.as_array().map_or(&[][..], Vec::as_slice).iter();
        list.map(|number| number.as_u64().unwrap() as u32).collect()
    };
    let sequences = references["sequences"].as_array().unwrap().iter();
    sequences
        .map(|row| EncoderInput {
            ids: numbers(&row["tokens"]),
            token_types: numbers(&row["types"]),
        })
        .collect()
}

/// Whether the loss of labelled inputs and every gradient are those of transformers; the largest difference.
fn same_gradients(folder: &Path, want: &Value, inputs: &[EncoderInput], label: Label) -> f64 {
    let mut worst = 0.0f64;
    for kernel in KERNELS {
        let what = format!("{} {kernel:?}", folder.display());
        let mut model = load(folder, kernel);
        let labels = vec![label; inputs.len()];
        let (loss, found) = gradients(&mut model, inputs, &labels, &Start::Tokens);
        let wanted = want["loss"].as_f64().unwrap();
        assert!(
            (loss - wanted).abs() < 1e-5 * wanted,
            "{what}: {loss} for {wanted}"
        );
        let tensors = want["gradients"].as_object().unwrap();
        for (name, want) in tensors {
            let gradient = found
                .get(name)
                .unwrap_or_else(|| panic!("{what} has no {name}: {:?}", found.keys()));
            let (length, dot) = (want[0].as_f64().unwrap(), want[1].as_f64().unwrap());
            let terms = gradient.iter().enumerate();
            let found_dot: f64 = terms
                .map(|(i, g)| (0.7 * i as f64).cos() * f64::from(*g))
                .sum();
            let off = (norm(gradient) - length).abs().max((found_dot - dot).abs());
            // A key's bias moves all scores of a softmax alike: its gradient is nothing but rounding.
            let scale = length.max(1e-3);
            worst = worst.max(off / scale);
            assert!(
                off < TOLERANCE * scale,
                "{what} {name}: norm {} for {length}, dot {found_dot} for {dot}",
                norm(gradient)
            );
        }
        assert_eq!(tensors.len(), found.len(), "{what}: {:?}", found.keys());
    }
    worst
}

#[test]
fn every_encoder_has_the_gradients_of_transformers() {
    let references = references();
    let inputs = referenced_inputs(&references);
    let label = Label::Class(references["label"].as_u64().unwrap() as usize);
    for folder in shared("every_encoder_has_the_gradients_of_transformers") {
        let family = folder.file_name().unwrap().to_str().unwrap();
        let worst = same_gradients(&folder, &references["encoders"][family], &inputs, label);
        eprintln!("{family}: largest difference, relative to the norm: {worst:.1e}");
    }
}

#[test]
fn a_regression_with_a_convolution_has_the_gradients_of_transformers() {
    let references = &references()["regression"];
    let inputs = referenced_inputs(references);
    let value = Label::Value(references["value"].as_f64().unwrap() as f32);
    let folder = committed().into_iter().find(|f| f.ends_with("deberta_v2"));
    let worst = same_gradients(&folder.unwrap(), references, &inputs, value);
    eprintln!("largest difference, relative to the norm: {worst:.1e}");
}

/// Whether the streams of the first tokens are those of transformers.
fn same_streams(folder: &Path, want: &Value, inputs: &[EncoderInput]) {
    for kernel in KERNELS {
        let model = load(folder, kernel);
        let given: Vec<&EncoderInput> = inputs.iter().collect();
        let found = model.first_token_streams(&given).unwrap();
        let wanted = want["first_tokens"].as_array().unwrap();
        assert_eq!(found.len(), wanted.len());
        for (layer, (found, want)) in found.iter().zip(wanted).enumerate() {
            let (length, dot) = (want[0].as_f64().unwrap(), want[1].as_f64().unwrap());
            let terms = found.iter().enumerate();
            let found_dot: f64 = terms
                .map(|(i, x)| (0.7 * i as f64).cos() * f64::from(*x))
                .sum();
            let off = (norm(found) - length).abs().max((found_dot - dot).abs());
            assert!(off < 1e-5 * length, "{} {layer}: {off}", folder.display());
        }
    }
}

#[test]
fn the_first_tokens_streams_are_those_of_transformers() {
    let references = references();
    let inputs = referenced_inputs(&references);
    for folder in shared("the_first_tokens_streams_are_those_of_transformers") {
        let family = folder.file_name().unwrap().to_str().unwrap();
        same_streams(&folder, &references["encoders"][family], &inputs);
    }
    let regression = &references["regression"];
    let folder = committed().into_iter().find(|f| f.ends_with("deberta_v2"));
    same_streams(&folder.unwrap(), regression, &referenced_inputs(regression));
}

/// The classifiers among the committed fixtures, and labels for the referenced inputs.
fn classifiers(inputs: usize) -> Vec<(std::path::PathBuf, Vec<Label>)> {
    let mut all = Vec::new();
    for folder in committed() {
        let model = load(&folder, KernelChoice::Auto);
        if model.config().task != EncoderTask::Classification {
            continue;
        }
        let outputs = model.config().labels.len();
        let labels = (0..inputs).map(|i| match outputs {
            1 => Label::Value(0.3 + i as f32),
            _ => Label::Class((i + 1) % outputs),
        });
        all.push((folder, labels.collect()));
    }
    assert!(all.len() >= 2, "a classification and a regression");
    all
}

fn short_inputs() -> Vec<EncoderInput> {
    let ids = |n: u32, by: u32| (0..n).map(|i| 5 + (i * by) % 40).collect();
    [ids(7, 3), ids(12, 11), ids(5, 7)]
        .into_iter()
        .map(|ids| EncoderInput {
            ids,
            token_types: Vec::new(),
        })
        .collect()
}

/// Lays updates over every linear of the layers; gives their sinks by module.
fn updated(model: &mut Encoder) -> Vec<(String, [Arc<SummedGradient>; 2])> {
    let modules = model.layout().modules;
    let mut all = Vec::new();
    for (number, module) in modules.iter().enumerate() {
        if !module.name.contains(".layer.") {
            continue;
        }
        let wave = |count: usize, by: f32| -> Vec<f32> {
            let value = |k| (0.3 * by * k as f32 + number as f32).sin() * 0.2;
            (0..count).map(value).collect()
        };
        let (a, b) = (
            wave(2 * module.in_features, 1.0),
            wave(2 * module.out_features, 1.7),
        );
        let sinks = [&a, &b].map(|values| Arc::new(SummedGradient::new(values.len())));
        let gradients = sinks.each_ref().map(|sink| Arc::clone(sink) as Sink);
        let start = UpdateStart {
            module: &module.name,
            rank: 2,
            scale: 0.5,
            a,
            b,
            gradients,
        };
        model.train_update(start).unwrap();
        all.push((module.name.clone(), sinks));
    }
    all
}

#[test]
fn updates_go_down_as_their_gradients_say() {
    let inputs = short_inputs();
    let inputs: Vec<&EncoderInput> = inputs.iter().collect();
    for (folder, labels) in classifiers(inputs.len()) {
        for kernel in KERNELS {
            let mut model = load(&folder, kernel);
            let sinks = updated(&mut model);
            let before = model.train(&inputs, &labels, &Start::Tokens).unwrap().each;
            let plain = model.loss(&inputs, &labels, &Start::Tokens).unwrap().each;
            for (recorded, plain) in before.iter().zip(&plain) {
                assert!((recorded - plain).abs() < 1e-4 * (1.0 + plain));
            }
            for (module, sinks) in &sinks {
                for (factor, sink) in sinks.iter().enumerate() {
                    let gradient = sink.with(|sum| sum.to_vec());
                    let length = norm(&gradient);
                    assert!(length > 0.0, "{module} {factor} has no gradient");
                    let step = 2e-2 / (1.0 + length);
                    let at = |model: &mut Encoder, by: f64| -> f64 {
                        let mut first = None;
                        model.trained_updates(|name, update| {
                            if name == module {
                                first = Some([update.a().to_vec(), update.b().to_vec()]);
                                let mut moved = [update.a().to_vec(), update.b().to_vec()];
                                for (v, g) in moved[factor].iter_mut().zip(&gradient) {
                                    *v = (f64::from(*v) + by * f64::from(*g) / length) as f32;
                                }
                                update.set(&moved[0], &moved[1]);
                            }
                        });
                        let loss = model.loss(&inputs, &labels, &Start::Tokens).unwrap();
                        model.trained_updates(|name, update| {
                            if let Some([a, b]) = first.as_ref().filter(|_| name == module) {
                                update.set(a, b);
                            }
                        });
                        loss.each.iter().map(|loss| f64::from(*loss)).sum()
                    };
                    let slope = (at(&mut model, step) - at(&mut model, -step)) / (2.0 * step);
                    assert!(
                        (slope - length).abs() < 0.03 * length + 1e-3,
                        "{} {kernel:?} {module} {factor}: slope {slope}, norm {length}",
                        folder.display()
                    );
                }
            }
        }
    }
}

#[test]
fn what_lies_below_is_computed_once_and_changes_nothing() {
    let inputs = short_inputs();
    for (folder, labels) in classifiers(inputs.len()) {
        let mut model = load(&folder, KernelChoice::Auto);
        let given: Vec<&EncoderInput> = inputs.iter().collect();
        let values = model.stream_before(1, &given).unwrap();
        // An input's stream is the same alone.
        let alone = model.stream_before(1, &given[1..]).unwrap();
        assert_eq!(values[values.len() - alone.len()..], alone);
        let start = Start::Stream { layer: 1, values };
        let (loss, upper) = gradients(&mut model, &inputs, &labels, &start);
        let below = |model: &mut Encoder| {
            let inputs: Vec<&EncoderInput> = inputs.iter().collect();
            model.train(&inputs, &labels, &Start::Tokens).unwrap()
        };
        let again = below(&mut model);
        let again: f64 = again.each.iter().map(|loss| f64::from(*loss)).sum();
        let again = again / inputs.len() as f64;
        assert_eq!(loss.to_bits(), again.to_bits(), "{}", folder.display());
        let (_, whole) = gradients(&mut model, &inputs, &labels, &Start::Tokens);
        assert!(!upper.is_empty() && upper.len() < whole.len());
        for (name, gradient) in upper {
            // Below, attention on the tape sums in another order.
            let off = gradient.iter().zip(&whole[&name]).map(|(a, b)| a - b);
            let off: Vec<f32> = off.collect();
            // A position key's bias moves all scores of a softmax alike: its gradient is nothing but rounding.
            let (off, length) = (norm(&off), norm(&gradient));
            assert!(off <= 1e-4 * length.max(0.1), "{name}: {off} of {length}");
        }
    }
}

#[test]
fn labels_that_the_head_cannot_give_are_refused() {
    for (folder, mut labels) in classifiers(1) {
        let model = load(&folder, KernelChoice::Auto);
        let outputs = model.config().labels.len();
        labels[0] = match labels[0] {
            Label::Class(_) => Label::Class(outputs),
            Label::Value(_) => Label::Class(0),
        };
        let input = &short_inputs()[0];
        match model.loss(&[input], &labels, &Start::Tokens) {
            Err(ModelError::Label { outputs: of, .. }) => assert_eq!(of, outputs),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_head_begins_where_the_checkpoint_has_none() {
    use evalh_checkpoint::Checkpoint;
    use evalh_model::{DeviceChoice, HeadChoice, LoadOptions};
    let folder = committed().into_iter().find(|f| f.ends_with("roberta_mlm"));
    let checkpoint = Checkpoint::open(&folder.unwrap()).unwrap();
    let head = HeadChoice::Classification { labels: 3 };
    let options = LoadOptions::default();
    let mut model = Encoder::load_with_head(&checkpoint, DeviceChoice::Cpu, options, head).unwrap();
    let inputs = short_inputs();
    let inputs: Vec<&EncoderInput> = inputs.iter().collect();
    let labels = [Label::Class(0), Label::Class(2), Label::Class(1)];
    assert!(matches!(
        model.train(&inputs, &labels, &Start::Tokens),
        Err(ModelError::Headless { .. })
    ));
    let begun = model.begin_head(|_, [outputs, inputs]| {
        (0..outputs * inputs)
            .map(|i| (i as f32).sin() * 0.1)
            .collect()
    });
    assert_eq!(begun, ["classifier.dense", "classifier.out_proj"]);
    assert!(model.begin_head(|_, _| unreachable!()).is_empty());
    let sink = Arc::new(SummedGradient::new(3));
    model.watch(|parameter| {
        let wanted = parameter.tensors[0].name == "classifier.out_proj.bias";
        wanted.then(|| Arc::clone(&sink) as Sink)
    });
    assert_eq!(model.lowest_trained(), Some(model.config().layers));
    let loss = model.train(&inputs, &labels, &Start::Tokens).unwrap();
    assert!(loss.each.iter().all(|loss| loss.is_finite()));
    // Of each class the probabilities less one: together nothing.
    let sum: Vec<f32> = sink.with(|sum| sum.to_vec());
    assert!(norm(&sum) > 1e-3 && sum.iter().sum::<f32>().abs() < 1e-5);
}
