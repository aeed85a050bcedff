//! Files of samples.

use super::{DataError, Dataset, Format, Place, Sample, error::Fault, fields::Fields};
use std::{borrow::Cow, path::Path};

/// The samples of a `.jsonl` file (an object a line) or of a `.json` file (an array of objects, or an object a line).
///
/// The format is told from the fields of each line, and all lines are of one format. Lines of nothing but white space are
/// passed over.
///
/// # Errors
/// When the file cannot be read, a line is no object, or its fields are not those of one format, named with file, line,
/// field and remedy.
pub fn read(path: &Path) -> Result<Dataset, DataError> {
    let bytes = std::fs::read(path).map_err(|source| DataError::Io {
        path: path.to_owned(),
        source,
    })?;
    parse(path, &bytes)
}

/// The samples of a file's `bytes`; `path` tells its ending and is named in errors.
///
/// # Errors
/// As [`read`].
pub fn parse(path: &Path, bytes: &[u8]) -> Result<Dataset, DataError> {
    let rows = rows(path, bytes)?;
    let mut samples = Vec::with_capacity(rows.len());
    let mut known: Option<(Format, Place)> = None;
    for (place, fields) in rows {
        let sample = Format::of(&fields).and_then(|format| {
            let (first, first_place) = *known.get_or_insert((format, place));
            if format != first {
                return Err(Fault::new(
                    format!("it is {format} and {first_place} is {first}"),
                    "put each format into a file of its own",
                ));
            }
            format.content(fields)
        });
        samples.push(Sample {
            place,
            content: sample.map_err(|fault| fault.content(path, place))?,
        });
    }
    let Some((format, _)) = known else {
        let fault = Fault::new("it holds no samples", "put an object on each line");
        return Err(fault.content(path, Place::File));
    };
    Ok(Dataset {
        path: path.to_owned(),
        hash: evalh_record::sha256_bytes(bytes),
        format,
        samples,
    })
}

/// The objects of a file's `bytes`.
pub(super) fn rows(path: &Path, bytes: &[u8]) -> Result<Vec<(Place, Fields)>, DataError> {
    let ending = path
        .extension()
        .map_or(Cow::Borrowed(""), |e| e.to_string_lossy());
    let is_array = match &*ending.to_ascii_lowercase() {
        "jsonl" => false,
        // Files of this ending often are JSON Lines.
        "json" => bytes.trim_ascii_start().first() != Some(&b'{'),
        _ => {
            let fault = Fault::new(
                "the file's name ends in neither .jsonl nor .json",
                "write an object a line into a .jsonl file",
            );
            return Err(fault.content(path, Place::File));
        }
    };
    let rows = if is_array { array(bytes) } else { lines(bytes) };
    rows.map_err(|(place, fault)| fault.content(path, place))
}

type Rows = Result<Vec<(Place, Fields)>, (Place, Fault)>;

fn lines(bytes: &[u8]) -> Rows {
    let mut rows = Vec::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let place = Place::Line(index as u64 + 1);
        let fields = serde_json::from_slice(line).map_err(|error| {
            let problem = format!("it is not a JSON object: {}", reason(&error));
            (place, Fault::new(problem, "put one object on each line"))
        })?;
        rows.push((place, fields));
    }
    Ok(rows)
}

fn array(bytes: &[u8]) -> Rows {
    let rows: Vec<Fields> = serde_json::from_slice(bytes).map_err(|error| {
        let problem = format!("it is not an array of JSON objects: {}", reason(&error));
        let remedy = "let the file hold one array of objects, or an object on each line";
        (
            Place::Line(error.line() as u64),
            Fault::new(problem, remedy),
        )
    })?;
    let places = (1..).map(Place::Row);
    Ok(places.zip(rows).collect())
}

/// The parser's reason without its own place, which counts from the start of a line here.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place) {
        Some(reason) => format!("{reason} at column {}", error.column()),
        None => text,
    }
}

#[cfg(test)]
mod tests;
