//! One pass over a batch of rows.

use super::trunk::{Stage, Twin};
use super::{Row, Session, cache_error};
use crate::decoder::{Layer, Pass, Sight, Stream, Wanted};
use crate::part::Scope;
use crate::{LoraId, ModelError};
use evalh_kernel::{Activation, Rotations, RowSpan};
use std::ops::Range;

/// What the layers need to know of the rows that they compute together.
struct Batch {
    scope: Scope,
    spans: Vec<RowSpan>,
    rotations: Vec<Rotations>,
}

impl Session<'_> {
    /// Appends the rows' tokens and gives the logits asked for, row-major.
    ///
    /// # Errors
    /// When the cache is full.
    pub(super) fn compute(
        &mut self,
        rows: &[Row<'_>],
        whole: Option<LoraId>,
    ) -> Result<Vec<f32>, ModelError> {
        let model = self.model;
        let twins = self.twins(rows);
        let mut held = Vec::with_capacity(rows.len());
        for row in rows {
            let before = self.cache.len(row.seq);
            held.push(before..before + row.tokens.len());
            self.cache
                .extend(row.seq, row.tokens.len())
                .map_err(cache_error)?;
        }
        let Some((last, layers)) = model.layers.split_last() else {
            unreachable!("a model without layers is not loaded")
        };
        let lengths: Vec<usize> = rows.iter().map(|row| row.tokens.len()).collect();
        let stages = Stage::plan(&lengths, &twins);
        let mut batch = self.batch(rows, &held, &stages[0].rows, whole);
        let mut stream = self.begin(rows, &held, &stages[0].rows, &batch.scope);
        for (index, stage) in stages.iter().enumerate() {
            if index > 0 {
                batch = self.batch(rows, &held, &stage.rows, whole);
                stream = stream.at(&model.compute, &stage.source);
            }
            let end = stages
                .get(index + 1)
                .map_or(layers.len(), |next| next.layer);
            let mut pass = self.pass(&batch);
            for layer in &layers[stage.layer..end] {
                stream = layer.forward(&mut pass, stream);
            }
        }
        let values = self.finish(rows, &batch, last, stream);
        for ((row, held), twin) in rows.iter().zip(&held).zip(&twins) {
            if let Some(twin) = twin {
                let from = rows[twin.row].seq;
                self.cache.take_over(from, row.seq, held, twin.layers);
            }
        }
        Ok(values)
    }

    /// The rows' twins, where both are computed alike in some layers.
    fn twins(&self, rows: &[Row<'_>]) -> Vec<Option<Twin>> {
        let of = |(index, row): (usize, &Row<'_>)| {
            // Where tokens stand then depends on more than what comes before them.
            let twin = row.twin.filter(|_| !self.depends_on_length())?;
            let other = &rows[twin];
            assert!(
                twin < index
                    && row.tokens == other.tokens
                    && self.cache.len(row.seq) == self.cache.len(other.seq),
                "row {index} is not like row {twin}"
            );
            let adapter = |row: &Row<'_>| self.adapters.get(&row.seq).copied();
            let layers = self.model.shared_layers(adapter(row), adapter(other));
            (layers > 0).then_some(Twin { row: twin, layers })
        };
        rows.iter().enumerate().map(of).collect()
    }

    /// What the layers need to know of some of the rows, whose tokens stand at `held` in their sequences.
    fn batch(
        &mut self,
        rows: &[Row<'_>],
        held: &[Range<usize>],
        some: &[usize],
        whole: Option<LoraId>,
    ) -> Batch {
        let mut scope = Scope {
            runs: Vec::new(),
            whole,
        };
        let mut spans: Vec<RowSpan> = Vec::with_capacity(some.len());
        let mut angles = self.places.angles();
        for row in some {
            let (seq, held) = (rows[*row].seq, held[*row].clone());
            let start = spans.last().map_or(0, |span| span.tokens.end);
            let tokens = start..start + held.len();
            self.places.push(&mut angles, seq, held);
            scope.push(tokens.clone(), self.adapters.get(&seq).copied());
            spans.push(RowSpan { seq, tokens });
        }
        let compute = &self.model.compute;
        let rotations = angles.into_iter().map(|a| compute.rotations(a)).collect();
        Batch {
            scope,
            spans,
            rotations,
        }
    }

    /// The stream of some of the rows before the first layer.
    fn begin(
        &self,
        rows: &[Row<'_>],
        held: &[Range<usize>],
        some: &[usize],
        scope: &Scope,
    ) -> Stream {
        let (model, compute) = (self.model, &self.model.compute);
        let tokens = some.iter().flat_map(|row| rows[*row].tokens);
        let ids: Vec<u32> = tokens.copied().collect();
        let mut x = model.embedding.forward(compute, &ids, scope);
        if (model.config.embedding_scale - 1.0).abs() > 0.0 {
            x = x.mul_scalar(model.config.embedding_scale);
        }
        if let Some(table) = &model.positions {
            let positions = some.iter().flat_map(|row| held[*row].clone());
            let positions: Vec<u32> = positions.map(|position| position as u32).collect();
            x = x + table.forward(compute, &positions, scope);
        }
        Stream { x, pending: None }
    }

    fn pass<'b>(&'b mut self, batch: &'b Batch) -> Pass<'b> {
        Pass {
            compute: &self.model.compute,
            config: &self.model.config,
            scope: &batch.scope,
            rotations: &batch.rotations,
            rotation_of: self.model.rotation_of(),
            sight: Sight::Cached {
                cache: &mut self.cache,
                rows: &batch.spans,
            },
        }
    }

    /// The last layer over all rows, and the logits asked for.
    fn finish(
        &mut self,
        rows: &[Row<'_>],
        batch: &Batch,
        last: &Layer,
        stream: Stream,
    ) -> Vec<f32> {
        let (model, compute) = (self.model, &self.model.compute);
        let mut wanted: Vec<usize> = Vec::new();
        for (row, span) in rows.iter().zip(&batch.spans) {
            wanted.extend(row.logits.clone().map(|place| span.tokens.start + place));
        }
        let mut pass = self.pass(batch);
        if wanted.is_empty() {
            last.remember(&mut pass, stream);
            return Vec::new();
        }
        let tokens = batch.spans.last().map_or(0, |span| span.tokens.end);
        let scope = batch.scope.at(&wanted);
        let wanted = Wanted {
            places: (wanted.len() < tokens).then_some(wanted.as_slice()),
            scope: &scope,
        };
        let Stream { x, pending } = last.forward_for(&mut pass, stream, &wanted);
        let (_, h) = model.final_norm.forward(compute, x, pending, &scope);
        let mut logits = model.head.forward(compute, &h, &scope);
        if let Some(cap) = model.config.logit_soft_cap {
            let bounded = compute.activate(logits.div_scalar(cap), Activation::Tanh);
            logits = bounded.mul_scalar(cap);
        }
        compute.to_host(logits)
    }
}
