//! Updates laid over weights: rows, columns, whole tensors.

use crate::{AdapterUpdate, LoraUpdate, ModelLayout, ModuleKind};

impl AdapterUpdate {
    /// Whether merging changes this tensor.
    pub fn changes(&self, tensor: &str) -> bool {
        self.saved.iter().any(|saved| saved.name == tensor)
            || self.lora.iter().any(|update| {
                tensor
                    .strip_prefix(update.module.as_str())
                    .is_some_and(|end| {
                        end == ".weight" || (end == ".bias" && update.bias.is_some())
                    })
            })
    }

    /// The tensor of the merged model: replaced if it was saved, then with each update of its module, in order.
    ///
    /// `values` are the base's, row-major as the checkpoint stores them. Says whether anything changed.
    ///
    /// # Panics
    /// When `values` are not those of the tensor of the layout that the adapter was resolved with.
    pub fn merge_tensor(&self, layout: &ModelLayout, tensor: &str, values: &mut [f32]) -> bool {
        let mut changed = false;
        if let Some(saved) = self.saved.iter().find(|saved| saved.name == tensor) {
            values.copy_from_slice(&saved.values);
            changed = true;
        }
        let Some((module, parameter)) = tensor.rsplit_once('.') else {
            return changed;
        };
        for update in self.lora.iter().filter(|update| update.module == module) {
            match (parameter, &update.bias, layout.module(module)) {
                ("weight", _, Some(target)) => update.merge_stored(target.kind, values),
                ("bias", Some(bias), _) => {
                    for (value, bias) in values.iter_mut().zip(bias) {
                        *value += bias;
                    }
                }
                _ => continue,
            }
            changed = true;
        }
        changed
    }
}

impl LoraUpdate {
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

    /// Turns row `row` of the weight, of length `in_features`, into that of the merged weight.
    ///
    /// The row is that of `y = W x`; for a weight that is stored as the transpose, [`LoraUpdate::merge_stored`].
    ///
    /// # Panics
    /// When `row` is not below `out_features`, or `weight` is not `in_features` long.
    pub fn merge_row(&self, row: usize, weight: &mut [f32]) {
        let mut delta = vec![0.0; weight.len()];
        self.delta_row(row, &mut delta);
        for (value, delta) in weight.iter_mut().zip(&delta) {
            *value += delta;
        }
        if let Some(magnitude) = &self.magnitude {
            let factor = magnitude[row] / norm(weight);
            for value in weight {
                *value *= factor;
            }
        }
    }

    /// Turns a whole weight, as the checkpoint stores that of a module of this kind, into the merged one.
    ///
    /// # Panics
    /// When `weight` is not of `in_features` times `out_features` values.
    pub fn merge_stored(&self, kind: ModuleKind, weight: &mut [f32]) {
        self.add_stored(kind, weight);
        let Some(magnitude) = &self.magnitude else {
            return;
        };
        match kind {
            ModuleKind::Linear => {
                let rows = weight.chunks_exact_mut(self.in_features().max(1));
                for (row, magnitude) in rows.zip(magnitude) {
                    let factor = magnitude / norm(row);
                    for value in row {
                        *value *= factor;
                    }
                }
            }
            ModuleKind::Conv1d | ModuleKind::Embedding => rescale_columns(magnitude, weight),
        }
    }

    /// Adds `scale * B A` to a whole weight, as the checkpoint stores that of a module of this kind.
    ///
    /// # Panics
    /// When `weight` is not of `in_features` times `out_features` values.
    pub fn add_stored(&self, kind: ModuleKind, weight: &mut [f32]) {
        let (out, width) = (self.out_features(), self.in_features());
        assert_eq!(
            weight.len(),
            width * out,
            "the update has the shape of the weight"
        );
        let (across, is_row) = match kind {
            ModuleKind::Linear => (width, true),
            ModuleKind::Conv1d | ModuleKind::Embedding => (out, false),
        };
        let mut delta = vec![0f32; across];
        for (at, weight) in weight.chunks_exact_mut(across.max(1)).enumerate() {
            if is_row {
                self.delta_row(at, &mut delta);
            } else {
                self.delta_column(at, &mut delta);
            }
            for (value, delta) in weight.iter_mut().zip(&delta) {
                *value += delta;
            }
        }
    }

