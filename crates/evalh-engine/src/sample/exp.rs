//! Exponentials that vectorise and are the same bits on every machine.

/// Elements whose exponentials are added in `f32` before the sum goes to `f64`.
pub const BLOCK: usize = 256;
/// Partial sums within a block.
const LANES: usize = 16;

/// `exp(x)` for `x <= 0`, relative error below 2e-7; below -87 it is that of -87, about 1e-38.
///
/// Cephes' `expf`: the argument is reduced to `[-ln 2 / 2, ln 2 / 2]` and a polynomial of degree 7 evaluated.
/// `std`'s `exp` is a call into the platform's library: slower by far in a loop, and different between platforms.
pub fn exp(x: f32) -> f32 {
    /// Adding and subtracting this rounds to an integer, which its low bits then hold.
    const ROUND: f32 = 12_582_912.0;
    let x = if x > -87.0 { x } else { -87.0 };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    // ln 2 in two parts, the first with few enough bits that its product with n is exact
    let r = (x - n * 0.693_359_4) - n * -2.121_944_4e-4;
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 0.166_666_65;
    let p = p * r + 0.5;
    let value = p * (r * r) + r + 1.0;
    // 2^n, made by placing n in the exponent bits
    let exponent = shifted
        .to_bits()
        .wrapping_sub(ROUND.to_bits())
        .wrapping_add(127);
    value * f32::from_bits(exponent << 23)
}

/// Sum of `exp((value - max) * scale)`, in `f64` over the sums of blocks.
pub fn sum_of_exps(values: &[f32], max: f32, scale: f32) -> f64 {
    block_sums(values, max, scale).sum()
}

/// Sums of `exp((value - max) * scale)` over blocks of [`BLOCK`] values, each of `f32` partial sums in a fixed order.
pub fn block_sums(values: &[f32], max: f32, scale: f32) -> impl Iterator<Item = f64> {
    values.chunks(BLOCK).map(move |block| {
        let mut sums = [0.0f32; LANES];
        let (chunks, rest) = block.as_chunks::<LANES>();
        for chunk in chunks {
            for lane in 0..LANES {
                sums[lane] += exp((chunk[lane] - max) * scale);
            }
        }
        for (lane, &x) in rest.iter().enumerate() {
            sums[lane] += exp((x - max) * scale);
        }
        sums.iter().map(|&sum| f64::from(sum)).sum::<f64>()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_double_precision() {
        assert_eq!(exp(0.0).to_bits(), 1.0f32.to_bits());
        let mut x = 0.0f32;
        while x > -86.9 {
            let expected = f64::from(x).exp();
            let error = (f64::from(exp(x)) - expected).abs() / expected;
            assert!(error < 2e-7, "exp({x}): relative error {error}");
            x -= 0.001_37;
        }
        assert!(exp(-1e30) < 1e-37);
        assert!(exp(f32::MIN) > 0.0);
    }

    #[test]
    fn a_sum_counts_every_element_once() {
        for n in [1, 15, 16, 17, 255, 256, 257, 1000] {
            assert!((sum_of_exps(&vec![3.0; n], 3.0, 1.0) - n as f64).abs() < 1e-9);
        }
    }
}
