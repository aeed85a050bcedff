//! A tensor's values or codes, checked.

use crate::ModelError;
use evalh_checkpoint::{CodedTensor, WeightSource, count_non_finite};

/// A tensor's values, under its name in the checkpoint.
///
/// # Errors
/// When the checkpoint lacks it, or it has another shape or values that are not finite.
pub(crate) fn read_checked(
    weights: &dyn WeightSource,
    name: &str,
    shape: &[usize],
) -> Result<Vec<f32>, ModelError> {
    check_shape(weights, name, shape)?;
    let values = weights.read_f32(name)?;
    check_finite(name, count_non_finite(&values))?;
    Ok(values)
}

/// A matrix's codes, under its name in the checkpoint, where it is stored as such.
///
/// # Errors
/// As of [`read_checked`].
pub(super) fn read_codes(
    weights: &dyn WeightSource,
    name: &str,
    shape: [usize; 2],
) -> Result<Option<CodedTensor>, ModelError> {
    check_shape(weights, name, &shape)?;
    let coded = weights.read_codes(name)?;
    if let Some(coded) = &coded {
        check_finite(name, coded.count_non_finite())?;
    }
    Ok(coded)
}

fn check_shape(weights: &dyn WeightSource, name: &str, shape: &[usize]) -> Result<(), ModelError> {
    let named = || name.to_owned();
    let info = weights
        .tensor(name)
        .ok_or_else(|| ModelError::MissingTensor { name: named() })?;
    if info.shape != shape {
        return Err(ModelError::Shape {
            name: named(),
            found: info.shape,
            expected: shape.to_vec(),
        });
    }
    Ok(())
}

fn check_finite(name: &str, non_finite: usize) -> Result<(), ModelError> {
    match non_finite {
        0 => Ok(()),
        count => Err(ModelError::NonFinite {
            name: name.to_owned(),
            count,
        }),
    }
}
