//! The factors of `LoRA` before the first step.

use super::super::random::Draws;

/// The two factors of a module's update, whose product is 0 at first.
#[derive(Debug, Clone, PartialEq)]
pub struct LoraFactors {
    /// `rank x inputs`, row-major: uniform between -1 / sqrt(inputs) and 1 / sqrt(inputs).
    pub a: Vec<f32>,
    /// `outputs x rank`, row-major: zeros.
    pub b: Vec<f32>,
}

/// The initial factors of a module, in PEFT's distribution: `A` by `kaiming_uniform_(a=sqrt(5))`, `B` zeros.
///
/// They are a function of seed, module name and shape alone: which other modules are adapted changes nothing, so trainings
/// with and without some layers begin alike in those they share.
pub fn initial_factors(
    seed: u64,
    module: &str,
    rank: usize,
    inputs: usize,
    outputs: usize,
) -> LoraFactors {
    let bound = (inputs as f64).sqrt().recip() as f32;
    let mut draws = Draws::new("LoRA A", seed, &[module.as_bytes()]);
    let a = (0..rank * inputs)
        .map(|_| (2.0 * draws.share() - 1.0) * bound)
        .collect();
    LoraFactors {
        a,
        b: vec![0.0; outputs * rank],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_what_the_seed_and_the_name_say() {
        let module = "model.layers.0.self_attn.q_proj";
        let factors = initial_factors(3, module, 2, 9, 4);
        assert_eq!((factors.a.len(), factors.b), (18, vec![0.0; 8]));
        let text = include_str!("../../tests/reference/random.json");
        let reference: serde_json::Value = serde_json::from_str(text).unwrap();
        let expected: Vec<f32> = serde_json::from_value(reference["factors"].clone()).unwrap();
        for (found, expected) in factors.a.iter().zip(&expected) {
            assert!((found - expected).abs() <= 1e-7, "{found} {expected}");
        }
        assert_ne!(initial_factors(4, module, 2, 9, 4).a, factors.a);
        assert_ne!(
            initial_factors(3, "model.layers.1.self_attn.q_proj", 2, 9, 4).a,
            factors.a
        );
    }

    #[test]
    fn they_are_uniform_between_the_bounds() {
        let (rank, inputs) = (16, 576);
        let a = initial_factors(1, "m", rank, inputs, 1).a;
        let bound = 1.0 / (inputs as f64).sqrt();
        assert!(
            a.iter()
                .all(|value| f64::from(value.abs()) <= bound * 1.000_001)
        );
        let n = a.len() as f64;
        let mean = a.iter().map(|value| f64::from(*value)).sum::<f64>() / n;
        let square = a.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>() / n;
        // The mean's standard error is the root of the variance, bound^2 / 3, over n; that of squares has 4 bound^4 / 45.
        let variance = bound.powi(2) / 3.0;
        assert!(mean.abs() < 5.0 * (variance / n).sqrt(), "{mean}");
        let error = (4.0 * bound.powi(4) / 45.0 / n).sqrt();
        assert!(
            (square - variance).abs() < 5.0 * error,
            "{square} {variance}"
        );
        let tenths = a.iter().fold([0_u32; 10], |mut counts, value| {
            let place = (f64::from(*value) / bound + 1.0) * 5.0;
            counts[(place as usize).min(9)] += 1;
            counts
        });
        let chi_squared: f64 = tenths
            .iter()
            .map(|count| (f64::from(*count) - n / 10.0).powi(2) / (n / 10.0))
            .sum();
        // 9 degrees of freedom: mean 9, standard deviation 4.2.
        assert!(chi_squared < 9.0 + 5.0 * 4.2, "{chi_squared}");
    }
}
