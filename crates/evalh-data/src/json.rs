//! JSON Lines, and an array of objects.

use crate::{Place, Table, error::Fault};
use serde_json::{Map, Value};

/// An object a line. Lines of nothing but white space are passed over.
pub(crate) fn lines(text: &str) -> Result<Table, Fault> {
    let mut rows = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let row: Map<String, Value> = serde_json::from_str(line).map_err(|error| {
            let problem = format!("it is not a JSON object: {}", reason(&error));
            Fault::new(
                Place::Line(index as u64 + 1),
                problem,
                "put one object on each line",
            )
        })?;
        rows.push(row);
    }
    Ok(Table::of_rows(rows))
}

/// An array of objects; where the text begins with an object, JSON Lines, as files of this ending often are.
pub(crate) fn array(text: &str) -> Result<Table, Fault> {
    if text.trim_start().starts_with('{') {
        return lines(text);
    }
    let rows: Vec<Map<String, Value>> = serde_json::from_str(text).map_err(|error| {
        let problem = format!("it is not an array of JSON objects: {}", reason(&error));
        Fault::new(
            Place::Line(error.line() as u64),
            problem,
            "let the file hold one array of objects, or an object on each line",
        )
    })?;
    Ok(Table::of_rows(rows))
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
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rows_keep_their_order_and_their_keys() {
        let table = lines("{\"b\":1,\"a\":[null,1.5]}\r\n\n{\"c\":{},\"b\":\"x\"}").unwrap();
        assert_eq!(table.columns, ["b", "a", "c"]);
        assert_eq!(
            Value::from(table.rows),
            json!([{"b": 1, "a": [null, 1.5]}, {"c": {}, "b": "x"}])
        );
        let same = array("\n[{\"b\":1},\n{\"c\":2}]").unwrap();
        assert_eq!(same.columns, ["b", "c"]);
        assert_eq!(array("{\"b\":1}\n{\"c\":2}\n").unwrap(), same);
        assert_eq!(lines("").unwrap(), Table::default());
    }

    #[test]
    fn a_separator_within_a_text_ends_no_line() {
        let table = lines("{\"a\":\"x\u{2028}y\u{85}z\"}").unwrap();
        assert_eq!(table.rows[0]["a"], "x\u{2028}y\u{85}z");
    }

    #[test]
    fn what_is_no_object_is_placed() {
        let fault = lines("{}\n[1]\n").unwrap_err();
        assert_eq!(fault.place, Place::Line(2));
        let fault = lines("{}\n{\"a\":tru}\n").unwrap_err();
        assert_eq!(fault.place, Place::Line(2));
        assert!(
            fault.problem.contains("expected ident at column"),
            "{}",
            fault.problem
        );
        assert_eq!(array("[{},\n3]").unwrap_err().place, Place::Line(2));
        assert!(array("{\n\"a\":1}").is_err());
        assert!(array("").is_err());
        assert!(lines(&"[".repeat(100_000)).is_err(), "no stack is spent");
    }
}
