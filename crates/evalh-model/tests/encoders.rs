//! Parity of encoders with transformers and PEFT on reference folders, for both sets of primitives.

use evalh_adapter::Adapter;
use evalh_checkpoint::Checkpoint;
use evalh_model::{
    DeviceChoice, Encoder, EncoderInput, EncoderOutput, KernelChoice, LoadOptions, LoraId,
};
use safetensors::SafeTensors;
use std::path::{Path, PathBuf};

/// The bar that the fixtures' own README sets.
const TOLERANCE: f32 = 1e-4;
const KERNELS: [KernelChoice; 2] = [KernelChoice::Auto, KernelChoice::Portable];

/// The shared fixtures of encoders, or nothing where there are none.
fn shared(test: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures");
    if !root.exists() {
        eprintln!("skipped {test}: ../shared is absent");
        return Vec::new();
    }
    ["bert", "roberta", "deberta_v2"]
        .map(|name| root.join(name))
        .to_vec()
}

struct Reference(Vec<u8>);

impl Reference {
    fn open(folder: &Path) -> Self {
        Self(std::fs::read(folder.join("reference.safetensors")).unwrap())
    }

    fn bytes(&self, name: &str) -> Option<(Vec<usize>, Vec<u8>)> {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        let tensor = tensors.tensor(name).ok()?;
        Some((tensor.shape().to_vec(), tensor.data().to_vec()))
    }

    fn f32(&self, name: &str) -> (Vec<usize>, Vec<f32>) {
        let (shape, bytes) = self.bytes(name).unwrap();
        let values = bytes
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes(b.try_into().unwrap()));
        (shape, values.collect())
    }

    /// Rows of a `[inputs, tokens]` tensor of ids.
    fn ids(&self, name: &str) -> Option<Vec<Vec<u32>>> {
        let (shape, bytes) = self.bytes(name)?;
        let ids: Vec<u32> = bytes
            .chunks_exact(8)
            .map(|b| i64::from_le_bytes(b.try_into().unwrap()) as u32)
            .collect();
        Some(ids.chunks(shape[1]).map(<[u32]>::to_vec).collect())
    }

    /// The inputs without their padding, and the padded length.
    fn inputs(&self) -> (Vec<EncoderInput>, usize) {
        let ids = self.ids("input_ids").unwrap();
        let mask = self.ids("attention_mask").unwrap();
        let types = self.ids("token_type_ids");
        let inputs = (0..ids.len()).map(|i| {
            let kept = |row: &[u32]| -> Vec<u32> {
                let pairs = row.iter().zip(&mask[i]);
                pairs.filter(|(_, m)| **m == 1).map(|(v, _)| *v).collect()
            };
            EncoderInput {
                ids: kept(&ids[i]),
                token_types: types.as_ref().map_or(Vec::new(), |types| kept(&types[i])),
            }
        });
        (inputs.collect(), ids[0].len())
    }
}

fn load(folder: &Path, kernel: KernelChoice) -> Encoder {
    let checkpoint = Checkpoint::open(folder).unwrap();
    let options = LoadOptions {
        kernel,
        ..LoadOptions::default()
    };
    Encoder::load(&checkpoint, DeviceChoice::Cpu, options).unwrap()
}

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

#[test]
fn logits_are_those_of_transformers_and_peft() {
    for folder in shared("logits_are_those_of_transformers_and_peft") {
        check_folder(&folder);
    }
}
