//! Primitives on plain slices for the CPU.
#![allow(unsafe_code)]
#![allow(
    clippy::inline_always,
    reason = "generic code takes the instruction set of the function it is inlined into"
)]

mod activation;
mod attention;
pub mod backward;
mod bidirectional;
mod blocks;
mod codes;
mod curve;
mod gemm;
mod isa;
mod kv;
mod lanes;
mod layer_norm;
mod low_rank;
mod packed;
mod positions;
mod rope;
mod rows;
mod tile;

pub use activation::{Activation, activate, gate};
pub use attention::{AttentionRow, AttentionShape, QkvLayout, attend};
pub use bidirectional::{BidirectionalShape, attend_all};
pub use codes::{CodeValues, CodedRows, Factors};
pub use gemm::{multiply, product};
pub use isa::Isa;
pub use kv::{BLOCK_TOKENS, BlockTable, KvPool, KvShape, OutOfBlocks};
pub use layer_norm::{NormKind, NormSlices, layer_norm, norm_columns};
pub(crate) use low_rank::{Addend, TASK_ROWS, add_low_rank};
pub use packed::{PackedWeight, Precision};
pub use positions::PackedPositions;
pub use rope::{Angles, Pairing, RopeTable};
pub use rows::{rescale, rms_norm};
