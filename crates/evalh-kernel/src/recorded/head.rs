//! The loss of target tokens, without all logits at once.

use super::dense::with_turned;
use super::label::class_loss;
use super::{is_recorded, record};
use crate::burn_ops;
use crate::compute::{Compute, ComputeSet, mixed};
use crate::cpu::{self, backward};
use crate::host::{self, Host};
use crate::norm::on_host;
use crate::weight::{Form, Vector, Weight};
use burn::tensor::Tensor;

/// How badly targets or labels were predicted.
#[derive(Debug)]
pub struct TargetLoss {
    /// The sum over all targets, `[1, 1]`, to be pulled back.
    pub sum: Tensor<2>,
    /// Of each target its negative log-likelihood, in nats, or its squared error.
    pub each: Vec<f32>,
}

impl Compute {
    /// The loss of `targets`, one for each row of `hidden`, `[rows, width]`, under the logits that `head` gives, bounded by
    /// `c * tanh(logit / c)` where there is a soft cap `c`.
    ///
    /// # Panics
    /// When there is not a target a row, or one is no output of the head.
    pub fn target_loss(
        &self,
        hidden: Tensor<2>,
        head: &Weight,
        bias: Option<&Vector>,
        soft_cap: Option<f32>,
        targets: &[u32],
    ) -> TargetLoss {
        assert_eq!(hidden.dims()[0], targets.len(), "a target a row");
        match (self.set(), &head.form) {
            (ComputeSet::Cpu(isa, _), Form::Packed(packed, turned)) => {
                let device = self.device().clone();
                let width = packed.inputs();
                let bias_values = bias.map(|bias| on_host(Some(bias)));
                let mut each = vec![0f32; targets.len()];
                if !is_recorded(&hidden) {
                    let hidden = Host::new(hidden);
                    cpu::backward::cross_entropy(
                        isa,
                        hidden.values(),
                        packed,
                        bias_values,
                        soft_cap,
                        targets,
                        None,
                        None,
                        &mut each,
                    );
                    let sum = host::tensor(vec![total(&each)], 1, &device);
                    return TargetLoss { sum, each };
                }
                let losses = &mut each;
                let sum = record([hidden], 1, |[hidden]| {
                    let mut gradient = vec![0f32; targets.len() * width];
                    let mut run = |of_head: Option<(&mut [f32], Option<&mut [f32]>)>| {
                        with_turned(packed, turned, |turned| {
                            backward::cross_entropy(
                                isa,
                                hidden.values(),
                                packed,
                                bias_values,
                                soft_cap,
                                targets,
                                Some((turned, &mut gradient)),
                                of_head,
                                losses,
                            );
                        });
                    };
                    let bias_sink = bias.and_then(|bias| bias.gradient.as_ref());
                    match (&head.gradient, bias_sink) {
                        (None, _) => run(None),
                        (Some(sink), None) => sink.receive(&mut |weight| {
                            run(Some((weight, None)));
                        }),
                        (Some(sink), Some(bias_sink)) => sink.receive(&mut |weight| {
                            bias_sink.receive(&mut |bias| {
                                run(Some((weight, Some(bias))));
                            });
                        }),
                    }
                    // The loss is where a backward pass begins, with a gradient of one.
                    let pull = move |_: Host, _: [bool; 1]| [Some(gradient.clone())];
                    (vec![total(losses)], pull)
                });
                TargetLoss { sum, each }
            }
            (ComputeSet::Burn, Form::Dense(values)) => {
                let bias = bias.map(|bias| self.on_device(bias));
                let weight = self.leaf(values, head.gradient.as_ref());
                let mut logits = burn_ops::linear(hidden, &weight, bias.as_ref());
                if let Some(cap) = soft_cap {
                    logits = logits.div_scalar(cap).tanh().mul_scalar(cap);
                }
                class_loss(logits, targets)
            }
            _ => mixed(),
        }
    }
}

fn total(losses: &[f32]) -> f32 {
    losses.iter().map(|loss| f64::from(*loss)).sum::<f64>() as f32
}
