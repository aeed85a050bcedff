//! What follows from an experiment, in sentences: no claim without its interval.

use super::{ArmResult, ArmScore, Claim, Ending, Experiment, Paired, Purpose, SuiteScores};
use crate::{
    compare::Range,
    number::{counted, difference, p_value, percent, seconds},
};
use serde::Serialize;

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Claimed {
    /// The arm.
    pub arm: String,
    /// What it is about.
    pub about: About,
    /// What follows.
    pub claim: Claim,
    /// The same in a sentence that begins with the arm's name.
    pub sentence: String,
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// Training time.
    Speed,
    /// Training time with the probe's.
    SpeedWithProbe,
    /// Time to a target.
    TimeToTarget,
    /// Training loss.
    Loss,
    /// Steps in the same time.
    Steps,
    /// A score of what was trained for, against another arm.
    Target,
    /// A score that measures forgetting, against the base.
    Forgetting,
    /// The same, against another arm.
    ExtraForgetting,
}

/// All findings, arm by arm.
pub(super) fn findings(experiment: &Experiment) -> Vec<Claimed> {
    let mut found = Vec::new();
    for (at, arm) in experiment.arms.iter().enumerate() {
        let writer = Writer { experiment, arm };
        writer.times(&mut found);
        for suite in &experiment.scores {
            for score in suite.arms.iter().filter(|of| of.arm == at) {
                writer.scores(&mut found, suite, score);
            }
        }
    }
    found
}

struct Writer<'e> {
    experiment: &'e Experiment,
    arm: &'e ArmResult,
}

impl Writer<'_> {
    fn reference(&self) -> &str {
        let at = self.arm.reference;
        at.map_or("", |at| self.experiment.arms[at].name.as_str())
    }

    fn push(&self, found: &mut Vec<Claimed>, about: About, claim: Claim, rest: &str) {
        found.push(Claimed {
            arm: self.arm.name.clone(),
            about,
            claim,
            sentence: format!("{} {rest}", self.arm.name),
        });
    }

    fn times(&self, found: &mut Vec<Claimed>) {
        let reference = self.reference();
        if let Ending::Target(target) = &self.arm.ending {
            let whole = self.arm.runs.iter().filter(|run| run.is_whole()).count();
            let reached = self.arm.runs.iter().filter(|run| run.reached()).count();
            if reached < whole {
                self.push(
                    found,
                    About::TimeToTarget,
                    Claim::Untested,
                    &format!(
                        "did not reach {} in {} of {}",
                        target.value,
                        whole - reached,
                        counted(whole, "training")
                    ),
                );
            }
        }
        if let Some(speed) = &self.arm.speed {
            let (about, end) = match &self.arm.ending {
                Ending::Target(target) => (
                    About::TimeToTarget,
                    format!("to a loss of {}", target.value),
                ),
                Ending::Length | Ending::Compute { .. } => {
                    (About::Speed, "for as many steps".to_owned())
                }
            };
            let what = faster(speed, reference, &end);
            self.push(
                found,
                about,
                speed.claim,
                &format!("{what} {}", self.grounds(speed)),
            );
        }
        if let Some(speed) = &self.arm.speed_with_probe {
            let what = faster(speed, reference, "with its probe's time counted in");
            self.push(
                found,
                About::SpeedWithProbe,
                speed.claim,
                &format!("{what} {}", self.grounds(speed)),
            );
        }
        if let Some(steps) = &self.arm.steps_ratio {
            let what = match steps.claim {
                Claim::Higher | Claim::Lower => format!(
                    "makes {:.2} times the steps of {reference} in the same time",
                    steps.value
                ),
                claim => format!(
                    "{} other steps than {reference} in the same time (times {:.2})",
                    unclear(claim, "makes"),
                    steps.value
                ),
            };
            self.push(
                found,
                About::Steps,
                steps.claim,
                &format!("{what} {}", self.grounds(steps)),
            );
        }
        if let Some(loss) = &self.arm.loss_difference {
            let by = signed(loss.value, 4);
            let what = match loss.claim {
                Claim::Lower => {
                    format!("ends with a lower training loss than {reference}: {by} nats a token")
                }
                Claim::Higher => {
                    format!("ends with a higher training loss than {reference}: {by} nats a token")
                }
                claim => format!(
                    "{} another training loss than {reference} ({by} nats a token)",
                    unclear(claim, "ends with")
                ),
            };
            self.push(
                found,
                About::Loss,
                loss.claim,
                &format!("{what} {}", self.grounds(loss)),
            );
        }
    }

    fn scores(&self, found: &mut Vec<Claimed>, suite: &SuiteScores, score: &ArmScore) {
        let vs_base = (score.delta.clone(), score.delta_items, "the base");
        let rows = match suite.purpose {
            Purpose::Target => vec![
                (About::Target, Some(vs_base)),
                (About::Target, self.extra(score)),
            ],
            Purpose::Guard => vec![
                (About::Forgetting, Some(vs_base)),
                (About::ExtraForgetting, self.extra(score)),
            ],
            Purpose::Other => Vec::new(),
        };
        for (about, row) in rows {
            let Some((paired, items, other)) = row else {
                continue;
            };
            let name = suite.metric.split(',').next().unwrap_or(&suite.metric);
            let by = difference(name, paired.value);
            let unit = if suite.is_share { " points" } else { "" };
            let is_better = (paired.claim == Claim::Higher) != suite.lower_is_better;
            let what = match paired.claim {
                Claim::Higher | Claim::Lower => {
                    let word = if is_better { "better" } else { "worse" };
                    format!("is {word} than {other} on {}: {by}{unit}", suite.suite)
                }
                claim => format!(
                    "{} different from {other} on {} ({by}{unit})",
                    unclear(claim, "is"),
                    suite.suite
                ),
            };
            let show = |range: Range| {
                format!(
                    "{} to {}",
                    difference(name, range.low),
                    difference(name, range.high)
                )
            };
            let over_items = items.map_or_else(
                || "; nothing is known over items".to_owned(),
                |range| format!("; over items {}", show(range)),
            );
            let grounds = self.grounds_with(&paired, &show, &over_items);
            self.push(found, about, paired.claim, &format!("{what} {grounds}"));
        }
    }

    fn extra(&self, score: &ArmScore) -> Option<(Paired, Option<Range>, &str)> {
        Some((score.extra.clone()?, score.extra_items, self.reference()))
    }

    /// What a claim rests on: `(95 % interval over 3 seeds 1.22 to 1.35, p = 0.004)`.
    fn grounds(&self, of: &Paired) -> String {
        let decimals = if of.is_ratio { 2 } else { 4 };
        let show = |range: Range| {
            if of.is_ratio {
                format!("{:.decimals$} to {:.decimals$}", range.low, range.high)
            } else {
                format!(
                    "{} to {}",
                    signed(range.low, decimals),
                    signed(range.high, decimals)
                )
            }
        };
        self.grounds_with(of, &show, "")
    }

    fn grounds_with(&self, of: &Paired, show: &dyn Fn(Range) -> String, more: &str) -> String {
        let seeds = counted(of.each.len(), "seed");
        let interval = match of.interval {
            Some(range) => format!(
                "{} % interval over {seeds} {}",
                whole_percent(self.experiment.confidence),
                show(range)
            ),
            None => format!("{seeds}, no interval"),
        };
        let p = of.p_holm.map_or_else(String::new, |p| {
            let shown = p_value(p);
            let sign = if shown.starts_with('<') { "" } else { "= " };
            format!(", corrected p {sign}{shown}")
        });
        format!("({interval}{p}{more})")
    }
}

