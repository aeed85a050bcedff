//! Reference folders: a checkpoint, its adapters and what transformers and PEFT compute.

use evalh_checkpoint::Checkpoint;
use evalh_model::{DeviceChoice, Encoder, EncoderConfig, EncoderInput, KernelChoice, LoadOptions};
use safetensors::SafeTensors;
use std::path::{Path, PathBuf};

/// The bar that the shared fixtures' own README sets.
pub const TOLERANCE: f32 = 1e-4;
pub const KERNELS: [KernelChoice; 2] = [KernelChoice::Auto, KernelChoice::Portable];

/// The shared fixtures of encoders, or nothing where there are none.
pub fn shared(test: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures");
    if !root.exists() {
        eprintln!("skipped {test}: ../shared is absent");
        return Vec::new();
    }
    ["bert", "roberta", "deberta_v2"]
        .map(|name| root.join(name))
        .to_vec()
}

/// The fixtures of encoders of this repository.
pub fn committed() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    ["bert", "roberta_mlm", "deberta_v2", "deberta_v2_mlm"]
        .map(|name| root.join(name))
        .to_vec()
}

/// Inputs of one to twenty-nine tokens, with types where the model has some.
pub fn inputs_of_many_lengths(config: &EncoderConfig) -> Vec<EncoderInput> {
    [7, 1, 29, 2, 13, 16]
        .into_iter()
        .map(|n: u32| EncoderInput {
            ids: (0..n)
                .map(|i| 4 + (i * 31 + n * 17) % (config.vocab_size as u32 - 4))
                .collect(),
            token_types: (0..n)
                .map(|i| u32::from(config.token_types > 1 && i > n / 2))
                .collect(),
        })
        .collect()
}

/// A folder's tensors.
pub struct Reference(Vec<u8>);

impl Reference {
    pub fn open(folder: &Path) -> Self {
        Self(std::fs::read(folder.join("reference.safetensors")).unwrap())
    }

    fn bytes(&self, name: &str) -> Option<(Vec<usize>, Vec<u8>)> {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        let tensor = tensors.tensor(name).ok()?;
        Some((tensor.shape().to_vec(), tensor.data().to_vec()))
    }

    pub fn f32(&self, name: &str) -> (Vec<usize>, Vec<f32>) {
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
    pub fn inputs(&self) -> (Vec<EncoderInput>, usize) {
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

/// The encoder of a folder.
pub fn load(folder: &Path, kernel: KernelChoice) -> Encoder {
    let checkpoint = Checkpoint::open(folder).unwrap();
    let options = LoadOptions {
        kernel,
        ..LoadOptions::default()
    };
    Encoder::load(&checkpoint, DeviceChoice::Cpu, options).unwrap()
}
