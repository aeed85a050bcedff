//! Parity with transformers and PEFT, for both sets of primitives.

use crate::reference::{KERNELS, Reference, TOLERANCE, committed, load, shared};
use evalh_adapter::Adapter;
use evalh_model::{Encoder, EncoderOutput, LoraId};
use std::path::Path;

/// The largest difference from a reference tensor: `[inputs, labels]`, or `[inputs, padded, width]`, of which padding
/// does not count.
fn worst(output: &EncoderOutput, padded: usize, reference: &(Vec<usize>, Vec<f32>)) -> f32 {
    let (shape, values) = reference;
    let row = if shape.len() == 3 { padded } else { 1 };
    assert_eq!(shape[shape.len() - 1], output.width());
    assert_eq!(
        (shape[0], values.len()),
        (output.len(), output.len() * row * output.width())
    );
    let mut worst = 0f32;
    for (i, reference) in values.chunks(row * output.width()).enumerate() {
        for (a, b) in output.values(i).iter().zip(reference) {
            worst = worst.max((a - b).abs());
        }
    }
    worst
}

fn check(what: &str, output: &EncoderOutput, padded: usize, reference: &(Vec<usize>, Vec<f32>)) {
    let worst = worst(output, padded, reference);
    eprintln!("{what}: largest difference {worst:.1e}");
    assert!(worst <= TOLERANCE, "{what}: {worst}");
}

fn same_bits(a: &EncoderOutput, b: &EncoderOutput) -> bool {
    (0..a.len()).all(|i| {
        let mut pairs = a.values(i).iter().zip(b.values(i));
        a.values(i).len() == b.values(i).len() && pairs.all(|(x, y)| x.to_bits() == y.to_bits())
    })
}

fn adapters(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder.join("adapters")) else {
        return Vec::new();
    };
    let name = |entry: std::fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    entries.map(|entry| name(entry.unwrap())).collect()
}

/// Everything that a reference folder holds.
fn check_folder(folder: &Path) {
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let reference = Reference::open(folder);
    let (inputs, padded) = reference.inputs();
    for kernel in KERNELS {
        let mut model = load(folder, kernel);
        let run =
            |model: &Encoder, adapter: Option<LoraId>| model.forward(&inputs, adapter).unwrap();
        let base = run(&model, None);
        check(
            &format!("{name} {kernel:?}"),
            &base,
            padded,
            &reference.f32("logits"),
        );
        for adapter in adapters(folder) {
            let path = folder.join("adapters").join(&adapter);
            let what = format!("{name} {kernel:?} {adapter}");
            let update = Adapter::open(&path)
                .unwrap()
                .resolve(&model.layout())
                .unwrap();
            model.merge(&update).unwrap();
            let merged = reference.f32(&format!("logits_{adapter}_merged"));
            check(
                &format!("{what} merged"),
                &run(&model, None),
                padded,
                &merged,
            );
            model.restore();
            let id = model.attach(&update).unwrap();
            let unmerged = reference.f32(&format!("logits_{adapter}_unmerged"));
            check(
                &format!("{what} unmerged"),
                &run(&model, Some(id)),
                padded,
                &unmerged,
            );
            assert!(
                same_bits(&base, &run(&model, None)),
                "{what}: the base again"
            );
            model.detach_all();
        }
    }
}

/// The folder again with the config that an older transformers wrote.
fn check_v4(folder: &Path) {
    let copy = tempfile::tempdir().unwrap();
    for file in [
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ] {
        std::fs::copy(folder.join(file), copy.path().join(file)).unwrap();
    }
    let config = copy.path().join("config.json");
    std::fs::copy(folder.join("config.v4.json"), config).unwrap();
    let reference = Reference::open(folder);
    let (inputs, padded) = reference.inputs();
    let output = load(copy.path(), KERNELS[0])
        .forward(&inputs, None)
        .unwrap();
    check("v4", &output, padded, &reference.f32("logits"));
}

#[test]
fn logits_are_those_of_transformers_and_peft() {
    for folder in shared("logits_are_those_of_transformers_and_peft") {
        check_folder(&folder);
        check_v4(&folder);
    }
}

#[test]
fn logits_of_the_projects_own_fixtures_are_those_of_transformers_and_peft() {
    for folder in committed() {
        check_folder(&folder);
        check_v4(&folder);
    }
}
