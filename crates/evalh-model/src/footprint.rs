//! What a loaded model takes.

use evalh_kernel::Weight;
use std::collections::BTreeSet;

/// What a loaded model takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footprint {
    /// Values of all weights, norms and biases, a tied head counted once.
    pub parameters: usize,
    /// Bytes held for the base weights.
    pub bytes: usize,
    /// Bytes held for merged or attached adapters.
    pub adapter_bytes: usize,
    /// The types the weights are held in, e.g. `bf16, f32`, or `q4_1, q8_0` where they are held as codes.
    pub dtype: String,
}

impl Footprint {
    /// The footprint of some weights, of `vectors` values of norms and biases, and of adapters.
    pub(crate) fn of(weights: &[&Weight], vectors: usize, adapter_bytes: usize) -> Self {
        let types: BTreeSet<&str> = weights.iter().flat_map(|w| w.dtypes()).collect();
        let values: usize = weights.iter().map(|w| w.outputs() * w.inputs()).sum();
        let bytes: usize = weights.iter().map(|w| w.bytes()).sum();
        Self {
            parameters: values + vectors,
            bytes: bytes + vectors * size_of::<f32>(),
            adapter_bytes,
            dtype: types.into_iter().collect::<Vec<_>>().join(", "),
        }
    }
}
