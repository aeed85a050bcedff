//! A row as an item: question, answers, what is right.

use super::{
    effective::Kind,
    form::{Form, TargetIs},
    put::{Choices, Put},
    python::is_space,
    source::{Row, Split, field_remedy},
    template::{Scope, TaskValues},
};
use crate::TaskError;
use std::sync::Arc;

/// One item, ready to be put behind its solved examples.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its id within its task.
    pub id: String,
    /// Text before everything else.
    pub preamble: Arc<str>,
    /// The question, and what is right.
    pub asked: Asked,
    /// The solved examples before it: places in the split or among the exemplars.
    pub shots: Vec<usize>,
}

impl Item {
    /// Words of the text whose loss is taken, as lm-eval counts them: `len(re.split(r"\s+", text))`.
    pub fn words(&self) -> usize {
        let mut was_space = false;
        let mut words = 1;
        for c in self.asked.question.chars() {
            let is_space = is_space(c);
            words += usize::from(is_space && !was_space);
            was_space = is_space;
        }
        words
    }
}

/// A question with its answer, of an item or of a solved example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The question; where the loss is taken, all of the text.
    pub question: String,
    /// The answers to choose from; none where text is generated.
    pub choices: Arc<[String]>,
    /// Of the choices the right one's place.
    pub gold: usize,
    /// What is right, as text.
    pub target: String,
    /// The beginning of the answer; `None` also where it is empty.
    pub prefill: Option<String>,
}

/// Makes items and solved examples of a task's rows.
pub struct Maker<'m> {
    /// The task's form.
    pub form: &'m Form,
    /// The form's templates.
    pub put: &'m Put<'m>,
    /// What templates see of the task.
    pub values: &'m TaskValues,
    /// The texts that the last item shared with others.
    shared: Shared,
}

#[derive(Default)]
struct Shared {
    preamble: Arc<str>,
    choices: Arc<[String]>,
}

impl<'m> Maker<'m> {
    /// A maker for one task.
    pub fn new(form: &'m Form, put: &'m Put<'m>, values: &'m TaskValues) -> Maker<'m> {
        Maker {
            form,
            put,
            values,
            shared: Shared::default(),
        }
    }

    /// The item of a row, without its examples; `number` is its place among the task's rows.
    ///
    /// # Errors
    /// When a template fails, a choice is empty or there twice, or what is right is not among the choices.
    pub fn item(&mut self, split: &Split, number: usize) -> Result<Item, TaskError> {
        let row = &split.rows[number];
        self.try_item(row, number)
            .map_err(|problem| fault(split, row, problem))
    }

    /// The solved example of a row.
    ///
    /// # Errors
    /// As for an item.
    pub fn solved(&mut self, split: &Split, number: usize) -> Result<Asked, TaskError> {
        let row = &split.rows[number];
        let scope = self.values.with(&row.fields);
        self.asked(&scope)
            .map_err(|problem| fault(split, row, problem))
    }

    fn try_item(&mut self, row: &Row, number: usize) -> Result<Item, String> {
        let scope = self.values.with(&row.fields);
        let id = match &self.put.id {
            Some(id) => named("id", id.render(&scope))?,
            None => number.to_string(),
        };
        if id.is_empty() || id.contains(char::is_control) {
            return Err(format!(
                "its id `{}` is empty or not one line",
                id.escape_debug()
            ));
        }
        let preamble = match &self.put.preamble {
            Some(preamble) => named("preamble", preamble.render(&scope))?,
            None => String::new(),
        };
        if *self.shared.preamble != *preamble {
            self.shared.preamble = preamble.into();
        }
        let mut asked = self.asked(&scope)?;
        if self.form.kind() == Kind::Loss {
            if self.put.target.is_some() {
                asked.question += self.form.delimiter();
                asked.question += &std::mem::take(&mut asked.target);
            }
            if asked.question.is_empty() {
                return Err("its text is empty, and has no loss".into());
            }
        }
        Ok(Item {
            id,
            preamble: Arc::clone(&self.shared.preamble),
            asked,
            shots: Vec::new(),
        })
    }

    fn asked(&mut self, scope: &Scope) -> Result<Asked, String> {
        let text = |field, template: &Option<_>| {
            let rendered = template
                .as_ref()
                .map(|template: &super::template::Text<'_>| template.render(scope));
            rendered.map(|rendered| named(field, rendered)).transpose()
        };
        let question = text("context", &self.put.context)?.unwrap_or_default();
        let target = text("target", &self.put.target)?.unwrap_or_default();
        let prefill = text("prefill", &self.put.prefill)?.filter(|prefill| !prefill.is_empty());
        let Some(choices) = &self.put.choices else {
            return Ok(Asked {
                question,
                choices: Arc::default(),
                gold: 0,
                target,
                prefill,
            });
        };
        let choices = choices_of(choices, scope)?;
        let gold = self.gold(&choices, &target)?;
        if *self.shared.choices != *choices {
            self.shared.choices = choices.into();
        }
        Ok(Asked {
            question,
            target: self.shared.choices[gold].clone(),
            choices: Arc::clone(&self.shared.choices),
            gold,
            prefill,
        })
    }

    /// The place of the right choice. Digits are a place and all else is a text, as in lm-eval's `doc_to_target`, where
    /// the definition does not say.
    fn gold(&self, choices: &[String], target: &str) -> Result<usize, String> {
        let is_digits = !target.is_empty() && target.chars().all(|c| c.is_ascii_digit());
        let is_place = match self.form.target_is {
            Some(meant) => meant == TargetIs::Place,
            None => is_digits,
        };
        let place = if is_place {
            target.parse().ok().filter(|&place| place < choices.len())
        } else {
            choices.iter().position(|choice| choice == target)
        };
        place.ok_or_else(|| {
            let shown: Vec<String> = choices.iter().map(|choice| format!("`{choice}`")).collect();
            let what = if is_place { "the place of one" } else { "one" };
            format!(
                "its target `{target}` is not {what} of its choices {}",
                shown.join(", ")
            )
        })
    }
}

fn choices_of(choices: &Choices<'_>, scope: &Scope) -> Result<Vec<String>, String> {
    let choices: Vec<String> = match choices {
        Choices::Each(templates) => templates
            .iter()
            .map(|template| named("choices", template.render(scope)))
            .collect::<Result<_, _>>()?,
        Choices::Computed(formula) => {
            let value = named("choices", formula.value(scope))?;
            let items = value.try_iter().ok().filter(|_| value.as_str().is_none());
            let items = items.ok_or("its choices are no list of texts")?;
            items
                .map(|choice| choice.as_str().map(str::to_owned))
                .collect::<Option<_>>()
                .ok_or("one of its choices is no text")?
        }
    };
    if choices.len() < 2 {
        return Err(format!(
            "it has {} choices, and at least 2 are needed",
            choices.len()
        ));
    }
    for (place, choice) in choices.iter().enumerate() {
        if choice.is_empty() {
            return Err(format!("its choice {place} (from 0) is empty"));
        }
        if let Some(first) = choices[..place].iter().position(|known| known == choice) {
            return Err(format!(
                "its choices {first} and {place} (from 0) are both `{choice}`"
            ));
        }
    }
    Ok(choices)
}

fn named<T>(field: &str, rendered: Result<T, String>) -> Result<T, String> {
    rendered.map_err(|problem| format!("`{field}`: {problem}"))
}

fn fault(split: &Split, row: &Row, problem: String) -> TaskError {
    TaskError::Row {
        path: split.path.clone(),
        row: row.in_file,
        problem,
        remedy: field_remedy(&row.fields),
    }
}