    /// Writes column `column` of `scale * B A`, for an embedding the row of a token, to `out`, of length `out_features`.
    ///
    /// # Panics
    /// When `column` is not below `in_features`, or `out` is not `out_features` long.
    pub fn delta_column(&self, column: usize, out: &mut [f32]) {
        assert_eq!(
            out.len(),
            self.out_features(),
            "a column of the update is as long as the weight's"
        );
        let width = self.in_features();
        for (value, b) in out.iter_mut().zip(self.b.chunks_exact(self.rank.max(1))) {
            let sum = b
                .iter()
                .enumerate()
                .fold(0.0, |sum, (r, b)| sum + b * self.a[r * width + column]);
            *value = sum * self.scale;
        }
    }

    /// What the output of row `row` is multiplied by when `W x + scale * B A x` is computed unmerged: DoRA's
    /// `m / ||W + scale * B A||` of that row, 1 without a magnitude. `weight` is the row of the base, `in_features` long.
    ///
    /// The factor leaves the module's bias out, which is added after it.
    ///
    /// # Panics
    /// When `row` is not below `out_features`, or `weight` is not `in_features` long.
    pub fn row_factor(&self, row: usize, weight: &[f32]) -> f32 {
        let Some(magnitude) = &self.magnitude else {
            return 1.0;
        };
        let mut merged = vec![0.0; weight.len()];
        self.delta_row(row, &mut merged);
        for (value, base) in merged.iter_mut().zip(weight) {
            *value += base;
        }
        magnitude[row] / norm(&merged)
    }

    /// The whole update `scale * B A`, row-major `[out_features, in_features]`, without the magnitude.
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

/// DoRA of a weight that is stored as the transpose: the norms run down its columns.
fn rescale_columns(magnitude: &[f32], weight: &mut [f32]) {
    let mut squares = vec![0f64; magnitude.len()];
    for row in weight.chunks_exact(magnitude.len().max(1)) {
        for (square, &value) in squares.iter_mut().zip(row) {
            *square += f64::from(value).powi(2);
        }
    }
    for row in weight.chunks_exact_mut(magnitude.len().max(1)) {
        for ((value, magnitude), square) in row.iter_mut().zip(magnitude).zip(&squares) {
            *value *= magnitude / square.sqrt() as f32;
        }
    }
}

/// The Euclidean norm, summed in f64 so that the order of the sum does not show.
fn norm(values: &[f32]) -> f32 {
    let squares: f64 = values.iter().map(|&value| f64::from(value).powi(2)).sum();
    squares.sqrt() as f32
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "the values are exact")]
mod tests {
    use super::*;

    fn update() -> LoraUpdate {
        LoraUpdate {
            module: "m".into(),
            rank: 2,
            scale: 0.5,
            a: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            b: vec![1.0, 0.0, 0.0, 1.0, 2.0, -1.0, 1.0, 1.0],
            magnitude: None,
            bias: None,
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

    #[test]
    fn a_merged_row_is_the_base_and_the_delta() {
        let mut row = [1.0, 1.0, 1.0];
        update().merge_row(2, &mut row);
        assert_eq!(row, [0.0, 0.5, 1.0]);
        assert_eq!(update().row_factor(2, &[1.0, 1.0, 1.0]), 1.0);
    }

    #[test]
    fn a_magnitude_is_the_norm_of_the_merged_row() {
        let update = LoraUpdate {
            magnitude: Some(vec![1.0, 2.0, 10.0, 4.0]),
            ..update()
        };
        // The base and the delta of row 2 sum to [3, 4, 0], of norm 5, which the magnitude makes 10.
        let base = [4.0, 4.5, 0.0];
        let mut row = base;
        update.merge_row(2, &mut row);
        assert_eq!(row, [6.0, 8.0, 0.0]);
        assert_eq!(update.row_factor(2, &base), 2.0);
        assert_eq!(update.parameters(), 18);
    }
}
