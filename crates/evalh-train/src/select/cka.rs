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
