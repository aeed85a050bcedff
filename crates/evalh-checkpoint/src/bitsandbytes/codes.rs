//! The values that codes stand for.

use std::sync::LazyLock;

/// Values of NF4's codes: quantiles of the normal distribution (QLoRA, appendix E; `get_4bit_type`).
#[allow(
    clippy::excessive_precision,
    clippy::unreadable_literal,
    reason = "the digits are those of bitsandbytes, to compare"
)]
pub(super) const NF4: [f32; 16] = [
    -1.0,
    -0.6961928009986877,
    -0.5250730514526367,
    -0.39491748809814453,
    -0.28444138169288635,
    -0.18477343022823334,
    -0.09105003625154495,
    0.0,
    0.07958029955625534,
    0.16093020141124725,
    0.24611230194568634,
    0.33791524171829224,
    0.44070982933044434,
    0.5626170039176941,
    0.7229568362236023,
    1.0,
];

/// Values of FP4's codes, a sign, two bits of exponent and one of fraction over 12.
pub(super) const FP4: [f32; 16] = [
    0.0,
    0.0625 / 12.0,
    8.0 / 12.0,
    1.0,
    4.0 / 12.0,
    0.5,
    2.0 / 12.0,
    0.25,
    0.0,
    -0.0625 / 12.0,
    -8.0 / 12.0,
    -1.0,
    -4.0 / 12.0,
    -0.5,
    -2.0 / 12.0,
    -0.25,
];

/// The dynamic 8-bit map that block scales are quantised with (Dettmers, "8-Bit Approximations for Parallelism in Deep
/// Learning"; `create_dynamic_map`): decades from 1e-6 to 1, each with twice the values of the one below.
pub(super) static DYNAMIC: LazyLock<[f32; 256]> = LazyLock::new(|| {
    let mut values = vec![0.0, 1.0];
    for decade in 0..7u8 {
        let intervals = 1usize << decade;
        let scale = 10f64.powi(i32::from(decade) - 6) as f32;
        let bounds = linspace(intervals + 1);
        for pair in bounds.windows(2) {
            let value = scale * f32::midpoint(pair[0], pair[1]);
            values.extend([value, -value]);
        }
    }
    values.sort_by(f32::total_cmp);
    let mut map = [0.0; 256];
    map.copy_from_slice(&values);
    map
});

/// `torch.linspace(0.1, 1, count)` in f32: counted from the nearer end, products and sums rounded together.
fn linspace(count: usize) -> Vec<f32> {
    let (start, end) = (0.1f32, 1.0f32);
    let step = (end - start) / (count - 1) as f32;
    (0..count)
        .map(|i| {
            if i < count / 2 {
                step.mul_add(i as f32, start)
            } else {
                (-step).mul_add((count - 1 - i) as f32, end)
            }
        })
        .collect()
}

/// The code of the dynamic map nearest to each of 65536 places from -1 to 1: bitsandbytes' CPU quantiser looks up the
/// place nearest to a value.
pub(super) static NEAREST_DYNAMIC: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let map = &*DYNAMIC;
    let mut code = 0usize;
    (0..=u16::MAX)
        .map(|place| {
            let x = f32::from(place) * 2.0 / 65535.0 - 1.0;
            while code < 255 && (map[code + 1] - x).abs() < (x - map[code]).abs() {
                code += 1;
            }
            code as u8
        })
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dynamic_map_is_that_of_bitsandbytes() {
        let report: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/data/quantization.json")).unwrap();
        let bytes: Vec<u8> = DYNAMIC.iter().flat_map(|x| x.to_le_bytes()).collect();
        let hash = evalh_record::sha256_bytes(&bytes);
        assert_eq!(
            hash.as_str(),
            report["dynamic_map"].as_str().unwrap(),
            "{:?}",
            *DYNAMIC
        );
    }
}
