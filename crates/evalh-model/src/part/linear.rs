//! The one linear, in which adapters act.

use super::{
    Held, Parameter, ParameterSlot, ParameterTensor, Place, Scope, Slot, Target, Updates, Values,
};
use crate::LoraId;
use burn::tensor::Tensor;
use evalh_adapter::{LoraUpdate, ModuleKind, TargetModule};
use evalh_kernel::{
    Compute, LowRank, LowRankAddend, LowRankSpan, RescaleSpan, Sink, TargetLoss, TrainedUpdate,
    Vector, Weight,
};
use std::ops::Range;
use std::sync::Arc;

/// Linears that read the same input, held as one weight: queries, keys and values, or gate and up.
#[derive(Debug)]
pub(crate) struct Linear {
    parts: Vec<Part>,
    inputs: usize,
    kind: ModuleKind,
    weight: Slot<Arc<Weight>>,
    bias: Slot<Option<Bias>>,
    /// Updates applied beside the weight.
    attached: Vec<Attached>,
    /// Updates in training, with their modules.
    trained: Vec<TrainedUpdate>,
    trained_modules: Vec<String>,
    /// Whether the weight is another part's, and not counted with this one.
    shared: bool,
}

/// A module of the checkpoint: some rows of the weight.
#[derive(Debug)]
struct Part {
    name: String,
    rows: Range<usize>,
}

/// A bias, on the host too: where an update scales columns, the bias is left out.
#[derive(Debug)]
pub(crate) struct Bias {
    pub values: Vec<f32>,
    pub vector: Vector,
}

/// All updates of an adapter.
#[derive(Debug)]
struct Attached {
    id: LoraId,
    update: LowRank,
    /// `DoRA`: first rows of parts of the weight, and what each row from there on is multiplied by.
    factors: Vec<(usize, Vec<f32>)>,
}

/// An update of a part that begins at this row, and what `DoRA` multiplies each row of the part by.
type PartUpdate<'u> = (usize, &'u LoraUpdate, Option<Vec<f32>>);

/// A low-rank update at the beginning of its training.
#[derive(Debug)]
pub struct UpdateStart<'a> {
    /// The module, as the checkpoint names it.
    pub module: &'a str,
    /// Its rank.
    pub rank: usize,
    /// Factor of the product.
    pub scale: f32,
    /// `A`, `[rank, inputs]`.
    pub a: Vec<f32>,
    /// `B`, `[outputs, rank]`.
    pub b: Vec<f32>,
    /// Where the gradients of `A` and `B` go.
    pub gradients: [Sink; 2],
}

/// The weights of a [`Linear`].
#[derive(Debug)]
pub(crate) struct Rows {
    /// `[sum of outputs, inputs]`.
    pub values: Values,
    /// One value a row, where the modules have biases.
    pub bias: Option<Vec<f32>>,
    pub inputs: usize,
}

impl Linear {
    /// A linear of the named modules, whose rows follow one another.
    pub(crate) fn new(
        compute: &Compute,
        modules: Vec<(String, usize)>,
        kind: ModuleKind,
        rows: Rows,
    ) -> Self {
        let outputs = modules.iter().map(|(_, count)| count).sum();
        let weight = rows.values.weight(compute, outputs, rows.inputs);
        Self::with_weight(compute, modules, kind, Arc::new(weight), rows.bias)
    }

    /// A linear whose weight is another part's.
    pub(crate) fn sharing(
        compute: &Compute,
        name: String,
        weight: Arc<Weight>,
        bias: Option<Vec<f32>>,
    ) -> Self {
        let modules = vec![(name, weight.outputs())];
        Self {
            shared: true,
            ..Self::with_weight(compute, modules, ModuleKind::Linear, weight, bias)
        }
    }

