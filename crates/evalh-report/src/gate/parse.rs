//! A policy from a text, with everything checked that can be without a run.

use super::{
    Bound, Check, GateError, GateResult, Limit, Measure, Policy, Reference, Rule, Test,
    form::{AgainstForm, LimitForm, PolicyForm, RuleForm},
    measure::Scope,
    place::{line_of, toml_fault},
};
use std::{collections::BTreeSet, fs, path::Path};

/// The version of policies that this crate reads.
const POLICY_SCHEMA: u32 = 1;
/// The confidence of rules that name none.
const CONFIDENCE: f64 = 0.95;

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    /// When the file cannot be read, or [`Policy::parse`] refuses its text.
    pub fn read(path: &Path) -> GateResult<Policy> {
        let text = fs::read_to_string(path).map_err(|source| GateError::Read {
            path: path.to_owned(),
            source,
        })?;
        Policy::parse(path, &text)
    }

    /// Parses a policy; `path` is for messages.
    ///
    /// # Errors
    /// When the text is no policy: the message names the line, the field and what would be right.
    pub fn parse(path: &Path, text: &str) -> GateResult<Policy> {
        let form: PolicyForm =
            toml::from_str(text).map_err(|error| toml_fault(path, text, &error))?;
        let file = At {
            path,
            place: "the policy".to_owned(),
        };
        if form.schema.is_some_and(|schema| schema != POLICY_SCHEMA) {
            return Err(file.fault(
                "schema",
                "is not one that this evalh reads".to_owned(),
                format!("write schema = {POLICY_SCHEMA}, or leave it out"),
            ));
        }
        let confidence = form.confidence.unwrap_or(CONFIDENCE);
        file.check_confidence(confidence)?;
        let mut names = BTreeSet::new();
        let mut rules = Vec::new();
        for (place, rule) in form.rules.iter().enumerate() {
            let line = line_of(text, rule.span().start);
            let at = At::entry(path, line, "rule", place, rule.get_ref().name.as_deref());
            let rule = rule.get_ref();
            at.check_name(rule.name.as_deref(), &mut names)?;
            rules.push(at.rule(line, rule, confidence)?);
        }
        let mut limits = Vec::new();
        for (place, limit) in form.limits.iter().enumerate() {
            let line = line_of(text, limit.span().start);
            let at = At::entry(path, line, "limit", place, limit.get_ref().name.as_deref());
            at.check_name(limit.get_ref().name.as_deref(), &mut names)?;
            limits.extend(at.limits(line, limit.get_ref())?);
        }
        if rules.is_empty() && limits.is_empty() {
            return Err(GateError::Policy {
                path: path.to_owned(),
                place: "the policy".to_owned(),
                problem: "it holds no [[rule]] and no [[limit]], so nothing could fail".to_owned(),
                remedy: "add at least one; docs/gate.md has an example".to_owned(),
            });
        }
        Ok(Policy {
            path: path.to_owned(),
            inconclusive: form.inconclusive.unwrap_or_default(),
            rules,
            limits,
        })
    }
}

/// A place in a policy, for messages.
struct At<'p> {
    path: &'p Path,
    place: String,
}

