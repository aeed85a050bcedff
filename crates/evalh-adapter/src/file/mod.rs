//! The file of weights of an adapter: its keys, and the updates and tensors they hold.

mod contents;
mod keys;
mod parts;
mod raw;

pub use contents::Contents;
pub use parts::Factors;
pub use raw::{NonFinite, RawTensor, non_finite, read_file, weights_file};

use crate::AdapterError;
use std::path::Path;

/// The refusal of a tensor.
fn tensor_error(path: &Path, tensor: &str, problem: String, remedy: &str) -> AdapterError {
    AdapterError::Tensor {
        path: path.to_owned(),
        tensor: tensor.to_owned(),
        problem,
        remedy: remedy.to_owned(),
    }
}