/// How a speed reads: `trains 1.28 times as fast as standard for as many steps, 21.9 % less time`.
fn faster(speed: &Paired, reference: &str, end: &str) -> String {
    let saved = 1.0 - 1.0 / speed.value;
    let time = if saved >= 0.0 {
        format!("{} % less time", percent(saved))
    } else {
        format!("{} % more time", percent(-saved))
    };
    match speed.claim {
        Claim::Higher | Claim::Lower => {
            format!(
                "trains {:.2} times as fast as {reference} {end}, {time}",
                speed.value
            )
        }
        claim => format!(
            "{} at another speed than {reference} {end} (times {:.2})",
            unclear(claim, "trains"),
            speed.value
        ),
    }
}

/// What can be said where nothing is claimed.
fn unclear(claim: Claim, verb: &str) -> String {
    let why = match claim {
        Claim::TooFewSeeds => "too few seeds to say whether it",
        Claim::Untested => "no test of whether it",
        Claim::Inconclusive | Claim::Higher | Claim::Lower => "inconclusive whether it",
    };
    format!("\u{2013} {why} {verb}")
}

/// A number with a sign, a true minus.
pub(super) fn signed(value: f64, decimals: usize) -> String {
    let sign = if value < 0.0 { "\u{2212}" } else { "+" };
    format!("{sign}{:.decimals$}", value.abs())
}

/// `95`, `99.5`.
pub(super) fn whole_percent(share: f64) -> f64 {
    (share * 10_000.0).round() / 100.0
}

/// Mean and standard deviation of seconds.
pub(super) fn seconds_over(of: &super::Over) -> String {
    let sd = of
        .sd
        .map_or_else(String::new, |sd| format!(" \u{b1} {}", seconds(sd)));
    format!("{}{sd}", seconds(of.mean))
}
