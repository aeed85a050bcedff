//! A table of vectors, looked up by token or by position.

use super::linear::transpose;
use super::{Held, Parameter, ParameterSlot, ParameterTensor, Place, Scope, Slot, Target, Updates};
use crate::LoraId;
use burn::tensor::{Tensor, TensorData};
use evalh_adapter::{LoraUpdate, ModuleKind, TargetModule};
use evalh_kernel::{Compute, Weight};
use std::sync::Arc;

/// A table `[entries, width]`.
#[derive(Debug)]
pub(crate) struct Embedding {
    name: String,
    table: Slot<Arc<Weight>>,
    attached: Vec<Attached>,
}

/// An update beside the table.
#[derive(Debug)]
struct Attached {
    id: LoraId,
    update: LoraUpdate,
    /// `DoRA`: what each column of the table is multiplied by.
    factors: Option<Vec<f32>>,
}

impl Embedding {
    pub(crate) fn new(name: String, table: Weight) -> Self {
        Self {
            name,
            table: Slot::new(Arc::new(table)),
            attached: Vec::new(),
        }
    }

    /// The table as loaded.
    pub(crate) fn base(&self) -> &Arc<Weight> {
        self.table.base()
    }

    /// What adapters can attach to.
    pub(crate) fn module(&self) -> TargetModule {
        TargetModule {
            name: self.name.clone(),
            out_features: self.base().inputs(),
            in_features: self.base().outputs(),
            kind: ModuleKind::Embedding,
        }
    }

    /// Name and shape of its tensor.
    pub(crate) fn tensor(&self) -> (String, Vec<usize>) {
        let shape = vec![self.base().outputs(), self.base().inputs()];
        (format!("{}.weight", self.name), shape)
    }

    /// The vectors of some entries, `[ids, width]`.
    pub(crate) fn forward(&self, compute: &Compute, ids: &[u32], scope: &Scope) -> Tensor<2> {
        let x = compute.embed(ids, self.table.get(scope));
        let updated = |id: &LoraId| self.attached.iter().any(|a| a.id == *id);
        if !scope.runs.iter().any(|(_, id)| updated(id)) {
            return x;
        }
        let (shape, width) = (x.dims(), x.dims()[1]);
        let mut factors = vec![1.0f32; ids.len() * width];
        let mut deltas = vec![0.0f32; ids.len() * width];
        for (tokens, id) in &scope.runs {
            for attached in self.attached.iter().filter(|a| a.id == *id) {
                for token in tokens.clone() {
                    let place = token * width..(token + 1) * width;
                    let (factors, deltas) = (&mut factors[place.clone()], &mut deltas[place]);
                    attached.update_row(ids[token] as usize, factors, deltas);
                }
            }
        }
        let device = x.device();
        let tensor = |values| Tensor::<2>::from_data(TensorData::new(values, shape), &device);
        x * tensor(factors) + tensor(deltas)
    }

    /// Takes over the adapter's updates and its table.
    pub(crate) fn apply(&mut self, compute: &Compute, target: Target, updates: &Updates<'_>) {
        let base = self.base().clone();
        let (entries, width) = (base.outputs(), base.inputs());
        let saved = updates.saved(&format!("{}.weight", self.name));
        let lora = updates.lora(&self.name);
        if saved.is_none() && lora.is_empty() {
            return;
        }
        let mut rows = saved.map_or_else(|| base.to_rows(), <[f32]>::to_vec);
        // Updates have the table's transpose, a row for each of its columns.
        let mut turned = vec![0.0; rows.len()];
        let turn = |rows: &[f32], turned: &mut [f32]| transpose(rows, width, turned);
        match target {
            Target::Merged if !lora.is_empty() => {
                turn(&rows, &mut turned);
                for update in lora {
                    for (i, row) in turned.chunks_exact_mut(entries).enumerate() {
                        update.merge_row(i, row);
                    }
                }
                transpose(&turned, entries, &mut rows);
            }
            Target::Merged => {}
            Target::Attached(id) => {
                for update in lora {
                    let factors = update.magnitude.is_some().then(|| {
                        turn(&rows, &mut turned);
                        let rows = turned.chunks_exact(entries).enumerate();
                        rows.map(|(i, row)| update.row_factor(i, row)).collect()
                    });
                    self.attached.push(Attached {
                        id,
                        update: (*update).clone(),
                        factors,
                    });
                }
            }
        }
        if saved.is_some() || target == Target::Merged {
            let table = compute.weight(rows, entries, width);
            self.table.put(target, Arc::new(table));
        }
    }
}

impl Attached {
    /// Adds to one token's factors and deltas.
    fn update_row(&self, entry: usize, factors: &mut [f32], deltas: &mut [f32]) {
        let LoraUpdate {
            rank, a, b, scale, ..
        } = &self.update;
        let entries = self.update.in_features();
        for (d, delta) in deltas.iter_mut().enumerate() {
            let row = &b[d * rank..(d + 1) * rank];
            let inner = row.iter().enumerate();
            let sum: f32 = inner.map(|(r, b)| b * a[r * entries + entry]).sum();
            let factor = self.factors.as_ref().map_or(1.0, |factors| factors[d]);
            *delta += factor * scale * sum;
        }
        if let Some(own) = &self.factors {
            factors.iter_mut().zip(own).for_each(|(f, own)| *f *= own);
        }
    }
}

impl Held for Embedding {
    fn restore(&mut self) {
        self.table.restore();
    }

    fn detach(&mut self) {
        self.attached.clear();
        self.table.detach();
    }

    fn replaced_by(&self, adapter: LoraId) -> bool {
        self.table.replaced_by(adapter)
    }

    fn extra_bytes(&self) -> usize {
        let attached = self
            .attached
            .iter()
            .map(|a| a.update.parameters() * size_of::<f32>());
        let tables = self.table.extra().map(|table| table.bytes());
        attached.chain(tables).sum()
    }

    fn parameters_mut(&mut self) -> Vec<ParameterSlot<'_>> {
        let (rows, width) = (self.base().outputs(), self.base().inputs());
        let tensors = vec![ParameterTensor {
            name: format!("{}.weight", self.name),
            rows: 0..rows,
            shape: vec![rows, width],
            turned: false,
        }];
        vec![ParameterSlot {
            parameter: Parameter {
                tensors,
                rows,
                width,
                is_vector: false,
                layer: None,
                uses: 1,
            },
            place: Place::Weight(&mut self.table),
        }]
    }
}
