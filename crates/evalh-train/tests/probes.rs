//! Probes of encoders, against the gradients of transformers (`evalh-model`'s `make_gradients.py`) and against definitions.

use evalh_checkpoint::Checkpoint;
use evalh_model::{
    DeviceChoice, Encoder, EncoderInput, Label, LoadOptions, Parameter, Sink, Start, SummedGradient,
};
use evalh_train::data::LabelledExample;
use evalh_train::probe::{cka_scores, fisher_scores, gradient_scores};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn references() -> Value {
    let path = "../evalh-model/tests/references/gradients.json";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The committed regression, whose layers project relative positions on their own.
fn regression() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/deberta_v2")
}

fn load(folder: &Path) -> Encoder {
    let checkpoint = Checkpoint::open(folder).unwrap();
    Encoder::load(&checkpoint, DeviceChoice::Cpu, LoadOptions::default()).unwrap()
}

fn examples(references: &Value, label: Label) -> Vec<LabelledExample> {
    let numbers = |list: &Value| -> Vec<u32> {
        let list = list.as_array().map_or(&[][..], Vec::as_slice).iter();
        list.map(|number| number.as_u64().unwrap() as u32).collect()
    };
    let sequences = references["sequences"].as_array().unwrap().iter();
    sequences
        .map(|row| LabelledExample {
            input: EncoderInput {
                ids: numbers(&row["tokens"]),
                token_types: numbers(&row["types"]),
            },
            label,
        })
        .collect()
}

/// The norm of all gradients of each layer, from those of its tensors.
fn norms(want: &Value, layers: usize) -> Vec<f64> {
    let mut squares = vec![0.0; layers];
    for (name, described) in want["gradients"].as_object().unwrap() {
        let layer = name.split_once(".layer.").map(|(_, rest)| rest);
        let layer = layer.and_then(|rest| rest.split('.').next()?.parse::<usize>().ok());
        if let Some(layer) = layer {
            squares[layer] += described[0].as_f64().unwrap().powi(2);
        }
    }
    squares.iter().map(|sum: &f64| sum.sqrt()).collect()
}

fn same_norms(folder: &Path, want: &Value, examples: &[LabelledExample]) {
    let mut model = load(folder);
    let batch: Vec<&LabelledExample> = examples.iter().collect();
    // A batch that comes again counts again.
    let found = gradient_scores(&mut model, &[batch.clone(), batch]).unwrap();
    let wanted = norms(want, model.config().layers);
    assert_eq!(found.len(), wanted.len());
    for (layer, (found, want)) in found.iter().zip(&wanted).enumerate() {
        let off = (found / (2.0 * want) - 1.0).abs();
        assert!(
            off < 1e-5,
            "{} {layer}: {found} for twice {want}",
            folder.display()
        );
    }
    assert_eq!(
        model.lowest_trained(),
        None,
        "nothing is watched afterwards"
    );
}

#[test]
fn the_gradient_probe_has_the_norms_of_transformers() {
    let references = references();
    let label = Label::Class(references["label"].as_u64().unwrap() as usize);
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures");
    if shared.exists() {
        // The last projects relative positions by the projections of the content, which it uses twice.
        for family in ["bert", "roberta", "deberta_v2"] {
            let want = &references["encoders"][family];
            same_norms(&shared.join(family), want, &examples(&references, label));
        }
    } else {
        eprintln!("skipped families of the gradient probe: ../shared is absent");
    }
    let own = &references["regression"];
    let value = Label::Value(own["value"].as_f64().unwrap() as f32);
    same_norms(&regression(), own, &examples(own, value));
}

/// The Fisher score of each layer, from the definition.
fn fisher(model: &mut Encoder, samples: &[LabelledExample]) -> Vec<f64> {
    let mut kept: Vec<(Parameter, Arc<SummedGradient>, Vec<f64>)> = Vec::new();
    model.watch(|parameter| {
        let sum = Arc::new(SummedGradient::new(parameter.len()));
        kept.push((
            parameter.clone(),
            Arc::clone(&sum),
            vec![0.0; parameter.len()],
        ));
        Some(sum as Sink)
    });
    for sample in samples {
        model
            .train(&[&sample.input], &[sample.label], &Start::Tokens)
            .unwrap();
        for (_, sum, squares) in &mut kept {
            sum.with(|sum| {
                for (square, gradient) in squares.iter_mut().zip(sum.iter_mut()) {
                    *square += f64::from(*gradient).powi(2) / samples.len() as f64;
                    *gradient = 0.0;
                }
            });
        }
    }
    model.watch(|_| None);
    let mut scores = vec![0.0; model.config().layers];
    for (parameter, _, squares) in &kept {
        let Some(layer) = parameter.layer else {
            continue;
        };
        for tensor in &parameter.tensors {
            let own =
                &squares[tensor.rows.start * parameter.width..tensor.rows.end * parameter.width];
            scores[layer] += own.iter().map(|square| square * square).sum::<f64>().sqrt();
        }
    }
    scores
}

#[test]
fn the_fisher_probe_is_its_definition_with_little_memory_too() {
    let references = references();
    let own = &references["regression"];
    let samples = examples(own, Label::Value(0.1));
    let given: Vec<&LabelledExample> = samples.iter().collect();
    let mut model = load(&regression());
    let wanted = fisher(&mut model, &samples);
    for bytes in [0, 1 << 30] {
        let found = fisher_scores(&mut model, &given, bytes).unwrap();
        for (found, want) in found.iter().zip(&wanted) {
            assert!((found / want - 1.0).abs() < 1e-5, "{found} for {want}");
        }
    }
}

#[test]
fn the_cka_probe_does_not_depend_on_batches() {
    let references = references();
    let own = &references["regression"];
    let first = examples(own, Label::Value(0.0));
    // Of many lengths, so that the first tokens differ behind the first layer.
    let samples: Vec<LabelledExample> = (3..12)
        .map(|length| LabelledExample {
            input: EncoderInput {
                ids: first[length % 2].input.ids[..length].to_vec(),
                token_types: Vec::new(),
            },
            label: Label::Value(0.0),
        })
        .collect();
    let given: Vec<&LabelledExample> = samples.iter().collect();
    let model = load(&regression());
    let scores = cka_scores(&model, &given, 4).unwrap();
    assert_eq!(scores, cka_scores(&model, &given, 1).unwrap());
    assert_eq!(scores.len(), 2);
    assert!(
        scores.iter().all(|score| (0.0..=1.0).contains(score)),
        "{scores:?}"
    );
    assert!(scores[1] < 1.0, "{scores:?}");
    // One first token for all: what enters the first layer varies in nothing.
    let alike: Vec<LabelledExample> = samples
        .iter()
        .map(|sample| {
            let mut sample = sample.clone();
            sample.input.ids[0] = 7;
            sample
        })
        .collect();
    let alike: Vec<&LabelledExample> = alike.iter().collect();
    assert_eq!(
        cka_scores(&model, &alike, 4).unwrap()[0].to_bits(),
        1.0f64.to_bits()
    );
}
