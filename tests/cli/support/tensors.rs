//! A safetensors file of numbers that are always the same.

use safetensors::{Dtype, serialize, tensor::TensorView};
use std::{fs, path::Path};

/// Named tensors of 32-bit floats.
#[derive(Default)]
pub struct Tensors {
    all: Vec<(String, Vec<usize>, Vec<u8>)>,
}

impl Tensors {
    /// Adds a tensor of numbers around `middle`, at most `spread` away, that depend on its name and `seed` only.
    pub fn add(&mut self, name: &str, shape: &[usize], middle: f32, spread: f32, seed: u64) {
        let mut state = name
            .bytes()
            .fold(seed ^ 0x9e37_79b9_7f4a_7c15, |sum, byte| {
                mixed(sum ^ u64::from(byte))
            });
        let values = (0..shape.iter().product()).flat_map(|_| {
            state = mixed(state);
            let unit = (state >> 40) as f32 / (1u64 << 24) as f32;
            (middle + spread * (2.0 * unit - 1.0)).to_le_bytes()
        });
        self.all
            .push((name.to_owned(), shape.to_vec(), values.collect()));
    }

    /// The file's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let views = self.all.iter().map(|(name, shape, bytes)| {
            (
                name.as_str(),
                TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap(),
            )
        });
        serialize(views, None).unwrap()
    }

    /// Writes the file.
    pub fn write(&self, path: &Path) {
        fs::write(path, self.bytes()).unwrap();
    }
}

/// The mixing function of `SplitMix64` (Steele et al. 2014).
fn mixed(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
