//! The MLP of a layer, alone or as one of several experts.

use crate::config::ExpertsConfig;
use crate::part::{Held, Linear, Scope, Target, Updates};
use burn::tensor::{Tensor, TensorData};
use evalh_kernel::{Activation, Compute};
use std::ops::Range;

/// Two linears with a function between them.
#[derive(Debug)]
pub(crate) struct Mlp {
    /// Gate and up, or the only one.
    pub first: Linear,
    pub down: Linear,
    pub activation: Activation,
    pub gated: bool,
}

impl Mlp {
    pub(crate) fn forward(&self, compute: &Compute, x: &Tensor<2>, scope: &Scope) -> Tensor<2> {
        let inner = self.first.forward(compute, x, scope);
        let inner = if self.gated {
            compute.gate(inner, self.activation)
        } else {
            compute.activate(inner, self.activation)
        };
        self.down.forward(compute, &inner, scope)
    }

    pub(crate) fn linears(&self) -> [&Linear; 2] {
        [&self.first, &self.down]
    }

    pub(crate) fn apply(&mut self, compute: &Compute, target: Target, updates: &Updates<'_>) {
        self.first.apply(compute, target, updates);
        self.down.apply(compute, target, updates);
    }

    pub(crate) fn held_mut(&mut self) -> [&mut dyn Held; 2] {
        [&mut self.first, &mut self.down]
    }
}

/// A mixture of experts: each token goes through the few that its router scores highest.
#[derive(Debug)]
pub(crate) struct Experts {
    pub router: Linear,
    pub each: Vec<Mlp>,
    pub config: ExpertsConfig,
}

/// A token's share of an expert.
#[derive(Debug, Clone, Copy)]
struct Share {
    token: usize,
    weight: f32,
}

impl Experts {
    /// The experts' outputs, weighted by the router's probabilities, which are made to sum to one over the chosen.
    ///
    /// A token's experts are added in the order of their numbers, so its sum does not depend on the batch.
    pub(crate) fn forward(&self, compute: &Compute, x: &Tensor<2>, scope: &Scope) -> Tensor<2> {
        let [tokens, width] = x.dims();
        let scores = compute.to_host(self.router.forward(compute, x, scope));
        let mut sum = vec![0.0f32; tokens * width];
        for (expert, shares) in self.each.iter().zip(self.shares(&scores)) {
            if shares.is_empty() {
                continue;
            }
            let places: Vec<usize> = shares.iter().map(|share| share.token).collect();
            let rows = compute.select_rows(x.clone(), &places);
            let out = compute.to_host(expert.forward(compute, &rows, &scope.at(&places)));
            for (share, row) in shares.iter().zip(out.chunks_exact(width)) {
                let place: Range<usize> = share.token * width..(share.token + 1) * width;
                for (to, from) in sum[place].iter_mut().zip(row) {
                    *to += share.weight * from;
                }
            }
        }
        Tensor::from_data(TensorData::new(sum, [tokens, width]), &x.device())
    }

    /// For each expert the tokens that go through it.
    fn shares(&self, scores: &[f32]) -> Vec<Vec<Share>> {
        let ExpertsConfig { count, active } = self.config;
        let mut shares = vec![Vec::new(); count];
        for (token, scores) in scores.chunks_exact(count).enumerate() {
            let mut order: Vec<usize> = (0..count).collect();
            order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
            let top = scores[order[0]];
            let chosen = &order[..active];
            let total: f32 = chosen.iter().map(|e| (scores[*e] - top).exp()).sum();
            for expert in chosen {
                let weight = (scores[*expert] - top).exp() / total;
                shares[*expert].push(Share { token, weight });
            }
        }
        shares
    }

    pub(crate) fn linears(&self) -> impl Iterator<Item = &Linear> {
        std::iter::once(&self.router).chain(self.each.iter().flat_map(Mlp::linears))
    }

    pub(crate) fn apply(&mut self, compute: &Compute, target: Target, updates: &Updates<'_>) {
        self.router.apply(compute, target, updates);
        for expert in &mut self.each {
            expert.apply(compute, target, updates);
        }
    }

    pub(crate) fn held_mut(&mut self) -> Vec<&mut dyn Held> {
        let mut held: Vec<&mut dyn Held> = vec![&mut self.router];
        held.extend(self.each.iter_mut().flat_map(Mlp::held_mut));
        held
    }
}
