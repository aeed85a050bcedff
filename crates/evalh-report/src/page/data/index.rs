//! The index: what the list of samples shows and what filters look at, in columns.

use super::{prompts::Prompts, rows::Row};
use crate::{compare::Role, page::PageInput};
use evalh_record::{Answer, Finish, Outcome, Sample};
use serde::Serialize;
use std::collections::HashMap;

/// The index.
#[derive(Serialize)]
pub(super) struct Index<'a> {
    /// Whether the page holds texts.
    texts: bool,
    suites: Vec<SuiteEntry<'a>>,
    variants: Vec<VariantEntry<'a>>,
    /// Ways in which answers ended, by their places in `outcome`.
    outcomes: Vec<String>,
    /// The suite of each row.
    suite: Vec<usize>,
    /// Its task, by the place in the suite's tasks.
    task: Vec<usize>,
    /// Its item.
    item: Vec<&'a str>,
    /// The first words of what was asked.
    snippet: Vec<String>,
    /// The first row of each chunk.
    chunks: Vec<usize>,
    /// The answers of each variant.
    answers: Vec<Answers>,
}

#[derive(Serialize)]
struct SuiteEntry<'a> {
    name: &'a str,
    protocol: &'a str,
    tasks: Vec<&'a str>,
}

#[derive(Serialize)]
struct VariantEntry<'a> {
    name: &'a str,
    role: Role,
    model: &'a str,
    base: Option<usize>,
}

/// What a variant made of each row.
#[derive(Default, Serialize)]
struct Answers {
    /// The mean score; `null` where it did not answer.
    score: Vec<Option<f64>>,
    /// How many answers.
    count: Vec<usize>,
    /// Against its base: 1 better, -1 worse, 0 the same, `null` where that cannot be told.
    flip: Vec<Option<i8>>,
    /// How the answers ended.
    outcome: Vec<Vec<usize>>,
}

/// The index of the rows.
pub(super) fn index<'a>(
    input: &PageInput<'a>,
    rows: &[Row<'a>],
    prompts: &Prompts<'_>,
    chunks: Vec<usize>,
) -> Index<'a> {
    let comparison = input.comparison;
    let mut suites: Vec<_> = comparison
        .suites
        .iter()
        .map(|suite| SuiteEntry {
            name: &suite.name,
            protocol: &suite.protocol,
            tasks: Vec::new(),
        })
        .collect();
    let mut tasks = HashMap::new();
    let mut outcomes = Outcomes::default();
    let mut answers: Vec<Answers> = Vec::new();
    answers.resize_with(comparison.variants.len(), Answers::default);
    let mut task = Vec::with_capacity(rows.len());
    for row in rows {
        let of_suite = &mut suites[row.suite].tasks;
        let place = *tasks.entry((row.suite, row.task)).or_insert_with(|| {
            of_suite.push(row.task);
            of_suite.len() - 1
        });
        task.push(place);
        for (variant, answers) in answers.iter_mut().enumerate() {
            let samples = &row.by_variant[variant];
            let base = comparison.variants[variant].base;
            answers.score.push(row.score(variant));
            answers.count.push(samples.len());
            answers
                .flip
                .push(base.and_then(|base| row.flip(variant, base)));
            let mut ends: Vec<_> = samples
                .iter()
                .flat_map(|sample| ends(sample, input.texts))
                .map(|name| outcomes.place(name))
                .collect();
            ends.sort_unstable();
            ends.dedup();
            answers.outcome.push(ends);
        }
    }
    Index {
        texts: input.texts,
        suites,
        variants: comparison
            .variants
            .iter()
            .map(|variant| VariantEntry {
                name: &variant.name,
                role: variant.role,
                model: &variant.model,
                base: variant.base,
            })
            .collect(),
        outcomes: outcomes.names,
        suite: rows.iter().map(|row| row.suite).collect(),
        task,
        item: rows.iter().map(|row| row.item).collect(),
        snippet: (0..rows.len()).map(|row| prompts.snippet(row)).collect(),
        chunks,
        answers,
    }
}

/// The names of outcomes, each once.
#[derive(Default)]
struct Outcomes {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

impl Outcomes {
    fn place(&mut self, name: String) -> usize {
        *self.places.entry(name).or_insert_with_key(|name| {
            self.names.push(name.clone());
            self.names.len() - 1
        })
    }
}

/// How an answer ended, in words that can be filtered by. The class of an exception is a text: a program may define it.
fn ends(sample: &Sample, texts: bool) -> Vec<String> {
    let mut ends = Vec::new();
    match &sample.outcome {
        Some(Outcome::Error { class, .. }) if texts => ends.push(class.clone()),
        Some(outcome) => ends.push(outcome.kind().to_owned()),
        None => {}
    }
    if let Answer::Generated(generation) = &sample.answer {
        let how = match generation.finish {
            Finish::Stop(_) => "ended by stop string",
            Finish::Eos(_) => "ended by end of sequence",
            Finish::Length => "ended by token limit",
        };
        ends.push(how.to_owned());
    }
    if sample.truncated_tokens > 0 {
        ends.push("prompt cut".to_owned());
    }
    if !sample.suspicions.is_empty() {
        ends.push("suspicious".to_owned());
    }
    ends
}