    fn with_weight(
        compute: &Compute,
        modules: Vec<(String, usize)>,
        kind: ModuleKind,
        weight: Arc<Weight>,
        bias: Option<Vec<f32>>,
    ) -> Self {
        let mut outputs = 0;
        let parts = modules
            .into_iter()
            .map(|(name, count)| {
                outputs += count;
                let rows = outputs - count..outputs;
                Part { name, rows }
            })
            .collect();
        Self {
            parts,
            inputs: weight.inputs(),
            kind,
            weight: Slot::new(weight),
            bias: Slot::new(bias.map(|values| Bias::new(compute, values))),
            attached: Vec::new(),
            trained: Vec::new(),
            trained_modules: Vec::new(),
            shared: false,
        }
    }

    /// What adapters can attach to.
    pub(crate) fn modules(&self) -> impl Iterator<Item = TargetModule> {
        self.parts.iter().map(|part| TargetModule {
            name: part.name.clone(),
            out_features: part.rows.len(),
            in_features: self.inputs,
            kind: self.kind,
        })
    }

    /// Names and shapes of its tensors.
    pub(crate) fn tensors(&self) -> impl Iterator<Item = (String, Vec<usize>)> {
        self.modules().flat_map(|module| {
            let bias = self.bias.base().is_some();
            let bias = bias.then(|| (format!("{}.bias", module.name), vec![module.out_features]));
            let shape = module.stored_shape().to_vec();
            [(format!("{}.weight", module.name), shape)]
                .into_iter()
                .chain(bias)
        })
    }

    /// The weight as loaded, unless it is another part's.
    pub(crate) fn base(&self) -> Option<&Weight> {
        (!self.shared).then(|| self.weight.base().as_ref())
    }

    /// Values of its biases.
    pub(crate) fn biases(&self) -> usize {
        self.bias.base().as_ref().map_or(0, |b| b.values.len())
    }

    /// `x W^T + b`, with the updates of the adapters attached for some tokens.
    pub(crate) fn forward(&self, compute: &Compute, x: &Tensor<2>, scope: &Scope) -> Tensor<2> {
        let bias = self.bias.get(scope).as_ref();
        let weight = self.weight.get(scope);
        let vector = bias.map(|bias| &bias.vector);
        let y = compute.linear_in_training(x, weight, vector, &self.trained);
        let updates = || {
            scope.runs.iter().flat_map(|(tokens, id)| {
                let own = self.attached.iter().filter(move |a| a.id == *id);
                own.map(move |a| (tokens.clone(), a))
            })
        };
        let factors: Vec<RescaleSpan<'_>> = updates()
            .flat_map(|(tokens, a)| {
                a.factors.iter().map(move |(column, factors)| {
                    let columns = *column..column + factors.len();
                    RescaleSpan {
                        tokens: tokens.clone(),
                        column: *column,
                        factors,
                        bias: bias.map(|bias| &bias.values[columns]),
                    }
                })
            })
            .collect();
        let spans: Vec<LowRankSpan<'_>> = updates()
            .map(|(tokens, a)| LowRankSpan {
                tokens,
                update: &a.update,
            })
            .collect();
        compute.low_rank(compute.rescale(y, &factors), x, &spans)
    }

    /// The loss of targets, one a row of `x`, where this is the output head.
    pub(crate) fn target_loss(
        &self,
        compute: &Compute,
        x: Tensor<2>,
        soft_cap: Option<f32>,
        targets: &[u32],
    ) -> TargetLoss {
        let bias = self.bias.base().as_ref().map(|bias| &bias.vector);
        compute.target_loss(x, self.weight.base(), bias, soft_cap, targets)
    }

    /// Begins to train an update of a module: `scale * B A` with the factors `a`, `[rank, inputs]`, and `b`, `[outputs,
    /// rank]`. Gives nothing where the module is not here.
    pub(crate) fn train(&mut self, start: UpdateStart<'_>) -> Option<Result<(), String>> {
        let part = self.parts.iter().find(|part| part.name == start.module)?;
        let (outputs, inputs, rank) = (part.rows.len(), self.inputs, start.rank);
        if rank == 0 || start.a.len() != rank * inputs || start.b.len() != outputs * rank {
            return Some(Err(format!(
                "factors of {} and {} values are none of rank {rank} for {outputs} x {inputs}",
                start.a.len(),
                start.b.len()
            )));
        }
        self.trained.push(TrainedUpdate::new(
            start.a,
            start.b,
            rank,
            start.scale,
            part.rows.start,
            start.gradients,
        ));
        self.trained_modules.push(start.module.to_owned());
        Some(Ok(()))
    }

