//! The CPU set's primitives on burn's autodiff tape: each is one step whose backward pass is code of our own.
//!
//! A tensor knows whether it is on the tape; the primitives look at their inputs and record themselves where one is.

mod activation;
mod attention;
mod dense;
mod embedding;
mod head;
mod label;
mod low_rank;
mod norm;
mod step;
mod tape;

pub(crate) use activation::{activate, gate};
pub(crate) use attention::attend;
pub(crate) use dense::{linear, product};
pub(crate) use embedding::{embed, select_rows};
pub use head::TargetLoss;
pub use label::{class_loss, squared_error};
pub use low_rank::{InputMask, TrainedUpdate};
pub(crate) use norm::{layer_norm, norm_columns, rms_norm};
pub(crate) use step::{is_recorded, record};
pub(crate) use tape::Leaves;
