//! The singular values and vectors of a low-rank update, from its factors.
//!
//! With thin QR decompositions `B = Qb Rb` and `A' = Qa Ra`, `B A = Qb (Rb Ra') Qa'`: the decomposition of the small core
//! gives that of the whole, at a cost of `O((out + in) r^2)` for rank `r`.

use crate::{AdapterError, LoraUpdate};
use faer::{Mat, MatRef};

/// The singular value decomposition of a module's update `scale * B A`, summed over the updates of a mix.
#[derive(Debug, Clone)]
pub struct Spectrum {
    /// Singular values, largest first; as many as the rank of the factors allows, with zeros.
    pub values: Vec<f64>,
    /// An orthonormal basis of the space the outputs lie in, `[out, n]`, of the values that are not zero.
    pub(super) left: Mat<f64>,
    /// An orthonormal basis of the space of inputs the update reads, `[in, n]`.
    pub(super) right: Mat<f64>,
    /// `A`, `[rank, in]`.
    pub(super) a: Mat<f64>,
    /// `scale * B`, `[out, rank]`.
    pub(super) b: Mat<f64>,
}

impl Spectrum {
    /// The decomposition of the sum of a module's updates; DoRA's magnitudes are left out.
    ///
    /// # Errors
    /// When the decomposition does not converge, which finite values do not cause.
    ///
    /// # Panics
    /// When there is no update, or the updates differ in shape.
    pub fn of(updates: &[&LoraUpdate]) -> Result<Spectrum, AdapterError> {
        let (out, width) = (updates[0].out_features(), updates[0].in_features());
        let rank = updates.iter().map(|update| update.rank).sum();
        let mut a = Mat::zeros(rank, width);
        let mut b = Mat::zeros(out, rank);
        let mut first = 0;
        for update in updates {
            for r in 0..update.rank {
                for i in 0..width {
                    a[(first + r, i)] = f64::from(update.a[r * width + i]);
                }
                for o in 0..out {
                    b[(o, first + r)] =
                        f64::from(update.scale) * f64::from(update.b[o * update.rank + r]);
                }
            }
            first += update.rank;
        }
        let (left, right) = (b.qr(), a.transpose().qr());
        let core = left.thin_R() * right.thin_R().transpose();
        let failed = |error| AdapterError::Decomposition {
            module: updates[0].module.clone(),
            problem: format!("{error:?}"),
        };
        let svd = core.thin_svd().map_err(failed)?;
        let values: Vec<f64> = svd.S().column_vector().iter().copied().collect();
        let kept = significant(&values, out.max(width));
        Ok(Spectrum {
            left: left.compute_thin_Q() * svd.U().subcols(0, kept),
            right: right.compute_thin_Q() * svd.V().subcols(0, kept),
            values,
            a,
            b,
        })
    }

    /// The Frobenius norm.
    pub fn norm(&self) -> f64 {
        self.values
            .iter()
            .map(|value| value * value)
            .sum::<f64>()
            .sqrt()
    }

    /// The effective rank of Roy and Vetterli (EUSIPCO 2007): `exp(-sum p ln p)` with `p` the singular values over their
    /// sum. Between 1 and the rank; 0 for an update that is zero.
    pub fn effective_rank(&self) -> f64 {
        let sum: f64 = self.values.iter().sum();
        if sum == 0.0 {
            return 0.0;
        }
        let entropy: f64 = self
            .values
            .iter()
            .map(|value| value / sum)
            .filter(|&p| p > 0.0)
            .map(|p| -p * p.ln())
            .sum();
        entropy.exp()
    }

    /// How far the rows of `A` are from orthogonal and of one length, see [`distance_from_orthogonal`].
    pub fn orthogonality_a(&self) -> Option<f64> {
        distance_from_orthogonal(&(self.a.as_ref() * self.a.transpose()))
    }

    /// How far the columns of `B` are from orthogonal and of one length, see [`distance_from_orthogonal`].
    pub fn orthogonality_b(&self) -> Option<f64> {
        distance_from_orthogonal(&(self.b.transpose() * self.b.as_ref()))
    }

    /// The Frobenius inner product of two updates, through the Gram matrices of their factors.
    pub fn inner(&self, other: &Spectrum) -> f64 {
        let b = self.b.transpose() * other.b.as_ref();
        let a = self.a.as_ref() * other.a.transpose();
        sum_of_products(b.as_ref(), a.as_ref())
    }
}

/// `|| c G - I ||_F / sqrt(r)` for the Gram matrix `G` (`A A'` or `B' B`) of `r` vectors, scaled by `c = r / trace G` so that
/// their mean squared length is one. 0 for orthogonal vectors of one length, `sqrt(r - 1)` for vectors all alike; nothing
/// for vectors that are all zero.
fn distance_from_orthogonal(gram: &Mat<f64>) -> Option<f64> {
    let rank = gram.nrows();
    let trace: f64 = (0..rank).map(|i| gram[(i, i)]).sum();
    if trace == 0.0 {
        return None;
    }
    let scale = rank as f64 / trace;
    let squares: f64 = (0..rank)
        .flat_map(|i| (0..rank).map(move |j| (i, j)))
        .map(|(i, j)| (scale * gram[(i, j)] - f64::from(u8::from(i == j))).powi(2))
        .sum();
    Some((squares / rank as f64).sqrt())
}

fn sum_of_products(left: MatRef<'_, f64>, right: MatRef<'_, f64>) -> f64 {
    (0..left.ncols())
        .flat_map(|j| (0..left.nrows()).map(move |i| (i, j)))
        .map(|at| left[at] * right[at])
        .sum()
}

/// How many of the values are not zero to the precision of f64, as numerical ranks are counted.
fn significant(values: &[f64], extent: usize) -> usize {
    let largest = values.first().copied().unwrap_or(0.0);
    let least = largest * extent as f64 * f64::EPSILON;
    values.iter().filter(|&&value| value > least).count()
}
