//! `[evaluate]`: what every trained adapter is asked, in the terms of `evalh run`.

use super::{PlanResult, reader::Section, value::Value};
use serde::Serialize;

/// Options of `evalh run` that take a value for every suite, or a table of values by suite.
const PER_SUITE: [(&str, &str); 12] = [
    ("protocol", "--protocol"),
    ("tasks", "--tasks"),
    ("limit", "--limit"),
    ("draw", "--draw"),
    ("draw_seed", "--draw-seed"),
    ("shots", "--shots"),
    ("shot_seed", "--shot-seed"),
    ("samples", "--samples"),
    ("max_new_tokens", "--max-new-tokens"),
    ("window", "--window"),
    ("stride", "--stride"),
    ("data", "--data"),
];
/// Options that take one value.
const SINGLE: [(&str, &str); 9] = [
    ("system", "--system"),
    ("temperature", "--temperature"),
    ("top_p", "--top-p"),
    ("seed", "--seed"),
    ("apply", "--apply"),
    ("device", "--device"),
    ("kernel", "--kernel"),
    ("precision", "--precision"),
    ("runtime", "--runtime"),
];
/// Options that take none.
const SWITCHES: [(&str, &str); 2] = [("chat", "--chat"), ("shots_as_turns", "--shots-as-turns")];

/// What every trained adapter is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evaluation {
    /// Suites or packs of what is trained for, as `--suite` takes them.
    pub target: Vec<String>,
    /// Suites or packs that measure forgetting.
    pub guard: Vec<String>,
    /// What the base's weights are rounded to at load, as `--quantize` takes it.
    pub quantize: Option<String>,
    /// The other options of `evalh run`, as words of its command line.
    pub arguments: Vec<String>,
}

impl Evaluation {
    /// Every suite or pack, the targets first, each once.
    pub fn suites(&self) -> Vec<&str> {
        self.target
            .iter()
            .chain(&self.guard)
            .map(String::as_str)
            .collect()
    }
}

/// Every key of the table.
pub(super) fn keys() -> Vec<&'static str> {
    let options = PER_SUITE.iter().chain(&SINGLE).chain(&SWITCHES);
    ["target", "guard", "quantize"]
        .into_iter()
        .chain(options.map(|(key, _)| *key))
        .collect()
}

pub(super) fn read(table: &Section<'_>) -> PlanResult<Evaluation> {
    let target = table.optional("target", suites)?.unwrap_or_default();
    let guard = table.optional("guard", suites)?.unwrap_or_default();
    if target.is_empty() && guard.is_empty() {
        return Err(table.missing("target", "target = [\"gsm8k\"], or guard = [\"mini_mmlu\"]"));
    }
    if let Some(both) = guard.iter().find(|suite| target.contains(suite)) {
        return Err(table.wrong(
            "guard",
            format!("has \"{both}\", which `target` has too"),
            "a suite is either trained for or watched: leave it out of one of the two",
        ));
    }
    let quantize = table.optional("quantize", |value| {
        let names = ["none", "nf4", "nf4-double", "fp4", "int8"];
        value.one_of(&names.map(|name| (name, name)))
    })?;
    let mut arguments = Vec::new();
    for (key, option) in PER_SUITE {
        if let Some(value) = table.get(key) {
            per_suite(&value, option, &mut arguments)?;
        }
    }
    for (key, option) in SINGLE {
        if let Some(value) = table.get(key) {
            let word = if key == "runtime" {
                path(&value)?
            } else {
                value.word()?
            };
            arguments.extend([option.to_owned(), word]);
        }
    }
    for (key, option) in SWITCHES {
        if table.optional(key, Value::flag)? == Some(true) {
            arguments.push(option.to_owned());
        }
    }
    Ok(Evaluation {
        target,
        guard,
        quantize: quantize.filter(|name| *name != "none").map(str::to_owned),
        arguments,
    })
}

/// Suites and packs; a TOML file is taken from the plan's folder.
fn suites(value: &Value<'_, '_>) -> PlanResult<Vec<String>> {
    value.texts()?;
    let named = value.list()?;
    let named = named.iter().map(|entry| {
        let name = entry.text()?;
        if name.contains(',') {
            return Err(entry.wrong(
                format!("\"{name}\" holds a comma"),
                "name one suite in each pair of quotes",
            ));
        }
        let is_file = std::path::Path::new(&name)
            .extension()
            .is_some_and(|end| end == "toml");
        if is_file { path(entry) } else { Ok(name) }
    });
    named.collect()
}

fn per_suite(value: &Value<'_, '_>, option: &str, arguments: &mut Vec<String>) -> PlanResult<()> {
    let word = |value: &Value<'_, '_>| match option {
        "--data" => path(value),
        "--tasks" if value.toml.is_array() => Ok(value.texts()?.join(",")),
        _ => value.word(),
    };
    if value.toml.is_table() {
        for (suite, value) in value.entries()? {
            arguments.extend([option.to_owned(), format!("{suite}={}", word(&value)?)]);
        }
    } else {
        arguments.extend([option.to_owned(), word(value)?]);
    }
    Ok(())
}

/// A path as a word of a command line.
fn path(value: &Value<'_, '_>) -> PlanResult<String> {
    let path = value.path()?;
    path.to_str().map(str::to_owned).ok_or_else(|| {
        value.wrong(
            "is in a folder whose name is not UTF-8",
            "move the plan to a folder with a plain name",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_option_is_named_twice() {
        let mut all = keys();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
