//! A definition as the text of a file, with what is missing in it said on top.

use crate::{TaskError, definition::Definition};
use std::path::Path;

/// The definition as TOML, which is read back to be the same.
pub(super) fn write(
    definition: &Definition,
    task: &str,
    path: &Path,
    not_carried: &[(String, String)],
) -> Result<String, TaskError> {
    let failed = |problem: String| TaskError::Data {
        path: path.to_owned(),
        problem,
        remedy: "write the definition by hand".into(),
    };
    let body = toml::to_string_pretty(definition)
        .map_err(|error| failed(format!("it cannot be written as TOML: {error}")))?;
    let file = path
        .file_name()
        .map_or("a file".into(), |name| name.to_string_lossy());
    let mut text = comment(&format!("lm-eval's task `{task}`, imported from {file}."));
    if !not_carried.is_empty() {
        text += &comment("Not carried over:");
        for (key, why) in not_carried {
            text += &comment(&format!("- {key}: {why}"));
        }
    }
    text.push('\n');
    text += &body;
    match toml::from_str::<Definition>(&text) {
        Ok(again) if again == *definition => Ok(text),
        Ok(_) => Err(failed("its TOML reads as another definition".into())),
        Err(error) => Err(failed(format!("its TOML cannot be read: {error}"))),
    }
}

/// A comment of one line, whatever the text holds.
fn comment(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    format!("# {line}\n")
}
