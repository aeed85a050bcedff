//! Where in a policy something is wrong, and what was meant.

use super::GateError;
use std::path::Path;

/// Below this likeness two names are not one misspelt.
const ALIKE: f64 = 0.75;

/// The line of a place in a text, from 1.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    1 + text.get(..at).unwrap_or(text).matches('\n').count()
}

/// The known name that is nearest to an unknown one, where one is near.
pub(super) fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let wanted = name.to_lowercase();
    known
        .into_iter()
        .map(|candidate| {
            (
                strsim::jaro_winkler(&wanted, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// What there is, with the nearest first: "did you mean `mmlu`? there are mmlu, gsm8k".
pub(super) fn among(name: &str, known: &[&str]) -> String {
    let all = match known {
        [] => "there is none".to_owned(),
        [one] => format!("there is only {one}"),
        all => format!("there are {}", all.join(", ")),
    };
    match nearest(name, known.iter().copied()) {
        Some(nearest) => format!("did you mean `{nearest}`? {all}"),
        None => all,
    }
}

/// The fault of a text that is not TOML, or not of the form.
pub(super) fn toml_fault(path: &Path, text: &str, error: &toml::de::Error) -> GateError {
    let start = error.span().map_or(0, |span| span.start);
    let line = line_of(text, start);
    let problem = error.message().trim().replace('\n', " ");
    GateError::Policy {
        path: path.to_owned(),
        place: match field_of(text, line) {
            Some(field) => format!("line {line}, field `{field}`"),
            None => format!("line {line}"),
        },
        remedy: remedy(&problem),
        problem,
    }
}

/// The key before the `=` of a line.
fn field_of(text: &str, line: usize) -> Option<&str> {
    let (key, _) = text.lines().nth(line - 1)?.split_once('=')?;
    let key = key.trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    (!key.is_empty() && key.chars().all(is_name)).then_some(key)
}

/// A remedy by the words of serde's messages, in which every name stands between backticks, the wrong one first.
fn remedy(problem: &str) -> String {
    let names: Vec<&str> = problem.split('`').skip(1).step_by(2).collect();
    match names.split_first() {
        Some((wrong, known)) if problem.starts_with("unknown") && !known.is_empty() => {
            match nearest(wrong, known.iter().copied()) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("use one of: {}", known.join(", ")),
            }
        }
        Some((missing, _)) if problem.starts_with("missing field") => {
            format!("add the field `{missing}`")
        }
        _ if problem.starts_with("invalid type") && problem.ends_with("f64") => {
            "write a plain number; shares are fractions: 0.02 for 2 percentage points".to_owned()
        }
        _ => "correct the line; docs/gate.md has every field and an example".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_is_recognised() {
        assert_eq!(nearest("mmul", ["gsm8k", "mmlu"]), Some("mmlu"));
        assert_eq!(nearest("humaneval", ["gsm8k", "mmlu"]), None);
        assert_eq!(
            among("gsm8", &["gsm8k", "mmlu"]),
            "did you mean `gsm8k`? there are gsm8k, mmlu"
        );
        assert_eq!(among("x", &[]), "there is none");
    }

    #[test]
    fn lines_count_from_one() {
        assert_eq!(
            [line_of("a\nb", 0), line_of("a\nb", 2), line_of("a", 99)],
            [1, 2, 1]
        );
        assert_eq!(field_of("a\n margin = 2", 2), Some("margin"));
        assert_eq!(field_of("[[rule]]", 1), None);
    }
}
