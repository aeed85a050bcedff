//! Comma-separated values as in RFC 4180: fields in quotes may hold commas, line ends and doubled quotes.

use crate::{Place, Table, error::Fault, header::Rows};
use ::csv::{ErrorKind, ReaderBuilder, StringRecord};

/// Lines end in LF, CRLF or CR, also mixed. Empty lines are passed over.
pub(crate) fn parse(text: &str, columns: &[String]) -> Result<Table, Fault> {
    if let Some(line) = unclosed(text) {
        return Err(Fault::new(
            Place::Line(line),
            "a quote is opened here and never closed",
            "close it, or double every quote that is part of a field",
        ));
    }
    let mut rows = Rows::new(columns)?;
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut record = StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => return rows.finish(),
            Ok(true) => {
                let line = record.position().map_or(0, ::csv::Position::line);
                rows.push(line, &record.iter().collect::<Vec<_>>())?;
            }
            Err(error) => {
                let place = match error.kind() {
                    ErrorKind::Utf8 { pos: Some(pos), .. } => Place::Line(pos.line()),
                    _ => Place::File,
                };
                return Err(Fault::new(place, error.to_string(), "mend the file"));
            }
        }
    }
}

/// The line of a quote that is open at the end of the text: the reader would take all the rest as one field.
fn unclosed(text: &str) -> Option<u64> {
    let (mut line, mut opened) = (1, 1);
    let mut state = State::Start;
    for byte in text.bytes() {
        state = match (state, byte) {
            (State::Start, b'"') => {
                opened = line;
                State::Quoted
            }
            (State::Quoted, b'"') => State::Quote,
            (State::Quoted, _) | (State::Quote, b'"') => State::Quoted,
            (_, b',' | b'\n' | b'\r') => State::Start,
            _ => State::Plain,
        };
        line += u64::from(byte == b'\n');
    }
    matches!(state, State::Quoted).then_some(opened)
}

/// Where in a field a byte is read.
#[derive(Clone, Copy)]
enum State {
    Start,
    Plain,
    Quoted,
    /// After a quote in a quoted field: the field's end, or the first of two.
    Quote,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn rows(text: &str, columns: &[&str]) -> Result<Value, Fault> {
        let columns: Vec<String> = columns.iter().map(|c| (*c).to_owned()).collect();
        parse(text, &columns).map(|table| Value::from(table.rows))
    }

    #[test]
    fn quoted_fields_hold_everything() {
        assert_eq!(
            rows(
                "a,b\r\n\"x,\r\ny\",\"say \"\"no\"\"\"\n 1 ,2\"3\r\n\n,\n",
                &[]
            )
            .unwrap(),
            json!([
                {"a": "x,\r\ny", "b": "say \"no\""},
                {"a": " 1 ", "b": "2\"3"},
                {"a": "", "b": ""}
            ])
        );
        assert_eq!(
            rows("1,2", &["a", "b"]).unwrap(),
            json!([{"a": "1", "b": "2"}])
        );
        assert_eq!(rows("\"a\"\n\"\"\n", &[]).unwrap(), json!([{"a": ""}]));
    }

    #[test]
    fn wrong_rows_are_placed() {
        let fault = rows("a,b\n\"1\n2\",3\n4\n", &[]).unwrap_err();
        assert_eq!(
            (fault.place, fault.problem.as_str()),
            (Place::Line(4), "it has 1 fields where 2 have names")
        );
        let fault = rows("a,b\n1,2\n3,\"4\n5,6\n", &[]).unwrap_err();
        assert_eq!(fault.place, Place::Line(3));
        assert!(fault.problem.contains("never closed"));
        assert!(rows("a,a\n", &[]).is_err());
        assert!(rows("", &[]).is_err());
    }
}
