//! The parts of a form, each by itself.

use super::Part;
use crate::{
    TaskError,
    definition::{
        form::{Form, TextOrList},
        put::{Put, Reading},
    },
};
use std::collections::BTreeSet;

impl Form {
    /// Everything that the form sets.
    pub(super) fn check_parts(&self, at: &Part<'_>) -> Result<(), TaskError> {
        Put::new(self).map_err(|(field, problem)| {
            at.fault(
                &field,
                problem,
                "correct the template or expression (minijinja)",
            )
        })?;
        Reading::new(self).map_err(|(field, problem)| {
            at.fault(
                &field,
                format!("it is no regular expression: {problem}"),
                "correct it; the form is that of Python's `re`",
            )
        })?;
        self.check_asked(at)?;
        self.check_read(at)?;
        self.check_shots(at)
    }

    fn check_asked(&self, at: &Part<'_>) -> Result<(), TaskError> {
        if let Some(TextOrList::List(choices)) = &self.choices {
            if choices.len() < 2 {
                return at.refuse("choices", "there are less than two", "give at least two");
            }
            for (choice, place) in choices.iter().zip(0..) {
                if choice.is_empty() {
                    let field = format!("choices[{place}]");
                    return at.refuse(&field, "it is empty", "give the choice's text");
                }
                if choices[..place].contains(choice) {
                    let field = format!("choices[{place}]");
                    return at.refuse(
                        &field,
                        format!("`{choice}` is there twice"),
                        "give each choice a text of its own",
                    );
                }
            }
        }
        if let Some(generate) = &self.generate {
            if generate.max_new_tokens == 0 {
                return at.refuse("generate.max_new_tokens", "it is 0", "give at least 1");
            }
            if generate.stops.iter().any(String::is_empty) {
                return at.refuse(
                    "generate.stops",
                    "one is empty, which would end every answer at once",
                    "leave it out",
                );
            }
        }
        if self
            .loss
            .as_ref()
            .is_some_and(|loss| loss.stride == Some(0))
        {
            return at.refuse("loss.stride", "it is 0", "give at least 1, or leave it out");
        }
        Ok(())
    }

    fn check_read(&self, at: &Part<'_>) -> Result<(), TaskError> {
        let mut names = BTreeSet::new();
        for (extract, place) in self.extracts.iter().zip(0..) {
            let field = format!("extract[{place}].name");
            if extract.name.is_empty() || extract.name.contains([',', '\n']) {
                return at.refuse(
                    &field,
                    format!("`{}` is no name", extract.name),
                    "name it on one line without a comma: it becomes part of the metric's name",
                );
            }
            if !names.insert(&extract.name) {
                return at.refuse(
                    &field,
                    format!("`{}` is there twice", extract.name),
                    "give each a name of its own",
                );
            }
        }
        let Some(metrics) = &self.metrics else {
            return Ok(());
        };
        let unique: BTreeSet<_> = metrics.iter().collect();
        if metrics.is_empty() || unique.len() < metrics.len() {
            return at.refuse(
                "metrics",
                "there are none, or one is there twice",
                "name each metric once, the headline first",
            );
        }
        Ok(())
    }

    fn check_shots(&self, at: &Part<'_>) -> Result<(), TaskError> {
        let Some(shots) = &self.shots else {
            return Ok(());
        };
        if shots.exemplars.len() < shots.count && !shots.exemplars.is_empty() {
            return at.refuse(
                "shots.count",
                format!(
                    "it is {}, and there are {} exemplars",
                    shots.count,
                    shots.exemplars.len()
                ),
                "ask for fewer, or add exemplars",
            );
        }
        if shots.seed.is_some() && !shots.is_random() {
            return at.refuse(
                "shots.seed",
                "it has no effect: the first examples are taken",
                "leave it out, or set `sampler = \"random\"`",
            );
        }
        Ok(())
    }
}
