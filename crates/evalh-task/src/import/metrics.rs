//! What is scored, and what does not count when texts are compared.

use super::{config::Config, dialect::regex_problem, notes::Notes, prompt::unusable, yaml::Node};
use crate::definition::{Metric, Normalize};

/// What is asked of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Choices,
    Generation,
    Loss,
}

/// A metric by lm-eval's name, with the aggregation that it has to have.
fn metric(kind: Kind, name: &str) -> Option<(Metric, &'static str)> {
    Some(match (kind, name) {
        (Kind::Choices, "acc") => (Metric::Acc, "mean"),
        (Kind::Choices, "acc_norm") => (Metric::AccNorm, "mean"),
        (Kind::Choices, "acc_bytes") => (Metric::AccBytes, "mean"),
        (Kind::Choices, "f1") => (Metric::F1, "f1"),
        (Kind::Choices, "mcc") => (Metric::Mcc, "matthews_corrcoef"),
        (Kind::Generation, "exact_match") => (Metric::ExactMatch, "mean"),
        (Kind::Loss, "word_perplexity") => (Metric::WordPerplexity, "weighted_perplexity"),
        (Kind::Loss, "bits_per_byte") => (Metric::BitsPerByte, "bits_per_byte"),
        _ => return None,
    })
}

/// The metrics that lm-eval takes where none are named.
fn defaults(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Choices => &["acc", "acc_norm"],
        Kind::Generation => &["exact_match"],
        Kind::Loss => &["word_perplexity", "byte_perplexity", "bits_per_byte"],
    }
}

/// Takes `metric_list`.
pub(super) fn take(
    config: &mut Config,
    kind: Kind,
    notes: &mut Notes,
) -> (Vec<Metric>, Option<Normalize>) {
    let key = "metric_list";
    let named = match config.take(key) {
        None => defaults(kind)
            .iter()
            .map(|&name| Node::Map(vec![("metric".into(), Node::Text(name.into()))]))
            .collect(),
        Some(Node::List(metrics)) => metrics,
        Some(other) => {
            notes.changes(key, unusable(&other));
            Vec::new()
        }
    };
    let mut metrics = Vec::new();
    let mut normalize = None;
    for node in named {
        let Node::Map(entries) = node else {
            notes.changes(key, unusable(&node));
            continue;
        };
        let mut settings = Config::of(entries);
        let name = match settings.take("metric") {
            Some(Node::Text(name)) => name,
            other => {
                notes.lost(
                    key,
                    format!("a metric is {}", other.unwrap_or(Node::Null).describe()),
                );
                continue;
            }
        };
        let Some((metric, aggregation)) = metric(kind, &name) else {
            notes.lost(
                format!("{key}.{name}"),
                "the form has no such metric for this kind of question",
            );
            continue;
        };
        if let Some(why) = otherwise(&mut settings, kind, &name, aggregation) {
            notes.lost(format!("{key}.{name}"), why);
            continue;
        }
        if metric == Metric::ExactMatch {
            normalize = comparison(&mut settings, notes);
        }
        rest(settings, kind, &name, notes);
        if !metrics.contains(&metric) {
            metrics.push(metric);
        }
    }
    if metrics.is_empty() {
        notes.changes(key, "none of its metrics is in the form");
    }
    (metrics, normalize)
}

/// Takes what `exact_match` leaves out of a comparison.
fn comparison(settings: &mut Config, notes: &mut Notes) -> Option<Normalize> {
    let mut flag = |key: &str| match settings.take(key) {
        None => false,
        Some(Node::Bool(flag)) => flag,
        Some(other) => {
            notes.changes(
                format!("metric_list.exact_match.{key}"),
                format!("it is {}", other.describe()),
            );
            false
        }
    };
    let mut normalize = Normalize {
        remove: Vec::new(),
        ignore_case: flag("ignore_case"),
        ignore_punctuation: flag("ignore_punctuation"),
        ignore_numbers: flag("ignore_numbers"),
    };
    let removed = match settings.take("regexes_to_ignore") {
        Some(Node::List(removed)) => removed,
        None => Vec::new(),
        Some(other) => vec![other],
    };
    for node in removed {
        match node {
            Node::Text(regex) => match regex_problem(&regex) {
                None => normalize.remove.push(regex),
                Some(problem) => {
                    notes.changes("metric_list.exact_match.regexes_to_ignore", problem);
                }
            },
            other => notes.changes(
                "metric_list.exact_match.regexes_to_ignore",
                format!("{} is no text", other.describe()),
            ),
        }
    }
    (normalize != Normalize::default()).then_some(normalize)
}

/// Why a metric's score would be another than the one that has its name here.
fn otherwise(settings: &mut Config, kind: Kind, name: &str, aggregation: &str) -> Option<String> {
    match settings.take("aggregation") {
        None => {}
        Some(Node::Text(given)) if given == aggregation => {}
        Some(other) => {
            let other = other.describe();
            return Some(format!(
                "its aggregation is {other}, and here always `{aggregation}`"
            ));
        }
    }
    let better_high = kind != Kind::Loss;
    match settings.take("higher_is_better") {
        None => {}
        Some(Node::Bool(given)) if given == better_high => {}
        Some(other) => {
            return Some(format!("its `higher_is_better` is {}", other.describe()));
        }
    }
    // lm-eval's own `exact_match` is a copy of the other library's, and only of generated texts is a metric's function asked.
    match settings.take("hf_evaluate") {
        Some(Node::Bool(true)) if kind == Kind::Generation && name != "exact_match" => {
            Some("it is that of another library".into())
        }
        _ => None,
    }
}

/// Notes the settings that are left. lm-eval looks at them only where texts are generated.
fn rest(settings: Config, kind: Kind, name: &str, notes: &mut Notes) {
    for (setting, _) in settings.rest() {
        let key = format!("metric_list.{name}.{setting}");
        if kind == Kind::Generation {
            notes.changes(key, "the metric takes no such setting here");
        } else {
            notes.lost(key, "it has no effect in lm-eval either");
        }
    }
}
