//! Weights in the form their set of primitives wants.

use crate::cpu::PackedWeight;
use crate::gradient::Sink;
use burn::tensor::{Tensor, TensorData};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// A matrix `[outputs, inputs]`.
#[derive(Debug, Clone)]
pub struct Weight {
    pub(crate) form: Form,
    pub(crate) gradient: Option<Sink>,
}

#[derive(Debug, Clone)]
#[allow(
    clippy::large_enum_variant,
    reason = "a model has a few hundred of them"
)]
pub(crate) enum Form {
    /// Packed for the CPU.
    Packed(Arc<PackedWeight>, Turned),
    /// A burn tensor `[outputs, inputs]`.
    Dense(Tensor<2>),
}

/// The transpose of a packed weight, from the first backward pass through it on.
pub(crate) type Turned = Arc<OnceLock<PackedWeight>>;

impl Weight {
    pub(crate) fn packed(weight: PackedWeight) -> Self {
        Self {
            form: Form::Packed(Arc::new(weight), Turned::default()),
            gradient: None,
        }
    }

    pub(crate) fn dense(tensor: Tensor<2>) -> Self {
        Self {
            form: Form::Dense(tensor),
            gradient: None,
        }
    }

    /// The same weight, whose gradient is wanted.
    #[must_use]
    pub fn with_gradient(self, sink: Option<Sink>) -> Self {
        Self {
            gradient: sink,
            ..self
        }
    }

    /// Where its gradient goes, where it is wanted.
    pub fn gradient(&self) -> Option<&Sink> {
        self.gradient.as_ref()
    }

    /// Rows of the matrix.
    pub fn outputs(&self) -> usize {
        match &self.form {
            Form::Packed(weight, _) => weight.outputs(),
            Form::Dense(tensor) => tensor.dims()[0],
        }
    }

    /// Columns of the matrix.
    pub fn inputs(&self) -> usize {
        match &self.form {
            Form::Packed(weight, _) => weight.inputs(),
            Form::Dense(tensor) => tensor.dims()[1],
        }
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        match &self.form {
            Form::Packed(weight, turned) => {
                weight.bytes() + turned.get().map_or(0, PackedWeight::bytes)
            }
            Form::Dense(_) => self.outputs() * self.inputs() * size_of::<f32>(),
        }
    }

    /// Names of the types in which the values are held: `f32`, `bf16`, or those of codes.
    pub fn dtypes(&self) -> Vec<&'static str> {
        match &self.form {
            Form::Packed(weight, _) => weight.dtypes(),
            Form::Dense(_) => vec!["f32"],
        }
    }

    /// The values as they were given, row-major.
    pub fn to_rows(&self) -> Vec<f32> {
        match &self.form {
            Form::Packed(weight, _) => weight.to_rows(),
            Form::Dense(tensor) => data_values(tensor.to_data()),
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
pub struct Vector {
    pub(crate) values: VectorForm,
    pub(crate) gradient: Option<Sink>,
}

#[derive(Debug, Clone)]
#[allow(
    clippy::large_enum_variant,
    reason = "a model has a few hundred of them"
)]
pub(crate) enum VectorForm {
    /// For the CPU.
    Host(Vec<f32>),
    /// A burn tensor.
    Tensor(Tensor<1>),
}

impl Vector {
    pub(crate) fn new(values: VectorForm) -> Self {
        Self {
            values,
            gradient: None,
        }
    }

    /// The same values, whose gradient is wanted.
    #[must_use]
    pub fn with_gradient(self, sink: Option<Sink>) -> Self {
        Self {
            gradient: sink,
            ..self
        }
    }

    /// Where the gradient goes, where it is wanted.
    pub fn gradient(&self) -> Option<&Sink> {
        self.gradient.as_ref()
    }

    /// The values.
    pub fn to_values(&self) -> Vec<f32> {
        match &self.values {
            VectorForm::Host(values) => values.clone(),
            VectorForm::Tensor(tensor) => data_values(tensor.to_data()),
        }
    }
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
