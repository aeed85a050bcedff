//! A record held against a policy.

use super::{
    Bench, Bound, Case, Check, Counts, Figures, ForcedSetting, GATE_SCHEMA, GateReport, GateResult,
    Method, Overall, Policy, Reference, Rule, Test, Verdict, WhenInconclusive,
    decide::{self, Decision},
    evidence::Evidence,
    limits, select,
    select::Asker,
    words,
};
use crate::{
    baseline::{Baseline, BaselineError, Series, comparable},
    compare::Role,
};
use evalh_record::{Part, Record, ResultRow};
use evalh_stats::normal_quantile;

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
    pub bench: Option<&'r Bench>,
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
    for rule in policy.rules.iter().filter(|rule| rule.is_against_baseline()) {
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

struct Judge<'j> {
    policy: &'j Policy,
    inputs: &'j Inputs<'j>,
    /// The record's scores by item.
    scores: Baseline,
}

/// A variant's score on a part of a suite.
struct Subject<'j> {
    rule: &'j Rule,
    asker: Asker<'j>,
    part: (Part, String),
    place: usize,
    row: &'j ResultRow,
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

    fn comparison(
        &self,
        subject: &Subject<'_>,
        reference: &Reference,
        margin: f64,
        test: Test,
    ) -> GateResult<Case> {
        let (rule, row) = (subject.rule, subject.row);
        if words::is_share(&row.metric) && margin >= 1.0 {
            return Err(subject.asker.fault(
                "margin",
                format!("{margin} is no margin of a share, which lies between 0 and 1"),
                format!("write {} for {margin} percentage points", margin / 100.0),
            ));
        }
        let (name, theirs, other) = self.reference(subject, reference)?;
        let ours = self.series(&self.scores, subject, row)?;
        let evidence = Evidence::of_difference(&ours, &theirs, rule.confidence)
            .ok_or_else(|| subject.asker.fault(
                "suite",
                format!("`{}` and {name} answered no item in common", row.variant),
                "ask at least one item of both".to_owned(),
            ))?;
        let evidence = match test {
            Test::None => evidence.alone(),
            _ => evidence,
        };
        let decision = decide::of_difference(&evidence, margin, test);
        let turned = ours.lower_is_better();
        let (low, high) = match (evidence.low, evidence.high) {
            (low, high) if turned => (high.map(|x| -x), low.map(|x| -x)),
            ends => ends,
        };
        let (gained, lost) = evidence.changed.unwrap_or_default();
        let metric = row.metric.clone();
        let shown = (row.value, other.value);
        let asked = words::asked_of_difference(
            &metric,
            &name,
            (margin, test),
            turned,
            rule.confidence,
        );
        let counts = (gained, lost, evidence.items);
        let found = words::found_of_difference(&metric, shown, (low, high), counts, decision.p);
        let mut notes = Vec::new();
        if is_chance(other) {
            notes.push(format!(
                "{name} is no better than guessing here, so there is nothing to lose and a pass says little"
            ));
        }
        if gained + lost == 0 {
            notes.push(format!("every item has the same score as {name}"));
        }
        let figures = Figures::Comparison {
            lower_is_better: turned,
            reference: name,
            value: shown.0,
            reference_value: shown.1,
            difference: shown.0 - shown.1,
            low,
            high,
            method: evidence.method,
            items: evidence.items,
            gained,
            lost,
            margin,
            test,
            p: decision.p,
            confidence: rule.confidence,
            metric,
        };
        Ok(case(subject, decision, asked, (found, evidence.method), notes, figures))
    }

    /// What a score is compared with: its name in reports, its items' scores, its row.
    fn reference<'s>(
        &'s self,
        subject: &Subject<'_>,
        reference: &Reference,
    ) -> GateResult<(String, Series, &'s ResultRow)> {
        let (asker, row) = (subject.asker, subject.row);
        let at = (row.suite.as_str(), row.part, row.task.as_str());
        match reference {
            Reference::Base => {
                let base = select::base_of(self.inputs, asker, "against", subject.place)?;
                let other = select::row(self.inputs, asker, at, &base.name, Some(&row.metric))?;
                let series = self.series(&self.scores, subject, other)?;
                Ok((format!("base {}", base.name), series, other))
            }
            Reference::Baseline(variant) => {
                let Some((name, baseline)) = self.inputs.baseline else {
                    return Err(asker.fault(
                        "against",
                        "compares with a baseline, and none is given".to_owned(),
                        "give one with --baseline: a file of `evalh baseline save`, or a run folder".to_owned(),
                    ));
                };
                let field = if variant.is_some() { "baseline_variant" } else { "variant" };
                let variant = variant.as_deref().unwrap_or(&row.variant);
                let other = baseline_row(asker, (name, baseline), row, (field, variant))?;
                let asked = |of: &Baseline| {
                    let items = of.asked(at.0, at.1, at.2).into_iter();
                    items.map(|(count, hash)| (count, hash.clone())).collect::<Vec<_>>()
                };
                if asked(baseline) != asked(&self.scores) {
                    return Err(asker.fault(
                        "against",
                        format!("the baseline {name} asked other items of `{}`", row.task),
                        "run the same items, or save a new baseline: the two cannot be compared item by item".to_owned(),
                    ));
                }
                let series = self.series(baseline, subject, other)?;
                Ok((format!("baseline {variant}"), series, other))
            }
        }
    }

    /// A row's items' scores.
    fn series(
        &self,
        of: &Baseline,
        subject: &Subject<'_>,
        row: &ResultRow,
    ) -> GateResult<Series> {
        of.series(&row.suite, row.part, &row.task, &row.variant, &row.metric)
            .filter(|series| series.is_value(row))
            .ok_or_else(|| {
                let (metric, variant) = (&row.metric, &row.variant);
                subject.asker.fault(
                    "metric",
                    format!("{metric} of `{variant}` is no mean of scores that each item has, so it cannot be compared item by item"),
                    "compare a metric that is one (acc, exact_match, pass@1, a loss), or bound this one with `min` or `max`".to_owned(),
                )
            })
    }

    fn bound(&self, subject: &Subject<'_>, bound: Bound, by_interval: bool) -> GateResult<Case> {
        let (rule, row) = (subject.rule, subject.row);
        let (field, limit) = match bound {
            Bound::Min(min) => ("min", min),
            Bound::Max(max) => ("max", max),
        };
        if words::is_share(&row.metric) && !(0.0..=1.0).contains(&limit) {
            return Err(subject.asker.fault(
                field,
                format!("{limit} is no bound of a share, which lies between 0 and 1"),
                format!("write {} for {limit} %", limit / 100.0),
            ));
        }
        let series = (self.scores)
            .series(&row.suite, row.part, &row.task, &row.variant, &row.metric)
            .filter(|series| series.is_value(row));
        let evidence = series
            .and_then(|series| Evidence::of_value(&series, rule.confidence))
            .unwrap_or_else(|| Evidence::of_row(row, rule.confidence));
        if by_interval && evidence.method == Method::Normal && evidence.low.is_none() {
            return Err(subject.asker.fault(
                "metric",
                format!("{} has no standard error, so no interval can decide", row.metric),
                "let the value alone decide with test = \"none\"".to_owned(),
            ));
        }
        let evidence = if by_interval { evidence } else { evidence.alone() };
        let decision = decide::of_value(&evidence, bound, by_interval);
        let metric = row.metric.clone();
        let ends = (evidence.low, evidence.high);
        let asked = words::asked_of_value(&metric, bound, by_interval, rule.confidence);
        let found = words::found_of_value(&metric, row.value, ends, evidence.items);
        let mut notes = Vec::new();
        if is_chance(row) {
            notes.push("the score is no better than guessing".to_owned());
        }
        let figures = Figures::Bound {
            value: row.value,
            low: ends.0,
            high: ends.1,
            method: evidence.method,
            items: evidence.items,
            min: (field == "min").then_some(limit),
            max: (field == "max").then_some(limit),
            confidence: rule.confidence,
            metric,
        };
        Ok(case(subject, decision, asked, (found, evidence.method), notes, figures))
    }
}

