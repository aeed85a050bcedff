//! How the spaces of two updates lie to each other.

use crate::AdapterError;
use faer::{Mat, MatRef};
use serde::Serialize;

/// Principal angles between two subspaces, and their overlap.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Subspaces {
    /// Dimensions of the two.
    pub dimensions: [usize; 2],
    /// Principal angles in radians, smallest first; as many as the smaller space has dimensions.
    pub angles: Vec<f64>,
    /// The normalised similarity on the Grassmannian that the LoRA paper uses (Hu et al. 2021, section 7.2),
    /// `||U' V||_F^2 / min(i, j)`: 1 where one space lies in the other, 0 where they are orthogonal. 0 if either is
    /// empty.
    pub overlap: f64,
}

impl Subspaces {
    /// Compares the spaces of two orthonormal bases, `[n, i]` and `[n, j]`.
    ///
    /// Angles come from cosines, and below 45 degrees from sines, which hold the digits there (Björck and Golub 1973).
    ///
    /// # Errors
    /// When a decomposition does not converge.
    pub(super) fn of(
        module: &str,
        left: MatRef<'_, f64>,
        right: MatRef<'_, f64>,
    ) -> Result<Subspaces, AdapterError> {
        let dimensions = [left.ncols(), right.ncols()];
        let count = left.ncols().min(right.ncols());
        if count == 0 {
            return Ok(Subspaces {
                dimensions,
                angles: Vec::new(),
                overlap: 0.0,
            });
        }
        let (small, large) = if left.ncols() <= right.ncols() {
            (left, right)
        } else {
            (right, left)
        };
        let product = large.transpose() * small;
        let cosines = singular_values(module, &product)?;
        // What is left of the smaller space beside the larger: its singular values are the sines.
        let mut sines = singular_values(module, &(small.to_owned() - large * &product))?;
        sines.reverse();
        let angles = cosines
            .iter()
            .zip(&sines)
            .map(|(cosine, sine)| {
                if cosine * cosine > 0.5 {
                    sine.min(1.0).asin()
                } else {
                    cosine.min(1.0).acos()
                }
            })
            .collect();
        let overlap = cosines.iter().map(|cosine| cosine * cosine).sum::<f64>() / count as f64;
        Ok(Subspaces {
            dimensions,
            angles,
            overlap: overlap.min(1.0),
        })
    }
}

fn singular_values(module: &str, matrix: &Mat<f64>) -> Result<Vec<f64>, AdapterError> {
    matrix
        .singular_values()
        .map_err(|error| AdapterError::Decomposition {
            module: module.to_owned(),
            problem: format!("{error:?}"),
        })
}
