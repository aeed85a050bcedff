//! Causal attention of ragged rows over the paged cache.
//!
//! Scores and outputs are chains in token order (see [`tile`](super::tile)) and masked places add exact zeros, so a
//! token's output has the same bits whether it was computed alone, in a batch, or within a prompt of any split.

use super::blocks::pack;
use super::isa::Isa;
use super::kv::{BLOCK_TOKENS, BlockTable, KvPool};
use super::packed::{Precision, bf16_pair};
use super::rope::Angles;
use super::rows::{soft_cap, softmax};
use super::tile::{self, PANEL, Panel, ROWS, Tile};
use rayon::prelude::*;
use std::ops::Range;

/// Sizes of one layer's attention.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttentionShape {
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; divides `heads`.
    pub kv_heads: usize,
    /// Values of a head.
    pub head_dim: usize,
    /// Factor of the scores before the softmax.
    pub scale: f32,
    /// Bound `c` of the scaled scores, which become `c * tanh(score / c)`.
    pub soft_cap: Option<f32>,
    /// How many of the newest tokens a token sees, itself among them; all of them where there is no window.
    pub window: Option<usize>,
    /// Where a token's heads lie.
    pub layout: QkvLayout,
}

/// How queries, keys and values of a token lie in its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum QkvLayout {
    /// All query heads, then all key heads, then all value heads.
    #[default]
    Concatenated,
    /// Query, key and value of the first head, then of the second: as GPT-NeoX checkpoints have it. Needs as many key
    /// heads as query heads.
    Interleaved,
}

impl AttentionShape {
    /// First value of a query head in a token's row.
    pub(crate) fn query(&self, head: usize) -> usize {
        match self.layout {
            QkvLayout::Concatenated => head * self.head_dim,
            QkvLayout::Interleaved => 3 * head * self.head_dim,
        }
    }

    /// First value of a key head in a token's row.
    pub(crate) fn key(&self, head: usize) -> usize {
        match self.layout {
            QkvLayout::Concatenated => (self.heads + head) * self.head_dim,
            QkvLayout::Interleaved => (3 * head + 1) * self.head_dim,
        }
    }

    /// First value of a value head in a token's row.
    pub(crate) fn value(&self, head: usize) -> usize {
        match self.layout {
            QkvLayout::Concatenated => (self.heads + self.kv_heads + head) * self.head_dim,
            QkvLayout::Interleaved => (3 * head + 2) * self.head_dim,
        }
    }

    /// The first position that a token at `position` sees.
    pub(crate) fn first_seen(&self, position: usize) -> usize {
        self.window
            .map_or(0, |window| (position + 1).saturating_sub(window))
    }

    /// Values of a token's queries, keys and values together.
    pub fn qkv_width(&self) -> usize {
        (self.heads + 2 * self.kv_heads) * self.head_dim
    }

    /// Values of a token's output.
    pub fn out_width(&self) -> usize {
        self.heads * self.head_dim
    }
}

/// One sequence of a batch: which of the batch's tokens are its newest ones.
#[derive(Debug, Clone)]
pub struct AttentionRow<'a> {
    /// Its tokens in the batch.
    pub tokens: Range<usize>,
    /// Its blocks, which already count those tokens.
    pub table: &'a BlockTable,
}

impl AttentionRow<'_> {
    /// Position of its first token in the batch.
    fn start(&self) -> usize {
        self.table.len() - self.tokens.len()
    }
}

/// Query rows of a task: tokens are grouped so that the heads that share keys make about two blocks of rows.
const TASK_ROWS: usize = 2 * ROWS;

/// A few tokens of one row, worked on by one thread for one key head.
struct Task {
    row: usize,
    tokens: Range<usize>,
}

