//! A low-rank update of one linear module.

/// The update `scale * B A` of one module's weight, in f32.
#[derive(Debug, Clone, PartialEq)]
pub struct LoraUpdate {
    /// The module's name in the model, e.g. `model.layers.0.self_attn.q_proj`.
    pub module: String,
    /// Rank `r` of the update.
    pub rank: usize,
    /// `alpha / r`, or `alpha / sqrt(r)` where rank-stabilised.
    pub scale: f32,
    /// `A`, row-major `[rank, in_features]`.
    pub a: Vec<f32>,
    /// `B`, row-major `[out_features, rank]`.
    pub b: Vec<f32>,
}

impl LoraUpdate {
    /// Columns of the weight that is updated.
    pub fn in_features(&self) -> usize {
        self.a.len().checked_div(self.rank).unwrap_or(0)
    }

    /// Rows of the weight that is updated.
    pub fn out_features(&self) -> usize {
        self.b.len().checked_div(self.rank).unwrap_or(0)
    }

    /// Parameters of the update: those of A and of B.
    pub fn parameters(&self) -> usize {
        self.a.len() + self.b.len()
    }

    /// Writes row `row` of `scale * B A` to `out`, of length `in_features`, replacing what it holds.
    ///
    /// Summed over the rank in ascending order and scaled last, as PEFT's `get_delta_weight` does.
    ///
    /// # Panics
    /// When `row` is not below `out_features`, or `out` is not `in_features` long.
    pub fn delta_row(&self, row: usize, out: &mut [f32]) {
        assert_eq!(
            out.len(),
            self.in_features(),
            "a row of the update is as long as the weight's"
        );
        out.fill(0.0);
        let factors = &self.b[row * self.rank..(row + 1) * self.rank];
        for (factor, a) in factors.iter().zip(self.a.chunks_exact(out.len().max(1))) {
            for (sum, value) in out.iter_mut().zip(a) {
                *sum += factor * value;
            }
        }
        for sum in out {
            *sum *= self.scale;
        }
    }

    /// The whole update `scale * B A`, row-major `[out_features, in_features]`.
    pub fn delta(&self) -> Vec<f32> {
        let width = self.in_features();
        let mut delta = vec![0.0; self.out_features() * width];
        if width > 0 {
            for (row, out) in delta.chunks_exact_mut(width).enumerate() {
                self.delta_row(row, out);
            }
        }
        delta
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update() -> LoraUpdate {
        LoraUpdate {
            module: "m".into(),
            rank: 2,
            scale: 0.5,
            a: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            b: vec![1.0, 0.0, 0.0, 1.0, 2.0, -1.0, 1.0, 1.0],
        }
    }

    #[test]
    fn the_delta_is_the_scaled_product() {
        // B (4 x 2) times A (2 x 3), halved, by hand.
        let expected = [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, -1.0, -0.5, 0.0, 2.5, 3.5, 4.5];
        assert_eq!(update().delta(), expected);
        assert_eq!(
            (
                update().out_features(),
                update().in_features(),
                update().parameters()
            ),
            (4, 3, 14)
        );
    }

    #[test]
    fn a_row_replaces_what_the_buffer_held() {
        let mut out = [f32::NAN; 3];
        update().delta_row(2, &mut out);
        assert_eq!(out.as_slice(), [-1.0, -0.5, 0.0].as_slice());
    }
}
