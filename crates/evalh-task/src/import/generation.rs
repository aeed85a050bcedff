//! How text is generated, and what is read out of it.

use super::{config::Config, dialect::regex_problem, notes::Notes, prompt::unusable, yaml::Node};
use crate::definition::{Extract, Generate};

/// lm-eval's limit where none is given.
const DEFAULT_MAX_NEW_TOKENS: usize = 256;
/// Names of the limit, the first that is given counts.
const LIMITS: [&str; 4] = [
    "max_gen_toks",
    "max_new_tokens",
    "max_tokens",
    "max_completion_tokens",
];
/// The expression of lm-eval's `regex` where none is given.
const DEFAULT_REGEX: &str = r"#### (\-?[0-9\.\,]+)";
/// All but the white space around a text, as lm-eval's `remove_whitespace`.
const STRIPPED: &str = r"(?s)\A\s*(.*?)\s*\Z";

/// Takes `generation_kwargs`. Without `until`, what stands between examples ends an answer.
pub(super) fn generate(config: &mut Config, separator: &str, notes: &mut Notes) -> Generate {
    let mut settings = match config.take("generation_kwargs") {
        None => Config::default(),
        Some(Node::Map(entries)) => Config::of(entries),
        Some(other) => {
            notes.changes("generation_kwargs", unusable(&other));
            Config::default()
        }
    };
    let stops = match settings.take("until") {
        None => vec![separator.to_owned()],
        Some(Node::Text(stop)) => vec![stop],
        Some(Node::List(stops)) => stops
            .into_iter()
            .filter_map(|stop| stop_text(stop, notes))
            .collect(),
        Some(other) => stop_text(other, notes).into_iter().collect(),
    };
    let generate = Generate {
        max_new_tokens: limit(&mut settings, notes),
        stops,
    };
    sampling(settings, notes);
    generate
}

fn stop_text(node: Node, notes: &mut Notes) -> Option<String> {
    match node {
        Node::Text(stop) => Some(stop),
        other => {
            notes.changes(
                "generation_kwargs.until",
                format!("{} is no text", other.describe()),
            );
            None
        }
    }
}

fn limit(settings: &mut Config, notes: &mut Notes) -> usize {
    let mut limits = LIMITS
        .iter()
        .filter_map(|name| Some((name, settings.take(name)?)));
    let limit = match limits.next() {
        None => DEFAULT_MAX_NEW_TOKENS,
        Some((_, Node::Int(limit))) if limit > 0 => limit as usize,
        Some((name, other)) => {
            notes.changes(
                format!("generation_kwargs.{name}"),
                format!("it is {}", other.describe()),
            );
            DEFAULT_MAX_NEW_TOKENS
        }
    };
    for (name, _) in limits {
        notes.lost(
            format!("generation_kwargs.{name}"),
            "another limit is given too, and lm-eval takes that",
        );
    }
    limit
}

/// Takes what is left, all of which tells how tokens are chosen. The form has greedy answers only.
fn sampling(mut settings: Config, notes: &mut Notes) {
    let temperature = match settings.take("temperature") {
        None => 0.0,
        Some(Node::Int(temperature)) => temperature as f64,
        Some(Node::Float(temperature)) => temperature,
        Some(Node::Text(text)) if text.trim().parse::<f64>().is_ok() => {
            text.trim().parse().unwrap_or(0.0)
        }
        Some(other) => {
            notes.changes(
                "generation_kwargs.temperature",
                format!("it is {}", other.describe()),
            );
            0.0
        }
    };
    let greedy = match settings.take("do_sample") {
        None => temperature == 0.0,
        Some(Node::Bool(sampled)) => !sampled,
        Some(other) => {
            notes.changes(
                "generation_kwargs.do_sample",
                format!("it is {}", other.describe()),
            );
            true
        }
    };
    if !greedy {
        notes.changes(
            "generation_kwargs.temperature",
            format!("a definition asks for greedy answers: give `--temperature {temperature}` to the run"),
        );
    }
    for (key, node) in settings.rest() {
        let name = format!("generation_kwargs.{key}");
        match key.as_str() {
            "top_p" if !greedy => notes.changes(
                name,
                format!("it is {}: give `--top-p` to the run", node.describe()),
            ),
            "top_p" | "top_k" | "typical_p" | "min_p" if greedy => {
                notes.lost(name, "it has no effect on greedy answers");
            }
            "num_beams" if node == Node::Int(1) => notes.lost(name, "it is what holds anyway"),
            "use_cache" => notes.lost(name, "answers are the same with and without a cache"),
            _ => notes.changes(
                name,
                format!("{} has no place in the form", node.describe()),
            ),
        }
    }
}

