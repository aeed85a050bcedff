//! The choice itself.

use super::{Amount, SelectError};
use evalh_record::training::ProbeMethod;
use std::cmp::Ordering;

/// The layers of the highest scores, ascending; on ties the lower layer. At least one.
///
/// The scores of CKA are its importances, 1 - CKA ([`importance`](super::importance)). The method is named in errors.
///
/// # Errors
/// When there are no layers or fewer than asked for, or a score is NaN or infinite.
pub fn select(
    scores: &[f64],
    method: ProbeMethod,
    amount: Amount,
) -> Result<Vec<usize>, SelectError> {
    let count = amount.of(scores.len())?;
    let mut chosen = order(scores, method)?;
    chosen.truncate(count);
    chosen.sort_unstable();
    Ok(chosen)
}

/// Each layer's rank by its score: 1 for the highest, on ties for the lower layer.
///
/// # Errors
/// When a score is NaN or infinite.
pub fn ranks(scores: &[f64], method: ProbeMethod) -> Result<Vec<usize>, SelectError> {
    let mut ranks = vec![0; scores.len()];
    for (place, layer) in order(scores, method)?.into_iter().enumerate() {
        ranks[layer] = place + 1;
    }
    Ok(ranks)
}

/// The layers from the highest score to the lowest, on ties the lower layer first.
fn order(scores: &[f64], method: ProbeMethod) -> Result<Vec<usize>, SelectError> {
    if let Some(layer) = scores.iter().position(|score| !score.is_finite()) {
        let score = scores[layer];
        return Err(SelectError::NotFinite {
            method,
            layer,
            score,
        });
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    // All are finite, so any two compare; zeros of either sign are equal, and the sort is stable.
    order.sort_by(|a, b| {
        scores[*b]
            .partial_cmp(&scores[*a])
            .unwrap_or(Ordering::Equal)
    });
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::super::unmeasured_scores;
    use super::*;
    use proptest::prelude::*;

    const GRADIENT: ProbeMethod = ProbeMethod::Gradient;

    fn chosen(scores: &[f64], amount: Amount) -> Vec<usize> {
        select(scores, GRADIENT, amount).unwrap()
    }

    #[test]
    fn the_highest_are_chosen_and_ties_go_to_the_lower_layer() {
        let scores = [1.0, 3.0, 2.0, 3.0, 2.0];
        assert_eq!(chosen(&scores, Amount::Count(3)), [1, 2, 3]);
        assert_eq!(chosen(&scores, Amount::Count(1)), [1]);
        assert_eq!(ranks(&scores, GRADIENT).unwrap(), [5, 1, 3, 2, 4]);
        assert_eq!(chosen(&[0.0, -0.0, 0.0], Amount::Count(2)), [0, 1]);
    }

    #[test]
    fn shares_round_down_and_leave_one() {
        let scores: Vec<f64> = (0..5).map(f64::from).collect();
        assert_eq!(chosen(&scores, Amount::Ratio(0.5)), [3, 4]);
        assert_eq!(chosen(&scores, Amount::Ratio(0.1)), [4]);
        assert_eq!(chosen(&scores, Amount::Ratio(1.0)), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn first_and_last_choose_the_ends() {
        let of = |method| {
            let scores = unmeasured_scores(method, 6, 1).unwrap();
            select(&scores, method, Amount::Count(2)).unwrap()
        };
        assert_eq!(of(ProbeMethod::First), [0, 1]);
        assert_eq!(of(ProbeMethod::Last), [4, 5]);
    }

    #[test]
    fn every_layer_is_as_likely_at_random() {
        let mut counts = [0_u32; 8];
        let seeds = 4000;
        for seed in 0..seeds {
            let scores = unmeasured_scores(ProbeMethod::Random, 8, seed).unwrap();
            let layers = select(&scores, ProbeMethod::Random, Amount::Ratio(0.5)).unwrap();
            assert_eq!(layers.len(), 4);
            for layer in layers {
                counts[layer] += 1;
            }
        }
        // A count has the standard deviation of 4000 fair coins, 31.6.
        assert!(
            counts.iter().all(|count| count.abs_diff(2000) < 5 * 32),
            "{counts:?}"
        );
    }

    #[test]
    fn a_score_that_is_no_number_is_named_with_its_layer() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let error = select(&[1.0, bad], ProbeMethod::Cka, Amount::Count(1)).unwrap_err();
            let begin = format!("choose layers: the cka score of layer 1 is {bad}; ");
            assert!(error.to_string().starts_with(&begin), "{error}");
            assert!(ranks(&[1.0, bad], ProbeMethod::Cka).is_err());
        }
        assert!(select(&[], GRADIENT, Amount::Count(1)).is_err());
    }

    proptest! {
        #[test]
        fn nothing_left_out_scores_higher(
            scores in proptest::collection::vec(-3_i8..3, 1..40),
            ratio in 0.001_f64..=1.0,
        ) {
            let scores: Vec<f64> = scores.into_iter().map(f64::from).collect();
            let layers = chosen(&scores, Amount::Ratio(ratio));
            prop_assert!(!layers.is_empty());
            prop_assert!(layers.is_sorted_by(|a, b| a < b));
            prop_assert!(layers.len() == ((ratio * scores.len() as f64 + 1e-9) as usize).max(1));
            let ranks = ranks(&scores, GRADIENT).unwrap();
            for layer in 0..scores.len() {
                prop_assert_eq!(layers.contains(&layer), ranks[layer] <= layers.len());
                for other in 0..scores.len() {
                    let before = match scores[layer].total_cmp(&scores[other]) {
                        Ordering::Equal => layer < other,
                        order => order.is_gt(),
                    };
                    prop_assert_eq!(before, ranks[layer] < ranks[other]);
                }
            }
        }
    }
}
