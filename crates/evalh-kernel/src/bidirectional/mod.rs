//! Attention of whole sequences, of both sets of primitives.

mod portable;

use crate::compute::{Compute, ComputeSet};
use crate::cpu::{self, BidirectionalShape, PackedPositions};
use crate::host::{self, Host};
use crate::recorded::is_recorded;
use burn::tensor::Tensor;
use std::ops::Range;

/// Relative positions whose products with queries and keys are added to the scores (`DeBERTa`'s disentangled attention).
///
/// A query `i` and a key `j` have the position `rows[i - j + rows.len() / 2]`.
#[derive(Debug, Clone)]
pub struct RelativePositions<'a> {
    /// Keys of the positions, multiplied with the queries ("content to position"): `[positions, width]`.
    pub keys: Option<Tensor<2>>,
    /// Queries of the positions, multiplied with the keys ("position to content"): `[positions, width]`.
    pub queries: Option<Tensor<2>>,
    /// The position of every distance, an odd number of them, the most negative distance first.
    pub rows: &'a [u32],
}

impl Compute {
    /// Attention of every token of a sequence to all of it: `[tokens, 3 * width]`, queries, keys and values of each
    /// token, to `[tokens, width]`. `sequences` must cover the batch in order.
    ///
    /// # Panics
    /// When a shape does not fit, a sequence is empty, or longer than `positions` goes.
    pub fn attend_all(
        &self,
        qkv: Tensor<2>,
        shape: BidirectionalShape,
        sequences: &[Range<usize>],
        positions: Option<&RelativePositions<'_>>,
    ) -> Tensor<2> {
        match self.set() {
            // burn's operations record themselves.
            ComputeSet::Cpu(..) if is_recorded(&qkv) => {
                portable::attend_all(qkv, shape, sequences, positions)
            }
            ComputeSet::Cpu(isa, _) => {
                let qkv = Host::new(qkv);
                let positions = positions.map(|positions| {
                    let [keys, queries] = [&positions.keys, &positions.queries]
                        .map(|values| values.clone().map(Host::new));
                    PackedPositions::new(
                        keys.as_ref().map(Host::values),
                        queries.as_ref().map(Host::values),
                        positions.rows,
                        shape.heads,
                        shape.head_dim,
                    )
                });
                let mut out = vec![0f32; qkv.values().len() / 3];
                cpu::attend_all(
                    isa,
                    qkv.values(),
                    shape,
                    sequences,
                    positions.as_ref(),
                    &mut out,
                );
                host::tensor(out, shape.width(), self.device())
            }
            ComputeSet::Burn => portable::attend_all(qkv, shape, sequences, positions),
        }
    }
}