/// Takes `filter_list`: each pipeline is an extraction.
pub(super) fn extracts(config: &mut Config, notes: &mut Notes) -> Vec<Extract> {
    let key = "filter_list";
    match config.take(key) {
        None => Vec::new(),
        Some(Node::List(filters)) => filters
            .into_iter()
            .filter_map(|filter| extract(filter, notes))
            .collect(),
        Some(other) => {
            notes.changes(key, unusable(&other));
            Vec::new()
        }
    }
}

fn extract(filter: Node, notes: &mut Notes) -> Option<Extract> {
    let Node::Map(entries) = filter else {
        notes.changes("filter_list", unusable(&filter));
        return None;
    };
    let mut settings = Config::of(entries);
    let name = settings
        .take_text("name", notes)
        .unwrap_or_else(|| "none".into());
    let key = format!("filter_list.{name}");
    let steps = match settings.take("filter") {
        Some(Node::List(steps)) => steps,
        other => {
            let what = other.map_or("nothing".into(), |node| node.describe());
            notes.changes(key, format!("its `filter` is {what}"));
            return None;
        }
    };
    for (unknown, _) in settings.rest() {
        notes.changes(
            format!("{key}.{unknown}"),
            "lm-eval knows no such key of a filter",
        );
    }
    match pipeline(name, steps) {
        Ok(extract) => Some(extract),
        Err(why) => {
            notes.changes(key, why);
            None
        }
    }
}

/// One regular expression at most, white space around its result, and the first answer: that is what an extraction does.
fn pipeline(name: String, steps: Vec<Node>) -> Result<Extract, String> {
    let mut extract = Extract {
        name,
        regex: None,
        select: 0,
        fallback: None,
    };
    let (mut stripped, mut first) = (false, false);
    for step in steps {
        let Node::Map(entries) = step else {
            return Err(format!("one of its steps is {}", step.describe()));
        };
        let mut step = Config::of(entries);
        let function = match step.take("function") {
            Some(Node::Text(function)) => function,
            other => {
                return Err(format!(
                    "a step's function is {}",
                    other.unwrap_or(Node::Null).describe()
                ));
            }
        };
        match function.as_str() {
            "take_first" => first = true,
            "remove_whitespace" => stripped = true,
            "regex" if extract.regex.is_some() => {
                return Err("it has two regular expressions, one after the other".into());
            }
            "regex" if stripped => {
                return Err("it removes white space before a regular expression".into());
            }
            "regex" => set_regex(&mut extract, &mut step)?,
            other => return Err(format!("its step `{other}` is not in the form")),
        }
        if let Some((key, node)) = step.rest().into_iter().next() {
            return Err(format!(
                "its step `{function}` has `{key}`, {}",
                node.describe()
            ));
        }
    }
    if !first {
        return Err("it has no `take_first`, without which lm-eval compares a list".into());
    }
    // The result of a regular expression is stripped anyway.
    if stripped && extract.regex.is_none() {
        extract.regex = Some(STRIPPED.to_owned());
    }
    Ok(extract)
}

fn set_regex(extract: &mut Extract, step: &mut Config) -> Result<(), String> {
    let text = |node: Option<Node>, what: &str| match node {
        None => Ok(None),
        Some(Node::Text(text)) => Ok(Some(text)),
        Some(other) => Err(format!("its `{what}` is {}", other.describe())),
    };
    let regex = text(step.take("regex_pattern"), "regex_pattern")?;
    let regex = regex.unwrap_or_else(|| DEFAULT_REGEX.to_owned());
    if let Some(problem) = regex_problem(&regex) {
        return Err(problem);
    }
    extract.regex = Some(regex);
    extract.fallback = text(step.take("fallback"), "fallback")?;
    extract.select = match step.take("group_select") {
        None => 0,
        Some(Node::Int(select)) => select,
        Some(other) => return Err(format!("its `group_select` is {}", other.describe())),
    };
    Ok(())
}
