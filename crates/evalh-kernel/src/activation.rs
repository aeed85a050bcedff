//! Activations of both sets of primitives.

use crate::compute::{Compute, ComputeSet};
use crate::cpu::{self, Activation};
use crate::host::{self, Host};
use crate::recorded::{self, is_recorded};
use burn::tensor::{Tensor, activation};

impl Compute {
    /// The activation of every value.
    pub fn activate(&self, x: Tensor<2>, activation: Activation) -> Tensor<2> {
        match self.set() {
            ComputeSet::Cpu(isa, _) if is_recorded(&x) => recorded::activate(isa, x, activation),
            ComputeSet::Cpu(isa, _) => {
                let width = x.dims()[1];
                let mut x = Host::new(x).into_vec();
                cpu::activate(isa, activation, &mut x);
                host::tensor(x, width, self.device())
            }
            ComputeSet::Burn => portable(x, activation),
        }
    }

    /// `activation(gate) * up` of `[tokens, gate + up]`: `[tokens, width]`, half as wide.
    pub fn gate(&self, gate_up: Tensor<2>, activation: Activation) -> Tensor<2> {
        let width = gate_up.dims()[1] / 2;
        match self.set() {
            ComputeSet::Cpu(isa, _) if is_recorded(&gate_up) => {
                recorded::gate(isa, gate_up, activation)
            }
            ComputeSet::Cpu(isa, _) => {
                let gate_up = Host::new(gate_up);
                let mut out = vec![0f32; gate_up.values().len() / 2];
                cpu::gate(isa, activation, gate_up.values(), width, &mut out);
                host::tensor(out, width, self.device())
            }
            ComputeSet::Burn => {
                let gate = gate_up.clone().narrow(1, 0, width);
                portable(gate, activation) * gate_up.narrow(1, width, width)
            }
        }
    }
}

fn portable(x: Tensor<2>, function: Activation) -> Tensor<2> {
    match function {
        Activation::Silu => activation::silu(x),
        Activation::Gelu => activation::gelu(x),
        Activation::GeluTanh => activation::gelu_approximate(x),
        Activation::QuickGelu => x.clone() * activation::sigmoid(x.mul_scalar(1.702)),
        Activation::Relu => activation::relu(x),
        Activation::Tanh => activation::tanh(x),
    }
}
