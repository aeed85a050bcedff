//! The one linear of the decoder, in which adapters act.

use crate::{LoraId, ModelError};
use burn::tensor::Tensor;
use evalh_adapter::{LoraUpdate, TargetModule};
use evalh_kernel::{Compute, LowRank, LowRankSpan, Vector, Weight};
use std::ops::Range;

/// Linears that read the same input, held as one weight: queries, keys and values, or gate and up.
#[derive(Debug)]
pub(crate) struct Linear {
    parts: Vec<Part>,
    inputs: usize,
    base: Weight,
    bias: Option<Vector>,
    /// The base with an adapter merged into it.
    merged: Option<Weight>,
    /// Updates applied beside the base.
    attached: Vec<Attached>,
}

/// A module of the checkpoint: some rows of the weight.
#[derive(Debug)]
struct Part {
    name: String,
    rows: Range<usize>,
}

#[derive(Debug)]
struct Attached {
    id: LoraId,
    column: usize,
    update: LowRank,
}

impl Linear {
    /// A linear of the named modules, whose rows follow one another in `rows`, `[sum of outputs, inputs]`.
    pub(crate) fn new(
        compute: &Compute,
        modules: Vec<(String, usize)>,
        inputs: usize,
        rows: Vec<f32>,
        bias: Option<Vec<f32>>,
    ) -> Self {
        let mut outputs = 0;
        let parts = modules
            .into_iter()
            .map(|(name, count)| {
                outputs += count;
                Part {
                    name,
                    rows: outputs - count..outputs,
                }
            })
            .collect();
        Self {
            parts,
            inputs,
            base: compute.weight(rows, outputs, inputs),
            bias: bias.map(|bias| compute.vector(bias)),
            merged: None,
            attached: Vec::new(),
        }
    }

    /// What adapters can attach to.
    pub(crate) fn modules(&self) -> impl Iterator<Item = TargetModule> {
        self.parts.iter().map(|part| TargetModule {
            name: part.name.clone(),
            out_features: part.rows.len(),
            in_features: self.inputs,
            kind: evalh_adapter::ModuleKind::Linear,
        })
    }

    /// The weight as loaded.
    pub(crate) fn base(&self) -> &Weight {
        &self.base
    }

    /// Bytes held beside the base weight.
    pub(crate) fn extra_bytes(&self) -> usize {
        let attached: usize = self
            .attached
            .iter()
            .map(|a| a.update.a.bytes() + a.update.b.bytes())
            .sum();
        self.merged.as_ref().map_or(0, Weight::bytes) + attached
    }

    /// `x W^T + b`, and for each of `rows` (tokens and the adapter attached for them) its low-rank update.
    pub(crate) fn forward(
        &self,
        compute: &Compute,
        x: &Tensor<2>,
        rows: &[(Range<usize>, LoraId)],
    ) -> Tensor<2> {
        let y = compute.linear(
            x,
            self.merged.as_ref().unwrap_or(&self.base),
            self.bias.as_ref(),
        );
        let spans: Vec<LowRankSpan<'_>> = rows
            .iter()
            .flat_map(|(tokens, id)| {
                self.attached
                    .iter()
                    .filter(move |a| a.id == *id)
                    .map(|a| LowRankSpan {
                        tokens: tokens.clone(),
                        update: &a.update,
                        column: a.column,
                    })
            })
            .collect();
        compute.low_rank(y, x, &spans)
    }

    /// Merges the updates of this linear's modules: `W' = W + scale * B A`, the sum in f32.
    pub(crate) fn merge(
        &mut self,
        compute: &Compute,
        updates: &[&LoraUpdate],
    ) -> Result<(), ModelError> {
        let mut rows = None;
        for (part, update) in self.matching(updates)? {
            let rows = rows.get_or_insert_with(|| self.base.to_rows());
            let mut delta = vec![0f32; self.inputs];
            for (i, row) in rows[part.start * self.inputs..part.end * self.inputs]
                .chunks_exact_mut(self.inputs)
                .enumerate()
            {
                update.delta_row(i, &mut delta);
                row.iter_mut().zip(&delta).for_each(|(w, d)| *w += d);
            }
        }
        self.merged = rows.map(|rows| compute.weight(rows, self.base.outputs(), self.inputs));
        Ok(())
    }

    /// The base weight again.
    pub(crate) fn restore(&mut self) {
        self.merged = None;
    }

    /// Holds the updates of this linear's modules beside the weight.
    pub(crate) fn attach(
        &mut self,
        compute: &Compute,
        id: LoraId,
        updates: &[&LoraUpdate],
    ) -> Result<(), ModelError> {
        let attached: Vec<Attached> = self
            .matching(updates)?
            .map(|(part, update)| Attached {
                id,
                column: part.start,
                update: LowRank {
                    a: compute.weight(update.a.clone(), update.rank, self.inputs),
                    b: compute.weight(update.b.clone(), part.len(), update.rank),
                    scale: update.scale,
                },
            })
            .collect();
        self.attached.extend(attached);
        Ok(())
    }

    /// Forgets every attached update.
    pub(crate) fn detach(&mut self) {
        self.attached.clear();
    }

    /// Pairs updates with the rows of their modules.
    fn matching<'a>(
        &self,
        updates: &[&'a LoraUpdate],
    ) -> Result<impl Iterator<Item = (Range<usize>, &'a LoraUpdate)> + use<'a>, ModelError> {
        let mut found = Vec::new();
        for part in &self.parts {
            for update in updates.iter().filter(|update| update.module == part.name) {
                let shape = [update.out_features(), update.in_features()];
                if shape != [part.rows.len(), self.inputs] || update.rank == 0 {
                    let problem = format!(
                        "the update is {shape:?}, the module {:?}",
                        [part.rows.len(), self.inputs]
                    );
                    return Err(ModelError::Update {
                        module: part.name.clone(),
                        problem,
                    });
                }
                found.push((part.rows.clone(), *update));
            }
        }
        Ok(found.into_iter())
    }
}
