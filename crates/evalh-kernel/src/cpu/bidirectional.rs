//! Attention of every token of a sequence to every other, for encoders.
//!
//! A task is one head of one sequence. Its keys, values and relative positions are packed into panels, and every score
//! and output is a chain of its own (see [`tile`](super::tile)), so a token's output has the same bits in any batch.

use super::isa::Isa;
use super::positions::PackedPositions;
use super::rows::softmax;
use super::tile::{self, PANEL, Panel, ROWS, Tile};
use rayon::prelude::*;
use std::ops::Range;

/// Sizes of one layer's attention.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BidirectionalShape {
    /// Heads of queries, keys and values.
    pub heads: usize,
    /// Values of a head.
    pub head_dim: usize,
    /// Factor of the scores before the softmax.
    pub scale: f32,
}

impl BidirectionalShape {
    /// Values of a token's queries, of its keys, of its values, or of its output.
    pub fn width(&self) -> usize {
        self.heads * self.head_dim
    }
}

/// Attends within each of `sequences`, ranges of tokens that cover the batch in order.
///
/// `qkv` is `[tokens, 3 * width]`: queries, keys, values of each token. `out` is `[tokens, width]`. `positions` adds its
/// products to the scores, before they are scaled.
///
/// # Panics
/// When a shape does not fit, a sequence is empty, or longer than `positions` goes.
pub fn attend_all(
    isa: Isa,
    qkv: &[f32],
    shape: BidirectionalShape,
    sequences: &[Range<usize>],
    positions: Option<&PackedPositions<'_>>,
    out: &mut [f32],
) {
    let width = shape.width();
    let tokens = out.len() / width;
    assert_eq!(
        (qkv.len(), out.len()),
        (3 * tokens * width, tokens * width),
        "queries, keys, values and outputs"
    );
    let mut rest = out;
    let mut next = 0;
    let mut outputs = Vec::with_capacity(sequences.len());
    for sequence in sequences {
        assert!(
            sequence.start == next && !sequence.is_empty(),
            "sequences follow one another"
        );
        assert!(
            positions.is_none_or(|p| p.longest() >= sequence.len()),
            "positions of {} tokens",
            sequence.len()
        );
        next = sequence.end;
        let (own, others) = rest.split_at_mut(sequence.len() * width);
        outputs.push(Output(own.as_mut_ptr()));
        rest = others;
    }
    assert_eq!(next, tokens, "every token belongs to a sequence");
    (0..sequences.len() * shape.heads)
        .into_par_iter()
        .for_each_init(Scratch::default, |scratch, index| {
            let (sequence, head) = (index / shape.heads, index % shape.heads);
            let tokens = &sequences[sequence];
            let task = Task {
                isa,
                shape,
                head,
                qkv: &qkv[3 * tokens.start * width..3 * tokens.end * width],
                positions,
            };
            task.run(scratch, |token, values| {
                let to = outputs[sequence].at(token * width + head * shape.head_dim);
                // SAFETY: each task writes its own head's values of its own tokens, inside the slice split off above.
                unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), to, values.len()) };
            });
        });
}

/// The outputs of one sequence, for threads that write heads of their own.
#[derive(Clone, Copy)]
struct Output(*mut f32);
// SAFETY: tasks write disjoint places.
unsafe impl Send for Output {}
// SAFETY: as above.
unsafe impl Sync for Output {}
impl Output {
    fn at(self, index: usize) -> *mut f32 {
        self.0.wrapping_add(index)
    }
}

/// Buffers of a thread, reused from task to task.
#[derive(Default)]
struct Scratch {
    keys: Vec<f32>,
    values: Vec<f32>,
    queries: Vec<f32>,
    scores: Vec<f32>,
    weights: Vec<f32>,
    outputs: Vec<f32>,
    by_query: Vec<f32>,
    by_key: Vec<f32>,
}

/// One head of one sequence.
struct Task<'a> {
    isa: Isa,
    shape: BidirectionalShape,
    head: usize,
    /// Of the sequence's tokens.
    qkv: &'a [f32],
    positions: Option<&'a PackedPositions<'a>>,
}

