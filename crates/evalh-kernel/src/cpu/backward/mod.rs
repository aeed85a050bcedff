//! Gradients of the CPU primitives, on plain slices.
//!
//! Every result is `f32` and has the same bits with any number of threads and on any instruction set: an output is one
//! chain of fused products in a fixed order, and what is summed over rows is summed in pieces whose bounds depend on the
//! shape alone. Gradients of parameters are added to what is there, so that batches can be accumulated; gradients of
//! rows are written, unless a function says otherwise.

mod activation;
mod adamw;
mod attention;
mod cross_entropy;
mod deep;
mod low_rank;
mod norm;
mod pack;
mod part;
mod product;
mod rotate;
mod weight;

pub use activation::{activate_backward, gate_backward};
pub use adamw::{AdamWStep, adamw_step};
pub use attention::{attend_sequences, attend_sequences_backward};
pub use cross_entropy::cross_entropy;
pub use low_rank::{LowRankPart, low_rank_backward};
pub use norm::{layer_norm_backward, norm_columns_backward, rms_norm_backward};
pub use rotate::{rotate, rotate_back};
pub use weight::{add_weight_gradient, transpose};

/// An output that tasks write at places of their own.
#[derive(Clone, Copy)]
struct Shared(*mut f32);
// SAFETY: tasks write disjoint places.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}
impl Shared {
    fn at(self, index: usize) -> *mut f32 {
        self.0.wrapping_add(index)
    }
}

#[cfg(test)]
mod differences;