impl At<'_> {
    fn entry<'p>(
        path: &'p Path,
        line: usize,
        kind: &str,
        place: usize,
        name: Option<&str>,
    ) -> At<'p> {
        let called = name.map_or_else(|| (place + 1).to_string(), |name| format!("`{name}`"));
        At {
            path,
            place: format!("line {line}, {kind} {called}"),
        }
    }

    fn fault(&self, field: &str, problem: String, remedy: String) -> GateError {
        GateError::Policy {
            path: self.path.to_owned(),
            place: format!("{}, field `{field}`", self.place),
            problem,
            remedy,
        }
    }

    fn check_confidence(&self, confidence: f64) -> GateResult<()> {
        if confidence > 0.5 && confidence < 1.0 {
            return Ok(());
        }
        Err(self.fault(
            "confidence",
            format!("{confidence} is no confidence: it lies above 0.5 and below 1"),
            "write 0.95 for 95 %".to_owned(),
        ))
    }

    fn check_name(&self, name: Option<&str>, names: &mut BTreeSet<String>) -> GateResult<()> {
        match name {
            Some(name) if name.trim().is_empty() => Err(self.fault(
                "name",
                "is empty".to_owned(),
                "give a name, or leave the field out".to_owned(),
            )),
            Some(name) if !names.insert(name.to_owned()) => Err(self.fault(
                "name",
                "stands twice, so a report could not tell the two apart".to_owned(),
                "give each its own name".to_owned(),
            )),
            _ => Ok(()),
        }
    }

    fn rule(&self, line: usize, form: &RuleForm, confidence: f64) -> GateResult<Rule> {
        let confidence = form.confidence.unwrap_or(confidence);
        self.check_confidence(confidence)?;
        let check = self.check(form)?;
        let part = form
            .part
            .as_ref()
            .map_or(String::new(), |p| format!(" {p}"));
        let metric = form
            .metric
            .as_ref()
            .map_or(String::new(), |m| format!(" {m}"));
        let asks = match &check {
            Check::Against {
                reference: Reference::Base,
                ..
            } => "against base".to_owned(),
            Check::Against { .. } => "against baseline".to_owned(),
            Check::Bound {
                bound: Bound::Min(min),
                ..
            } => format!("at least {min}"),
            Check::Bound {
                bound: Bound::Max(max),
                ..
            } => format!("at most {max}"),
        };
        let made = || format!("{}{part}{metric} {asks}", form.suite);
        Ok(Rule {
            line,
            name: form.name.clone().unwrap_or_else(made),
            suite: form.suite.clone(),
            part: form.part.clone(),
            variant: form.variant.clone().unwrap_or_else(|| "*".to_owned()),
            metric: form.metric.clone(),
            check,
            confidence,
        })
    }

    fn check(&self, form: &RuleForm) -> GateResult<Check> {
        match (form.against, form.min, form.max) {
            (Some(against), None, None) => self.comparison(form, against),
            (None, Some(min), None) => self.bound(form, Bound::Min(min)),
            (None, None, Some(max)) => self.bound(form, Bound::Max(max)),
            (None, None, None) => Err(self.fault(
                "against",
                "is missing, and so are `min` and `max`: the rule asks nothing".to_owned(),
                "give one of: against = \"base\", against = \"baseline\", min = NUMBER, max = NUMBER"
                    .to_owned(),
            )),
            _ => {
                let second = if form.max.is_some() { "max" } else { "min" };
                Err(self.fault(
                    second,
                    "is one comparison too many for one rule".to_owned(),
                    "give each of `against`, `min` and `max` a [[rule]] of its own".to_owned(),
                ))
            }
        }
    }

    fn comparison(&self, form: &RuleForm, against: AgainstForm) -> GateResult<Check> {
        let test = form.test.unwrap_or(Test::NonInferiority);
        let needs_margin = matches!(test, Test::NonInferiority | Test::Equivalence);
        let margin = match form.margin {
            None if needs_margin => {
                return Err(self.fault(
                    "margin",
                    "is missing: how much worse may the score be?".to_owned(),
                    "write margin = 0.02 for 2 percentage points, or in the metric's unit for a loss".to_owned(),
                ));
            }
            Some(margin) if margin == 0.0 && needs_margin => {
                return Err(self.fault(
                    "margin",
                    "is 0, and no number of items can show that nothing at all was lost".to_owned(),
                    "write the loss that you would accept, such as 0.02, or ask for test = \"none\""
                        .to_owned(),
                ));
            }
            Some(margin) if margin < 0.0 || !margin.is_finite() => {
                return Err(self.fault(
                    "margin",
                    format!("{margin} is no margin"),
                    "write a number above 0; the test says in which direction it counts".to_owned(),
                ));
            }
            margin => margin.unwrap_or(0.0),
        };
        let reference = match (against, &form.baseline_variant) {
            (AgainstForm::Base, Some(_)) => {
                return Err(self.fault(
                    "baseline_variant",
                    "says nothing where the rule is against the base".to_owned(),
                    "leave it out, or write against = \"baseline\"".to_owned(),
                ));
            }
            (AgainstForm::Base, None) => Reference::Base,
            (AgainstForm::Baseline, name) => Reference::Baseline(name.clone()),
        };
        Ok(Check::Against {
            reference,
            margin,
            test,
        })
    }

    fn bound(&self, form: &RuleForm, bound: Bound) -> GateResult<Check> {
        let (field, value) = match bound {
            Bound::Min(min) => ("min", min),
            Bound::Max(max) => ("max", max),
        };
        if !value.is_finite() {
            return Err(self.fault(
                field,
                format!("{value} is no bound"),
                "write a number in the metric's unit: 0.3 for 30 %".to_owned(),
            ));
        }
        for (other, given) in [
            ("margin", form.margin.is_some()),
            ("baseline_variant", form.baseline_variant.is_some()),
        ] {
            if given {
                return Err(self.fault(
                    other,
                    format!("says nothing beside `{field}`, which compares with no other score"),
                    "leave it out, or write against = \"base\" or \"baseline\" in place of the bound"
                        .to_owned(),
                ));
            }
        }
        match form.test {
            None | Some(Test::None) => Ok(Check::Bound {
                bound,
                by_interval: form.test.is_none(),
            }),
            Some(_) => Err(self.fault(
                "test",
                format!("compares two scores, and `{field}` bounds one"),
                "leave it out to let the score's interval decide, or write \"none\" to let the score alone do so"
                    .to_owned(),
            )),
        }
    }

    fn limits(&self, line: usize, form: &LimitForm) -> GateResult<Vec<Limit>> {
        let set = form.set();
        if set.is_empty() {
            let all: Vec<&str> = Measure::ALL.iter().map(|measure| measure.field()).collect();
            return Err(GateError::Policy {
                path: self.path.to_owned(),
                place: self.place.clone(),
                problem: "it limits nothing".to_owned(),
                remedy: format!("give at least one of {}", all.join(", ")),
            });
        }
        for &(measure, value) in &set {
            self.check_limit(form, measure, value)?;
        }
        Ok(set
            .into_iter()
            .map(|(measure, value)| Limit {
                line,
                name: form.name.clone(),
                suite: form.suite.clone(),
                variant: form.variant.clone().unwrap_or_else(|| "*".to_owned()),
                measure,
                value,
            })
            .collect())
    }

    fn check_limit(&self, form: &LimitForm, measure: Measure, value: f64) -> GateResult<()> {
        let field = measure.field();
        let apart = "give it a [[limit]] of its own without that field";
        if !value.is_finite() || value < 0.0 {
            return Err(self.fault(
                field,
                format!("{value} is no limit"),
                "write a number from 0".to_owned(),
            ));
        }
        if measure.is_share() && value > 1.0 {
            return Err(self.fault(
                field,
                format!("{value} is no share: it lies between 0 and 1"),
                format!("write {} for {value} %", value / 100.0),
            ));
        }
        if form.suite.is_some() && measure.scope() != Scope::Suite {
            return Err(self.fault(
                field,
                "is measured over all suites together, and the limit names a suite".to_owned(),
                apart.to_owned(),
            ));
        }
        if form.variant.is_some() && measure.scope() == Scope::Bench {
            return Err(self.fault(
                field,
                "is measured by evalh bench of a checkpoint, and the limit names a variant"
                    .to_owned(),
                apart.to_owned(),
            ));
        }
        Ok(())
    }
}
