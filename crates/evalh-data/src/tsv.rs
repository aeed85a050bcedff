//! Tab-separated values without any quoting: a `"` is an ordinary character, as in the files of GLUE.

use crate::{Table, error::Fault, header::Rows};

/// Lines end in LF or CRLF, the last one also in nothing. An empty line is a row only where rows have one field.
pub(crate) fn parse(text: &str, columns: &[String]) -> Result<Table, Fault> {
    let mut rows = Rows::new(columns)?;
    let body = text.strip_suffix('\n').unwrap_or(text);
    for (index, line) in body.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() && (text.is_empty() || !rows.single()) {
            continue;
        }
        let fields: Vec<&str> = line.split('\t').collect();
        rows.push(index as u64 + 1, &fields)?;
    }
    rows.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;
    use serde_json::{Value, json};

    fn rows(text: &str, columns: &[&str]) -> Result<Value, Fault> {
        let columns: Vec<String> = columns.iter().map(|c| (*c).to_owned()).collect();
        parse(text, &columns).map(|table| Value::from(table.rows))
    }

    #[test]
    fn quotes_are_characters_and_line_ends_may_differ() {
        assert_eq!(
            rows("a\tb\n\"x\ty\"\r\n\t\"\"", &[]).unwrap(),
            json!([{"a": "\"x", "b": "y\""}, {"a": "", "b": "\"\""}])
        );
        assert_eq!(
            rows("1\t2\n", &["a", "b"]).unwrap(),
            json!([{"a": "1", "b": "2"}])
        );
        assert_eq!(
            rows("a\tb\n1\u{2028}\t\u{b}\n\n", &[]).unwrap(),
            json!([{"a": "1\u{2028}", "b": "\u{b}"}])
        );
        assert_eq!(
            rows("a\n\nx\n", &[]).unwrap(),
            json!([{"a": ""}, {"a": "x"}]),
            "an empty value of a single column"
        );
    }

    #[test]
    fn wrong_rows_are_placed() {
        let fault = rows("a\tb\n1\t2\n1\n", &[]).unwrap_err();
        assert_eq!(
            (fault.place, fault.problem.as_str()),
            (Place::Line(3), "it has 1 fields where 2 have names")
        );
        assert_eq!(rows("1\t2\t3", &["a"]).unwrap_err().place, Place::Line(1));
        assert!(rows("a\ta\n", &[]).unwrap_err().problem.contains("`a`"));
        assert!(rows("", &[]).is_err());
        assert_eq!(rows("", &["a"]).unwrap(), json!([]));
    }
}
