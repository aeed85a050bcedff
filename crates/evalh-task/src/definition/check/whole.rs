//! What holds for a task, all of its fields together.

use super::Part;
use crate::{
    TaskError,
    definition::{
        effective::Kind,
        form::{Form, Layout, Metric, TextOrList},
    },
};

impl Form {
    /// A task's form, with the layouts that its rows come from.
    pub(super) fn check_whole(&self, layouts: &[Layout], at: &Part<'_>) -> Result<(), TaskError> {
        let kinds = self.kinds();
        let [kind] = kinds[..] else {
            let problem = if kinds.is_empty() {
                "it asks nothing".to_owned()
            } else {
                let fields: Vec<&str> = kinds.iter().map(|kind| kind.field()).collect();
                format!("it asks {} at once", fields.join(" and "))
            };
            return at.refuse(
                "",
                problem,
                "give exactly one of choices, generate and loss",
            );
        };
        if self.context.is_none() {
            return at.refuse(
                "context",
                "it is missing",
                "give the template of the question",
            );
        }
        if kind != Kind::Loss && self.target.is_none() {
            return at.refuse(
                "target",
                "it is missing",
                "give the template of what is right",
            );
        }
        self.check_unused(kind, at)?;
        self.check_metrics(kind, at)?;
        self.check_target(at)?;
        let takes_rows = self
            .shots
            .as_ref()
            .is_some_and(|shots| shots.exemplars.is_empty());
        if takes_rows
            && self.shot_count() > 0
            && layouts.iter().any(|layout| layout.shots.is_none())
        {
            return at.refuse(
                "shots",
                "a layout has no rows to take them from",
                "add `shots = { file = \"...\" }` to each layout, or exemplars here",
            );
        }
        Ok(())
    }

    /// Fields that would have no effect.
    fn check_unused(&self, kind: Kind, at: &Part<'_>) -> Result<(), TaskError> {
        let is_loss = kind == Kind::Loss;
        let is_generated = kind == Kind::Generate;
        let fields = [
            ("extract", !self.extracts.is_empty(), is_generated),
            ("normalize", self.normalize.is_some(), is_generated),
            ("target_is", self.target_is.is_some(), kind == Kind::Choices),
            ("shots", self.shots.is_some(), !is_loss),
            ("preamble", self.preamble.is_some(), !is_loss),
            ("prefill", self.prefill.is_some(), !is_loss),
            ("separator", self.separator.is_some(), !is_loss),
            (
                "delimiter",
                self.delimiter.is_some(),
                !is_loss || self.target.is_some(),
            ),
            ("positive", self.positive.is_some(), self.has_positive()),
        ];
        for (field, is_set, has_effect) in fields {
            if is_set && !has_effect {
                return at.refuse(
                    field,
                    format!("it has no effect on {} with these metrics", kind.field()),
                    "leave it out",
                );
            }
        }
        Ok(())
    }

    fn check_metrics(&self, kind: Kind, at: &Part<'_>) -> Result<(), TaskError> {
        for metric in self.metrics() {
            if metric.kind() != kind {
                return at.refuse(
                    "metrics",
                    format!("{} is no metric of {}", metric.name(), kind.field()),
                    format!("{} is answered by: {}", kind.field(), metric_names(kind)),
                );
            }
        }
        let choices = self.choice_count();
        let positive = self.positive.unwrap_or(1);
        if self.has_positive() && choices.is_some_and(|choices| positive >= choices) {
            return at.refuse(
                "positive",
                format!(
                    "it is {positive}, and there are {} choices",
                    choices.unwrap_or(0)
                ),
                "give the place of a choice, from 0",
            );
        }
        Ok(())
    }

    /// Choices that are digits make a target of digits ambiguous.
    fn check_target(&self, at: &Part<'_>) -> Result<(), TaskError> {
        let Some(TextOrList::List(choices)) = &self.choices else {
            return Ok(());
        };
        let misleads = |(place, choice): (usize, &String)| {
            let is_digits = choice.chars().all(|c| c.is_ascii_digit());
            is_digits && choice.parse() != Ok(place)
        };
        if self.target_is.is_none() && choices.iter().enumerate().any(misleads) {
            return at.refuse(
                "target_is",
                "it is missing, and a choice is a number that is not its place, so the target could mean either",
                "set it to \"place\" or \"text\"",
            );
        }
        Ok(())
    }
}

fn metric_names(kind: Kind) -> String {
    let names = Metric::ALL.iter();
    let fitting = names.filter(|metric| metric.kind() == kind);
    fitting
        .map(|metric| metric.name())
        .collect::<Vec<_>>()
        .join(", ")
}
