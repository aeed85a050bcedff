//! Clipping of gradients by their global norm.

/// Sums that run beside each other, so that an addition need not wait for the one before.
const LANES: usize = 8;

/// Scales all gradients so that their common norm is at most `max_norm`, and returns the norm before that.
///
/// As `torch.nn.utils.clip_grad_norm_`: the factor is `max_norm / (norm + 1e-6)` where that is below 1. The norm is
/// summed in f64 in an order that depends on the lengths alone. Gradients of a norm that is not finite stay as they are:
/// scaled, the cause could no longer be found.
pub fn clip(gradients: &mut [&mut [f32]], max_norm: f32) -> f32 {
    let each = gradients.iter().map(|gradient| sum_of_squares(gradient));
    let squares = each.fold(0.0, |sum, squares| sum + squares);
    let norm = squares.sqrt();
    let factor = f64::from(max_norm) / (norm + 1e-6);
    if norm.is_finite() && factor < 1.0 {
        let factor = factor as f32;
        for value in gradients
            .iter_mut()
            .flat_map(|gradient| gradient.iter_mut())
        {
            *value *= factor;
        }
    }
    norm as f32
}

fn sum_of_squares(values: &[f32]) -> f64 {
    let mut lanes = [0.0_f64; LANES];
    let mut chunks = values.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += f64::from(*value) * f64::from(*value);
        }
    }
    let rest = chunks.remainder().iter();
    let rest: f64 = rest
        .map(|value| f64::from(*value) * f64::from(*value))
        .sum();
    lanes.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn run(gradients: &mut [Vec<f32>], max_norm: f32) -> f32 {
        let mut slices: Vec<&mut [f32]> = gradients.iter_mut().map(Vec::as_mut_slice).collect();
        clip(&mut slices, max_norm)
    }

    #[test]
    fn it_is_torchs() {
        let text = include_str!("../../tests/reference/optimizer.json");
        let reference: Value = serde_json::from_str(text).unwrap();
        let cases = reference["clips"].as_array().unwrap();
        assert_eq!(cases.len(), 5);
        for case in cases {
            let read = |name: &str| -> Vec<Vec<f32>> {
                serde_json::from_value(case[name].clone()).unwrap()
            };
            let mut gradients = read("gradients");
            let norm = run(&mut gradients, case["max_norm"].as_f64().unwrap() as f32);
            let expected = case["norm"].as_f64().unwrap() as f32;
            assert!(
                (norm - expected).abs() <= 1e-6 * expected,
                "{norm} {expected}"
            );
            for (found, expected) in gradients
                .iter()
                .flatten()
                .zip(read("clipped").iter().flatten())
            {
                assert!(
                    (found - expected).abs() <= 1e-6 * expected.abs(),
                    "{found} {expected}"
                );
            }
        }
    }

    #[test]
    fn gradients_of_no_finite_norm_stay() {
        for bad in [f32::NAN, f32::INFINITY] {
            let mut gradients = [vec![1.0, bad], vec![3.0]];
            assert!(!run(&mut gradients, 1.0).is_finite());
            assert_eq!((gradients[0][0], gradients[1][0]), (1.0, 3.0));
        }
        assert_eq!(run(&mut [], 1.0).to_bits(), 0);
    }

    proptest! {
        #[test]
        fn the_norm_is_within_the_limit_and_the_direction_stays(
            gradients in proptest::collection::vec(proptest::collection::vec(-1e3_f32..1e3, 0..40), 1..6),
            max_norm in 1e-3_f32..1e3,
        ) {
            let mut clipped = gradients.clone();
            let before = run(&mut clipped, max_norm);
            let after = run(&mut clipped.clone(), f32::MAX);
            prop_assert!(after <= max_norm.max(before.min(max_norm)) * 1.00001);
            if before < max_norm {
                prop_assert_eq!(&clipped, &gradients);
            } else {
                let factor = after / before;
                for (a, b) in gradients.iter().flatten().zip(clipped.iter().flatten()) {
                    prop_assert!((a * factor - b).abs() <= 1e-5 * b.abs() + 1e-30);
                }
            }
        }
    }
}
