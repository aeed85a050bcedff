//! Products with weights.

use super::low_rank::TrainedUpdate;
use super::record;
use crate::cpu::{self, Isa, PackedWeight, backward};
use crate::host::Host;
use crate::weight::{Turned, Vector, VectorForm, Weight};
use burn::tensor::Tensor;
use std::sync::Arc;

/// `x W^T + bias` and what trained updates add to it. The backward pass multiplies by the packed transpose, and hands
/// the gradients of weight, bias and updates to their sinks.
pub(crate) fn linear(
    isa: Isa,
    x: Tensor<2>,
    (packed, turned): (&Arc<PackedWeight>, &Turned),
    weight: &Weight,
    bias: Option<&Vector>,
    updates: &[TrainedUpdate],
) -> Tensor<2> {
    let (inputs, outputs) = (packed.inputs(), packed.outputs());
    record([x], outputs, |[x]| {
        let rows = x.values().len() / inputs;
        let mut out = product(isa, x.values(), packed, bias);
        let saved: Vec<_> = updates
            .iter()
            .map(|update| {
                let inner = update.add(isa, x.values(), &mut out, outputs);
                (update.clone(), inner)
            })
            .collect();
        let (packed, turned) = (Arc::clone(packed), Arc::clone(turned));
        let gradient = weight.gradient.clone();
        let bias_gradient = bias.and_then(|bias| bias.gradient.clone());
        // The input is only kept where a gradient needs it.
        let x = (gradient.is_some() || !saved.is_empty()).then_some(x);
        let pull = move |dy: Host, [wanted]: [bool; 1]| {
            let dy = dy.values();
            let mut dx = wanted.then(|| {
                let mut dx = vec![0f32; rows * inputs];
                with_turned(&packed, &turned, |turned| {
                    cpu::multiply(isa, dy, turned, &mut dx, inputs, 0, false);
                });
                dx
            });
            let x = x.as_ref().map(Host::values);
            if let (Some(sink), Some(x)) = (&gradient, x) {
                sink.receive(&mut |sum| {
                    backward::add_weight_gradient(isa, x, dy, inputs, outputs, sum);
                });
            }
            if let Some(sink) = &bias_gradient {
                sink.receive(&mut |sum| add_columns(dy, sum));
            }
            for (update, inner) in &saved {
                let x = x.unwrap_or_default();
                update.pull(isa, x, inner, dy, outputs, dx.as_deref_mut());
            }
            [dx]
        };
        (out, pull)
    })
}

/// `x W^T + bias` of plain rows.
pub(crate) fn product(
    isa: Isa,
    x: &[f32],
    packed: &PackedWeight,
    bias: Option<&Vector>,
) -> Vec<f32> {
    let bias = match bias.map(|bias| &bias.values) {
        Some(VectorForm::Host(bias)) => bias,
        Some(VectorForm::Tensor(_)) => crate::compute::mixed(),
        None => return cpu::product(isa, x, packed),
    };
    let mut out = bias.repeat(x.len() / packed.inputs());
    cpu::multiply(isa, x, packed, &mut out, packed.outputs(), 0, true);
    out
}

/// Adds every row of `rows` to `sum`.
fn add_columns(rows: &[f32], sum: &mut [f32]) {
    for row in rows.chunks_exact(sum.len()) {
        sum.iter_mut().zip(row).for_each(|(s, v)| *s += v);
    }
}

/// Hands the transpose to `used`. Of a weight held as codes it is made anew each time: it would take many times the
/// room of the codes.
pub(crate) fn with_turned<T>(
    packed: &PackedWeight,
    turned: &Turned,
    used: impl FnOnce(&PackedWeight) -> T,
) -> T {
    if packed.is_coded() {
        return used(&packed.turned());
    }
    used(turned.get_or_init(|| packed.turned()))
}