    /// The updates in training, with their modules.
    pub(crate) fn trained_mut(&mut self) -> impl Iterator<Item = (&str, &mut TrainedUpdate)> {
        let modules = self.trained_modules.iter().map(String::as_str);
        modules.zip(&mut self.trained)
    }

    /// Whether an update is in training.
    pub(crate) fn is_trained(&self) -> bool {
        !self.trained.is_empty()
    }

    /// Trains no update any more.
    pub(crate) fn end_training(&mut self) {
        self.trained.clear();
        self.trained_modules.clear();
    }

    /// Shares a weight again that was replaced where it is held.
    pub(crate) fn share(&mut self, weight: &Arc<Weight>) {
        if self.shared {
            self.weight.set_base(Arc::clone(weight));
        }
    }

    /// Takes over the adapter's updates and tensors for these modules.
    ///
    /// Merged: `W' = W + scale * B A`, the sum in f32, and `DoRA`'s magnitudes. Attached: the low-rank factors beside the
    /// weight.
    pub(crate) fn apply(&mut self, compute: &Compute, target: Target, updates: &Updates<'_>) {
        self.apply_weight(compute, target, updates);
        self.apply_bias(compute, target, updates);
    }

    fn apply_weight(&mut self, compute: &Compute, target: Target, updates: &Updates<'_>) {
        // The weight is unpacked at most once, and only where it is needed.
        let mut rows: Option<Vec<f32>> = None;
        let (base, inputs, kind) = (self.weight.base().clone(), self.inputs, self.kind);
        let mut changed = false;
        let mut beside: Vec<PartUpdate<'_>> = Vec::new();
        for part in &self.parts {
            let place = part.rows.start * inputs..part.rows.end * inputs;
            if let Some(saved) = updates.saved(&format!("{}.weight", part.name)) {
                let rows = rows.get_or_insert_with(|| base.to_rows());
                let values = &mut rows[place.clone()];
                match kind {
                    ModuleKind::Conv1d => transpose(saved, part.rows.len(), values),
                    _ => values.copy_from_slice(saved),
                }
                changed = true;
            }
            for update in updates.lora(&part.name) {
                match target {
                    Target::Merged => {
                        let rows = rows.get_or_insert_with(|| base.to_rows());
                        let rows = rows[place.clone()].chunks_exact_mut(inputs);
                        rows.enumerate()
                            .for_each(|(i, row)| update.merge_row(i, row));
                        changed = true;
                    }
                    Target::Attached(_) => {
                        let factors = update.magnitude.is_some().then(|| {
                            let rows = rows.get_or_insert_with(|| base.to_rows());
                            let rows = rows[place.clone()].chunks_exact(inputs);
                            rows.enumerate()
                                .map(|(i, row)| update.row_factor(i, row))
                                .collect()
                        });
                        beside.push((part.rows.start, update, factors));
                    }
                }
            }
        }
        if let Target::Attached(id) = target
            && !beside.is_empty()
        {
            let attached = Attached::new(compute, id, inputs, beside);
            self.attached.push(attached);
        }
        if changed && let Some(rows) = rows {
            let weight = compute.weight(rows, base.outputs(), inputs);
            self.weight.put(target, Arc::new(weight));
        }
    }

    fn apply_bias(&mut self, compute: &Compute, target: Target, updates: &Updates<'_>) {
        let outputs = self.weight.base().outputs();
        let mut values = match self.bias.base() {
            Some(bias) => bias.values.clone(),
            None => vec![0.0; outputs],
        };
        let mut changed = false;
        for part in &self.parts {
            let values = &mut values[part.rows.clone()];
            if let Some(saved) = updates.saved(&format!("{}.bias", part.name)) {
                values.copy_from_slice(saved);
                changed = true;
            }
            for bias in updates
                .lora(&part.name)
                .iter()
                .filter_map(|update| update.bias.as_ref())
            {
                values.iter_mut().zip(bias).for_each(|(v, b)| *v += b);
                changed = true;
            }
        }
        if changed {
            self.bias.put(target, Some(Bias::new(compute, values)));
        }
    }
}

