//! How far two runs are apart.

use serde_json::{Value, json};

/// How far our values are from the reference's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Found {
    /// Numbers.
    Numbers {
        /// Values compared.
        values: usize,
        /// The largest absolute difference; NaN where one side is not a number.
        absolute: f32,
        /// The same as a part of the reference's largest magnitude.
        relative: f32,
    },
    /// The most likely token at each place.
    Tokens {
        /// Places compared.
        places: usize,
        /// Places with the same token.
        same: usize,
        /// By how much our logit of our token is above that of the reference's where they differ, at most.
        gap: f32,
    },
    /// Numbers that must be the same to the last bit.
    Bits {
        /// Values compared.
        values: usize,
        /// Values of other bits.
        different: usize,
    },
}

impl Found {
    /// The difference of numbers.
    pub fn numbers(ours: &[f32], reference: &[f32]) -> Found {
        let mut absolute = 0.0_f32;
        for (a, b) in ours.iter().zip(reference) {
            let difference = (a - b).abs();
            // Infinities of one sign on both sides are the same, and `max` would lose a NaN.
            if a.to_bits() == b.to_bits() {
                continue;
            }
            if difference.is_nan() {
                absolute = difference;
                break;
            }
            absolute = absolute.max(difference);
        }
        let largest = reference.iter().fold(0.0_f32, |most, b| most.max(b.abs()));
        let relative = if absolute == 0.0 {
            0.0
        } else {
            absolute / largest
        };
        Found::Numbers {
            values: ours.len(),
            absolute,
            relative,
        }
    }

    /// The difference to the last bit. Values that one side alone has are different.
    pub fn bits(ours: &[f32], reference: &[f32]) -> Found {
        let pairs = ours.iter().zip(reference);
        let different = pairs.filter(|(a, b)| a.to_bits() != b.to_bits()).count();
        Found::Bits {
            values: ours.len().max(reference.len()),
            different: different + ours.len().abs_diff(reference.len()),
        }
    }

    /// These bits and more.
    pub fn and_bits(self, ours: &[f32], reference: &[f32]) -> Found {
        match (self, Found::bits(ours, reference)) {
            (
                Found::Bits { values, different },
                Found::Bits {
                    values: more,
                    different: others,
                },
            ) => Found::Bits {
                values: values + more,
                different: different + others,
            },
            (found, _) => found,
        }
    }

    /// Whether this is near enough. Another token passes only where our two logits are so near that rounding decides.
    pub fn passes(&self, tolerance: f32) -> bool {
        match *self {
            Found::Numbers { absolute, .. } => absolute <= tolerance,
            Found::Tokens { gap, .. } => gap <= tolerance,
            Found::Bits { different, .. } => different == 0,
        }
    }

    /// Values or places compared.
    pub fn count(&self) -> usize {
        match *self {
            Found::Numbers { values, .. } | Found::Bits { values, .. } => values,
            Found::Tokens { places, .. } => places,
        }
    }

    /// For machines.
    pub fn json(&self) -> Value {
        // JSON has no NaN: a string says it.
        let number = |x: f32| {
            if x.is_finite() {
                json!(x)
            } else {
                json!(x.to_string())
            }
        };
        match *self {
            Found::Numbers {
                values,
                absolute,
                relative,
            } => json!({
                "values": values,
                "largest_absolute": number(absolute),
                "largest_relative": number(relative),
            }),
            Found::Tokens { places, same, gap } => {
                json!({ "tokens": places, "same": same, "largest_gap": number(gap) })
            }
            Found::Bits { values, different } => {
                json!({ "values": values, "different_bits": different })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_difference_is_found_and_nan_is_none_that_passes() {
        let found = Found::numbers(&[1.0, 2.5, -4.0], &[1.0, 2.0, -4.25]);
        assert_eq!(
            found,
            Found::Numbers {
                values: 3,
                absolute: 0.5,
                relative: 0.5 / 4.25
            }
        );
        assert!(found.passes(0.5) && !found.passes(0.4));
        for (ours, reference) in [
            ([1.0, f32::NAN, 3.0], [1.0, 2.0, 3.0]),
            ([1.0, 2.0, 9.0], [f32::NAN, 2.0, 3.0]),
            ([f32::INFINITY, 2.0, 9.0], [f32::NEG_INFINITY, 2.0, 3.0]),
        ] {
            assert!(!Found::numbers(&ours, &reference).passes(1e30), "{ours:?}");
        }
        let masked = [f32::NEG_INFINITY, 1.0];
        assert!(Found::numbers(&masked, &masked).passes(0.0));
    }

    #[test]
    fn bits_tell_zero_from_minus_zero() {
        assert!(Found::bits(&[0.0, 1.0], &[0.0, 1.0]).passes(0.0));
        assert!(!Found::bits(&[-0.0, 1.0], &[0.0, 1.0]).passes(1.0));
    }

    #[test]
    fn another_token_passes_where_rounding_decides() {
        let tokens = |gap| Found::Tokens {
            places: 32,
            same: 31,
            gap,
        };
        assert!(tokens(1e-5).passes(1e-4));
        assert!(!tokens(1e-3).passes(1e-4) && !tokens(f32::NAN).passes(1e-4));
    }
}
