//! Cells of CSV.

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Text, which a spreadsheet must not take for a formula.
    Text(String),
    /// A number, written so that it reads back to the same bits; empty where it is none.
    Number(f64),
    /// A count.
    Count(u64),
    /// `true` or `false`.
    Flag(bool),
    /// Nothing: not measured, or not defined.
    Empty,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Cell {
        Cell::Number(value)
    }
}

impl From<usize> for Cell {
    fn from(count: usize) -> Cell {
        Cell::Count(count as u64)
    }
}

impl From<u64> for Cell {
    fn from(count: u64) -> Cell {
        Cell::Count(count)
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Cell {
        Cell::Flag(flag)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Cell {
        value.map_or(Cell::Empty, Into::into)
    }
}

impl Cell {
    fn written(&self) -> String {
        match self {
            Cell::Text(text) => guarded(text),
            Cell::Number(value) if value.is_finite() => format!("{value:?}"),
            Cell::Count(count) => count.to_string(),
            Cell::Flag(flag) => flag.to_string(),
            Cell::Number(_) | Cell::Empty => String::new(),
        }
    }
}

/// Text with an apostrophe before it where a spreadsheet would take it for a formula (OWASP, CSV injection): where it begins,
/// after any white space, with one of `= + - @` or their full-width forms, or with a tab or line end.
fn guarded(text: &str) -> String {
    let is_formula = text.trim_start().starts_with([
        '=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ]);
    if is_formula || text.starts_with(['\t', '\r', '\n']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// A table as CSV (RFC 4180, lines ended by a line feed), its header first.
pub fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [Cell; N]>,
) -> String {
    let mut bytes = Vec::new();
    match write(&mut bytes, header, rows) {
        Ok(()) => String::from_utf8_lossy(&bytes).into_owned(),
        // Rows of one length into memory: there is nothing that could fail.
        Err(error) => unreachable!("{error}"),
    }
}

fn write<const N: usize>(
    bytes: &mut Vec<u8>,
    header: [&str; N],
    rows: impl IntoIterator<Item = [Cell; N]>,
) -> csv::Result<()> {
    let mut writer = csv::Writer::from_writer(bytes);
    writer.write_record(header)?;
    for row in rows {
        writer.write_record(row.iter().map(Cell::written))?;
    }
    writer.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn formulas_are_text() {
        for text in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            " =1",
            "\r=1",
            "\u{ff1d}1",
            "=cmd|' /C calc'!A0",
        ] {
            assert_eq!(guarded(text), format!("'{text}"));
        }
        for text in ["base", "HumanEval/12", "a=b", "", "1-2"] {
            assert_eq!(guarded(text), text);
        }
        assert_eq!(Cell::from(-0.5).written(), "-0.5");
        assert_eq!(Cell::from(f64::NAN).written(), "");
        assert_eq!(Cell::from(None::<f64>).written(), "");
    }

    proptest! {
        #[test]
        fn cells_read_back(text in any::<String>(), value in any::<f64>()) {
            let csv = table(["a", "b"], [[Cell::from(text.as_str()), Cell::from(value)]]);
            let mut reader = csv::Reader::from_reader(csv.as_bytes());
            let row = reader.records().next().unwrap().unwrap();
            prop_assert_eq!(&row[0], guarded(&text));
            let with_apostrophe = format!("'{text}");
            prop_assert!(row[0] == *text || row[0] == *with_apostrophe);
            let starts_a_formula = row[0].trim_start().starts_with(['=', '+', '-', '@', '\t', '\r']);
            prop_assert!(!starts_a_formula, "{}", &row[0]);
            if value.is_finite() {
                prop_assert_eq!(row[1].parse::<f64>().unwrap().to_bits(), value.to_bits());
            } else {
                prop_assert_eq!(&row[1], "");
            }
        }
    }
}