impl Task<'_> {
    fn tokens(&self) -> usize {
        self.qkv.len() / (3 * self.shape.width())
    }

    /// The head's queries (0), keys (1) or values (2) of a token.
    fn part(&self, token: usize, part: usize) -> &[f32] {
        let (width, dim) = (self.shape.width(), self.shape.head_dim);
        &self.qkv[(3 * token + part) * width + self.head * dim..][..dim]
    }

    /// Gives each token its output.
    fn run(&self, scratch: &mut Scratch, mut emit: impl FnMut(usize, &[f32])) {
        let tokens = self.tokens();
        let columns = tokens.next_multiple_of(PANEL);
        self.pack(columns, scratch);
        if let Some(positions) = self.positions {
            positions.by_key(
                self.isa,
                self.head,
                tokens,
                &scratch.keys,
                &mut scratch.by_key,
            );
        }
        let step = tokens.div_ceil(tokens.div_ceil(ROWS));
        for first in (0..tokens).step_by(step) {
            let block = first..tokens.min(first + step);
            self.scores(block.clone(), columns, scratch);
            let sums = self.weights(block.len(), columns, scratch);
            self.outputs(block.len(), scratch);
            let padded = self.shape.head_dim.next_multiple_of(PANEL);
            for ((token, row), sum) in block
                .zip(scratch.outputs.chunks_exact_mut(padded))
                .zip(sums)
            {
                let inverse = 1.0 / sum;
                let row = &mut row[..self.shape.head_dim];
                for v in &mut *row {
                    *v *= inverse;
                }
                emit(token, row);
            }
        }
    }

    /// Keys as panels of 32 tokens, values as panels of 32 of the head's values.
    fn pack(&self, columns: usize, scratch: &mut Scratch) {
        let (tokens, dim) = (self.tokens(), self.shape.head_dim);
        let padded = dim.next_multiple_of(PANEL);
        scratch.keys.clear();
        scratch.keys.resize(columns * dim, 0.0);
        scratch.values.clear();
        scratch.values.resize(tokens * padded, 0.0);
        for token in 0..tokens {
            let first = token / PANEL * PANEL * dim + token % PANEL;
            let keys = scratch.keys[first..].iter_mut().step_by(PANEL);
            keys.zip(self.part(token, 1))
                .for_each(|(to, from)| *to = *from);
            for (panel, from) in self.part(token, 2).chunks(PANEL).enumerate() {
                let to = &mut scratch.values[(panel * tokens + token) * PANEL..];
                to[..from.len()].copy_from_slice(from);
            }
        }
    }

    /// Products of the block's queries with all keys, `[block, columns]`, and with the positions.
    fn scores(&self, block: Range<usize>, columns: usize, scratch: &mut Scratch) {
        let (m, dim) = (block.len(), self.shape.head_dim);
        scratch.queries.resize(dim * m, 0.0);
        for (i, token) in block.clone().enumerate() {
            let to = scratch.queries[i..].iter_mut().step_by(m);
            to.zip(self.part(token, 0))
                .for_each(|(to, from)| *to = *from);
        }
        scratch.scores.resize(m * columns, 0.0);
        for first in (0..columns).step_by(PANEL) {
            let tile = Tile {
                m,
                k: dim,
                a: scratch.queries.as_ptr(),
                b: Panel::F32(scratch.keys[first * dim..].as_ptr()),
                c: scratch.scores[first..].as_mut_ptr(),
                panels: 1,
                apart: 0,
                ldc: columns,
                columns: PANEL,
                accumulate: false,
                ahead: 0,
            };
            // SAFETY: the queries are `dim` rows of `m`, the keys panels of `dim` rows, the scores `m` rows of
            // `columns`.
            unsafe { tile::run(self.isa, &tile) };
        }
        if let Some(positions) = self.positions {
            positions.add(
                self.isa,
                self.head,
                block,
                self.tokens(),
                &scratch.queries,
                &mut scratch.by_query,
                &scratch.by_key,
                &mut scratch.scores,
            );
        }
    }

    /// Softmax weights of the block, transposed to `[tokens, block]`, and their sums.
    fn weights(&self, m: usize, columns: usize, scratch: &mut Scratch) -> [f32; ROWS] {
        let tokens = self.tokens();
        scratch.weights.resize(m * tokens, 0.0);
        let mut sums = [0f32; ROWS];
        for (i, row) in scratch.scores.chunks_exact_mut(columns).take(m).enumerate() {
            sums[i] = softmax(self.isa, row, 0..tokens, self.shape.scale);
            let to = scratch.weights[i..].iter_mut().step_by(m);
            to.zip(&row[..tokens]).for_each(|(to, from)| *to = *from);
        }
        sums
    }

    /// Weighted sums of the values, `[block, padded head]`.
    fn outputs(&self, m: usize, scratch: &mut Scratch) {
        let (tokens, padded) = (self.tokens(), self.shape.head_dim.next_multiple_of(PANEL));
        scratch.outputs.resize(m * padded, 0.0);
        for panel in 0..padded / PANEL {
            let tile = Tile {
                m,
                k: tokens,
                a: scratch.weights.as_ptr(),
                b: Panel::F32(scratch.values[panel * tokens * PANEL..].as_ptr()),
                c: scratch.outputs[panel * PANEL..].as_mut_ptr(),
                panels: 1,
                apart: 0,
                ldc: padded,
                columns: PANEL,
                accumulate: false,
                ahead: 0,
            };
            // SAFETY: the weights are `tokens` rows of `m`, the values panels of `tokens` rows, the outputs `m` rows
            // of `padded`.
            unsafe { tile::run(self.isa, &tile) };
        }
    }
}
