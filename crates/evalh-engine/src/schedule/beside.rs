//! Which sequences of several variants run beside each other: those that are the same in the lowest layers.
//!
//! Variants whose adapters leave the lowest layers as they are have the same values there for the same tokens. Such rows
//! are in the same passes, at the same places, and name each other, so that the model computes those layers once. Answers
//! that draft for each other are left out: they are to come one after another.

use super::{active::Active, draft::Drafting};
use crate::{Model, Text};
use std::ops::Range;

/// How much variants have in common.
#[derive(Debug)]
pub struct Beside {
    /// For two variants, how many of the lowest layers.
    layers: Vec<Vec<usize>>,
    any: bool,
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
        Self {
            any: layers.iter().flatten().any(|layers| *layers > 0),
            layers,
        }
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
