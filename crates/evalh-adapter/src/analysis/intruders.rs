//! Intruder dimensions: directions that the update brings to the top of a weight's spectrum and the base does not have.

use crate::{AdapterError, LoraUpdate, ModuleKind};
use faer::{Mat, MatRef};
use serde::Serialize;

/// Intruder dimensions of one module, as PEFT counts them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Intruders {
    /// How many there are among the directions looked at.
    pub count: usize,
    /// For each of the leading left singular vectors of the merged weight the largest cosine, without sign, with any left
    /// singular vector of the base.
    pub cosines: Vec<f64>,
}

/// Directions looked at (`top_k` of PEFT's `reduce_intruder_dimension`).
const LEADING: usize = 10;

/// A direction is an intruder below this cosine (`threshold_epsilon`).
const THRESHOLD: f64 = 0.5;

/// Intruder dimensions of each adapter's update by the definition of PEFT 0.21.2 (`peft/tuners/lora/intruders.py`, after
/// Shuttleworth et al. 2024, "LoRA vs Full Fine-tuning: An Illusion of Equivalence"): among the 10 leading left singular
/// vectors of `W + scale * B A` those whose cosine with every left singular vector of `W` is below 0.5.
///
/// `adapters` are the updates of one module, of each adapter those that add up. `weight` is as the checkpoint stores it, as
/// PEFT takes it; magnitudes are left out, as PEFT leaves them. The cost is that of a singular value decomposition of the
/// whole weight, and of one for each adapter.
///
/// # Errors
/// When a decomposition does not converge, for example because the weight has values that are no numbers.
///
/// # Panics
/// When an adapter has no update, or `weight` has another number of values than the updates.
pub fn intruders(
    kind: ModuleKind,
    adapters: &[&[&LoraUpdate]],
    weight: &[f32],
) -> Result<Vec<Intruders>, AdapterError> {
    let Some(any) = adapters.first().map(|updates| updates[0]) else {
        return Ok(Vec::new());
    };
    let columns = match kind {
        ModuleKind::Linear => any.in_features(),
        ModuleKind::Conv1d | ModuleKind::Embedding => any.out_features(),
    };
    let base = left_vectors(&any.module, weight, columns)?;
    adapters
        .iter()
        .map(|updates| {
            let mut merged = weight.to_vec();
            for update in *updates {
                update.add_stored(kind, &mut merged);
            }
            let merged = left_vectors(&any.module, &merged, columns)?;
            let leading = merged.subcols(0, LEADING.min(merged.ncols()));
            let products = leading.transpose() * base.as_ref();
            let cosines: Vec<f64> = (0..products.nrows())
                .map(|i| largest(products.as_ref(), i))
                .collect();
            Ok(Intruders {
                count: cosines.iter().filter(|&&cosine| cosine < THRESHOLD).count(),
                cosines,
            })
        })
        .collect()
}

fn largest(products: MatRef<'_, f64>, row: usize) -> f64 {
    (0..products.ncols()).fold(0.0, |most, j| f64::max(most, products[(row, j)].abs()))
}

fn left_vectors(module: &str, weight: &[f32], columns: usize) -> Result<Mat<f64>, AdapterError> {
    let matrix = Mat::from_fn(weight.len() / columns.max(1), columns, |i, j| {
        f64::from(weight[i * columns + j])
    });
    let failed = |problem: String| AdapterError::Decomposition {
        module: module.to_owned(),
        problem,
    };
    if !matrix.is_all_finite() {
        return Err(failed("the weight has values that are no numbers".into()));
    }
    let svd = matrix
        .thin_svd()
        .map_err(|error| failed(format!("{error:?}")))?;
    Ok(svd.U().to_owned())
}
