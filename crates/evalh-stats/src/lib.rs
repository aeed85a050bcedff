//! Metrics, standard errors and paired statistics over the items of an evaluation.
//!
//! Pure functions of numbers; nothing here knows where they came from.

mod bootstrap;
pub mod classification;
pub mod correlation;
pub mod loss;
mod mcnemar;
mod mean;
mod order;
mod pass_at_k;
mod pooled;
pub mod random;
mod wilson;

pub use bootstrap::Bootstrap;
pub use mcnemar::mcnemar_exact;
pub use mean::{Estimate, mean, paired_difference};
pub use order::{median, median_interval_95, percentile};
pub use pass_at_k::pass_at_k;
pub use pooled::pooled;
pub use wilson::{Interval, Z_95, wilson_interval};
