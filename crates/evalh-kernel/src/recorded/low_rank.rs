//! Low-rank updates in training.

use crate::cpu::{self, Isa, PackedWeight, backward};
use crate::gradient::Sink;
use std::fmt;
use std::sync::Arc;

/// Multiplies inputs of an update, `[tokens, inputs]`, by its dropout mask of this step.
pub type InputMask = Arc<dyn Fn(&mut [f32]) + Send + Sync>;

/// A low-rank update `scale * B A` of some columns of a linear's output, whose factors are being trained.
#[derive(Clone)]
pub struct TrainedUpdate {
    /// `A`, `[rank, inputs]`.
    a: Arc<Vec<f32>>,
    /// `B`, `[outputs, rank]`.
    b: Arc<Vec<f32>>,
    packed: Arc<[PackedWeight; 2]>,
    rank: usize,
    scale: f32,
    /// First output column it adds to.
    column: usize,
    gradients: [Sink; 2],
    mask: Option<InputMask>,
}

impl fmt::Debug for TrainedUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrainedUpdate")
            .field("rank", &self.rank)
            .field("scale", &self.scale)
            .field("column", &self.column)
            .finish_non_exhaustive()
    }
}

impl TrainedUpdate {
    /// An update of `rank` with the factors `a`, `[rank, inputs]`, and `b`, `[outputs, rank]`, whose gradients go to
    /// `gradients`, that of `a` first.
    ///
    /// # Panics
    /// When the factors do not have that rank, or are empty.
    pub fn new(
        a: Vec<f32>,
        b: Vec<f32>,
        rank: usize,
        scale: f32,
        column: usize,
        gradients: [Sink; 2],
    ) -> Self {
        let packed = Arc::new(pack(&a, &b, rank));
        Self {
            a: Arc::new(a),
            b: Arc::new(b),
            packed,
            rank,
            scale,
            column,
            gradients,
            mask: None,
        }
    }

    /// Takes new values of the factors.
    ///
    /// # Panics
    /// When they have another shape than those before.
    pub fn set(&mut self, a: &[f32], b: &[f32]) {
        assert_eq!(
            (a.len(), b.len()),
            (self.a.len(), self.b.len()),
            "factors of the same shape"
        );
        self.a = Arc::new(a.to_vec());
        self.b = Arc::new(b.to_vec());
        self.packed = Arc::new(pack(a, b, self.rank));
    }

    /// Drops some of its inputs out from now on; none for none.
    pub fn set_mask(&mut self, mask: Option<InputMask>) {
        self.mask = mask;
    }

    /// `A`, `[rank, inputs]`.
    pub fn a(&self) -> &[f32] {
        &self.a
    }

    /// `B`, `[outputs, rank]`.
    pub fn b(&self) -> &[f32] {
        &self.b
    }

    /// Its rank.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// Factor of the product.
    pub fn scale(&self) -> f32 {
        self.scale
    }

    /// First output column it adds to.
    pub fn column(&self) -> usize {
        self.column
    }

    pub(crate) fn gradients(&self) -> &[Sink; 2] {
        &self.gradients
    }

    pub(crate) fn has_mask(&self) -> bool {
        self.mask.is_some()
    }

    /// The inputs after dropout, `[tokens, inputs]`; none where they are the inputs themselves.
    pub(crate) fn masked(&self, x: &[f32]) -> Option<Vec<f32>> {
        self.mask.as_ref().map(|mask| {
            let mut masked = x.to_vec();
            mask(&mut masked);
            masked
        })
    }

    /// Adds the update of inputs `x` to `y`, `[tokens, width]`; gives `x A^T` and the inputs after dropout back.
    pub(crate) fn add(&self, isa: Isa, x: &[f32], y: &mut [f32], width: usize) -> Inner {
        let masked = self.masked(x);
        let [a, b] = &*self.packed;
        let rows = x.len() / a.inputs();
        let mut inner = vec![0f32; rows * self.rank];
        let x = masked.as_deref().unwrap_or(x);
        cpu::multiply(isa, x, a, &mut inner, self.rank, 0, false);
        let scaled: Vec<f32> = inner.iter().map(|v| v * self.scale).collect();
        cpu::multiply(isa, &scaled, b, y, width, self.column, true);
        Inner { inner, masked }
    }

    /// Hands over the factors' gradients and adds the inputs' own to `dx`, where it is wanted.
    pub(super) fn pull(
        &self,
        isa: Isa,
        x: &[f32],
        saved: &Inner,
        dy: &[f32],
        width: usize,
        dx: Option<&mut [f32]>,
    ) {
        let [to_a, to_b] = &self.gradients;
        let masked = saved.masked.as_deref();
        // What dropout took away of the inputs, it takes away of their gradient.
        let mut own = masked.filter(|_| dx.is_some()).map(|x| vec![0f32; x.len()]);
        let mut dx = dx;
        to_a.receive(&mut |da| {
            to_b.receive(&mut |db| {
                let part = backward::LowRankPart {
                    a: &self.a,
                    b: &self.b,
                    rank: self.rank,
                    scale: self.scale,
                    column: self.column,
                };
                let to = own.as_deref_mut().or(dx.as_deref_mut());
                let x = masked.unwrap_or(x);
                backward::low_rank_backward(isa, x, &saved.inner, part, dy, width, da, db, to);
            });
        });
        if let (Some(mut own), Some(mask), Some(dx)) = (own, &self.mask, dx) {
            mask(&mut own);
            dx.iter_mut().zip(&own).for_each(|(d, o)| *d += o);
        }
    }
}

/// What an update leaves for its backward pass.
pub(crate) struct Inner {
    inner: Vec<f32>,
    masked: Option<Vec<f32>>,
}

fn pack(a: &[f32], b: &[f32], rank: usize) -> [PackedWeight; 2] {
    [
        PackedWeight::new(a, rank, a.len() / rank),
        PackedWeight::new(b, b.len() / rank, rank),
    ]
}
