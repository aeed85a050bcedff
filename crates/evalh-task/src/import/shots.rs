//! Solved examples: how many, from where, and which.

use super::{config::Config, data::Data, notes::Notes, yaml::Node};
use crate::definition::{Exemplar, Rows, Sampler, Shots};
use serde_json::Value;

/// Keys of `fewshot_config` that stand for a key of the task.
const OVERRIDES: [&str; 6] = [
    "doc_to_text",
    "doc_to_choice",
    "doc_to_target",
    "gen_prefix",
    "fewshot_delimiter",
    "target_delimiter",
];

/// Solved examples, and the rows that they are taken from where they are not written out.
#[derive(Default)]
pub(super) struct Solved {
    pub(super) shots: Option<Shots>,
    pub(super) rows: Option<Rows>,
}

/// What `fewshot_config` says, with why some of it cannot be done.
#[derive(Default)]
struct Settings {
    sampler: Sampler,
    split: Option<String>,
    samples: Option<Vec<Exemplar>>,
    problems: Vec<(String, String)>,
}

/// Takes `num_fewshot`, `fewshot_split` and `fewshot_config`.
pub(super) fn take(config: &mut Config, data: &Data, notes: &mut Notes) -> Solved {
    let count = match config.take("num_fewshot") {
        None => 0,
        Some(Node::Int(count)) if count >= 0 => count as usize,
        Some(other) => {
            notes.changes("num_fewshot", format!("it is {}", other.describe()));
            0
        }
    };
    let fewshot_split = config.take_text("fewshot_split", notes);
    let mut settings = Settings {
        sampler: Sampler::Random,
        split: fewshot_split,
        ..Settings::default()
    };
    match config.take("fewshot_config") {
        None => {}
        Some(Node::Map(entries)) => entries
            .into_iter()
            .for_each(|entry| settings.set(entry, notes)),
        Some(other) => settings.problem("fewshot_config", format!("it is {}", other.describe())),
    }
    settings.solved(count, data, notes)
}

impl Settings {
    fn problem(&mut self, key: &str, why: impl Into<String>) {
        self.problems.push((key.to_owned(), why.into()));
    }

    fn set(&mut self, (key, node): (String, Node), notes: &mut Notes) {
        let name = format!("fewshot_config.{key}");
        match (key.as_str(), node) {
            (_, Node::Null) => {}
            ("sampler", Node::Text(text)) if text == "default" => self.sampler = Sampler::Random,
            ("sampler", Node::Text(text)) if text == "first_n" => self.sampler = Sampler::First,
            ("sampler", other) => {
                self.problem(
                    &name,
                    format!(
                        "it is {}; there are `default` and `first_n`",
                        other.describe()
                    ),
                );
            }
            ("split", Node::Text(split)) => self.split = Some(split),
            ("samples", Node::List(samples)) => match samples.iter().map(exemplar).collect() {
                Ok(samples) => self.samples = Some(samples),
                Err(why) => self.problem(&name, why),
            },
            ("fewshot_indices", _) => {
                notes.lost(name, "lm-eval 0.4.13 reads it and does not use it");
            }
            (key, other) if OVERRIDES.contains(&key) => self.problem(
                &name,
                format!(
                    "it is {}: examples of another form than the item are not in the form",
                    other.describe()
                ),
            ),
            (_, other) => self.problem(&name, super::prompt::unusable(&other)),
        }
    }

    fn solved(mut self, count: usize, data: &Data, notes: &mut Notes) -> Solved {
        let splits = &data.splits;
        let named = self.split.clone();
        // lm-eval draws one example more and leaves the item out where these two are equal, also where both are not given.
        let leaves_out_item = named == splits.test;
        if self.samples.is_some() && named.is_some() {
            notes.lost(
                "fewshot_config.samples",
                "a split is named too, and lm-eval takes that",
            );
            self.samples = None;
        }
        let exemplars = self.samples.take().unwrap_or_default();
        let split = if exemplars.is_empty() {
            let known = [&splits.train, &splits.validation, &splits.test];
            named.or_else(|| known.into_iter().flatten().next().cloned())
        } else {
            None
        };
        if !self.problems.is_empty() {
            for (key, why) in self.problems {
                if count > 0 {
                    notes.changes(key, why);
                } else {
                    notes.lost(
                        key,
                        format!("{why}; there are no examples unless asked for"),
                    );
                }
            }
            return Solved::default();
        }
        // Written examples differ from every item, but one more is drawn of them too.
        let drawn = self.sampler == Sampler::Random || exemplars.is_empty();
        let leaves = leaves_out_item && drawn;
        let is_default = leaves == (split.is_some() && split.as_ref() == data.asked_split());
        let shots = Shots {
            count,
            sampler: self.sampler,
            seed: None,
            leave_out_item: (!is_default).then_some(leaves),
            exemplars,
        };
        let rows = split.map(|split| data.rows(&split, "fewshot_split", notes));
        Solved {
            shots: Some(shots),
            rows,
        }
    }
}

fn exemplar(node: &Node) -> Result<Exemplar, String> {
    let Node::Map(entries) = node else {
        return Err(format!(
            "one of them is {}, not a row's fields",
            node.describe()
        ));
    };
    entries
        .iter()
        .map(|(key, node)| Ok((key.clone(), value(node)?)))
        .collect()
}

fn value(node: &Node) -> Result<Value, String> {
    Ok(match node {
        Node::Bool(value) => Value::from(*value),
        Node::Int(value) => Value::from(*value),
        Node::Float(value) if value.is_finite() => Value::from(*value),
        Node::Text(text) => Value::from(text.as_str()),
        Node::List(items) => items.iter().map(value).collect::<Result<_, _>>()?,
        Node::Map(entries) => entries
            .iter()
            .map(|(key, node)| Ok((key.clone(), value(node)?)))
            .collect::<Result<_, String>>()?,
        other => return Err(format!("{} cannot be written as TOML", other.describe())),
    })
}
