//! One interface over both sets of primitives.

use crate::burn_ops;
use crate::cache::{CacheError, CacheShape, KvCache, SeqId, Store};
use crate::cpu::{
    self, Angles, AttentionRow, AttentionShape, CodedRows, Isa, PackedWeight, Pairing, Precision,
};
use crate::host::{self, Host};
use crate::recorded::{self, Leaves, TrainedUpdate, is_recorded};
use crate::weight::{Form, LowRank, Vector, VectorForm, Weight, data_values};
use burn::tensor::{Device, Int, Tensor, TensorData};
use rayon::prelude::*;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Where and with which set of primitives to compute.
///
/// Weights, vectors and caches belong to the `Compute` that made them; handing them to one of another set panics.
#[derive(Debug, Clone)]
pub struct Compute {
    device: Device,
    set: ComputeSet,
    leaves: Option<Leaves>,
}

/// A set of primitives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComputeSet {
    /// Own code on CPU slices. A row's result has the same bits in any batch, with any number of threads.
    Cpu(Isa, Precision),
    /// burn's operations, on any device.
    Burn,
}

impl fmt::Display for ComputeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu(isa, Precision::F32) => write!(f, "cpu-{isa}"),
            Self::Cpu(isa, Precision::Bf16) => write!(f, "cpu-{isa}-bf16"),
            Self::Burn => f.write_str("burn"),
        }
    }
}

/// Low-rank updates for some tokens of a batch.
#[derive(Debug, Clone)]
pub struct LowRankSpan<'a> {
    /// Tokens they act on.
    pub tokens: Range<usize>,
    /// The updates.
    pub update: &'a LowRank,
}

/// Factors for some tokens of a batch and some columns of a linear's output.
#[derive(Debug, Clone)]
pub struct RescaleSpan<'a> {
    /// Tokens it acts on.
    pub tokens: Range<usize>,
    /// First output column it acts on.
    pub column: usize,
    /// One factor a column.
    pub factors: &'a [f32],
    /// What is left out of the scaling, one value a column: the linear's bias.
    pub bias: Option<&'a [f32]>,
}

/// Cosines and sines for the tokens of a batch, where their set of primitives wants them.
#[derive(Debug)]
pub struct Rotations {
    angles: Arc<Angles>,
    /// `[tokens, 1, pairs]`; only for burn's operations, and only where something is rotated.
    tensors: Option<(Tensor<3>, Tensor<3>)>,
}

/// The newest tokens of one sequence within a batch.
#[derive(Debug, Clone)]
pub struct RowSpan {
    /// The sequence.
    pub seq: SeqId,
    /// Its tokens in the batch.
    pub tokens: Range<usize>,
}

impl Rotations {
    /// Cosines, sines and which values they rotate, where burn's operations need them.
    fn tensors(&self) -> Option<(&Tensor<3>, &Tensor<3>, Pairing)> {
        let (cos, sin) = self.tensors.as_ref()?;
        Some((cos, sin, self.angles.pairing()))
    }
}

impl Compute {
    /// Own code on the CPU, with the best instruction set of the machine.
    pub fn cpu() -> Self {
        Self::cpu_with(Isa::detect())
    }

    /// Own code on the CPU, with the given instruction set of [`Isa::available`].
    pub fn cpu_with(isa: Isa) -> Self {
        Self {
            device: Device::flex(),
            set: ComputeSet::Cpu(isa, Precision::F32),
            leaves: None,
        }
    }

    /// The same on weights in this precision; `None` where the set has no such arithmetic.
    #[must_use]
    pub fn in_precision(self, precision: Precision) -> Option<Self> {
        let set = match (self.set, precision) {
            (ComputeSet::Cpu(isa, _), precision) => ComputeSet::Cpu(isa, precision),
            (ComputeSet::Burn, Precision::F32) => ComputeSet::Burn,
            (ComputeSet::Burn, Precision::Bf16) => return None,
        };
        Some(Self { set, ..self })
    }

    /// burn's operations on the given device.
    pub fn burn(device: Device) -> Self {
        Self {
            device,
            set: ComputeSet::Burn,
            leaves: None,
        }
    }

    /// The same primitives on another device of the same backend, with those parameters that burn's operations use.
    pub(crate) fn on(&self, device: Device, leaves: Option<Leaves>) -> Self {
        Self {
            device,
            set: self.set,
            leaves,
        }
    }

    /// The parameters that burn's operations use, where they are recorded.
    pub(crate) fn leaves(&self) -> Option<&Leaves> {
        self.leaves.as_ref()
    }

    /// The set of primitives.
    pub fn set(&self) -> ComputeSet {
        self.set
    }

