//! What a comparison says, in sentences.

use crate::{
    compare::{Against, ComparedMetric, ComparedSuite, Comparison, Contrast, Finding},
    number::{difference, range},
};

/// A variant's findings on all suites, by headline metric.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The variant's place in the comparison.
    pub variant: usize,
    /// Suites on which it is better than its base, beyond chance.
    pub better: Vec<String>,
    /// Suites on which it is worse.
    pub worse: Vec<String>,
    /// Suites on which there is no evidence either way.
    pub inconclusive: Vec<String>,
    /// Suites that it answered exactly like its base.
    pub identical: Vec<String>,
    /// Suites whose metric has no test.
    pub untested: Vec<String>,
}

/// The verdict on each variant that has a base.
pub fn verdicts(comparison: &Comparison) -> Vec<Verdict> {
    let with_base = comparison.variants.iter().enumerate();
    let with_base = with_base.filter(|(_, variant)| variant.base.is_some());
    with_base
        .map(|(variant, _)| {
            let mut verdict = Verdict {
                variant,
                ..Verdict::default()
            };
            for (suite, metric) in comparison.headlines() {
                let Some(contrast) = against_base(metric, variant) else {
                    continue;
                };
                let list = match contrast.finding {
                    Finding::Better => &mut verdict.better,
                    Finding::Worse => &mut verdict.worse,
                    Finding::Inconclusive => &mut verdict.inconclusive,
                    Finding::Identical => &mut verdict.identical,
                    Finding::Untested => &mut verdict.untested,
                };
                list.push(suite.name.clone());
            }
            verdict
        })
        .collect()
}

impl Verdict {
    /// The verdict in one sentence, without the variant's name; names of suites as `show` gives them.
    pub fn sentence(&self, show: &dyn Fn(&str) -> String) -> String {
        let lists = [
            ("better than the base on", &self.better),
            ("worse on", &self.worse),
            ("no evidence either way on", &self.inconclusive),
            ("every answer as the base's on", &self.identical),
            ("not tested on", &self.untested),
        ];
        let parts: Vec<String> = lists
            .iter()
            .filter(|(_, suites)| !suites.is_empty())
            .map(|(what, suites)| {
                let suites: Vec<String> = suites.iter().map(|suite| show(suite)).collect();
                format!("{what} {}", suites.join(", "))
            })
            .collect();
        if parts.is_empty() {
            return "nothing that its base answered too".to_owned();
        }
        parts.join("; ")
    }
}

/// A variant's contrast with its base.
pub(crate) fn against_base(metric: &ComparedMetric, variant: usize) -> Option<&Contrast> {
    let mut contrasts = metric.contrasts.iter();
    contrasts.find(|of| of.variant == variant && of.against == Against::Base)
}

/// The finding in a word.
pub(crate) fn word(finding: Finding) -> &'static str {
    match finding {
        Finding::Better => "better",
        Finding::Worse => "worse",
        Finding::Inconclusive => "no evidence",
        Finding::Identical => "identical",
        Finding::Untested => "not tested",
    }
}

/// `+1.8 [−1.1, +5.2]`: a difference with its interval.
pub(crate) fn shown(metric: &ComparedMetric, contrast: &Contrast) -> String {
    let value = difference(name(metric), contrast.value);
    match contrast.interval {
        Some(interval) => format!("{value} {}", range(name(metric), interval, true)),
        None => value,
    }
}

/// The metric's name without the way in which answers were read.
pub(crate) fn name(metric: &ComparedMetric) -> &str {
    metric.metric.split(',').next().unwrap_or(&metric.metric)
}

/// What too few items mean for a suite's differences: the smallest that its items show, and how many the one seen would take.
pub(crate) fn power(
    suite: &ComparedSuite,
    metric: &ComparedMetric,
    contrast: &Contrast,
) -> Option<String> {
    let detectable = contrast.detectable?;
    let items = crate::number::count_of(contrast.items as u64);
    if metric.is_share && detectable >= 1.0 {
        return Some(format!(
            "{items} items of {} are too few to show any difference",
            suite.name
        ));
    }
    let unit = if metric.is_share { " points" } else { "" };
    let needed = match contrast.items_needed {
        Some(items) if items > contrast.items as u64 => format!(
            "; the difference seen would take {} items",
            crate::number::count_of(items)
        ),
        _ => String::new(),
    };
    Some(format!(
        "{items} items of {} show differences of {}{unit} or more{needed}",
        suite.name,
        difference(name(metric), detectable).trim_start_matches('+')
    ))
}
