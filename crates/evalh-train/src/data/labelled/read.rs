//! Files of texts with labels.

use super::super::{DataError, Place, error::Fault, fields::Fields, read};
use super::{LabelledDataset, LabelledText};
use evalh_model::Label;
use std::path::Path;

const KNOWN: &str = "use text and label, or sentence1, sentence2 and label";

/// The rows of a `.jsonl` file (an object a line) or of a `.json` file: `text` or `sentence1` and `sentence2`, and a
/// `label`, which is the number of a class (a whole number from 0) or a number (with a point).
///
/// # Errors
/// When the file cannot be read, or a line is none of these or of another kind than those before it, named with file,
/// line, field and remedy.
pub fn read_labelled(path: &Path) -> Result<LabelledDataset, DataError> {
    let bytes = std::fs::read(path).map_err(|source| DataError::Io {
        path: path.to_owned(),
        source,
    })?;
    parse_labelled(path, &bytes)
}

/// The rows of a file's `bytes`; `path` tells its ending and is named in errors.
///
/// # Errors
/// As [`read_labelled`].
pub fn parse_labelled(path: &Path, bytes: &[u8]) -> Result<LabelledDataset, DataError> {
    let mut rows: Vec<LabelledText> = Vec::new();
    for (place, fields) in read::rows(path, bytes)? {
        let row = row(place, fields).and_then(|row| match rows.first() {
            Some(first) => same_kind(first, row),
            None => Ok(row),
        });
        rows.push(row.map_err(|fault| fault.content(path, place))?);
    }
    if rows.is_empty() {
        let fault = Fault::new("it holds no rows", "put an object on each line");
        return Err(fault.content(path, Place::File));
    }
    Ok(LabelledDataset {
        path: path.to_owned(),
        hash: evalh_record::sha256_bytes(bytes),
        rows,
    })
}

fn row(place: Place, mut fields: Fields) -> Result<LabelledText, Fault> {
    let is_pair = !fields.has("text");
    let texts: &[&str] = if is_pair {
        &["sentence1", "sentence2"]
    } else {
        &["text"]
    };
    let own = |name: &str| name == "label" || texts.contains(&name);
    if let Some(name) = fields.names().find(|name| !own(name)) {
        let problem = format!("field `{}` is unknown", name.escape_debug());
        return Err(Fault::new(problem, KNOWN));
    }
    if let Some(name) = texts
        .iter()
        .chain(&["label"])
        .find(|name| !fields.has(name))
    {
        return Err(Fault::new(format!("field `{name}` is missing"), KNOWN));
    }
    let second = is_pair.then(|| fields.take_text("sentence2")).transpose()?;
    Ok(LabelledText {
        place,
        first: fields.take_text(texts[0])?,
        second,
        label: fields.take_label("label")?,
    })
}

/// `row`, where it is of the first one's kind.
fn same_kind(first: &LabelledText, row: LabelledText) -> Result<LabelledText, Fault> {
    if first.second.is_some() != row.second.is_some() {
        return Err(Fault::new(
            format!("it has another number of texts than {}", first.place),
            "put texts and pairs of texts into files of their own",
        ));
    }
    let is_class = |label: &Label| matches!(label, Label::Class(_));
    if is_class(&first.label) != is_class(&row.label) {
        return Err(Fault::new(
            format!(
                "one of its label and that of {} is a class and one a number",
                first.place
            ),
            "write classes as whole numbers (1) and numbers with a point (1.0) throughout",
        ));
    }
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(text: &str) -> Result<LabelledDataset, String> {
        parse_labelled(Path::new("d.jsonl"), text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn texts_and_pairs_have_classes_or_numbers() {
        let classes =
            lines("{\"text\":\"a\",\"label\":2}\n\n{\"label\":0,\"text\":\"b\"}").unwrap();
        assert_eq!(classes.outputs(), 3);
        assert_eq!(classes.rows[1].place, Place::Line(3));
        assert_eq!(classes.rows[0].label, Label::Class(2));
        let pairs = r#"{"sentence1":"a","sentence2":"b","label":-3.5}"#;
        let pairs = lines(pairs).unwrap();
        assert_eq!(pairs.outputs(), 1);
        assert_eq!(pairs.rows[0].second.as_deref(), Some("b"));
        assert_eq!(pairs.rows[0].label, Label::Value(-3.5));
        assert_eq!(lines(r#"{"text":"a","label":0}"#).unwrap().outputs(), 2);
    }

    #[test]
    fn what_is_none_of_these_is_refused_by_name() {
        let whole = r#"{"text":"a","label":1}"#;
        for (text, problem) in [
            (r#"{"text":"a"}"#, "field `label` is missing"),
            (r#"{"label":1}"#, "field `sentence1` is missing"),
            (
                r#"{"text":"a","label":1,"idx":4}"#,
                "field `idx` is unknown",
            ),
            (
                r#"{"text":"a","sentence1":"b","label":1}"#,
                "field `sentence1` is unknown",
            ),
            (r#"{"text":"a","label":-1}"#, "field `label` is -1"),
            (r#"{"text":"a","label":"1"}"#, "field `label` is a text"),
            (r#"{"text":3,"label":1}"#, "field `text` is a number"),
            (r#"{"text":"a","label":1e39}"#, "field `label` is 1e"),
            ("", "it holds no rows"),
            (
                &format!("{whole}\n{}", r#"{"text":"b","label":1.0}"#),
                "line 2: one of its label and that of line 1 is a class",
            ),
            (
                &format!(
                    "{whole}\n{}",
                    r#"{"sentence1":"b","sentence2":"","label":1}"#
                ),
                "line 2: it has another number of texts than line 1",
            ),
        ] {
            let error = lines(text).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(text in ".{0,200}") {
            let _ = lines(&text);
            let _ = lines(&format!("{{\"text\":\"{text}\",\"label\":1}}"));
        }
    }
}
