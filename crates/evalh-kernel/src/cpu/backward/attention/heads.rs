//! The heads of a task, and how they are packed.

use crate::cpu::attention::AttentionShape;
use crate::cpu::backward::pack::turn;
use crate::cpu::backward::product::Rows;
use crate::cpu::isa::Isa;
use crate::cpu::tile::PANEL;
use std::ops::Range;

/// Distance of two rows of a turned block.
pub(super) const STEP: usize = 16;

/// One key head of one sequence, and the query heads that share it.
pub(super) struct Heads<'a> {
    pub isa: Isa,
    pub shape: AttentionShape,
    /// Queries, keys and values of the whole batch.
    qkv: &'a [f32],
    /// The sequence's tokens in the batch.
    pub tokens: Range<usize>,
    kv_head: usize,
    /// Query heads.
    pub group: usize,
}

/// A token, counted from the sequence's first, and a query head, counted from the batch's.
pub(super) type Query = (usize, usize);

impl<'a> Heads<'a> {
    /// Of the `task`th task: a sequence's key heads follow one another.
    pub(super) fn new(
        isa: Isa,
        qkv: &'a [f32],
        shape: AttentionShape,
        sequences: &[Range<usize>],
        task: usize,
    ) -> Self {
        Self {
            isa,
            shape,
            qkv,
            tokens: sequences[task / shape.kv_heads].clone(),
            kv_head: task % shape.kv_heads,
            group: shape.heads / shape.kv_heads,
        }
    }

    /// Values of a head, filled up to whole registers.
    pub(super) fn padded(&self) -> usize {
        self.shape.head_dim.next_multiple_of(16)
    }

    /// The queries of some tokens, those of a token after one another.
    pub(super) fn queries(&self, tokens: Range<usize>) -> impl Iterator<Item = Query> {
        let (first, group) = (self.kv_head * self.group, self.group);
        tokens.flat_map(move |token| (first..first + group).map(move |head| (token, head)))
    }

    /// First value of a query in the batch.
    pub(super) fn query_at(&self, (token, head): Query) -> usize {
        self.row_at(token) + self.shape.query(head)
    }

    /// First value of a token's key in the batch.
    pub(super) fn key_at(&self, token: usize) -> usize {
        self.row_at(token) + self.shape.key(self.kv_head)
    }

    /// First value of a token's value in the batch.
    pub(super) fn value_at(&self, token: usize) -> usize {
        self.row_at(token) + self.shape.value(self.kv_head)
    }

    fn row_at(&self, token: usize) -> usize {
        (self.tokens.start + token) * self.shape.qkv_width()
    }

    /// Values of the batch from a place on, a token's row apart.
    pub(super) fn rows_from(&self, first: usize) -> Rows<'a> {
        Rows {
            values: &self.qkv[first..],
            step: self.shape.qkv_width(),
        }
    }

    /// Packs the sequence's rows of a head, `[tokens][head]`, as panels of tokens: `[tokens / 32][head][32]`.
    pub(super) fn pack_turned(&self, rows: Rows<'_>, out: &mut Vec<f32>) {
        let (tokens, dim) = (self.tokens.len(), self.shape.head_dim);
        out.clear();
        out.resize(tokens.next_multiple_of(PANEL) * dim, 0.0);
        for (panel, out) in out.chunks_exact_mut(dim * PANEL).enumerate() {
            let first = panel * PANEL;
            let rows = Rows {
                values: &rows.values[first * rows.step..],
                ..rows
            };
            turn(self.isa, rows, PANEL.min(tokens - first), dim, out, PANEL);
        }
    }

    /// Packs `count` rows of a head as panels of its values: `[head / 32][count][32]`, zeros after the last value.
    pub(super) fn pack(&self, rows: Rows<'_>, count: usize, out: &mut Vec<f32>) {
        let dim = self.shape.head_dim;
        out.clear();
        out.resize(dim.div_ceil(PANEL) * count * PANEL, 0.0);
        for (panel, out) in out.chunks_exact_mut(count * PANEL).enumerate() {
            let columns = panel * PANEL..dim.min((panel + 1) * PANEL);
            for (out, row) in out
                .chunks_exact_mut(PANEL)
                .zip(rows.values.chunks(rows.step))
            {
                out[..columns.len()].copy_from_slice(&row[columns.clone()]);
            }
        }
    }
}

/// Rows `PANEL` values long, from the `first`th on.
pub(super) fn panel(values: &[f32], first: usize) -> Rows<'_> {
    Rows {
        values: &values[first * PANEL..],
        step: PANEL,
    }
}