/// Rotates queries and keys, appends keys and values to the cache and attends.
///
/// `qkv` is `[tokens, qkv_width]`: queries, keys, values of each token; it is rotated in place by `angles`, which hold
/// one entry a token. `out` is `[tokens, out_width]`.
///
/// # Panics
/// When a shape does not fit, or two rows share tokens.
#[allow(clippy::too_many_arguments)]
pub fn attend(
    isa: Isa,
    qkv: &mut [f32],
    shape: AttentionShape,
    angles: &Angles,
    pool: &mut KvPool,
    layer: usize,
    rows: &[AttentionRow<'_>],
    out: &mut [f32],
) {
    let (width, out_width) = (shape.qkv_width(), shape.out_width());
    let tokens = qkv.len() / width;
    assert_eq!(
        (qkv.len(), out.len()),
        (tokens * width, tokens * out_width),
        "queries, keys, values and outputs"
    );
    assert_eq!(
        (pool.shape().heads, pool.shape().head_dim),
        (shape.kv_heads, shape.head_dim),
        "heads of the cache"
    );
    assert!(
        shape.layout == QkvLayout::Concatenated || shape.heads == shape.kv_heads,
        "interleaved heads have a key each"
    );
    let mut next = 0;
    for row in rows {
        assert!(
            row.tokens.start == next && row.tokens.end <= tokens,
            "rows follow one another"
        );
        next = row.tokens.end;
    }
    assert_eq!(next, tokens, "every token belongs to a row");
    rotate(qkv, shape, angles);
    append(qkv, shape, pool, layer, rows);

    let group = shape.heads / shape.kv_heads;
    let step = (TASK_ROWS / group).max(1);
    let tasks: Vec<Task> = rows
        .iter()
        .enumerate()
        .flat_map(|(row, r)| {
            let end = r.tokens.len();
            (0..end).step_by(step).map(move |first| Task {
                row,
                tokens: first..end.min(first + step),
            })
        })
        .collect();
    let out = Shared(out.as_mut_ptr());
    let (qkv, pool) = (&*qkv, &*pool);
    (0..tasks.len() * shape.kv_heads)
        .into_par_iter()
        .for_each_init(Scratch::default, |scratch, index| {
            let task = &tasks[index / shape.kv_heads];
            let job = Job {
                isa,
                shape,
                pool,
                layer,
                row: &rows[task.row],
                head: index % shape.kv_heads,
            };
            job.run(qkv, task.tokens.clone(), scratch, |token, head, values| {
                // SAFETY: each task writes its own tokens' and heads' outputs, inside the length asserted above.
                unsafe {
                    let to = out.at(token * out_width + head * shape.head_dim);
                    std::ptr::copy_nonoverlapping(values.as_ptr(), to, shape.head_dim);
                }
            });
        });
}

#[derive(Clone, Copy)]
struct Shared(*mut f32);
// SAFETY: tasks write disjoint places.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}
impl Shared {
    fn at(self, index: usize) -> *mut f32 {
        self.0.wrapping_add(index)
    }
}

/// Rotates the queries and keys of `qkv`, `[tokens, qkv_width]`, in place by `angles`, which hold one entry a token;
/// does nothing where they rotate no pairs.
///
/// # Panics
/// When there are not as many angles as tokens.
pub fn rotate(qkv: &mut [f32], shape: AttentionShape, angles: &Angles) {
    if angles.pairs() == 0 {
        return;
    }
    let width = shape.qkv_width();
    assert_eq!(
        angles.len() * width,
        qkv.len(),
        "angles for every token of the batch"
    );
    qkv.par_chunks_mut(width)
        .enumerate()
        .with_min_len(8)
        .for_each(|(index, token)| {
            let queries = (0..shape.heads).map(|head| shape.query(head));
            let keys = (0..shape.kv_heads).map(|head| shape.key(head));
            for first in queries.chain(keys) {
                angles.rotate(&mut token[first..first + shape.head_dim], index);
            }
        });
}

fn append(
    qkv: &[f32],
    shape: AttentionShape,
    pool: &mut KvPool,
    layer: usize,
    rows: &[AttentionRow<'_>],
) {
    let (width, dim) = (shape.qkv_width(), shape.head_dim);
    let precision = pool.shape().precision;
    let row_of = |slot: usize| match precision {
        Precision::F32 => slot,
        Precision::Bf16 => slot / 2,
    };
    for row in rows {
        for (i, token) in qkv[row.tokens.start * width..row.tokens.end * width]
            .chunks_exact(width)
            .enumerate()
        {
            let position = row.start() + i;
            let (block, slot) = (
                row.table.blocks()[position / BLOCK_TOKENS],
                position % BLOCK_TOKENS,
            );
            for head in 0..shape.kv_heads {
                let key = &token[shape.key(head)..][..dim];
                let value = &token[shape.value(head)..][..dim];
                let keys = pool.key_offset(layer, block, head) + slot;
                let values = pool.value_offset(layer, block, head) + row_of(slot) * PANEL;
                let all = pool.values_mut();
                let places = all[keys..].iter_mut().step_by(BLOCK_TOKENS);
                match precision {
                    Precision::F32 => places.zip(key).for_each(|(to, from)| *to = *from),
                    Precision::Bf16 => places.zip(key.chunks(2)).for_each(|(to, from)| {
                        let high = from.get(1).copied().unwrap_or(0.0);
                        *to = f32::from_bits(bf16_pair(from[0], high));
                    }),
                }
                let panel_values = precision.steps(BLOCK_TOKENS) * PANEL;
                for (panel, from) in value.chunks(PANEL).enumerate() {
                    let to = &mut all[values + panel * panel_values..][..from.len()];
                    match precision {
                        Precision::F32 => to.copy_from_slice(from),
                        Precision::Bf16 => to.iter_mut().zip(from).for_each(|(to, from)| {
                            // An earlier token's half stays; what was in a later one's is no number to rely on.
                            let low = f32::from_bits(to.to_bits() << 16);
                            *to = f32::from_bits(if slot.is_multiple_of(2) {
                                bf16_pair(*from, 0.0)
                            } else {
                                bf16_pair(low, *from)
                            });
                        }),
                    }
                }
            }
        }
    }
}

/// Buffers of a thread, reused from task to task.
#[derive(Default)]
struct Scratch {
    rows: Vec<f32>,
    queries: Vec<f32>,
    scores: Vec<f32>,
    weights: Vec<f32>,
    outputs: Vec<f32>,
}

struct Job<'a> {
    isa: Isa,
    shape: AttentionShape,
    pool: &'a KvPool,
    layer: usize,
    row: &'a AttentionRow<'a>,
    head: usize,
}

impl Job<'_> {
    /// Attends for `tokens` (counted from the row's first) and gives each (token of the batch, query head) its output.
    fn run(
        &self,
        qkv: &[f32],
        tokens: Range<usize>,
        scratch: &mut Scratch,
        mut emit: impl FnMut(usize, usize, &[f32]),
    ) {
        let group = self.shape.heads / self.shape.kv_heads;
        let queries: Vec<(usize, usize)> = tokens
            .flat_map(|t| (0..group).map(move |g| (t, self.head * group + g)))
            .collect();
        for block in queries.chunks(ROWS) {
            self.run_block(qkv, block, scratch);
            let dim = self.shape.head_dim.next_multiple_of(PANEL);
            for ((token, head), values) in block.iter().zip(scratch.outputs.chunks_exact(dim)) {
                emit(self.row.tokens.start + token, *head, values);
            }
        }
    }

    fn run_block(&self, qkv: &[f32], queries: &[(usize, usize)], scratch: &mut Scratch) {
        let (m, dim) = (queries.len(), self.shape.head_dim);
        let padded = dim.next_multiple_of(PANEL);
        // Blocks from the first one that the first query sees to the last one that the last query sees.
        let seen = self.row.start() + queries[m - 1].0 + 1;
        let first_block = self.shape.first_seen(self.row.start() + queries[0].0) / BLOCK_TOKENS;
        let blocks = &self.row.table.blocks()[first_block..seen.div_ceil(BLOCK_TOKENS)];
        let origin = first_block * BLOCK_TOKENS;
        let width = blocks.len() * BLOCK_TOKENS;
        let precision = self.pool.shape().precision;
        let (dim_steps, block_steps) = (precision.steps(dim), precision.steps(BLOCK_TOKENS));
        let panel = |from: usize| {
            let values = self.pool.values()[from..].as_ptr();
            match precision {
                Precision::F32 => Panel::F32(values),
                Precision::Bf16 => Panel::Pairs(values.cast()),
            }
        };

        scratch.rows.clear();
        for (token, head) in queries {
            let first =
                (self.row.tokens.start + token) * self.shape.qkv_width() + self.shape.query(*head);
            scratch.rows.extend_from_slice(&qkv[first..][..dim]);
        }
        scratch.queries.resize(dim_steps * m, 0.0);
        pack(
            self.isa,
            precision,
            &scratch.rows,
            dim,
            &mut scratch.queries,
        );
        scratch.scores.resize(m * width, 0.0);
        for (i, block) in blocks.iter().enumerate() {
            let tile = Tile {
                m,
                k: dim_steps,
                a: scratch.queries.as_ptr(),
                b: panel(self.pool.key_offset(self.layer, *block, self.head)),
                c: scratch.scores[i * BLOCK_TOKENS..].as_mut_ptr(),
                panels: 1,
                apart: 0,
                ldc: width,
                columns: PANEL,
                accumulate: false,
                ahead: 0,
            };
            // SAFETY: a block's keys are a panel of `dim_steps` rows, and each of `m` score rows has room for every block.
            unsafe { tile::run(self.isa, &tile) };
        }
        let mut sums = [0f32; ROWS];
        for (i, (row, (token, _))) in scratch
            .scores
            .chunks_exact_mut(width)
            .zip(queries)
            .enumerate()
        {
            let position = self.row.start() + token;
            let visible = self.shape.first_seen(position) - origin..position + 1 - origin;
            let mut scale = self.shape.scale;
            if let Some(cap) = self.shape.soft_cap {
                soft_cap(self.isa, row, scale, cap);
                scale = 1.0;
            }
            sums[i] = softmax(self.isa, row, visible, scale);
        }
        scratch.weights.resize(m * precision.steps(width), 0.0);
        pack(
            self.isa,
            precision,
            &scratch.scores,
            width,
            &mut scratch.weights,
        );
        scratch.outputs.resize(m * padded, 0.0);
        for (i, block) in blocks.iter().enumerate() {
            let values = self.pool.value_offset(self.layer, *block, self.head);
            for column in (0..padded).step_by(PANEL) {
                let tile = Tile {
                    m,
                    // Places past the last seen token may hold another sequence's leavings.
                    k: precision.steps(BLOCK_TOKENS.min(seen - origin - i * BLOCK_TOKENS)),
                    a: scratch.weights[i * block_steps * m..].as_ptr(),
                    b: panel(values + column * block_steps),
                    c: scratch.outputs[column..].as_mut_ptr(),
                    panels: 1,
                    apart: 0,
                    ldc: padded,
                    columns: PANEL,
                    accumulate: i > 0,
                    ahead: 0,
                };
                // SAFETY: the weights hold `width` steps of `m`, the values of a block are panels of 32 tokens, and
                // each of `m` output rows has room for every panel.
                unsafe { tile::run(self.isa, &tile) };
            }
        }
        for (row, sum) in scratch.outputs.chunks_exact_mut(padded).zip(sums) {
            let inverse = 1.0 / sum;
            for v in row {
                *v *= inverse;
            }
        }
    }
}

#[cfg(test)]
mod tests;