/// The baseline's row that a row is held against.
fn baseline_row<'b>(
    asker: Asker<'_>,
    (name, baseline): (&str, &'b Baseline),
    row: &ResultRow,
    (field, variant): (&str, &str),
) -> GateResult<&'b ResultRow> {
    let of_part: Vec<&ResultRow> = (baseline.results.iter())
        .filter(|other| {
            (&other.suite, other.part, &other.task) == (&row.suite, row.part, &row.task)
        })
        .collect();
    let missing = |field: &str, what: String, there: &[&str], wanted: &str| {
        let mut known: Vec<&str> = Vec::new();
        for name in there {
            if !known.contains(name) {
                known.push(name);
            }
        }
        Err(asker.fault(
            field,
            format!("the baseline {name} has no {what}"),
            super::place::among(wanted, &known),
        ))
    };
    if of_part.is_empty() {
        let suites: Vec<&str> = baseline.results.iter().map(|row| row.suite.as_str()).collect();
        if !suites.contains(&row.suite.as_str()) {
            return missing("suite", format!("suite `{}`", row.suite), &suites, &row.suite);
        }
        let parts: Vec<&str> = (baseline.results.iter())
            .filter(|other| other.suite == row.suite)
            .map(|other| other.task.as_str())
            .collect();
        return missing("part", format!("part `{}`", row.task), &parts, &row.task);
    }
    let of_variant: Vec<&&ResultRow> =
        of_part.iter().filter(|other| other.variant == variant).collect();
    if of_variant.is_empty() {
        let there: Vec<&str> = of_part.iter().map(|row| row.variant.as_str()).collect();
        return missing(field, format!("variant `{variant}`"), &there, variant);
    }
    match of_variant.iter().find(|other| other.metric == row.metric) {
        Some(found) => Ok(found),
        None => {
            let there: Vec<&str> = of_variant.iter().map(|row| row.metric.as_str()).collect();
            missing("metric", format!("metric `{}`", row.metric), &there, &row.metric)
        }
    }
}

/// Whether a score is no better than guessing: its lower 95 % bound reaches down to what guessing gives.
fn is_chance(row: &ResultRow) -> bool {
    row.chance.is_some_and(|chance| {
        let of_guesses = (chance * (1.0 - chance) / row.n.max(1) as f64).max(0.0).sqrt();
        let spread = row.stderr.map_or(of_guesses, |stderr| stderr.max(of_guesses));
        row.value - normal_quantile(0.95) * spread <= chance
    })
}

fn case(
    subject: &Subject<'_>,
    decision: Decision,
    asked: String,
    (found, method): (String, Method),
    mut notes: Vec<String>,
    figures: Figures,
) -> Case {
    if decision.verdict == Verdict::Inconclusive {
        notes.insert(0, words::undecided(decision.items_needed, method));
    }
    Case {
        name: subject.rule.name.clone(),
        line: subject.rule.line,
        suite: Some(subject.rule.suite.clone()),
        part: Some(subject.part.clone()),
        variant: Some(subject.row.variant.clone()),
        verdict: decision.verdict,
        asked,
        found,
        items_needed: decision.items_needed,
        notes,
        figures,
    }
}
