//! The choice itself.

use super::{super::random::Draws, Amount, Method, SelectError};

/// What layers are chosen from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Choice<'a> {
    /// A measured method's scores, one a layer; for CKA its importance, 1 - CKA. The highest are chosen, on ties the lower
    /// layer.
    Measured {
        /// The method, for messages.
        method: Method,
        /// The scores.
        scores: &'a [f64],
    },
    /// Any of so many layers, by the seed.
    Random {
        /// The model's number of layers.
        layers: usize,
        /// The seed.
        seed: u64,
    },
    /// The lowest of so many layers.
    First {
        /// The model's number of layers.
        layers: usize,
    },
    /// The highest of so many layers.
    Last {
        /// The model's number of layers.
        layers: usize,
    },
}

/// The layers chosen, ascending; at least one.
///
/// # Errors
/// When there are no layers or fewer than asked for, or a score is NaN or infinite.
pub fn select(choice: &Choice<'_>, amount: Amount) -> Result<Vec<usize>, SelectError> {
    let mut chosen: Vec<usize> = match *choice {
        Choice::Measured { method, scores } => {
            let count = amount.of(scores.len())?;
            let mut order = order(method, scores)?;
            order.truncate(count);
            order
        }
        Choice::Random { layers, seed } => {
            let count = amount.of(layers)?;
            let order = Draws::new("layers", seed, &[]).permutation(layers as u32);
            order
                .into_iter()
                .take(count)
                .map(|layer| layer as usize)
                .collect()
        }
        Choice::First { layers } => (0..amount.of(layers)?).collect(),
        Choice::Last { layers } => (layers - amount.of(layers)?..layers).collect(),
    };
    chosen.sort_unstable();
    Ok(chosen)
}

/// Each layer's rank by its score: 1 for the highest, on ties for the lower layer.
///
/// # Errors
/// When a score is NaN or infinite.
pub fn ranks(method: Method, scores: &[f64]) -> Result<Vec<usize>, SelectError> {
    let mut ranks = vec![0; scores.len()];
    for (place, layer) in order(method, scores)?.into_iter().enumerate() {
        ranks[layer] = place + 1;
    }
    Ok(ranks)
}

/// The layers from the highest score to the lowest, on ties the lower layer first.
fn order(method: Method, scores: &[f64]) -> Result<Vec<usize>, SelectError> {
    if let Some(layer) = scores.iter().position(|score| !score.is_finite()) {
        let score = scores[layer];
        return Err(SelectError::NotFinite {
            method,
            layer,
            score,
        });
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    // Zeros of either sign are equal; the sort is stable.
    order.sort_by(|a, b| {
        scores[*b]
            .partial_cmp(&scores[*a])
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    Ok(order)
}