impl Held for Linear {
    fn parameters_mut(&mut self) -> Vec<ParameterSlot<'_>> {
        let turned = self.kind == ModuleKind::Conv1d;
        let inputs = self.inputs;
        let tensors = |name: &str, is_vector: bool| -> Vec<ParameterTensor> {
            let turned = turned && !is_vector;
            let tensor = |part: &Part| ParameterTensor {
                name: format!("{}.{name}", part.name),
                rows: part.rows.clone(),
                shape: match (is_vector, turned) {
                    (true, _) => vec![part.rows.len()],
                    (false, true) => vec![inputs, part.rows.len()],
                    (false, false) => vec![part.rows.len(), inputs],
                },
                turned,
            };
            self.parts.iter().map(tensor).collect()
        };
        let rows = self.weight.base().outputs();
        let parameter = |tensors, width, is_vector| Parameter {
            tensors,
            rows,
            width,
            is_vector,
            layer: None,
            uses: 1,
        };
        let weight = parameter(tensors("weight", false), inputs, false);
        let bias = parameter(tensors("bias", true), 1, true);
        let mut slots = Vec::new();
        if !self.shared {
            slots.push(ParameterSlot {
                parameter: weight,
                place: Place::Weight(&mut self.weight),
            });
        }
        if self.bias.base().is_some() {
            slots.push(ParameterSlot {
                parameter: bias,
                place: Place::Bias(&mut self.bias),
            });
        }
        slots
    }

    fn restore(&mut self) {
        self.weight.restore();
        self.bias.restore();
    }

    fn detach(&mut self) {
        self.attached.clear();
        self.weight.detach();
        self.bias.detach();
    }

    fn replaced_by(&self, adapter: LoraId) -> bool {
        self.weight.replaced_by(adapter) || self.bias.replaced_by(adapter)
    }

    fn extra_bytes(&self) -> usize {
        let attached = self.attached.iter().map(|a| {
            let factors = a
                .factors
                .iter()
                .map(|(_, factors)| size_of_val(&factors[..]));
            a.update.bytes() + factors.sum::<usize>()
        });
        let weights = self.weight.extra().map(|weight| weight.bytes());
        attached.chain(weights).sum()
    }
}

impl Bias {
    pub(crate) fn new(compute: &Compute, values: Vec<f32>) -> Self {
        let vector = compute.vector(values.clone());
        Self { values, vector }
    }
}

impl Attached {
    fn new(compute: &Compute, id: LoraId, inputs: usize, updates: Vec<PartUpdate<'_>>) -> Self {
        let (mut a, mut ranks) = (Vec::new(), 0);
        let (mut addends, mut scaled) = (Vec::new(), Vec::new());
        for (column, update, factors) in updates {
            a.extend_from_slice(&update.a);
            let mut b = update.b.clone();
            if let Some(factors) = &factors {
                for (row, factor) in b.chunks_exact_mut(update.rank).zip(factors) {
                    for v in row {
                        *v *= factor;
                    }
                }
            }
            addends.push(LowRankAddend {
                ranks: ranks..ranks + update.rank,
                b: compute.weight(b, update.out_features(), update.rank),
                scale: update.scale,
                column,
            });
            ranks += update.rank;
            scaled.extend(factors.map(|factors| (column, factors)));
        }
        Self {
            id,
            update: LowRank {
                a: compute.weight(a, ranks, inputs),
                addends,
            },
            factors: scaled,
        }
    }
}

/// `[columns, rows]` to `[rows, columns]`.
pub(crate) fn transpose(values: &[f32], rows: usize, out: &mut [f32]) {
    let columns = values.len() / rows;
    for (c, column) in values.chunks_exact(rows).enumerate() {
        for (r, value) in column.iter().enumerate() {
            out[r * columns + c] = *value;
        }
    }
}
