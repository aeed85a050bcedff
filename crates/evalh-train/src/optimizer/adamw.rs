//! `AdamW` (Loshchilov and Hutter 2019), in the order of operations of `torch.optim.AdamW`.

use evalh_kernel::cpu::backward::AdamWStep;

/// The hyperparameters of `AdamW` but for the learning rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamW {
    /// Decay rates of the means of gradients and of their squares.
    pub betas: (f64, f64),
    /// Added to the root of the second moment.
    pub eps: f64,
    /// The share of a weight that goes with each step, times the learning rate.
    pub weight_decay: f64,
}

impl Default for AdamW {
    fn default() -> Self {
        Self {
            betas: (0.9, 0.95),
            eps: 1e-7,
            weight_decay: 0.01,
        }
    }
}

impl AdamW {
    /// The factors of a step, counted from 1, computed in f64 and rounded once.
    pub fn factors(&self, learning_rate: f64, step: u64) -> AdamWStep {
        let (beta1, beta2) = self.betas;
        let exponent = step as f64;
        AdamWStep {
            keep: (1.0 - learning_rate * self.weight_decay) as f32,
            new_first: (1.0 - beta1) as f32,
            keep_second: beta2 as f32,
            new_second: (1.0 - beta2) as f32,
            second_correction: (1.0 - beta2.powf(exponent)).sqrt() as f32,
            eps: self.eps as f32,
            step_size: (learning_rate / (1.0 - beta1.powf(exponent))) as f32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use evalh_kernel::cpu::{Isa, backward::adamw_step};
    use serde_json::Value;

    fn floats(value: &Value) -> Vec<f32> {
        serde_json::from_value(value.clone()).unwrap()
    }

    fn take(
        factors: &AdamWStep,
        weights: &mut [f32],
        gradient: &[f32],
        first: &mut [f32],
        second: &mut [f32],
    ) {
        adamw_step(Isa::detect(), weights, gradient, first, second, *factors);
    }

    fn bits(values: &[f32]) -> Vec<u32> {
        values.iter().map(|value| value.to_bits()).collect()
    }

    #[test]
    fn twenty_steps_are_torchs() {
        let text = include_str!("../../tests/reference/optimizer.json");
        let reference: Value = serde_json::from_str(text).unwrap();
        let cases = reference["adamw"].as_array().unwrap();
        assert_eq!(cases.len(), 3);
        for case in cases {
            let number = |value: &Value| value.as_f64().unwrap();
            let adamw = AdamW {
                betas: (number(&case["betas"][0]), number(&case["betas"][1])),
                eps: number(&case["eps"]),
                weight_decay: number(&case["weight_decay"]),
            };
            let mut weights = floats(&case["begin"]);
            let mut first = vec![0.0; weights.len()];
            let mut second = first.clone();
            for (number_of_step, step) in (1..).zip(case["steps"].as_array().unwrap()) {
                let factors = adamw.factors(number(&step["rate"]), number_of_step);
                let gradient = floats(&step["gradient"]);
                take(&factors, &mut weights, &gradient, &mut first, &mut second);
                assert_eq!(
                    bits(&first),
                    bits(&floats(&step["first"])),
                    "first moment of step {number_of_step}"
                );
                assert_eq!(
                    bits(&second),
                    bits(&floats(&step["second"])),
                    "second moment of step {number_of_step}"
                );
                assert_eq!(
                    bits(&weights),
                    bits(&floats(&step["weights"])),
                    "weights of step {number_of_step}"
                );
            }
        }
    }

    #[test]
    fn the_defaults_are_those_of_the_paper() {
        let adamw = AdamW::default();
        assert_eq!(adamw.betas, (0.9, 0.95));
        assert_eq!((adamw.eps, adamw.weight_decay), (1e-7, 0.01));
    }

    #[test]
    fn the_first_step_moves_by_the_learning_rate() {
        let adamw = AdamW {
            weight_decay: 0.0,
            ..AdamW::default()
        };
        let (mut weights, gradient) = ([1.0, 1.0, 1.0_f32], [5.0, -0.01, 0.0]);
        let (mut first, mut second) = ([0.0; 3], [0.0; 3]);
        let factors = adamw.factors(0.1, 1);
        take(&factors, &mut weights, &gradient, &mut first, &mut second);
        for (weight, expected) in weights.iter().zip([0.9, 1.099_999, 1.0]) {
            assert!((weight - expected).abs() < 1e-6, "{weight} {expected}");
        }
    }
}
