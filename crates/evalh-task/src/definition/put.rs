//! A whole form, compiled.

use super::{
    form::{Form, TextOrList},
    python::Regex,
    template::{Formula, Text},
};

/// The templates of a form: how an item is put.
pub struct Put<'d> {
    /// An item's id.
    pub id: Option<Text<'d>>,
    /// Before everything else.
    pub preamble: Option<Text<'d>>,
    /// The question.
    pub context: Option<Text<'d>>,
    /// What is right.
    pub target: Option<Text<'d>>,
    /// The beginning of the answer.
    pub prefill: Option<Text<'d>>,
    /// The answers to choose from.
    pub choices: Option<Choices<'d>>,
}

/// The answers to choose from.
pub enum Choices<'d> {
    /// A template each.
    Each(Vec<Text<'d>>),
    /// A list computed from the row.
    Computed(Formula),
}

/// What is wrong with a field: its name, and the problem.
pub type Fault = (String, String);

impl<'d> Put<'d> {
    /// Compiles what the form sets.
    pub fn new(form: &'d Form) -> Result<Put<'d>, Fault> {
        let text = |field: &str, source: &'d Option<String>| {
            let compiled = source.as_deref().map(Text::new).transpose();
            compiled.map_err(|problem| (field.to_owned(), problem))
        };
        let choices = match &form.choices {
            None => None,
            Some(TextOrList::Text(source)) => Some(Choices::Computed(
                Formula::new(source).map_err(|problem| ("choices".to_owned(), problem))?,
            )),
            Some(TextOrList::List(sources)) => {
                let compiled = sources.iter().zip(0..).map(|(source, place)| {
                    Text::new(source).map_err(|problem| (format!("choices[{place}]"), problem))
                });
                Some(Choices::Each(compiled.collect::<Result<_, _>>()?))
            }
        };
        Ok(Put {
            id: text("id", &form.id)?,
            preamble: text("preamble", &form.preamble)?,
            context: text("context", &form.context)?,
            target: text("target", &form.target)?,
            prefill: text("prefill", &form.prefill)?,
            choices,
        })
    }
}

/// The expressions of a form: how a generated text is read and compared.
#[derive(Debug)]
pub struct Reading {
    /// For each way of reading, its expression where it has one.
    pub extracts: Vec<Option<Regex>>,
    /// What is removed before texts are compared.
    pub remove: Vec<Regex>,
}

impl Reading {
    /// Compiles what the form sets.
    pub fn new(form: &Form) -> Result<Reading, Fault> {
        let mut extracts = Vec::new();
        for (extract, place) in form.extracts.iter().zip(0..) {
            let regex = extract.regex.as_deref().map(Regex::new).transpose();
            extracts.push(regex.map_err(|problem| (format!("extract[{place}].regex"), problem))?);
        }
        let mut remove = Vec::new();
        let sources = form
            .normalize
            .iter()
            .flat_map(|normalize| &normalize.remove);
        for (source, place) in sources.zip(0..) {
            let field = || format!("normalize.remove[{place}]");
            remove.push(Regex::new(source).map_err(|problem| (field(), problem))?);
        }
        Ok(Reading { extracts, remove })
    }
}
