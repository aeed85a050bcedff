//! Clipping of gradients by their global norm.

/// Sums that run beside each other, so that an addition need not wait for the one before.
const LANES: usize = 8;

/// Scales all gradients so that their common norm is at most `max_norm`, and returns the norm before that.
///
/// As `torch.nn.utils.clip_grad_norm_`: the factor is `max_norm / (norm + 1e-6)` where that is below 1. The norm is
/// summed in f64 in an order that depends on the lengths alone. Gradients of a norm that is not finite stay as they are:
/// scaled, the cause could no longer be found.
pub fn clip(gradients: &mut [&mut [f32]], max_norm: f32) -> f32 {
    let squares: f64 = gradients
        .iter()
        .map(|gradient| sum_of_squares(gradient))
        .sum();
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
