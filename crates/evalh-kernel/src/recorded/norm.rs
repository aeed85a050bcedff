//! Norms.

use super::record;
use crate::cpu::{self, Isa, NormSlices, backward};
use crate::host::Host;
use crate::norm::{HeadNorm, on_host};
use crate::weight::Vector;
use burn::tensor::Tensor;
use std::ops::Range;

/// The root-mean-square norm of `x` times `weight`.
pub(crate) fn rms_norm(isa: Isa, x: Tensor<2>, weight: &Vector, eps: f32) -> Tensor<2> {
    let values = on_host(Some(weight)).to_vec();
    let sink = weight.gradient.clone();
    record([x], values.len(), |[x]| {
        let mut out = vec![0f32; x.values().len()];
        cpu::rms_norm(isa, &mut x.values().to_vec(), None, &values, eps, &mut out);
        let pull = move |dy: Host, _: [bool; 1]| {
            let (x, dy) = (x.values(), dy.values());
            let mut dx = vec![0f32; x.len()];
            match &sink {
                Some(sink) => sink.receive(&mut |sum| {
                    backward::rms_norm_backward(isa, x, &values, eps, dy, &mut dx, Some(sum));
                }),
                None => backward::rms_norm_backward(isa, x, &values, eps, dy, &mut dx, None),
            }
            [Some(dx)]
        };
        (out, pull)
    })
}

/// The layer norm of `x`.
pub(crate) fn layer_norm(
    isa: Isa,
    x: Tensor<2>,
    weight: Option<&Vector>,
    bias: Option<&Vector>,
    eps: f32,
) -> Tensor<2> {
    let width = x.dims()[1];
    let values = on_host(weight).to_vec();
    let addends = on_host(bias).to_vec();
    let sinks = [weight, bias].map(|vector| vector.and_then(|vector| vector.gradient.clone()));
    record([x], width, |[x]| {
        let mut out = vec![0f32; x.values().len()];
        let mut copy = x.values().to_vec();
        cpu::layer_norm(
            isa, &mut copy, None, width, &values, &addends, eps, &mut out,
        );
        let pull = move |dy: Host, _: [bool; 1]| {
            let (x, dy) = (x.values(), dy.values());
            let mut dx = vec![0f32; x.len()];
            let mut gradients = Gradients::of(&sinks, width, width);
            let [weight, bias] = gradients.parts();
            backward::layer_norm_backward(isa, x, width, &values, eps, dy, &mut dx, weight, bias);
            gradients.hand_over(&sinks);
            [Some(dx)]
        };
        (out, pull)
    })
}

/// The norm of every slice of `group` values of some columns.
pub(crate) fn norm_columns(
    isa: Isa,
    x: Tensor<2>,
    columns: Range<usize>,
    group: usize,
    norm: HeadNorm<'_>,
) -> Tensor<2> {
    let width = x.dims()[1];
    let values = on_host(Some(norm.weight)).to_vec();
    let addends = on_host(norm.bias).to_vec();
    let sinks = [
        norm.weight.gradient.clone(),
        norm.bias.and_then(|bias| bias.gradient.clone()),
    ];
    let (kind, eps) = (norm.kind, norm.eps);
    record([x], width, |[x]| {
        let slices = NormSlices {
            kind,
            weight: &values,
            bias: &addends,
            eps,
        };
        let mut out = x.values().to_vec();
        cpu::norm_columns(isa, &mut out, width, columns.clone(), group, slices);
        let pull = move |dy: Host, _: [bool; 1]| {
            let slices = NormSlices {
                kind,
                weight: &values,
                bias: &addends,
                eps,
            };
            let mut dx = dy.into_vec();
            let mut gradients = Gradients::of(&sinks, values.len(), addends.len());
            let [weight, bias] = gradients.parts();
            let columns = columns.clone();
            backward::norm_columns_backward(
                isa,
                x.values(),
                width,
                columns,
                group,
                slices,
                &mut dx,
                weight,
                bias,
            );
            gradients.hand_over(&sinks);
            [Some(dx)]
        };
        (out, pull)
    })
}

type Sinks = [Option<crate::gradient::Sink>; 2];

/// Gradients of a weight and a bias, where they are wanted.
struct Gradients([Option<Vec<f32>>; 2]);

impl Gradients {
    fn of([weight, bias]: &Sinks, weights: usize, biases: usize) -> Self {
        Self([
            weight.as_ref().map(|_| vec![0.0; weights]),
            bias.as_ref().map(|_| vec![0.0; biases]),
        ])
    }

    fn parts(&mut self) -> [Option<&mut [f32]>; 2] {
        self.0.each_mut().map(Option::as_deref_mut)
    }

    fn hand_over(self, sinks: &Sinks) {
        for (values, sink) in self.0.iter().zip(sinks) {
            if let (Some(values), Some(sink)) = (values, sink) {
                sink.receive(&mut |sum| {
                    sum.iter_mut().zip(values).for_each(|(s, v)| *s += v);
                });
            }
        }
    }
}
