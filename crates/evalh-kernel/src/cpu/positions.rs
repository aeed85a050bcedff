//! Scores of relative positions (the disentangled attention of `DeBERTa`).

use super::isa::Isa;
use super::tile::{self, PANEL, Panel, ROWS, Tile};
use std::ops::Range;

/// Keys and queries of relative positions, packed for the inner loop.
///
/// A query `i` and a key `j` have the position `rows[i - j + middle]`, a row of `keys` and of `queries`. Their score is
/// `query_i . key_j + query_i . keys[row] + key_j . queries[row]`.
#[derive(Debug)]
pub struct PackedPositions<'a> {
    rows: &'a [u32],
    dim: usize,
    /// For each head, panels of 32 positions: `[head][position / 32][dim][32]`.
    keys: Option<Packed>,
    /// For each head, blocks of positions: `[head][position / ROWS][dim][ROWS]`.
    queries: Option<Packed>,
}

#[derive(Debug)]
struct Packed {
    values: Vec<f32>,
    head_values: usize,
}

impl Packed {
    /// Packs row-major `[positions, heads * dim]` into groups of `size` positions, the last padded with zeros.
    fn new(x: &[f32], heads: usize, dim: usize, size: usize) -> Self {
        let positions = x.len() / (heads * dim);
        let head_values = positions.next_multiple_of(size) * dim;
        let mut values = vec![0f32; heads * head_values];
        for (position, row) in x.chunks_exact(heads * dim).enumerate() {
            for (head, part) in row.chunks_exact(dim).enumerate() {
                let first = head * head_values + position / size * size * dim + position % size;
                let to = values[first..].iter_mut().step_by(size);
                to.zip(part).for_each(|(to, from)| *to = *from);
            }
        }
        Self {
            values,
            head_values,
        }
    }

    /// A head's values from position `first` on, which starts a group.
    fn at(&self, head: usize, first: usize, dim: usize) -> *const f32 {
        self.values[head * self.head_values + first * dim..].as_ptr()
    }
}

impl<'a> PackedPositions<'a> {
    /// Packs position keys and queries, each `[positions, heads * dim]` where there are any.
    ///
    /// `rows` gives the position of every distance of a query from a key, the most negative first; its middle is
    /// distance zero.
    ///
    /// # Panics
    /// When a row is not a position, or `rows` has no middle.
    pub fn new(
        keys: Option<&[f32]>,
        queries: Option<&[f32]>,
        rows: &'a [u32],
        heads: usize,
        dim: usize,
    ) -> Self {
        assert!(rows.len() % 2 == 1, "as many distances to either side");
        let last = rows.iter().max().map_or(0, |row| *row as usize);
        for values in [keys, queries].into_iter().flatten() {
            assert!(
                values.len().is_multiple_of(heads * dim) && last < values.len() / (heads * dim),
                "a row for position {last}"
            );
        }
        Self {
            rows,
            dim,
            keys: keys.map(|keys| Packed::new(keys, heads, dim, PANEL)),
            queries: queries.map(|queries| Packed::new(queries, heads, dim, ROWS)),
        }
    }

    /// Tokens of the longest sequence whose distances are all known.
    pub(super) fn longest(&self) -> usize {
        self.rows.len().div_ceil(2)
    }

    /// The positions of query `i` and keys `0..tokens`, which come in the order of falling distance.
    fn of_query(&self, i: usize, tokens: usize) -> impl Iterator<Item = usize> {
        let middle = self.rows.len() / 2;
        let rows = &self.rows[middle + i + 1 - tokens..=middle + i];
        rows.iter().rev().map(|row| *row as usize)
    }

    /// The positions that a sequence of `tokens` has.
    fn used(&self, tokens: usize) -> Range<usize> {
        let middle = self.rows.len() / 2;
        let rows = &self.rows[middle + 1 - tokens..middle + tokens];
        let first = rows.iter().min().map_or(0, |row| *row as usize);
        let last = rows.iter().max().map_or(0, |row| *row as usize);
        first..last + 1
    }

    /// Products of the position queries of a sequence with its packed keys: `[used positions, columns]`, from the
    /// first position of a block on.
    pub(super) fn by_key(
        &self,
        isa: Isa,
        head: usize,
        tokens: usize,
        keys: &[f32],
        out: &mut Vec<f32>,
    ) {
        let Some(queries) = &self.queries else { return };
        let (used, columns) = (self.used(tokens), tokens.next_multiple_of(PANEL));
        let begin = used.start / ROWS * ROWS;
        out.resize((used.end.next_multiple_of(ROWS) - begin) * columns, 0.0);
        for first in (begin..used.end).step_by(ROWS) {
            for column in (0..columns).step_by(PANEL) {
                let tile = Tile {
                    m: ROWS,
                    k: self.dim,
                    a: queries.at(head, first, self.dim),
                    b: Panel::F32(keys[column * self.dim..].as_ptr()),
                    c: out[(first - begin) * columns + column..].as_mut_ptr(),
                    panels: 1,
                    apart: 0,
                    ldc: columns,
                    columns: PANEL,
                    accumulate: false,
                    ahead: 0,
                };
                // SAFETY: a block of position queries is `dim` rows of `ROWS`, the keys are panels of `dim` rows, and
                // `out` has `ROWS` rows of `columns` for every block.
                unsafe { tile::run(isa, &tile) };
            }
        }
    }

    /// Adds both products to the scores of a block of queries, `[block, columns]`.
    ///
    /// `queries` are the block's, packed; `by_key` is what [`Self::by_key`] gave for the sequence.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn add(
        &self,
        isa: Isa,
        head: usize,
        block: Range<usize>,
        tokens: usize,
        queries: &[f32],
        by_query: &mut Vec<f32>,
        by_key: &[f32],
        scores: &mut [f32],
    ) {
        let (used, columns, m) = (
            self.used(tokens),
            tokens.next_multiple_of(PANEL),
            block.len(),
        );
        if let Some(keys) = &self.keys {
            let begin = used.start / PANEL * PANEL;
            let width = used.end.next_multiple_of(PANEL) - begin;
            by_query.resize(m * width, 0.0);
            for first in (0..width).step_by(PANEL) {
                let tile = Tile {
                    m,
                    k: self.dim,
                    a: queries.as_ptr(),
                    b: Panel::F32(keys.at(head, begin + first, self.dim)),
                    c: by_query[first..].as_mut_ptr(),
                    panels: 1,
                    apart: 0,
                    ldc: width,
                    columns: PANEL,
                    accumulate: false,
                    ahead: 0,
                };
                // SAFETY: the queries are `dim` rows of `m`, the position keys panels of `dim` rows, and `by_query`
                // has `m` rows of `width`.
                unsafe { tile::run(isa, &tile) };
            }
            for ((i, row), products) in block
                .clone()
                .zip(scores.chunks_exact_mut(columns))
                .zip(by_query.chunks_exact(width))
            {
                for (score, position) in row.iter_mut().zip(self.of_query(i, tokens)) {
                    *score += products[position - begin];
                }
            }
        }
        if self.queries.is_some() {
            let begin = used.start / ROWS * ROWS;
            for (i, row) in block.zip(scores.chunks_exact_mut(columns)) {
                for ((j, score), position) in
                    row.iter_mut().enumerate().zip(self.of_query(i, tokens))
                {
                    *score += by_key[(position - begin) * columns + j];
                }
            }
        }
    }
}
