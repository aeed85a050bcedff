//! Centred kernel alignment (Kornblith et al. 2019) with the linear kernel.

/// Linear CKA of two sets of hidden states of the same `samples`, each `samples x width`, row-major:
/// `||X'Y||_F^2 / (||X'X||_F ||Y'Y||_F)` of the column-centred states, from 0 to 1.
///
/// Computed in f64 through the Gram matrices of the samples (`||X'Y||_F^2` is the sum of products of `XX'` and `YY'`),
/// whose size does not depend on the width. NaN where a value is not finite, or where one of the sets does not vary over
/// the samples: then there is nothing to compare.
///
/// # Panics
/// When a slice does not hold `samples * width` values.
pub fn cka(x: &[f32], y: &[f32], samples: usize, width: usize) -> f64 {
    let (gram_x, gram_y) = (gram(x, samples, width), gram(y, samples, width));
    let (Some(gram_x), Some(gram_y)) = (gram_x, gram_y) else {
        return f64::NAN;
    };
    let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
    let norms = dot(&gram_x, &gram_x).sqrt() * dot(&gram_y, &gram_y).sqrt();
    // Rounding may take a value next to a bound past it.
    (dot(&gram_x, &gram_y) / norms).clamp(0.0, 1.0)
}

/// How much a layer changes what it reads: 1 - CKA of what enters and what leaves.
pub fn importance(cka: f64) -> f64 {
    1.0 - cka
}

/// `XX'` of the column-centred values, or `None` where they are not finite or do not vary.
fn gram(values: &[f32], samples: usize, width: usize) -> Option<Vec<f64>> {
    assert_eq!(values.len(), samples * width, "samples x width values");
    let mut centred: Vec<f64> = values.iter().map(|value| f64::from(*value)).collect();
    let before: f64 = centred.iter().map(|value| value * value).sum();
    for column in 0..width {
        let places = (0..samples).map(|row| row * width + column);
        let mean = places.clone().map(|place| centred[place]).sum::<f64>() / samples as f64;
        places.for_each(|place| centred[place] -= mean);
    }
    let after: f64 = centred.iter().map(|value| value * value).sum();
    // What centring leaves of equal values is rounding: below (2^-53 * samples)^2 of what was there.
    let rounding = (f64::EPSILON * samples as f64).powi(2) * before;
    if !after.is_finite() || after <= rounding {
        return None;
    }
    let row = |index: usize| &centred[index * width..(index + 1) * width];
    let mut gram = vec![0.0; samples * samples];
    for i in 0..samples {
        for j in 0..=i {
            let product = row(i).iter().zip(row(j)).map(|(a, b)| a * b).sum();
            gram[i * samples + j] = product;
            gram[j * samples + i] = product;
        }
    }
    Some(gram)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn it_is_numpys() {
        let text = include_str!("../../tests/reference/cka.json");
        let cases: Vec<Value> = serde_json::from_str(text).unwrap();
        assert_eq!(cases.len(), 5);
        for case in cases {
            let read =
                |name: &str| -> Vec<f32> { serde_json::from_value(case[name].clone()).unwrap() };
            let size = |name: &str| case[name].as_u64().unwrap() as usize;
            let found = cka(&read("x"), &read("y"), size("samples"), size("width"));
            let expected = case["cka"].as_f64().unwrap();
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
    }

    #[test]
    fn what_cannot_be_compared_is_no_number() {
        let varied = [1.0, 2.0, 3.0, 5.0, 8.0, 13.0];
        // Thirds are not exact, so centring leaves rounding behind.
        let equal = [1.0_f32 / 3.0, 7.1, 1.0 / 3.0, 7.1, 1.0 / 3.0, 7.1];
        assert!(cka(&equal, &varied, 3, 2).is_nan());
        assert!(cka(&varied, &equal, 3, 2).is_nan());
        let mut broken = varied;
        broken[3] = f32::NAN;
        assert!(cka(&broken, &varied, 3, 2).is_nan());
        broken[3] = f32::INFINITY;
        assert!(cka(&varied, &broken, 3, 2).is_nan());
        assert!(
            cka(&varied, &varied, 1, 6).is_nan(),
            "one sample does not vary"
        );
        assert!(cka(&[], &[], 0, 4).is_nan());
    }

    #[test]
    fn what_varies_little_far_from_zero_is_still_compared() {
        let x = [1000.0_f32, 1000.001, 1000.002, 1000.005];
        let y = x.map(|value| 3.0 - value);
        assert!((cka(&x, &y, 4, 1) - 1.0).abs() < 1e-3);
        assert!(importance(cka(&x, &x, 4, 1)).abs() < 1e-12);
    }

    /// `values` (rows of 3) turned by the rotation of these angles, computed in f64 and left there.
    fn turned(values: &[f32], (a, b, c): (f64, f64, f64)) -> Vec<f32> {
        let rotation = [
            [
                a.cos() * b.cos(),
                a.cos() * b.sin() * c.sin() - a.sin() * c.cos(),
                a.cos() * b.sin() * c.cos() + a.sin() * c.sin(),
            ],
            [
                a.sin() * b.cos(),
                a.sin() * b.sin() * c.sin() + a.cos() * c.cos(),
                a.sin() * b.sin() * c.cos() - a.cos() * c.sin(),
            ],
            [-b.sin(), b.cos() * c.sin(), b.cos() * c.cos()],
        ];
        let rows = values.chunks_exact(3);
        let turn = |row: &[f32]| {
            let row = [f64::from(row[0]), f64::from(row[1]), f64::from(row[2])];
            rotation.map(|axis| axis.iter().zip(row).map(|(a, v)| a * v).sum::<f64>() as f32)
        };
        rows.flat_map(turn).collect()
    }

    fn states() -> impl Strategy<Value = Vec<f32>> {
        proptest::collection::vec(-4.0_f32..4.0, 24)
    }

    proptest! {
        #[test]
        fn rotation_scale_and_shift_change_nothing(
            x in states(),
            y in states(),
            angles in (0.0..6.3, 0.0..6.3, 0.0..6.3),
            scale in prop_oneof![0.01_f32..100.0, -100.0_f32..-0.01],
            shift in -10.0_f32..10.0,
        ) {
            let plain = cka(&x, &y, 8, 3);
            prop_assume!(plain.is_finite());
            prop_assert!((0.0..=1.0).contains(&plain));
            let moved: Vec<f32> = turned(&x, angles).iter().map(|value| value * scale + shift).collect();
            prop_assert!((cka(&moved, &y, 8, 3) - plain).abs() < 1e-4);
            prop_assert!((cka(&y, &x, 8, 3) - plain).abs() < 1e-12);
            let own = cka(&x, &turned(&x, angles), 8, 3);
            prop_assert!((own - 1.0).abs() < 1e-4);
        }
    }
}
