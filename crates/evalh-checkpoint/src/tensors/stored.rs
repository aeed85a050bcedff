//! A tensor as its file describes it.

use crate::{StoredDtype, TensorInfo};
use safetensors::Dtype;
use std::ops::Range;

/// Name, shape and place of one tensor.
#[derive(Debug, Clone)]
pub(crate) struct StoredTensor {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) dtype: Dtype,
    /// The bytes of the file from the first value to the last.
    pub(crate) data: Range<usize>,
    /// Distance between neighbours of each extent, in values; `None` where the values lie in row-major order.
    pub(crate) strides: Option<Vec<usize>>,
}

impl StoredTensor {
    pub(crate) fn info(&self) -> TensorInfo {
        TensorInfo {
            shape: self.shape.clone(),
            dtype: stored_dtype(self.dtype),
        }
    }

    /// The number of values. The product cannot overflow: see [`elements`].
    pub(crate) fn elements(&self) -> usize {
        self.shape.iter().product()
    }
}

/// The number of values of a shape, or `None` where their bytes in f32 could not be counted.
pub(super) fn elements(shape: &[usize]) -> Option<usize> {
    shape
        .iter()
        .try_fold(1usize, |product, &n| product.checked_mul(n))
        .filter(|n| n.checked_mul(size_of::<f32>()).is_some())
}

fn stored_dtype(dtype: Dtype) -> StoredDtype {
    match dtype {
        Dtype::F32 => StoredDtype::F32,
        Dtype::F16 => StoredDtype::F16,
        Dtype::BF16 => StoredDtype::BF16,
        Dtype::BOOL => StoredDtype::Unreadable("BOOL"),
        Dtype::U8 => StoredDtype::Unreadable("U8"),
        Dtype::I8 => StoredDtype::Unreadable("I8"),
        Dtype::U16 => StoredDtype::Unreadable("U16"),
        Dtype::I16 => StoredDtype::Unreadable("I16"),
        Dtype::U32 => StoredDtype::Unreadable("U32"),
        Dtype::I32 => StoredDtype::Unreadable("I32"),
        Dtype::U64 => StoredDtype::Unreadable("U64"),
        Dtype::I64 => StoredDtype::Unreadable("I64"),
        Dtype::F64 => StoredDtype::Unreadable("F64"),
        Dtype::C64 => StoredDtype::Unreadable("C64"),
        Dtype::F4 => StoredDtype::Unreadable("F4"),
        Dtype::F6_E2M3 => StoredDtype::Unreadable("F6_E2M3"),
        Dtype::F6_E3M2 => StoredDtype::Unreadable("F6_E3M2"),
        Dtype::F8_E5M2 => StoredDtype::Unreadable("F8_E5M2"),
        Dtype::F8_E4M3 => StoredDtype::Unreadable("F8_E4M3"),
        Dtype::F8_E8M0 => StoredDtype::Unreadable("F8_E8M0"),
        Dtype::F8_E4M3FNUZ => StoredDtype::Unreadable("F8_E4M3FNUZ"),
        Dtype::F8_E5M2FNUZ => StoredDtype::Unreadable("F8_E5M2FNUZ"),
        _ => StoredDtype::Unreadable("a type newer than this program"),
    }
}
