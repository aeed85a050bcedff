//! What templates written for Python's Jinja expect beyond Jinja itself.

use minijinja::{Error, ErrorKind, Output, State, Value, value::ValueKind};
use std::fmt::Write as _;

/// Prints values as Python's `str` does.
pub(super) fn format(
    out: &mut Output<'_>,
    state: &State<'_, '_>,
    value: &Value,
) -> Result<(), Error> {
    match value.kind() {
        ValueKind::None => out.write_str("None").map_err(Error::from),
        ValueKind::Bool => out
            .write_str(if value.is_true() { "True" } else { "False" })
            .map_err(Error::from),
        _ => minijinja::escape_formatter(out, state, value),
    }
}

/// Replaces transformers' `{% generation %}` and `{% endgeneration %}`, which mark text for training and print nothing
/// themselves, by a condition that always holds: it treats the white space around it alike.
pub(super) fn without_generation_tags(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = rest.find("{%") {
        let (before, tag) = rest.split_at(start);
        out.push_str(before);
        let Some(end) = tag.find("%}") else {
            rest = tag;
            break;
        };
        let (tag, after) = tag.split_at(end + 2);
        let word = tag[2..end].trim_matches(['-', '+']).trim();
        out.push_str(&match word {
            "generation" => tag.replacen("generation", "if true", 1),
            "endgeneration" => tag.replacen("endgeneration", "endif", 1),
            _ => tag.to_owned(),
        });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// `datetime.strftime` for the moment given in seconds since 1970, in UTC.
pub(super) fn strftime(now: i64, format: &str) -> Result<String, Error> {
    let unknown = || {
        Error::new(
            ErrorKind::InvalidOperation,
            format!("strftime_now({format:?}) cannot be honoured"),
        )
    };
    let moment = chrono::DateTime::from_timestamp(now, 0).ok_or_else(unknown)?;
    let mut text = String::new();
    // Formatting fails on a directive that does not exist.
    write!(text, "{}", moment.format(format)).map_err(|_| unknown())?;
    Ok(text)
}
