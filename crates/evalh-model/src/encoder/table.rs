//! Embeddings.

use super::adapt::{Changes, Part, Size};
use super::slot::{Place, Slot};
use crate::{LoraId, ModelError};
use burn::tensor::Tensor;
use evalh_adapter::{LoraUpdate, ModuleKind, TargetModule};
use evalh_kernel::{Compute, LowRank, LowRankSpan, RescaleSpan, Weight};
use rayon::prelude::*;

/// A table of embeddings, `[rows, width]`.
#[derive(Debug)]
pub(super) struct Table {
    name: String,
    base: Weight,
    /// Tables that an adapter brings whole, or that are merged.
    replaced: Slot<Weight>,
    /// Low-rank updates beside the table.
    beside: Vec<(LoraId, Beside)>,
    /// Whether adapters may update the table: not where the model reads it as a whole.
    adaptable: bool,
    /// Whether the merged table holds a low-rank update.
    updated: bool,
}

/// `(row + scale * B A^T) * factor`, looked up by row.
#[derive(Debug)]
struct Beside {
    /// `A^T`, `[rows, rank]`.
    rows: Weight,
    /// `B`, `[width, rank]`, behind the unit matrix.
    update: LowRank,
    /// `DoRA`'s factor of each column.
    factors: Option<Vec<f32>>,
}

impl Table {
    pub(super) fn new(name: String, base: Weight, adaptable: bool) -> Self {
        Self {
            name,
            base,
            replaced: Slot::new(None),
            beside: Vec::new(),
            adaptable,
            updated: false,
        }
    }

    /// The rows of the given ids.
    pub(super) fn rows(
        &self,
        compute: &Compute,
        ids: &[u32],
        adapter: Option<LoraId>,
    ) -> Tensor<2> {
        let table = self.replaced.get(adapter).unwrap_or(&self.base);
        let mut out = compute.embed(ids, table);
        for (_, beside) in self.beside.iter().filter(|(id, _)| Some(*id) == adapter) {
            let span = LowRankSpan {
                tokens: 0..ids.len(),
                update: &beside.update,
                column: 0,
            };
            out = compute.low_rank(out, &compute.embed(ids, &beside.rows), &[span]);
            if let Some(factors) = &beside.factors {
                let span = RescaleSpan {
                    tokens: 0..ids.len(),
                    column: 0,
                    factors,
                    bias: None,
                };
                out = compute.rescale(out, &[span]);
            }
        }
        out
    }

    /// The weight of a head that is tied to this table. As in PEFT, a merged low-rank update changes the weight that
    /// both share; a table that an adapter brings whole, or updates beside the base, is the embedding's alone.
    pub(super) fn tied(&self) -> &Weight {
        match self.replaced.get(None) {
            Some(merged) if self.updated => merged,
            _ => &self.base,
        }
    }

    /// The table as the transposed weight that updates are laid over: `[width, rows]`.
    fn transposed(table: &[f32], width: usize) -> Vec<f32> {
        let rows = table.len() / width;
        let mut out = vec![0f32; table.len()];
        out.par_chunks_mut(rows).enumerate().for_each(|(d, out)| {
            for (to, from) in out.iter_mut().zip(table[d..].iter().step_by(width)) {
                *to = *from;
            }
        });
        out
    }

    fn beside(compute: &Compute, base: &Weight, update: &LoraUpdate) -> Beside {
        let (rows, width, rank) = (base.outputs(), base.inputs(), update.rank);
        let unit: Vec<f32> = (0..rank * rank)
            .map(|i| f32::from(u8::from(i / rank == i % rank)))
            .collect();
        let factors = update.magnitude.is_some().then(|| {
            let base = Self::transposed(&base.to_rows(), width);
            (0..width)
                .into_par_iter()
                .map(|d| update.row_factor(d, &base[d * rows..(d + 1) * rows]))
                .collect()
        });
        Beside {
            rows: compute.weight(Self::transposed(&update.a, rows), rows, rank),
            update: LowRank {
                a: compute.weight(unit, rank, rank),
                b: compute.weight(update.b.clone(), width, rank),
                scale: update.scale,
            },
            factors,
        }
    }
}

impl Part for Table {
    fn modules(&self) -> Vec<TargetModule> {
        let module = TargetModule {
            name: self.name.clone(),
            out_features: self.base.inputs(),
            in_features: self.base.outputs(),
            kind: ModuleKind::Embedding,
        };
        self.adaptable.then_some(module).into_iter().collect()
    }

    fn apply(
        &mut self,
        compute: &Compute,
        place: Place,
        changes: &Changes<'_>,
    ) -> Result<(), ModelError> {
        let (rows, width) = (self.base.outputs(), self.base.inputs());
        let saved = changes.saved(&format!("{}.weight", self.name));
        let updates = changes.lora(&self.name);
        if let Some(values) = saved {
            let table = compute.weight(values.to_vec(), rows, width);
            self.replaced.put(place, table);
        }
        match place {
            Place::Merged if !updates.is_empty() => {
                let table = saved.map_or_else(|| self.base.to_rows(), <[f32]>::to_vec);
                let mut merged = Self::transposed(&table, width);
                merged
                    .par_chunks_mut(rows)
                    .enumerate()
                    .for_each(|(d, row)| updates.iter().for_each(|u| u.merge_row(d, row)));
                let table = compute.weight(Self::transposed(&merged, rows), rows, width);
                self.replaced.put(place, table);
                self.updated = true;
            }
            Place::Merged => {}
            Place::Attached(id) => {
                let base = self.replaced.get(Some(id)).unwrap_or(&self.base);
                let beside = updates.iter().map(|u| (id, Self::beside(compute, base, u)));
                self.beside.extend(beside);
            }
        }
        Ok(())
    }

    fn restore(&mut self) {
        self.replaced.restore();
        self.updated = false;
    }

    fn detach(&mut self) {
        self.replaced.detach();
        self.beside.clear();
    }

    fn size(&self) -> Size {
        let beside = self.beside.iter();
        let beside = beside.map(|(_, b)| b.rows.bytes() + b.update.a.bytes() + b.update.b.bytes());
        Size {
            parameters: self.base.outputs() * self.base.inputs(),
            bytes: self.base.bytes(),
            adapter_bytes: self.replaced.extra().map(Weight::bytes).sum::<usize>()
                + beside.sum::<usize>(),
            dtype: Some(self.base.dtype()),
        }
    }
}
