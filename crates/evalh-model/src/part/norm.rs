//! The norms of the stream and of queries and keys.

use super::{Held, Parameter, ParameterSlot, ParameterTensor, Place, Scope, Slot, Target, Updates};
use crate::LoraId;
use crate::config::Norms;
use burn::tensor::Tensor;
use evalh_kernel::{Compute, NormKind, Vector};
use std::ops::Range;

/// A norm over the stream.
#[derive(Debug)]
pub(crate) struct Norm {
    name: String,
    kind: Norms,
    eps: f32,
    weight: Option<Slot<Vector>>,
    bias: Option<Slot<Vector>>,
    width: usize,
}

impl Norm {
    /// A norm with the weights of its kind, as the checkpoint stores them.
    pub(crate) fn new(
        compute: &Compute,
        name: String,
        kind: Norms,
        eps: f32,
        weight: Option<Vec<f32>>,
        bias: Option<Vec<f32>>,
    ) -> Self {
        let width = weight.as_ref().map_or(0, Vec::len);
        let slot = |values: Vec<f32>, is_weight: bool| {
            let values = if is_weight {
                stored(kind, values)
            } else {
                values
            };
            Slot::new(compute.vector(values))
        };
        Self {
            name,
            kind,
            eps,
            weight: weight.map(|weight| slot(weight, true)),
            bias: bias.map(|bias| slot(bias, false)),
            width,
        }
    }

    /// Names and shapes of its tensors.
    pub(crate) fn tensors(&self) -> impl Iterator<Item = (String, Vec<usize>)> {
        let part = |there: bool, name: &str| {
            there.then(|| (format!("{}.{name}", self.name), vec![self.width]))
        };
        part(self.weight.is_some(), "weight")
            .into_iter()
            .chain(part(self.bias.is_some(), "bias"))
    }

    /// `x + residual`, and its norm.
    pub(crate) fn forward(
        &self,
        compute: &Compute,
        x: Tensor<2>,
        residual: Option<Tensor<2>>,
        scope: &Scope,
    ) -> (Tensor<2>, Tensor<2>) {
        let weight = self.weight.as_ref().map(|slot| slot.get(scope));
        let bias = self.bias.as_ref().map(|slot| slot.get(scope));
        match (self.kind, weight) {
            (Norms::Rms | Norms::RmsPlusOne, Some(weight)) => {
                compute.rms_norm(x, residual, weight, self.eps)
            }
            _ => compute.layer_norm(x, residual, weight, bias, self.eps),
        }
    }

    /// Takes over the adapter's tensors.
    pub(crate) fn apply(&mut self, compute: &Compute, target: Target, updates: &Updates<'_>) {
        if let Some(values) = updates.saved(&format!("{}.weight", self.name))
            && let Some(slot) = &mut self.weight
        {
            let values = stored(self.kind, values.to_vec());
            slot.put(target, compute.vector(values));
        }
        if let Some(values) = updates.saved(&format!("{}.bias", self.name))
            && let Some(slot) = &mut self.bias
        {
            slot.put(target, compute.vector(values.to_vec()));
        }
    }

    /// Values of its weight and bias.
    pub(crate) fn parameters(&self) -> usize {
        self.tensors().map(|(_, shape)| shape[0]).sum()
    }

    fn slots(&self) -> impl Iterator<Item = &Slot<Vector>> {
        self.weight.iter().chain(&self.bias)
    }

    fn slots_mut(&mut self) -> impl Iterator<Item = &mut Slot<Vector>> {
        self.weight.iter_mut().chain(&mut self.bias)
    }
}

/// A weight as the primitives want it.
fn stored(kind: Norms, mut values: Vec<f32>) -> Vec<f32> {
    if kind == Norms::RmsPlusOne {
        for value in &mut values {
            *value += 1.0;
        }
    }
    values
}

impl Held for Norm {
    fn restore(&mut self) {
        self.slots_mut().for_each(Slot::restore);
    }

    fn detach(&mut self) {
        self.slots_mut().for_each(Slot::detach);
    }

    fn replaced_by(&self, adapter: LoraId) -> bool {
        self.slots().any(|slot| slot.replaced_by(adapter))
    }

    fn extra_bytes(&self) -> usize {
        let replaced: usize = self.slots().map(|slot| slot.extra().count()).sum();
        replaced * self.width * size_of::<f32>()
    }

    fn parameters_mut(&mut self) -> Vec<ParameterSlot<'_>> {
        let plus_one = self.kind == Norms::RmsPlusOne;
        let (name, width) = (&self.name, self.width);
        let slot = |slot, part: &str, offset| ParameterSlot {
            parameter: column([(format!("{name}.{part}"), width)]),
            place: Place::Vector {
                slot,
                offset,
                copy: None,
            },
        };
        let weight = self.weight.as_mut();
        let weight = weight.map(|w| slot(w, "weight", if plus_one { 1.0 } else { 0.0 }));
        let bias = self.bias.as_mut().map(|b| slot(b, "bias", 0.0));
        weight.into_iter().chain(bias).collect()
    }
}

