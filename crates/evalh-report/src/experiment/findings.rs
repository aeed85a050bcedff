//! What follows from an experiment, in sentences: no claim without its interval.

use super::{
    ArmResult, ArmScore, Claim, Ending, Experiment, Paired, Purpose, SuiteScores, loss,
    words::{grounds, losses, open, ratios, signed, speed},
};
use crate::{
    compare::Range,
    number::{counted, difference},
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

    /// A finding; `what` follows the arm's name as it is.
    fn push(&self, found: &mut Vec<Claimed>, about: About, claim: Claim, what: &str) {
        found.push(Claimed {
            arm: self.arm.name.clone(),
            about,
            claim,
            sentence: format!("{}{what}", self.arm.name),
        });
    }

    fn grounds(&self, of: &Paired, show: &dyn Fn(Range) -> String) -> String {
        grounds(of, self.experiment.confidence, show, "")
    }

    fn times(&self, found: &mut Vec<Claimed>) {
        let reference = self.reference();
        let (about, end) = match &self.arm.ending {
            Ending::Target(target) => {
                self.missed(found, target.value);
                (
                    About::TimeToTarget,
                    format!("to a loss of {}", target.value),
                )
            }
            Ending::Length | Ending::Compute { .. } => {
                (About::Speed, "for as many steps".to_owned())
            }
        };
        if let Some(of) = &self.arm.speed {
            let what = speed(of, reference, &end);
            self.push(
                found,
                about,
                of.claim,
                &format!("{what} {}", self.grounds(of, &ratios)),
            );
        }
        if let Some(of) = &self.arm.speed_with_probe {
            let what = speed(
                of,
                reference,
                &format!("{end}, its probe's time counted in"),
            );
            self.push(
                found,
                About::SpeedWithProbe,
                of.claim,
                &format!("{what} {}", self.grounds(of, &ratios)),
            );
        }
        if let Some(of) = &self.arm.steps_ratio {
            let what = match of.claim {
                Claim::Higher | Claim::Lower => {
                    format!(
                        " makes {:.2} times the steps of {reference} in the same time",
                        of.value
                    )
                }
                claim => format!(
                    ": {} in steps against {reference} in the same time: {:.2} times as many",
                    open(claim),
                    of.value
                ),
            };
            self.push(
                found,
                About::Steps,
                of.claim,
                &format!("{what} {}", self.grounds(of, &ratios)),
            );
        }
        if let Some(of) = &self.arm.loss_difference {
            let by = format!(
                "{} {}",
                signed(of.value, 4),
                loss::unit(self.experiment.objective)
            );
            let what = match of.claim {
                Claim::Lower => {
                    format!(" ends with a lower training loss than {reference}: {by}")
                }
                Claim::Higher => {
                    format!(" ends with a higher training loss than {reference}: {by}")
                }
                claim => format!(
                    ": {} in training loss against {reference}: {by}",
                    open(claim)
                ),
            };
            self.push(
                found,
                About::Loss,
                of.claim,
                &format!("{what} {}", self.grounds(of, &losses)),
            );
        }
    }

    /// Trainings that ended without reaching their target.
    fn missed(&self, found: &mut Vec<Claimed>, target: f64) {
        let whole = self.arm.runs.iter().filter(|run| run.is_whole()).count();
        let missed = whole - self.arm.runs.iter().filter(|run| run.reached()).count();
        if missed > 0 {
            let what = format!(
                " did not reach {target} in {missed} of {}",
                counted(whole, "training")
            );
            self.push(found, About::TimeToTarget, Claim::Untested, &what);
        }
    }

    fn scores(&self, found: &mut Vec<Claimed>, suite: &SuiteScores, score: &ArmScore) {
        let (base, other) = match suite.purpose {
            Purpose::Target => (About::Target, About::Target),
            Purpose::Guard => (About::Forgetting, About::ExtraForgetting),
            Purpose::Other => return,
        };
        self.score(
            found,
            base,
            suite,
            (&score.delta, score.delta_items, "the base"),
        );
        if let Some(extra) = &score.extra {
            self.score(
                found,
                other,
                suite,
                (extra, score.extra_items, self.reference()),
            );
        }
    }

    fn score(
        &self,
        found: &mut Vec<Claimed>,
        about: About,
        suite: &SuiteScores,
        (of, items, other): (&Paired, Option<Range>, &str),
    ) {
        let name = suite.metric.split(',').next().unwrap_or(&suite.metric);
        let by = difference(name, of.value);
        let unit = if suite.is_share { " points" } else { "" };
        let on = &suite.suite;
        let is_better = (of.claim == Claim::Higher) != suite.lower_is_better;
        let what = match of.claim {
            Claim::Higher | Claim::Lower => {
                let word = if is_better { "better" } else { "worse" };
                format!(" is {word} than {other} on {on}: {by}{unit}")
            }
            claim => format!(": {} against {other} on {on}: {by}{unit}", open(claim)),
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
        let grounds = grounds(of, self.experiment.confidence, &show, &over_items);
        self.push(found, about, of.claim, &format!("{what} {grounds}"));
    }
}
