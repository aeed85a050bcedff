//! Files of JSON Lines, plain or gzipped, read with line numbers for messages.

use crate::TaskError;
use flate2::read::MultiGzDecoder;
use serde_json::{Map, Value};
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// Most bytes of a file of problems or samples, unpacked. `HumanEval` has 0.2 MB; the limit keeps a small file that unpacks
/// without end from filling the memory.
const MOST_BYTES: u64 = 1 << 30;

/// One line that is not blank.
pub struct Line {
    /// Its number, from 1.
    pub number: usize,
    /// Its object.
    pub fields: Map<String, Value>,
}

/// Reads a file, unpacked where its name ends in `.gz`.
pub fn read_text(path: &Path) -> Result<String, TaskError> {
    let read_error = |source: io::Error, remedy: &str| TaskError::Read {
        path: path.to_owned(),
        source,
        remedy: remedy.to_owned(),
    };
    let file = File::open(path)
        .map_err(|source| read_error(source, "give a file of JSON Lines, .jsonl or .jsonl.gz"))?;
    let mut bytes = Vec::new();
    let is_packed = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    if is_packed {
        MultiGzDecoder::new(file)
            .take(MOST_BYTES + 1)
            .read_to_end(&mut bytes)
    } else {
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes)
    }
    .map_err(|source| {
        read_error(
            source,
            "the file is damaged or cannot be read, copy it again",
        )
    })?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(TaskError::Data {
            path: path.to_owned(),
            problem: "it is larger than 1 GiB unpacked".into(),
            remedy: "give a file of JSON Lines with one problem or sample a line, split in parts if need be".into(),
        });
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        TaskError::Line {
            path: path.to_owned(),
            line: valid.split(|&byte| byte == b'\n').count(),
            problem: "it is not UTF-8".into(),
            remedy: "store the file in UTF-8".into(),
        }
    })
}

/// The lines of `text` that are not blank; `path` is for messages.
pub fn lines<'t>(
    path: &'t Path,
    text: &'t str,
) -> impl Iterator<Item = Result<Line, TaskError>> + 't {
    text.lines()
        .zip(1..)
        .filter(|(line, _)| !line.trim().is_empty())
        .map(move |(line, number)| {
            let problem = match serde_json::from_str(line) {
                Ok(Value::Object(fields)) => return Ok(Line { number, fields }),
                Ok(_) => "it is not a JSON object".into(),
                Err(error) => format!("it is not JSON ({error})"),
            };
            Err(TaskError::Line {
                path: path.to_owned(),
                line: number,
                problem,
                remedy: "the line is corrupt: fix or remove it, or fetch the file again".into(),
            })
        })
}

impl Line {
    /// The text of a field that has to be there.
    pub fn text(&self, path: &Path, field: &str) -> Result<String, TaskError> {
        match self.fields.get(field) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err(self.error(path, format!("field `{field}` is not a string"))),
            None => Err(self.error(path, format!("field `{field}` is missing"))),
        }
    }

    /// An error about this line, of which the remedy is another content.
    pub fn error(&self, path: &Path, problem: String) -> TaskError {
        TaskError::Line {
            path: path.to_owned(),
            line: self.number,
            problem,
            remedy: "fix the line, or fetch or make the file again".into(),
        }
    }
}