/// Rows of one value, of tensors with their lengths.
fn column(tensors: impl IntoIterator<Item = (String, usize)>) -> Parameter {
    let mut rows = 0;
    let tensors = tensors.into_iter().map(|(name, len)| {
        rows += len;
        ParameterTensor {
            name,
            rows: rows - len..rows,
            shape: vec![len],
            turned: false,
        }
    });
    let tensors = tensors.collect();
    Parameter {
        tensors,
        rows,
        width: 1,
        is_vector: true,
        layer: None,
        uses: 1,
    }
}

/// A norm over the heads of queries or of keys.
#[derive(Debug)]
pub(crate) struct HeadNorm {
    /// One for all heads, or one a head.
    norms: Vec<Norm>,
    /// Values normed together.
    group: usize,
    /// The weights of all heads after one another, where each head has its own.
    joined: Option<Joined>,
}

#[derive(Debug)]
struct Joined {
    values: Vec<f32>,
    slot: Slot<Vector>,
}

impl HeadNorm {
    /// One norm for groups of so many values.
    pub(crate) fn shared(norm: Norm) -> Self {
        Self {
            group: norm.width,
            norms: vec![norm],
            joined: None,
        }
    }

    /// A norm for each head, given with its weight.
    pub(crate) fn own(compute: &Compute, norms: Vec<(Norm, Vec<f32>)>) -> Self {
        let group = norms.first().map_or(0, |(norm, _)| norm.width);
        let values: Vec<f32> = norms.iter().flat_map(|(_, w)| w).copied().collect();
        let slot = Slot::new(compute.vector(values.clone()));
        let joined = Some(Joined { values, slot });
        Self {
            norms: norms.into_iter().map(|(norm, _)| norm).collect(),
            group,
            joined,
        }
    }

    /// Names and shapes of its tensors.
    pub(crate) fn tensors(&self) -> impl Iterator<Item = (String, Vec<usize>)> {
        self.norms.iter().flat_map(Norm::tensors)
    }

    /// Norms those columns of `x`.
    pub(crate) fn forward(
        &self,
        compute: &Compute,
        x: Tensor<2>,
        columns: Range<usize>,
        scope: &Scope,
    ) -> Tensor<2> {
        let Some(norm) = self.norms.first() else {
            return x;
        };
        let joined = self.joined.as_ref().map(|joined| &joined.slot);
        let own = joined.or(norm.weight.as_ref());
        let Some(weight) = own.map(|slot| slot.get(scope)) else {
            return x;
        };
        let kind = match norm.kind {
            Norms::Rms | Norms::RmsPlusOne => NormKind::Rms,
            Norms::Layer | Norms::LayerPlain => NormKind::Layer,
        };
        let bias = norm.bias.as_ref().map(|slot| slot.get(scope));
        let eps = norm.eps;
        let norm = evalh_kernel::HeadNorm {
            kind,
            weight,
            bias,
            eps,
        };
        compute.norm_columns(x, columns, self.group, norm)
    }

    /// Takes over the adapter's tensors.
    pub(crate) fn apply(&mut self, compute: &Compute, target: Target, updates: &Updates<'_>) {
        for norm in &mut self.norms {
            norm.apply(compute, target, updates);
        }
        if let Some(joined) = &mut self.joined {
            let saved: Vec<_> = self
                .norms
                .iter()
                .map(|norm| updates.saved(&format!("{}.weight", norm.name)))
                .collect();
            if saved.iter().any(Option::is_some) {
                let mut values = joined.values.clone();
                for (part, saved) in values.chunks_exact_mut(self.group).zip(saved) {
                    if let Some(saved) = saved {
                        part.copy_from_slice(saved);
                    }
                }
                joined.slot.put(target, compute.vector(values));
            }
        }
    }

    /// Values of its weights and biases.
    pub(crate) fn parameters(&self) -> usize {
        self.norms.iter().map(Norm::parameters).sum()
    }
}

impl Held for HeadNorm {
    fn restore(&mut self) {
        self.norms.iter_mut().for_each(Norm::restore);
        self.joined.iter_mut().for_each(|j| j.slot.restore());
    }

    fn detach(&mut self) {
        self.norms.iter_mut().for_each(Norm::detach);
        self.joined.iter_mut().for_each(|j| j.slot.detach());
    }

    fn replaced_by(&self, adapter: LoraId) -> bool {
        self.norms.iter().any(|norm| norm.replaced_by(adapter))
    }

    fn extra_bytes(&self) -> usize {
        self.norms.iter().map(Norm::extra_bytes).sum()
    }

    fn parameters_mut(&mut self) -> Vec<ParameterSlot<'_>> {
        let Some(joined) = &mut self.joined else {
            return self
                .norms
                .iter_mut()
                .flat_map(Norm::parameters_mut)
                .collect();
        };
        let norms = self.norms.iter();
        let tensors = norms.map(|norm| (format!("{}.weight", norm.name), norm.width));
        vec![ParameterSlot {
            parameter: column(tensors),
            place: Place::Vector {
                slot: &mut joined.slot,
                offset: 0.0,
                copy: Some(&mut joined.values),
            },
        }]
    }
}
