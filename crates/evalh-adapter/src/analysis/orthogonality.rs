//! How independent the directions of an adapter are, in two numbers.

use super::Spectrum;
use crate::{AdapterError, LoraUpdate};
use rayon::prelude::*;

/// How far the factors of an adapter are from orthogonal, the means over its modules. See
/// [`Spectrum::orthogonality_a`](super::Spectrum::orthogonality_a).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Orthogonality {
    /// Of `A`; nothing where every `A` is zero.
    pub a: Option<f64>,
    /// Of `B`; nothing where every `B` is zero.
    pub b: Option<f64>,
}

/// Looks at the factors of every module.
///
/// # Errors
/// When a decomposition does not converge, which finite values do not cause.
pub fn orthogonality(updates: &[LoraUpdate]) -> Result<Orthogonality, AdapterError> {
    let each = updates
        .par_iter()
        .map(|update| {
            let spectrum = Spectrum::of(&[update])?;
            Ok((spectrum.orthogonality_a(), spectrum.orthogonality_b()))
        })
        .collect::<Result<Vec<_>, AdapterError>>()?;
    Ok(Orthogonality {
        a: mean(each.iter().filter_map(|(a, _)| *a)),
        b: mean(each.iter().filter_map(|(_, b)| *b)),
    })
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count > 0).then(|| sum / f64::from(count))
}
