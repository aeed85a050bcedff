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
