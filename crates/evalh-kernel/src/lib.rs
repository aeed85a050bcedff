//! The primitives a decoder needs, on burn tensors: packed linear, ragged attention over a paged cache, norms, gates.
//!
//! Two sets behind one interface: on the CPU, code of our own on raw slices ([`cpu`]); everywhere else, burn's
//! operations. Model code calls [`Compute`] and does not know which.

mod activation;
mod bidirectional;
mod burn_ops;
mod cache;
mod compute;
pub mod cpu;
mod gradient;
mod host;
#[allow(unsafe_code)]
mod memory;
mod norm;
mod recorded;
mod weight;

pub use bidirectional::RelativePositions;
pub use cache::{CacheError, CacheShape, KvCache, SeqId};
pub use compute::{Compute, ComputeSet, LowRankSpan, RescaleSpan, Rotations, RowSpan};
pub use cpu::{
    Activation, Angles, AttentionShape, BidirectionalShape, CodeValues, CodedRows, Factors, Isa,
    Pairing, Precision, QkvLayout, RopeTable,
};
pub use gradient::{GradientSink, Sink, SummedGradient};
pub use memory::return_freed_memory;
pub use norm::{HeadNorm, NormKind};
pub use recorded::{InputMask, TargetLoss, TrainedUpdate, class_loss, squared_error};
pub use weight::{LowRank, LowRankAddend, Vector, Weight};
