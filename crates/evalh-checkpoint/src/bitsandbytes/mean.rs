//! The mean of f32 values with the rounding of torch's CPU kernel.

/// Sums that run side by side in one vector register, and registers that run side by side.
const LANES: usize = 8;
const REGISTERS: usize = 4;
const LEVELS: usize = 4;

type Row = [[f32; LANES]; REGISTERS];

/// `torch.mean` of a contiguous tensor in one thread: the cascade of partial sums of torch's `SumKernel.cpp`
/// (`multi_row_sum`, `row_sum`, `vectorized_inner_sum`) with vectors of 8, as its builds for AVX2 and AVX-512 have it.
///
/// More threads split 32768 and more values between them, which changes the last bit now and then.
pub(super) fn mean(values: &[f32]) -> f32 {
    sum(values) / values.len() as f32
}

fn sum(values: &[f32]) -> f32 {
    let (vectors, scalars) = values.as_chunks::<LANES>();
    let mut lanes = row_sum(vectors);
    let mut total = 0.0;
    for value in scalars {
        total += value;
    }
    for lane in &mut lanes {
        total += *lane;
    }
    total
}

fn row_sum(vectors: &[[f32; LANES]]) -> [f32; LANES] {
    let (rows, rest) = vectors.as_chunks::<REGISTERS>();
    let [mut first, others @ ..] = cascade(rows);
    for vector in rest.iter().chain(&others) {
        add(&mut first, vector);
    }
    first
}

/// Sums of the columns: every `step` rows the sums so far move a level up, so that no level adds many values.
fn cascade(rows: &[Row]) -> Row {
    let ceil_log2 = rows.len().max(1).next_power_of_two().trailing_zeros() as usize;
    let level_power = (ceil_log2 / LEVELS).max(4);
    let step = 1 << level_power;
    let mut sums = [Row::default(); LEVELS];
    let mut done = 0;
    let (blocks, rest) = rows.split_at(rows.len() / step * step);
    for block in blocks.chunks_exact(step) {
        for row in block {
            add_row(&mut sums[0], row);
        }
        done += step;
        for level in 1..LEVELS {
            let below = std::mem::take(&mut sums[level - 1]);
            add_row(&mut sums[level], &below);
            if done & ((step - 1) << (level * level_power)) != 0 {
                break;
            }
        }
    }
    for row in rest {
        add_row(&mut sums[0], row);
    }
    let [mut total, upper @ ..] = sums;
    for level in upper {
        add_row(&mut total, &level);
    }
    total
}

fn add_row(sums: &mut Row, values: &Row) {
    add(sums.as_flattened_mut(), values.as_flattened());
}

fn add(sums: &mut [f32], values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_have_the_bits_of_torch() {
        let report: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/data/quantization.json")).unwrap();
        for (count, expected) in report["means"].as_object().unwrap() {
            let count: usize = count.parse().unwrap();
            let mut state = count as u32;
            let values: Vec<f32> = (0..count)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    ((state >> 8) as f32 * (-24f32).exp2() - 0.5).abs()
                })
                .collect();
            let bits = mean(&values).to_bits();
            assert_eq!(bits, expected.as_u64().unwrap() as u32, "{count}");
        }
    }
}