    /// The arithmetic of products.
    pub fn precision(&self) -> Precision {
        match self.set {
            ComputeSet::Cpu(_, precision) => precision,
            ComputeSet::Burn => Precision::F32,
        }
    }

    /// The device of its tensors.
    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    /// A weight from row-major `[outputs, inputs]` values.
    pub fn weight(&self, rows: Vec<f32>, outputs: usize, inputs: usize) -> Weight {
        match self.set {
            ComputeSet::Cpu(_, precision) => Weight::packed(PackedWeight::in_precision(
                &rows, outputs, inputs, precision,
            )),
            ComputeSet::Burn => Weight::dense(Tensor::from_data(
                TensorData::new(rows, [outputs, inputs]),
                &self.device,
            )),
        }
    }

    /// A weight from codes, the rows of `parts` after one another: held as such, or by their values where this set
    /// does not hold codes.
    ///
    /// # Panics
    /// When there are no parts, or they or what they consist of do not fit each other.
    pub fn coded_weight(&self, parts: &[CodedRows<'_>]) -> Weight {
        let packed = PackedWeight::joined(parts.iter().map(PackedWeight::coded).collect());
        if self.holds_codes() {
            return Weight::packed(packed);
        }
        self.weight(packed.to_rows(), packed.outputs(), packed.inputs())
    }

    /// Whether weights from codes are held as such: by our own code, where the arithmetic is `f32`.
    pub fn holds_codes(&self) -> bool {
        matches!(self.set, ComputeSet::Cpu(_, Precision::F32))
    }

    /// A vector of the given values.
    pub fn vector(&self, values: Vec<f32>) -> Vector {
        Vector::new(match self.set {
            ComputeSet::Cpu(..) => VectorForm::Host(values),
            ComputeSet::Burn => {
                let len = values.len();
                VectorForm::Tensor(Tensor::from_data(
                    TensorData::new(values, [len]),
                    &self.device,
                ))
            }
        })
    }

    /// A cache with room for `tokens` tokens in all.
    ///
    /// # Errors
    /// When the memory cannot be had.
    pub fn cache(&self, shape: CacheShape, tokens: usize) -> Result<KvCache, CacheError> {
        match self.set {
            ComputeSet::Cpu(..) => KvCache::paged(shape, tokens),
            ComputeSet::Burn => Ok(KvCache::grown(shape, tokens)),
        }
    }

    /// Rows `ids` of a weight: `[ids, inputs]`.
    ///
    /// # Panics
    /// When an id is not a row of the weight.
    pub fn embed(&self, ids: &[u32], weight: &Weight) -> Tensor<2> {
        match &weight.form {
            Form::Packed(packed, _) => {
                let width = packed.inputs();
                let mut values = vec![0f32; ids.len() * width];
                for (row, id) in values.chunks_exact_mut(width).zip(ids) {
                    packed.copy_row(*id as usize, row);
                }
                let x = host::tensor(values, width, &self.device);
                match weight.gradient.as_ref().filter(|_| self.leaves.is_some()) {
                    Some(sink) => recorded::embed(x, ids, sink),
                    None => x,
                }
            }
            Form::Dense(tensor) => {
                let ids: Vec<i32> = ids.iter().map(|id| *id as i32).collect();
                let len = ids.len();
                let ids = Tensor::<1, Int>::from_data(TensorData::new(ids, [len]), &self.device);
                self.leaf(tensor, weight.gradient.as_ref()).select(0, ids)
            }
        }
    }

    /// `x W^T + bias`: `[tokens, inputs]` to `[tokens, outputs]`.
    pub fn linear(&self, x: &Tensor<2>, weight: &Weight, bias: Option<&Vector>) -> Tensor<2> {
        self.linear_in_training(x, weight, bias, &[])
    }

    /// The same with low-rank updates that are being trained.
    pub fn linear_in_training(
        &self,
        x: &Tensor<2>,
        weight: &Weight,
        bias: Option<&Vector>,
        updates: &[TrainedUpdate],
    ) -> Tensor<2> {
        match (self.set, &weight.form) {
            (ComputeSet::Cpu(isa, _), Form::Packed(packed, turned)) if is_recorded(x) => {
                recorded::linear(isa, x.clone(), (packed, turned), weight, bias, updates)
            }
            (ComputeSet::Cpu(isa, _), Form::Packed(packed, _)) => {
                let x = Host::new(x.clone());
                let mut out = recorded::product(isa, x.values(), packed, bias);
                for update in updates {
                    update.add(isa, x.values(), &mut out, packed.outputs());
                }
                host::tensor(out, packed.outputs(), &self.device)
            }
            (ComputeSet::Burn, Form::Dense(values)) => {
                let bias = bias.map(|bias| self.on_device(bias));
                let weight = self.leaf(values, weight.gradient.as_ref());
                let y = burn_ops::linear(x.clone(), &weight, bias.as_ref());
                updates
                    .iter()
                    .fold(y, |y, update| self.trained_update(y, x, update))
            }
            _ => mixed(),
        }
    }

    /// Adds an update that is being trained, in burn's operations.
    fn trained_update(&self, y: Tensor<2>, x: &Tensor<2>, update: &TrainedUpdate) -> Tensor<2> {
        let rank = update.rank();
        let [to_a, to_b] = update.gradients();
        let factor = |values: &[f32], shape: [usize; 2], sink| {
            let data = TensorData::new(values.to_vec(), shape);
            self.leaf(&Tensor::<2>::from_data(data, &self.device), Some(sink))
        };
        let a = factor(update.a(), [rank, update.a().len() / rank], to_a);
        let b = factor(update.b(), [update.b().len() / rank, rank], to_b);
        let mut x = x.clone();
        if update.has_mask() {
            let [tokens, width] = x.dims();
            let mask = update
                .masked(&vec![1.0; tokens * width])
                .unwrap_or_default();
            let mask = TensorData::new(mask, [tokens, width]);
            x = x * Tensor::from_data(mask, &self.device);
        }
        let columns = update.column()..update.column() + b.dims()[0];
        let delta = x.matmul(a.transpose()).mul_scalar(update.scale());
        let delta = delta.matmul(b.transpose());
        let place = [0..y.dims()[0], columns];
        let sum = y.clone().slice(place.clone()) + delta;
        y.slice_assign(place, sum)
    }

    /// Adds low-rank updates of `x` to the output `y` of a linear, `[tokens, outputs]`. Spans are in the order of their
    /// tokens, and share none.
    ///
    /// # Panics
    /// When they are not.
    pub fn low_rank(&self, y: Tensor<2>, x: &Tensor<2>, spans: &[LowRankSpan<'_>]) -> Tensor<2> {
        if spans.is_empty() {
            return y;
        }
        match self.set {
            ComputeSet::Cpu(isa, _) => {
                let (width, inputs) = (y.dims()[1], x.dims()[1]);
                let x = Host::new(x.clone());
                let mut y = Host::new(y).into_vec();
                let mut tasks = Vec::new();
                let (mut rest, mut first) = (y.as_mut_slice(), 0);
                for LowRankSpan { tokens, update } in spans {
                    for start in tokens.clone().step_by(cpu::TASK_ROWS) {
                        let end = tokens.end.min(start + cpu::TASK_ROWS);
                        let rows = rest.split_off_mut((start - first) * width..);
                        rest = rows.unwrap_or_else(|| unreachable!("tokens of the batch"));
                        let rows = rest.split_off_mut(..(end - start) * width);
                        let rows = rows.unwrap_or_else(|| unreachable!("tokens of the batch"));
                        first = end;
                        tasks.push((rows, &x.values()[start * inputs..end * inputs], *update));
                    }
                }
                tasks.into_par_iter().for_each(|(y, x, update)| {
                    let addends = update.addends.iter().map(|addend| cpu::Addend {
                        b: packed(&addend.b),
                        ranks: addend.ranks.clone(),
                        scale: addend.scale,
                        column: addend.column,
                    });
                    cpu::add_low_rank(isa, x, packed(&update.a), addends, y, width);
                });
                host::tensor(y, width, &self.device)
            }
            ComputeSet::Burn => spans
                .iter()
                .fold(y, |y, span| burn_ops::low_rank(y, x, span)),
        }
    }

    /// Scales columns of the output `y` of a linear, `[tokens, outputs]`: `(y - bias) * factor + bias`.
    pub fn rescale(&self, y: Tensor<2>, spans: &[RescaleSpan<'_>]) -> Tensor<2> {
        if spans.is_empty() {
            return y;
        }
        match self.set {
            ComputeSet::Cpu(..) => {
                let width = y.dims()[1];
                let mut y = Host::new(y).into_vec();
                for span in spans {
                    let columns = span.column..span.column + span.factors.len();
                    for row in y[span.tokens.start * width..span.tokens.end * width]
                        .chunks_exact_mut(width)
                    {
                        cpu::rescale(&mut row[columns.clone()], span.factors, span.bias);
                    }
                }
                host::tensor(y, width, &self.device)
            }
            ComputeSet::Burn => spans
                .iter()
                .fold(y, |y, span| burn_ops::rescale(y, span, &self.device)),
        }
    }

    /// Makes the angles of a batch ready for [`attend`](Self::attend).
    pub fn rotations(&self, angles: Angles) -> Rotations {
        let tensors = (self.set == ComputeSet::Burn && angles.pairs() > 0).then(|| {
            let (cos, sin) = angles.values();
            let tensor = |values: &[f32]| {
                let shape = [angles.len(), 1, angles.pairs()];
                Tensor::from_data(TensorData::new(values.to_vec(), shape), &self.device)
            };
            (tensor(cos), tensor(sin))
        });
        let angles = Arc::new(angles);
        Rotations { angles, tensors }
    }

    /// Causal attention of the newest tokens of each row, whose room in `cache` was made before with
    /// [`KvCache::extend`]: `[tokens, qkv_width]` to `[tokens, out_width]`.
    ///
    /// Queries and keys are rotated, keys and values appended to the cache. Rows must cover the batch in order, and
    /// `rotations` hold one entry a token.
    pub fn attend(
        &self,
        qkv: Tensor<2>,
        shape: AttentionShape,
        rotations: &Rotations,
        cache: &mut KvCache,
        layer: usize,
        rows: &[RowSpan],
    ) -> Tensor<2> {
        match (self.set, &mut cache.store) {
            (ComputeSet::Cpu(isa, _), Store::Paged { pool, tables }) => {
                let mut qkv = Host::new(qkv).into_vec();
                let rows: Vec<AttentionRow<'_>> = rows
                    .iter()
                    .map(|row| AttentionRow {
                        tokens: row.tokens.clone(),
                        table: &tables[KvCache::slot(row.seq)],
                    })
                    .collect();
                let mut out = vec![0f32; qkv.len() / shape.qkv_width() * shape.out_width()];
                cpu::attend(
                    isa,
                    &mut qkv,
                    shape,
                    &rotations.angles,
                    pool,
                    layer,
                    &rows,
                    &mut out,
                );
                host::tensor(out, shape.out_width(), &self.device)
            }
            (ComputeSet::Burn, Store::Grown { sequences, .. }) => {
                let heads = burn_ops::Heads::new(qkv, shape, rotations.tensors());
                let parts = rows
                    .iter()
                    .map(|row| {
                        let sequence = &mut sequences[KvCache::slot(row.seq)];
                        heads.attend(row.tokens.clone(), shape, sequence, layer)
                    })
                    .collect();
                Tensor::cat(parts, 0)
            }
            _ => mixed(),
        }
    }

    /// The same of whole sequences, which cover the batch in order, without a cache: `[tokens, qkv_width]` to
    /// `[tokens, out_width]`.
    pub fn attend_whole(
        &self,
        qkv: Tensor<2>,
        shape: AttentionShape,
        rotations: &Rotations,
        sequences: &[Range<usize>],
    ) -> Tensor<2> {
        match self.set {
            ComputeSet::Cpu(isa, _) => {
                recorded::attend(isa, qkv, shape, &rotations.angles, sequences.to_vec())
            }
            ComputeSet::Burn => {
                let heads = burn_ops::Heads::new(qkv, shape, rotations.tensors());
                let parts = sequences.iter();
                let parts = parts.map(|tokens| heads.attend_whole(tokens.clone(), shape));
                Tensor::cat(parts.collect(), 0)
            }
        }
    }

    /// The given rows of `x`, in that order.
    pub fn select_rows(&self, x: Tensor<2>, rows: &[usize]) -> Tensor<2> {
        match self.set {
            ComputeSet::Cpu(..) if is_recorded(&x) => recorded::select_rows(x, rows),
            ComputeSet::Cpu(..) => {
                let width = x.dims()[1];
                let x = Host::new(x);
                let values = rows
                    .iter()
                    .flat_map(|r| &x.values()[r * width..(r + 1) * width])
                    .copied()
                    .collect();
                host::tensor(values, width, &self.device)
            }
            ComputeSet::Burn => {
                let rows: Vec<i32> = rows.iter().map(|r| *r as i32).collect();
                let len = rows.len();
                x.select(
                    0,
                    Tensor::<1, Int>::from_data(TensorData::new(rows, [len]), &self.device),
                )
            }
        }
    }

    /// The values of a tensor, row-major.
    pub fn to_host(&self, x: Tensor<2>) -> Vec<f32> {
        match self.set {
            ComputeSet::Cpu(..) => Host::new(x.inner()).into_vec(),
            ComputeSet::Burn => data_values(x.into_data()),
        }
    }
}

/// A weight of the CPU set.
fn packed(weight: &Weight) -> &PackedWeight {
    match &weight.form {
        Form::Packed(weight, _) => weight,
        Form::Dense(_) => mixed(),
    }
}

/// Weights or caches of one set met the other: a mistake in this workspace, never in its input.
pub(crate) fn mixed() -> ! {
    panic!("a weight, vector or cache made for another set of primitives")
}
