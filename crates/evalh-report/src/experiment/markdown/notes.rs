//! How the numbers came about.

use super::confidence;
use crate::experiment::{Experiment, FEWEST_SEEDS};
use std::fmt::Write as _;

/// How differences are tested, in a few lines.
pub(super) fn section(out: &mut String, experiment: &Experiment) {
    let _ = writeln!(
        out,
        "## How it was computed\n\n\
         Seeds are the sample. Arms are paired by seed; a paired t-test gives each difference its p-value, which is corrected (Holm) for all differences of its kind: wall times, CPU times, losses, scores. \
         A difference is claimed where the corrected p-value is below {} with at least {FEWEST_SEEDS} seeds, and of scores only where the interval over items leaves 0 out too. \
         Everything else is told as inconclusive, which is not the same as no difference. Intervals are of {}. \
         Failed trainings are rows without numbers, and their seeds are missing from every pair that they would be in.",
        ((1.0 - experiment.confidence) * 1e4).round() / 1e4,
        confidence(experiment)
    );
}
