//! The MLP of a layer, alone or as one of several experts.

use crate::config::ExpertsConfig;
use crate::part::{Held, Linear, Scope, Target, Updates};
use burn::tensor::{IndexingUpdateOp, Int, Tensor, TensorData, activation};
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
        if x.is_autodiff() {
            return self.forward_recorded(compute, x, scope);
        }
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

    /// The same on a tape: shares and sums are burn's operations, which record themselves.
    fn forward_recorded(&self, compute: &Compute, x: &Tensor<2>, scope: &Scope) -> Tensor<2> {
        let ([tokens, width], active) = (x.dims(), self.config.active);
        let scores = self.router.forward(compute, x, scope);
        let chosen = self.chosen(&compute.to_host(scores.clone()));
        let device = x.device();
        let integers = |values: Vec<i32>| -> Tensor<1, Int> {
            let len = values.len();
            Tensor::from_data(TensorData::new(values, [len]), &device)
        };
        let numbers = chosen.iter().map(|expert| *expert as i32).collect();
        let places: Tensor<2, Int> = integers(numbers).reshape([tokens, active]);
        let shares = activation::softmax(scores.gather(1, places), 1);
        let shares: Tensor<2> = shares.reshape([tokens * active, 1]);
        let mut sum = x.zeros_like();
        for (number, expert) in self.each.iter().enumerate() {
            let own = chosen.iter().enumerate().filter(|(_, e)| **e == number);
            let own: Vec<usize> = own.map(|(place, _)| place).collect();
            if own.is_empty() {
                continue;
            }
            let places: Vec<usize> = own.iter().map(|place| place / active).collect();
            let rows = compute.select_rows(x.clone(), &places);
            let out = expert.forward(compute, &rows, &scope.at(&places));
            let share = compute.select_rows(shares.clone(), &own);
            let out = out * share.expand([own.len(), width]);
            let places = integers(places.iter().map(|place| *place as i32).collect());
            sum = sum.select_assign(0, places, out, IndexingUpdateOp::Add);
        }
        sum
    }

    /// Each token's experts after one another, those with the highest scores first.
    fn chosen(&self, scores: &[f32]) -> Vec<usize> {
        let ExpertsConfig { count, active } = self.config;
        let each = scores.chunks_exact(count);
        each.flat_map(|scores| {
            let mut order: Vec<usize> = (0..count).collect();
            order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
            order.truncate(active);
            order
        })
        .collect()
    }

    /// For each expert the tokens that go through it.
    fn shares(&self, scores: &[f32]) -> Vec<Vec<Share>> {
        let ExpertsConfig { count, active } = self.config;
        let mut shares = vec![Vec::new(); count];
        let order = self.chosen(scores);
        let tokens = scores.chunks_exact(count).zip(order.chunks_exact(active));
        for (token, (scores, chosen)) in tokens.enumerate() {
            let top = scores[chosen[0]];
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
