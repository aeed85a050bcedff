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
        if self.frequencies.is_empty() {
            return;
        }
        let have = self.cos.len() / self.frequencies.len();
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
}

/// Cosines and sines for the tokens of a batch, in their order.
#[derive(Debug, Clone, Default)]
pub struct Angles {
    pairs: usize,
    pairing: Pairing,
    cos: Vec<f32>,
    sin: Vec<f32>,
}

/// Which two values of a head are rotated together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pairing {
    /// Value `i` with value `i + pairs`, as most Hugging Face checkpoints have it.
    #[default]
    Halves,
    /// Value `2 i` with value `2 i + 1`, as GPT-J has it.
    Neighbours,
}

impl Angles {
    /// No tokens yet; `pairs` pairs of values are rotated in each head.
    pub fn new(pairs: usize, pairing: Pairing) -> Self {
        Self {
            pairs,
            pairing,
            ..Self::default()
        }
    }

    /// Appends a token at `position`.
    ///
    /// # Panics
    /// When `table` has another number of pairs, or has not been reserved up to the position.
    pub fn push(&mut self, table: &RopeTable, position: usize) {
        assert_eq!(table.pairs(), self.pairs, "pairs of the table");
        let (cos, sin) = table.at(position);
        self.cos.extend_from_slice(cos);
        self.sin.extend_from_slice(sin);
    }

    /// Pairs of values that are rotated.
    pub fn pairs(&self) -> usize {
        self.pairs
    }

    /// Which values make a pair.
    pub fn pairing(&self) -> Pairing {
        self.pairing
    }

    /// Tokens held.
    pub fn len(&self) -> usize {
        self.cos.len().checked_div(self.pairs).unwrap_or(0)
    }

    /// Whether no token is held.
    pub fn is_empty(&self) -> bool {
        self.cos.is_empty()
    }

    /// All cosines and all sines, each `[tokens][pairs]`.
    pub fn values(&self) -> (&[f32], &[f32]) {
        (&self.cos, &self.sin)
    }

    /// Rotates one head of the `index`th token in place; values past the pairs stay as they are.
    pub(super) fn rotate(&self, head: &mut [f32], index: usize) {
        let range = index * self.pairs..(index + 1) * self.pairs;
        let (cos, sin) = (&self.cos[range.clone()], &self.sin[range]);
        let head = &mut head[..2 * self.pairs];
        match self.pairing {
            Pairing::Halves => {
                let (low, high) = head.split_at_mut(self.pairs);
                for (((a, b), c), s) in low.iter_mut().zip(high).zip(cos).zip(sin) {
                    (*a, *b) = (*a * c - *b * s, *b * c + *a * s);
                }
            }
            Pairing::Neighbours => {
                for ((pair, c), s) in head.as_chunks_mut::<2>().0.iter_mut().zip(cos).zip(sin) {
                    let [a, b] = *pair;
                    *pair = [a * c - b * s, b * c + a * s];
                }
            }
        }
    }
}
