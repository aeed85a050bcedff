//! Which sequences of several variants run beside each other: those that are the same in the lowest layers.
//!
//! Variants whose adapters leave the lowest layers as they are have the same values there for the same tokens. Such rows
//! are in the same passes, at the same places, and name each other, so that the model computes those layers once. Answers
//! that draft for each other are left out: they are to come one after another. Which of the two is done to greedy answers
//! follows from what variants have in common.

use super::{active::Active, draft::Drafting};
use crate::{Model, Text};
use std::ops::Range;

/// The part of all work from which on sharing layers saves more than drafts do: three variants' answers to HumanEval took 9
/// to 13 % less time with drafts (`docs/performance.md`).
const MORE_THAN_DRAFTS: f64 = 0.15;

/// How much variants have in common; nothing by default.
#[derive(Debug, Default)]
pub struct Beside {
    /// For two variants, how many of the lowest layers.
    layers: Vec<Vec<usize>>,
    any: bool,
    /// The part of all variants' layers that need not be computed, as long as all read the same tokens.
    saved: f64,
}

impl Beside {
    /// What so many variants of a model have in common.
    pub fn of<M: Model>(model: &M, variants: usize) -> Self {
        let with = |one| {
            let layers = (0..variants).map(|other| {
                if one == other {
                    0
                } else {
                    model.shared_layers(one, other)
                }
            });
            layers.collect()
        };
        let layers: Vec<Vec<usize>> = (0..variants).map(with).collect();
        let with_earlier = |of: usize| layers[of][..of].iter().copied().max().unwrap_or(0);
        let common: usize = (0..variants).map(with_earlier).sum();
        let all = variants * model.layers();
        Self {
            any: layers.iter().flatten().any(|layers| *layers > 0),
            saved: common as f64 / all.max(1) as f64,
            layers,
        }
    }

    /// Whether greedy answers are better read beside each other than drafted for each other.
    pub fn saves_more_than_drafts(&self) -> bool {
        self.saved >= MORE_THAN_DRAFTS
    }

    /// Whether the variants' sequences of this number run beside each other.
    pub fn together(&self, unit: usize, drafting: Option<&Drafting>) -> bool {
        self.any && !drafting.is_some_and(|drafting| drafting.drafts(unit))
    }

    /// For each of a pass's rows, given by its place in `active` and its tokens, the earlier one with which it has most in
    /// common.
    pub fn twins<S: Copy, T: Text>(
        &self,
        active: &[Active<'_, S, T>],
        rows: &[(usize, Range<usize>)],
    ) -> Vec<Option<usize>> {
        let twin = |(place, (row, tokens)): (usize, &(usize, Range<usize>))| {
            let row = &active[*row];
            let common = |other: usize| {
                let (other, theirs) = &rows[other];
                let other = &active[*other];
                let layers = self.layers[row.variant][other.variant];
                let alike = layers > 0 && theirs == tokens && row.is_like(other, tokens.end);
                alike.then_some(layers)
            };
            let found = (0..place).filter_map(|other| Some((common(other)?, other)));
            // The first of several: it has no other to wait for.
            found
                .min_by_key(|(layers, other)| (usize::MAX - layers, *other))
                .map(|(_, other)| other)
        };
        if self.any {
            rows.iter().enumerate().map(twin).collect()
        } else {
            vec![None; rows.len()]
        }
    }
}
