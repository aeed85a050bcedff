//! The gradients of a task's queries, keys and values.

use super::heads::{Heads, Query, STEP, panel};
use super::rows::{Known, dot, gradient};
use crate::cpu::backward::pack::turn;
use crate::cpu::backward::product::{Rows, block};
use crate::cpu::tile::{PANEL, ROWS};
use std::ops::Range;

/// Queries whose scores are held at once, about: eight blocks.
const QUERIES: usize = 8 * ROWS;
/// Keys whose scores are held at once: whole panels, and whole blocks.
const KEYS: usize = 3 * PANEL;

/// What the forward pass left, and the gradient of its outputs, of the whole batch.
pub(super) struct Given<'a> {
    pub out: &'a [f32],
    pub log_sums: &'a [f32],
    pub d_out: &'a [f32],
}

/// Buffers of a thread, reused from task to task. A head's rows are [`Heads::padded`] long in the sums.
#[derive(Default)]
pub(super) struct Scratch {
    /// Keys and values turned, and keys, of the sequence.
    turned_keys: Vec<f32>,
    turned_values: Vec<f32>,
    keys: Vec<f32>,
    /// Sums for every key and value of the sequence.
    d_keys: Vec<f32>,
    d_values: Vec<f32>,
    at_hand: Gathered,
    /// `[queries][KEYS]` each.
    weights: Vec<f32>,
    d_scores: Vec<f32>,
    turned: Vec<f32>,
}

/// Of the queries that are worked on.
#[derive(Default)]
struct Gathered {
    queries: Vec<Query>,
    known: Vec<Known>,
    rows: Vec<f32>,
    d_rows: Vec<f32>,
    /// The same as panels of the head's values.
    panels: Vec<f32>,
    d_panels: Vec<f32>,
    /// The same in blocks of up to [`ROWS`], `[head][STEP]` each.
    turned: Vec<f32>,
    d_turned: Vec<f32>,
    /// Their gradients.
    sums: Vec<f32>,
}

/// Gives every query, key and value of the task its gradient: (first value in the batch, values).
pub(super) fn run(
    heads: &Heads<'_>,
    given: &Given<'_>,
    scratch: &mut Scratch,
    mut emit: impl FnMut(usize, &[f32]),
) {
    let (tokens, dim, padded) = (heads.tokens.len(), heads.shape.head_dim, heads.padded());
    if tokens == 0 {
        return;
    }
    let (keys, values) = (
        heads.rows_from(heads.key_at(0)),
        heads.rows_from(heads.value_at(0)),
    );
    heads.pack_turned(keys, &mut scratch.turned_keys);
    heads.pack_turned(values, &mut scratch.turned_values);
    heads.pack(keys, tokens, &mut scratch.keys);
    for sums in [&mut scratch.d_keys, &mut scratch.d_values] {
        sums.clear();
        sums.resize(tokens * padded, 0.0);
    }
    let step = (QUERIES / heads.group).max(1);
    for first in (0..tokens).step_by(step) {
        let some = first..tokens.min(first + step);
        scratch.at_hand.gather(heads, given, some.clone());
        let rows = scratch.at_hand.queries.len();
        scratch.weights.resize(rows * KEYS, 0.0);
        scratch.d_scores.resize(rows * KEYS, 0.0);
        let origin = heads.shape.first_seen(some.start) / PANEL * PANEL;
        for key in (origin..some.end).step_by(KEYS) {
            let keys = key..some.end.min(key + KEYS);
            scratch.add_to_queries(heads, keys.clone());
            scratch.add_to_keys(heads, some.clone(), keys);
        }
        let sums = scratch.at_hand.sums.chunks_exact(padded);
        for (query, sums) in scratch.at_hand.queries.iter().zip(sums) {
            emit(heads.query_at(*query), &sums[..dim]);
        }
    }
    let sums = scratch
        .d_keys
        .chunks_exact(padded)
        .zip(scratch.d_values.chunks_exact(padded));
    for (token, (key, value)) in sums.enumerate() {
        emit(heads.key_at(token), &key[..dim]);
        emit(heads.value_at(token), &value[..dim]);
    }
}

impl Gathered {
    fn gather(&mut self, heads: &Heads<'_>, given: &Given<'_>, tokens: Range<usize>) {
        let (shape, dim) = (heads.shape, heads.shape.head_dim);
        self.queries.clear();
        self.queries.extend(heads.queries(tokens));
        self.known.clear();
        self.rows.clear();
        self.d_rows.clear();
        for query in &self.queries {
            let (token, head) = (heads.tokens.start + query.0, query.1);
            let row = heads.rows_from(heads.query_at(*query));
            self.rows.extend_from_slice(&row.values[..dim]);
            let first = token * shape.out_width() + head * dim;
            let (out, d_out) = (&given.out[first..][..dim], &given.d_out[first..][..dim]);
            self.d_rows.extend_from_slice(d_out);
            self.known.push(Known {
                log_sum: given.log_sums[token * shape.heads + head],
                delta: dot(heads.isa, out, d_out),
            });
        }
        self.sums.clear();
        self.sums.resize(self.queries.len() * heads.padded(), 0.0);
        for (rows, panels, turned) in [
            (&self.rows, &mut self.panels, &mut self.turned),
            (&self.d_rows, &mut self.d_panels, &mut self.d_turned),
        ] {
            let all = Rows {
                values: rows,
                step: dim,
            };
            heads.pack(all, self.queries.len(), panels);
            turned.resize(self.queries.len().div_ceil(ROWS) * dim * STEP, 0.0);
            for (rows, turned) in rows
                .chunks(ROWS * dim)
                .zip(turned.chunks_exact_mut(dim * STEP))
            {
                let some = Rows {
                    values: rows,
                    step: dim,
                };
                turn(heads.isa, some, rows.len() / dim, dim, turned, STEP);
            }
        }
    }
}

