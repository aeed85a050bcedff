//! A record held against a policy.

use super::{
    Case, Check, Counts, ForcedSetting, GATE_SCHEMA, GateReport, GateResult, Overall, Policy,
    Reference, Rule, Verdict, WhenInconclusive, limits, select, select::Asker, subject::Subject,
};
use crate::{
    BenchFile,
    baseline::{Baseline, BaselineError, comparable},
    compare::Role,
};
use evalh_record::Record;

/// What is judged.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'r> {
    /// The run's name, for reports.
    pub run: &'r str,
    /// What it recorded.
    pub record: &'r Record,
    /// What its variants are, in the manifest's order; one without a role here is [`Role::Other`].
    pub roles: &'r [Role],
    /// The baseline and its name, where one is given.
    pub baseline: Option<(&'r str, &'r Baseline)>,
    /// What `evalh bench` measured, where that is given.
    pub bench: Option<&'r BenchFile>,
    /// Compare with a baseline of other settings; the report names them.
    pub force: bool,
}

impl Inputs<'_> {
    pub(super) fn role(&self, place: usize) -> Role {
        self.roles.get(place).copied().unwrap_or(Role::Other)
    }
}

/// Judges a run by a policy.
///
/// # Errors
/// When the policy names what the run or the baseline does not have, when a rule needs a baseline or a measurement that is
/// not given, and when the baseline was run with other settings and `force` is not set.
pub fn judge(policy: &Policy, inputs: &Inputs<'_>) -> GateResult<GateReport> {
    let forced = guard(policy, inputs)?;
    let judge = Judge {
        policy,
        inputs,
        scores: Baseline::of(inputs.record),
    };
    let mut cases = Vec::new();
    for rule in &policy.rules {
        judge.rule(rule, &mut cases)?;
    }
    for limit in &policy.limits {
        limits::judge(policy, inputs, limit, &mut cases)?;
    }
    let count = |verdict| cases.iter().filter(|case| case.verdict == verdict).count();
    let counts = Counts {
        passed: count(Verdict::Pass),
        failed: count(Verdict::Fail),
        inconclusive: count(Verdict::Inconclusive),
    };
    Ok(GateReport {
        schema: GATE_SCHEMA,
        verdict: overall(counts, policy.inconclusive),
        policy: policy.path.file_name().map_or_else(
            || policy.path.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        ),
        run: inputs.run.to_owned(),
        baseline: inputs
            .baseline
            .filter(|_| policy.rules.iter().any(Rule::is_against_baseline))
            .map(|(name, _)| name.to_owned()),
        forced,
        when_inconclusive: policy.inconclusive,
        counts,
        cases,
    })
}

fn overall(counts: Counts, undecided: WhenInconclusive) -> Overall {
    match (counts.failed, counts.inconclusive, undecided) {
        (1.., _, _) | (0, 1.., WhenInconclusive::Fail) => Overall::Failed,
        (0, 1.., WhenInconclusive::Report) => Overall::Inconclusive,
        (0, 0, _) | (0, _, WhenInconclusive::Pass) => Overall::Passed,
    }
}

/// Refuses a baseline of other settings, or tells what they are.
fn guard(policy: &Policy, inputs: &Inputs<'_>) -> GateResult<Vec<ForcedSetting>> {
    let Some((_, baseline)) = inputs.baseline else {
        return Ok(Vec::new());
    };
    let mut suites: Vec<&str> = Vec::new();
    for rule in policy
        .rules
        .iter()
        .filter(|rule| rule.is_against_baseline())
    {
        if !suites.contains(&rule.suite.as_str()) {
            suites.push(&rule.suite);
        }
    }
    if suites.is_empty() {
        return Ok(Vec::new());
    }
    let differences = comparable(baseline, &inputs.record.manifest.settings, &suites);
    if !differences.is_empty() && !inputs.force {
        return Err(BaselineError::Changed { differences }.into());
    }
    let forced = differences.into_iter().map(|difference| ForcedSetting {
        field: difference.field,
        baseline: difference.recorded,
        run: difference.current,
    });
    Ok(forced.collect())
}

impl Rule {
    fn is_against_baseline(&self) -> bool {
        matches!(
            &self.check,
            Check::Against {
                reference: Reference::Baseline(_),
                ..
            }
        )
    }
}

/// A policy and a record.
pub(super) struct Judge<'j> {
    policy: &'j Policy,
    pub inputs: &'j Inputs<'j>,
    /// The record's scores by item.
    pub scores: Baseline,
}

impl Judge<'_> {
    fn rule(&self, rule: &Rule, cases: &mut Vec<Case>) -> GateResult<()> {
        let asker = Asker {
            path: &self.policy.path,
            line: rule.line,
            name: &rule.name,
        };
        let suite = select::suite(self.inputs, asker, &rule.suite)?;
        let part = select::part(self.inputs, asker, suite, rule.part.as_deref())?;
        for place in select::variants(self.inputs, asker, &rule.variant)? {
            let variant = &self.inputs.record.manifest.settings.variants[place].name;
            let metric = rule.metric.as_deref();
            let at = (rule.suite.as_str(), part.0, part.1.as_str());
            let row = select::row(self.inputs, asker, at, variant, metric)?;
            let subject = Subject {
                rule,
                asker,
                part: part.clone(),
                place,
                row,
            };
            cases.push(match &rule.check {
                Check::Against {
                    reference,
                    margin,
                    test,
                } => self.comparison(&subject, reference, *margin, *test)?,
                Check::Bound { bound, by_interval } => {
                    self.bound(&subject, *bound, *by_interval)?
                }
            });
        }
        Ok(())
    }
}
