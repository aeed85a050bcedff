//! What is said of paired differences.

use super::{Block, Forest};
use crate::{
    compare::{ComparedMetric, ComparedSuite, Contrast, Finding},
    number::counted,
    plot::{confidence, mark::Mark, unit},
};
use std::fmt::Write as _;

impl Block<'_> {
    /// Its name, its metric and its size.
    pub(super) fn heading(&self) -> String {
        format!(
            "{} \u{b7} {} \u{b7} {}",
            self.suite.name,
            self.metric.metric,
            counted(self.suite.items, "item")
        )
    }
}

impl Forest<'_> {
    pub(super) fn title(&self) -> String {
        match self.blocks {
            [one] => format!(
                "Differences in {}, in {}",
                one.suite.name,
                self.unit.of_differences()
            ),
            _ => format!("Differences in {}", self.unit.of_differences()),
        }
    }

    pub(super) fn meanings(&self) -> Vec<(Mark, String)> {
        [
            Finding::Better,
            Finding::Worse,
            Finding::Inconclusive,
            Finding::Identical,
            Finding::Untested,
        ]
        .into_iter()
        .filter(|finding| {
            self.contrasts()
                .any(|(_, _, contrast)| contrast.finding == *finding)
        })
        .map(|finding| (Mark::Finding(finding), meaning(finding).to_owned()))
        .collect()
    }

    pub(super) fn spoken(
        &self,
        suite: &ComparedSuite,
        metric: &ComparedMetric,
        contrast: &Contrast,
    ) -> String {
        let (a, b) = self.names(contrast);
        format!(
            "{}: {a} \u{2212} {b}: {} ({})",
            suite.name,
            value_text(metric, contrast),
            meaning(contrast.finding)
        )
    }

    pub(super) fn description(&self) -> String {
        let rows: Vec<String> = self
            .contrasts()
            .map(|(suite, metric, contrast)| self.spoken(suite, metric, contrast))
            .collect();
        format!(
            "Differences in {}. {}.",
            self.unit.of_differences(),
            rows.join("; ")
        )
    }

    pub(super) fn caption(&self) -> String {
        let mut caption = format!(
            "Each row is a difference of two variants on the same items, in {}, with its {} interval.",
            self.unit.of_differences(),
            confidence(self.comparison),
        );
        if self
            .contrasts()
            .any(|(_, _, contrast)| contrast.clustered.is_some())
        {
            let _ = write!(
                caption,
                " The thin line below is the interval with whole tasks drawn anew, as items of one task are not independent."
            );
        }
        caption
    }
}

fn meaning(finding: Finding) -> &'static str {
    match finding {
        Finding::Better => "better, beyond chance",
        Finding::Worse => "worse, beyond chance",
        Finding::Inconclusive => "may be chance",
        Finding::Identical => "no item answered otherwise",
        Finding::Untested => "not tested",
    }
}

/// `+1.2 [−3.4, +5.8]`.
pub(super) fn value_text(metric: &ComparedMetric, contrast: &Contrast) -> String {
    let show = |value| unit::difference(&metric.metric, value);
    match contrast.interval {
        Some(range) => format!(
            "{} [{}, {}]",
            show(contrast.value),
            show(range.low),
            show(range.high)
        ),
        None => show(contrast.value),
    }
}
