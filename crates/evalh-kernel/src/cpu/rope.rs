//! Rotary position embedding.

/// Cosines and sines of every position, each `[positions][rotated / 2]`.
#[derive(Debug, Clone, Default)]
pub struct RopeTable {
    frequencies: Vec<f32>,
    attention_scaling: f32,
    cos: Vec<f32>,
    sin: Vec<f32>,
}

impl RopeTable {
    /// A table for the given inverse frequencies (radians a position), one for each pair of values. Cosines and sines
    /// are multiplied by `attention_scaling` (1 for most models).
    pub fn new(frequencies: Vec<f32>, attention_scaling: f32) -> Self {
        Self {
            frequencies,
            attention_scaling,
            cos: Vec::new(),
            sin: Vec::new(),
        }
    }

    /// Pairs of values that are rotated.
    pub fn pairs(&self) -> usize {
        self.frequencies.len()
    }

    /// Computes the table up to `positions`. The angle is rounded to `f32` as the reference implementation rounds it.
    pub fn reserve(&mut self, positions: usize) {
        let have = self.cos.len() / self.frequencies.len().max(1);
        for position in have..positions.next_power_of_two().max(256) {
            for frequency in &self.frequencies {
                let (sin, cos) = f64::from(position as f32 * frequency).sin_cos();
                self.cos.push(cos as f32 * self.attention_scaling);
                self.sin.push(sin as f32 * self.attention_scaling);
            }
        }
    }

    /// Cosines and sines of one position.
    ///
    /// # Panics
    /// When [`RopeTable::reserve`] was not called for it.
    pub fn at(&self, position: usize) -> (&[f32], &[f32]) {
        let range = position * self.pairs()..(position + 1) * self.pairs();
        (&self.cos[range.clone()], &self.sin[range])
    }

    /// Rotates one head in place: value `i` pairs with value `i + pairs`, as Hugging Face checkpoints have it.
    pub(super) fn rotate(&self, head: &mut [f32], position: usize) {
        let (cos, sin) = self.at(position);
        let (low, high) = head[..2 * self.pairs()].split_at_mut(self.pairs());
        for (((a, b), c), s) in low.iter_mut().zip(high).zip(cos).zip(sin) {
            (*a, *b) = (*a * c - *b * s, *b * c + *a * s);
        }
    }
}