impl Scratch {
    /// Computes weights and gradients of scores of all queries at hand with `keys`, whose first begins a panel, and adds
    /// to the queries' gradients.
    fn add_to_queries(&mut self, heads: &Heads<'_>, keys: Range<usize>) {
        let (isa, shape, dim) = (heads.isa, heads.shape, heads.shape.head_dim);
        let (padded, tokens) = (heads.padded(), heads.tokens.len());
        for (index, queries) in self.at_hand.queries.chunks(ROWS).enumerate() {
            let (m, first) = (queries.len(), index * ROWS);
            let seen = shape.first_seen(queries[0].0)..queries[m - 1].0 + 1;
            let seen = seen.start.max(keys.start)..seen.end.min(keys.end);
            let weights = &mut self.weights[first * KEYS..][..m * KEYS];
            let d_scores = &mut self.d_scores[first * KEYS..][..m * KEYS];
            if seen.is_empty() {
                weights.fill(0.0);
                d_scores.fill(0.0);
                continue;
            }
            let begin = seen.start / PANEL * PANEL;
            for key in (begin..seen.end).step_by(PANEL) {
                for (rows, turned, out) in [
                    (&self.at_hand.turned, &self.turned_keys, &mut *weights),
                    (&self.at_hand.d_turned, &self.turned_values, &mut *d_scores),
                ] {
                    let rows = Rows {
                        values: &rows[index * dim * STEP..],
                        step: STEP,
                    };
                    let panel = panel(turned, key / PANEL * dim);
                    let out = &mut out[key - keys.start..];
                    block(isa, dim, (rows, m), (panel, PANEL), out, KEYS, false);
                }
            }
            let rows = weights
                .chunks_exact_mut(KEYS)
                .zip(d_scores.chunks_exact_mut(KEYS));
            for ((weights, d_scores), (i, (token, _))) in rows.zip(queries.iter().enumerate()) {
                let start = shape.first_seen(*token).max(keys.start) - keys.start;
                let end = (token + 1).clamp(keys.start, keys.end) - keys.start;
                let known = self.at_hand.known[first + i];
                gradient(isa, weights, d_scores, start.min(end)..end, known, shape);
            }
            let k = seen.end - begin;
            self.turned.resize(KEYS * STEP, 0.0);
            let rows = Rows {
                values: &d_scores[begin - keys.start..],
                step: KEYS,
            };
            turn(isa, rows, m, k, &mut self.turned, STEP);
            let turned = Rows {
                values: &self.turned,
                step: STEP,
            };
            for column in (0..padded).step_by(PANEL) {
                let keys = panel(&self.keys, column / PANEL * tokens + begin);
                let columns = PANEL.min(padded - column);
                let sums = &mut self.at_hand.sums[first * padded + column..];
                block(isa, k, (turned, m), (keys, columns), sums, padded, true);
            }
        }
    }

    /// Adds to the gradients of `keys` and of their values what the queries of `tokens`, those at hand, make of them.
    fn add_to_keys(&mut self, heads: &Heads<'_>, tokens: Range<usize>, keys: Range<usize>) {
        let (shape, padded, queries) = (heads.shape, heads.padded(), self.at_hand.queries.len());
        let height = keys.len().div_ceil(keys.len().div_ceil(ROWS));
        for key in keys.clone().step_by(height) {
            let m = height.min(keys.end - key);
            // The tokens that see any of these keys.
            let begin = key.max(tokens.start);
            let end = shape.window.map_or(tokens.end, |w| {
                (key + m - 1).saturating_add(w).min(tokens.end)
            });
            if begin >= end {
                continue;
            }
            let first = (begin - tokens.start) * heads.group;
            let k = (end - begin) * heads.group;
            for column in (0..padded).step_by(PANEL) {
                let columns = PANEL.min(padded - column);
                for (factors, rows, sums) in [
                    (&self.weights, &self.at_hand.d_panels, &mut self.d_values),
                    (&self.d_scores, &self.at_hand.panels, &mut self.d_keys),
                ] {
                    let factors = Rows {
                        values: &factors[first * KEYS + key - keys.start..],
                        step: KEYS,
                    };
                    let rows = panel(rows, column / PANEL * queries + first);
                    let sums = &mut sums[key * padded + column..];
                    block(
                        heads.isa,
                        k,
                        (factors, m),
                        (rows, columns),
                        sums,
                        padded,
                        true,
                    );
                }
            }
        }
    }
}
