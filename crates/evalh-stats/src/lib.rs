//! Metrics, standard errors and paired statistics over the items of an evaluation.
//!
//! Pure functions of numbers; nothing here knows where they came from.

mod bootstrap;
pub mod classification;
mod clustered;
pub mod correlation;
mod distribution;
mod holm;
mod interval;
pub mod loss;
mod margin;
mod mcnemar;
mod mean;
mod order;
mod pass_at_k;
mod pooled;
mod power;
pub mod random;
mod resample;
mod spread;
mod t_test;
mod tango;
mod wilcoxon;
mod wilson;

pub use bootstrap::Bootstrap;
pub use clustered::{cluster_means, clustered_mean};
pub use distribution::{normal_quantile, normal_two_sided};
pub use holm::holm;
pub use interval::t_interval;
pub use margin::{Equivalence, MarginTest, equivalence, non_inferiority};
pub use mcnemar::mcnemar_exact;
pub use mean::{Estimate, mean, paired_difference};
pub use order::{median, median_interval_95, percentile};
pub use pass_at_k::pass_at_k;
pub use pooled::pooled;
pub use power::{items_needed, minimum_detectable_effect};
pub use resample::{Resampled, Resampling};
pub use t_test::{TTest, Wins, cohens_d, t_test, win_rate};
pub use tango::{tango_interval, tango_non_inferiority};
pub use wilcoxon::{Wilcoxon, wilcoxon};
pub use wilson::{Interval, Z_95, wilson_interval};
