//! Scores of the methods that look at no data: what a measured choice must beat.

use super::super::random::Draws;
use evalh_record::training::ProbeMethod;

/// The scores of `layers` layers by a method that looks at no data, or `None` for one that does.
///
/// `first` scores the layers from 1 for the lowest down towards 0, `last` the other way round, and `random` draws each score
/// uniformly between 0 and 1, a function of seed and layer alone: so every choice is equally likely, and a smaller one is
/// part of a larger one of the same seed.
pub fn unmeasured_scores(method: ProbeMethod, layers: usize, seed: u64) -> Option<Vec<f64>> {
    let share = |layer: usize| (layer + 1) as f64 / layers as f64;
    match method {
        ProbeMethod::First => Some((0..layers).rev().map(share).collect()),
        ProbeMethod::Last => Some((0..layers).map(share).collect()),
        ProbeMethod::Random => {
            let mut draws = Draws::new("layers", seed, &[]);
            Some(
                (0..layers)
                    .map(|_| f64::from(draws.word()) / 4_294_967_296.0)
                    .collect(),
            )
        }
        ProbeMethod::Gradient | ProbeMethod::Cka | ProbeMethod::Fisher => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_and_last_are_in_order() {
        let first = unmeasured_scores(ProbeMethod::First, 4, 9).unwrap();
        assert_eq!(first, [1.0, 0.75, 0.5, 0.25]);
        let last = unmeasured_scores(ProbeMethod::Last, 4, 9).unwrap();
        assert_eq!(last, [0.25, 0.5, 0.75, 1.0]);
        for measured in [ProbeMethod::Gradient, ProbeMethod::Cka, ProbeMethod::Fisher] {
            assert_eq!(unmeasured_scores(measured, 4, 9), None);
        }
    }

    /// Computed apart from this crate: a seed must mean the same layers for ever.
    #[test]
    fn random_is_what_the_seed_says() {
        let text = include_str!("../../tests/reference/random.json");
        let reference: serde_json::Value = serde_json::from_str(text).unwrap();
        let expected: Vec<f64> = serde_json::from_value(reference["layers"].clone()).unwrap();
        assert_eq!(
            unmeasured_scores(ProbeMethod::Random, 12, 3),
            Some(expected.clone())
        );
        let fewer = unmeasured_scores(ProbeMethod::Random, 5, 3).unwrap();
        assert_eq!(fewer, expected[..5]);
    }
}
