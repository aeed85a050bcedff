//! Activations.

use super::record;
use crate::cpu::{self, Activation, Isa, backward};
use crate::host::Host;
use burn::tensor::Tensor;

/// The activation of every value.
pub(crate) fn activate(isa: Isa, x: Tensor<2>, activation: Activation) -> Tensor<2> {
    let width = x.dims()[1];
    record([x], width, |[x]| {
        let mut out = x.values().to_vec();
        cpu::activate(isa, activation, &mut out);
        let pull = move |dy: Host, _: [bool; 1]| {
            let mut dx = vec![0f32; x.values().len()];
            backward::activate_backward(isa, activation, x.values(), dy.values(), &mut dx);
            [Some(dx)]
        };
        (out, pull)
    })
}

/// `activation(gate) * up` of rows of a gate and an up half.
pub(crate) fn gate(isa: Isa, gate_up: Tensor<2>, activation: Activation) -> Tensor<2> {
    let width = gate_up.dims()[1] / 2;
    record([gate_up], width, |[gate_up]| {
        let mut out = vec![0f32; gate_up.values().len() / 2];
        cpu::gate(isa, activation, gate_up.values(), width, &mut out);
        let pull = move |dy: Host, _: [bool; 1]| {
            let values = gate_up.values();
            let mut dx = vec![0f32; values.len()];
            backward::gate_backward(isa, activation, values, width, dy.values(), &mut dx);
            [Some(dx)]
        };
        (out, pull)
    })
}
