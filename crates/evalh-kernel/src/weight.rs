//! Weights in the form their set of primitives wants.

use crate::cpu::PackedWeight;
use burn::tensor::{Tensor, TensorData};
use std::ops::Range;

/// A matrix `[outputs, inputs]`.
#[derive(Debug, Clone)]
#[allow(
    clippy::large_enum_variant,
    reason = "a model has a few hundred of them"
)]
pub enum Weight {
    /// Packed for the CPU.
    Packed(PackedWeight),
    /// A burn tensor `[outputs, inputs]`.
    Dense(Tensor<2>),
}

impl Weight {
    /// Rows of the matrix.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Packed(weight) => weight.outputs(),
            Self::Dense(tensor) => tensor.dims()[0],
        }
    }

    /// Columns of the matrix.
    pub fn inputs(&self) -> usize {
        match self {
            Self::Packed(weight) => weight.inputs(),
            Self::Dense(tensor) => tensor.dims()[1],
        }
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Packed(weight) => weight.bytes(),
            Self::Dense(_) => self.outputs() * self.inputs() * size_of::<f32>(),
        }
    }

    /// Names of the types in which the values are held: `f32`, `bf16`, or those of codes.
    pub fn dtypes(&self) -> Vec<&'static str> {
        match self {
            Self::Packed(weight) => weight.dtypes(),
            Self::Dense(_) => vec!["f32"],
        }
    }

    /// The values as they were given, row-major.
    pub fn to_rows(&self) -> Vec<f32> {
        match self {
            Self::Packed(weight) => weight.to_rows(),
            Self::Dense(tensor) => data_values(tensor.to_data()),
        }
    }
}

/// The values of a read-back tensor.
pub(crate) fn data_values(data: TensorData) -> Vec<f32> {
    data.convert::<f32>()
        .try_into_vec::<f32>()
        .unwrap_or_else(|error| unreachable!("converted to f32 just now: {error:?}"))
}

/// A row of values, such as a norm's weight or a bias.
#[derive(Debug, Clone)]
#[allow(
    clippy::large_enum_variant,
    reason = "a model has a few hundred of them"
)]
pub enum Vector {
    /// For the CPU.
    Host(Vec<f32>),
    /// A burn tensor.
    Tensor(Tensor<1>),
}

/// Low-rank updates of a linear, whose `A` are one weight: they read the same.
#[derive(Debug, Clone)]
pub struct LowRank {
    /// The `A`s one after another, `[sum of ranks, inputs]`.
    pub a: Weight,
    /// What each adds.
    pub addends: Vec<LowRankAddend>,
}

/// A low-rank update `scale * B A` of some columns of a linear's output.
#[derive(Debug, Clone)]
pub struct LowRankAddend {
    /// Its `A`'s outputs among all.
    pub ranks: Range<usize>,
    /// `B`, `[outputs, rank]`.
    pub b: Weight,
    /// Factor of the product.
    pub scale: f32,
    /// First output column it adds to.
    pub column: usize,
}

impl LowRank {
    /// Bytes held.
    pub fn bytes(&self) -> usize {
        let addends = self.addends.iter().map(|addend| addend.b.bytes());
        self.a.bytes() + addends.sum::<usize>()
    }
}
