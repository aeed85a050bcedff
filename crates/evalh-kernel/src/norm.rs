//! Norms of both sets of primitives.

use crate::compute::{Compute, ComputeSet, mixed};
use crate::cpu::{self, NormSlices};
use crate::host::{self, Host};
use crate::recorded::{self, is_recorded};
use crate::weight::{Vector, VectorForm};
use burn::tensor::Tensor;
use std::ops::Range;

pub use crate::cpu::NormKind;

/// A norm applied to slices of a row, such as the heads of queries and keys.
#[derive(Debug, Clone, Copy)]
pub struct HeadNorm<'a> {
    /// Which moments it takes out.
    pub kind: NormKind,
    /// Factors after it: as many as a slice has values, shared by all slices, or as many as the columns.
    pub weight: &'a Vector,
    /// Summands after it, like the factors.
    pub bias: Option<&'a Vector>,
    /// Added to the mean square or the variance.
    pub eps: f32,
}

impl Compute {
    /// `x + residual`, and its root-mean-square norm times `weight`. Without a residual, `x` itself.
    pub fn rms_norm(
        &self,
        x: Tensor<2>,
        residual: Option<Tensor<2>>,
        weight: &Vector,
        eps: f32,
    ) -> (Tensor<2>, Tensor<2>) {
        match (self.set(), &weight.values) {
            (ComputeSet::Cpu(isa, _), _) if is_recorded(&x) => {
                let x = plus(x, residual);
                (x.clone(), recorded::rms_norm(isa, x, weight, eps))
            }
            (ComputeSet::Cpu(isa, _), VectorForm::Host(weight)) => {
                let mut x = Host::new(x).into_vec();
                let residual = residual.map(Host::new);
                let residual = residual.as_ref().map(Host::values);
                let mut out = vec![0f32; x.len()];
                cpu::rms_norm(isa, &mut x, residual, weight, eps, &mut out);
                self.pair(x, out, weight.len())
            }
            (ComputeSet::Burn, VectorForm::Tensor(_)) => {
                let x = plus(x, residual);
                (x.clone(), rms(x, eps) * self.on_device(weight).unsqueeze())
            }
            _ => mixed(),
        }
    }

    /// `x + residual`, and its layer norm: mean zero and variance one a row, times `weight`, plus `bias`. Without a
    /// residual, `x` itself; without weight or bias, one and zero.
    pub fn layer_norm(
        &self,
        x: Tensor<2>,
        residual: Option<Tensor<2>>,
        weight: Option<&Vector>,
        bias: Option<&Vector>,
        eps: f32,
    ) -> (Tensor<2>, Tensor<2>) {
        match self.set() {
            ComputeSet::Cpu(isa, _) if is_recorded(&x) => {
                let x = plus(x, residual);
                (x.clone(), recorded::layer_norm(isa, x, weight, bias, eps))
            }
            ComputeSet::Cpu(isa, _) => {
                let width = x.dims()[1];
                let mut x = Host::new(x).into_vec();
                let residual = residual.map(Host::new);
                let residual = residual.as_ref().map(Host::values);
                let mut out = vec![0f32; x.len()];
                let (weight, bias) = (on_host(weight), on_host(bias));
                cpu::layer_norm(isa, &mut x, residual, width, weight, bias, eps, &mut out);
                self.pair(x, out, width)
            }
            ComputeSet::Burn => {
                let x = plus(x, residual);
                let mut out = rms(centred(x.clone()), eps);
                if let Some(weight) = weight {
                    out = out * self.on_device(weight).unsqueeze();
                }
                if let Some(bias) = bias {
                    out = out + self.on_device(bias).unsqueeze();
                }
                (x, out)
            }
        }
    }

    /// Norms every slice of `group` values of some columns of `x`, `[tokens, width]`: the heads of queries or keys, or
    /// all of them at once where `group` is the number of columns.
    ///
    /// # Panics
    /// When the columns are not in `x` or not whole slices, or a vector fits neither a slice nor the columns.
    pub fn norm_columns(
        &self,
        x: Tensor<2>,
        columns: Range<usize>,
        group: usize,
        norm: HeadNorm<'_>,
    ) -> Tensor<2> {
        let HeadNorm {
            kind,
            weight,
            bias,
            eps,
        } = norm;
        match self.set() {
            ComputeSet::Cpu(isa, _) if is_recorded(&x) => {
                recorded::norm_columns(isa, x, columns, group, norm)
            }
            ComputeSet::Cpu(isa, _) => {
                let width = x.dims()[1];
                let mut x = Host::new(x).into_vec();
                let norm = NormSlices {
                    kind,
                    weight: on_host(Some(weight)),
                    bias: on_host(bias),
                    eps,
                };
                cpu::norm_columns(isa, &mut x, width, columns, group, norm);
                host::tensor(x, width, self.device())
            }
            ComputeSet::Burn => {
                let (tokens, groups) = (x.dims()[0], columns.len() / group);
                let place = [0..tokens, columns];
                let part: Tensor<2> = x.clone().slice(place.clone());
                let part: Tensor<2> = part.reshape([tokens * groups, group]);
                let part = match kind {
                    NormKind::Rms => rms(part, eps),
                    NormKind::Layer => rms(centred(part), eps),
                };
                let mut part: Tensor<3> = part.reshape([tokens, groups, group]);
                let spread = |vector: &Vector| {
                    let vector = self.on_device(vector);
                    let shared = vector.dims()[0] == group;
                    vector.reshape([1, if shared { 1 } else { groups }, group])
                };
                part = part * spread(weight);
                if let Some(bias) = bias {
                    part = part + spread(bias);
                }
                x.slice_assign(place, part.reshape([tokens, groups * group]))
            }
        }
    }

    /// The tensor of a vector of burn's set: a leaf of the tape where its gradient is wanted.
    pub(crate) fn on_device(&self, vector: &Vector) -> Tensor<1> {
        match &vector.values {
            VectorForm::Tensor(tensor) => self.leaf(tensor, vector.gradient.as_ref()),
            VectorForm::Host(_) => mixed(),
        }
    }

    fn pair(&self, x: Vec<f32>, out: Vec<f32>, width: usize) -> (Tensor<2>, Tensor<2>) {
        (
            host::tensor(x, width, self.device()),
            host::tensor(out, width, self.device()),
        )
    }
}

/// The values of a vector of the CPU set; none for none.
pub(crate) fn on_host(vector: Option<&Vector>) -> &[f32] {
    match vector.map(|vector| &vector.values) {
        None => &[],
        Some(VectorForm::Host(values)) => values,
        Some(VectorForm::Tensor(_)) => mixed(),
    }
}

fn plus(x: Tensor<2>, residual: Option<Tensor<2>>) -> Tensor<2> {
    match residual {
        Some(residual) => x + residual,
        None => x,
    }
}

fn centred(x: Tensor<2>) -> Tensor<2> {
    let mean = x.clone().mean_dim(1);
    x - mean
}

fn rms(x: Tensor<2>, eps: f32) -> Tensor<2> {
    let mean = (x.clone() * x.clone()).mean_dim(1);
    x / (mean + eps).sqrt()
}
