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
