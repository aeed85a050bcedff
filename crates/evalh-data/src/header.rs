//! The names of the columns of CSV and TSV, and rows by them.

use crate::{Place, Table, error::Fault};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// The longest name of a column in bytes: every row holds it once more.
const MAX_NAME: usize = 256;

/// Rows under a header, which is given or is the first row.
pub(crate) struct Rows {
    table: Table,
    given: bool,
    /// Whether `table` has its columns.
    named: bool,
}

impl Rows {
    pub(crate) fn new(columns: &[String]) -> Result<Self, Fault> {
        let mut rows = Self {
            table: Table::default(),
            given: !columns.is_empty(),
            named: false,
        };
        if rows.given {
            rows.name(columns.to_vec(), Place::File)?;
        }
        Ok(rows)
    }

    /// Whether a row has one field, so that an empty line is a row too.
    pub(crate) fn single(&self) -> bool {
        self.table.columns.len() == 1
    }

    /// Takes the next row, which begins on `line`.
    pub(crate) fn push(&mut self, line: u64, fields: &[&str]) -> Result<(), Fault> {
        if !self.named {
            let names = fields.iter().map(|name| (*name).to_owned()).collect();
            return self.name(names, Place::Line(line));
        }
        let columns = &self.table.columns;
        if fields.len() != columns.len() {
            let problem = format!(
                "it has {} fields where {} have names",
                fields.len(),
                columns.len()
            );
            let remedy = if self.given {
                "give as many names of columns as the file has columns"
            } else {
                "mend the line, or, if the file has no header, give the names of its columns"
            };
            return Err(Fault::new(Place::Line(line), problem, remedy));
        }
        let row: Map<String, Value> = columns
            .iter()
            .zip(fields)
            .map(|(name, field)| (name.clone(), Value::from(*field)))
            .collect();
        self.table.rows.push(row);
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<Table, Fault> {
        if self.named {
            Ok(self.table)
        } else {
            Err(Fault::new(
                Place::File,
                "it is empty, without so much as a header",
                "give a file whose first line names its columns",
            ))
        }
    }

    fn name(&mut self, names: Vec<String>, place: Place) -> Result<(), Fault> {
        let mut seen = HashSet::new();
        if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
            let problem = format!("two columns are called `{}`", twice.escape_debug());
            return Err(Fault::new(
                place,
                problem,
                "give each column a name of its own; a file without a header needs names of columns",
            ));
        }
        drop(seen);
        if let Some(long) = names.iter().find(|name| name.len() > MAX_NAME) {
            let start: String = long.chars().take(40).collect();
            let problem = format!(
                "`{}...` is too long for the name of a column ({MAX_NAME} bytes at most)",
                start.escape_debug()
            );
            return Err(Fault::new(
                place,
                problem,
                "if the file has no header, give the names of its columns",
            ));
        }
        self.table.columns = names;
        self.named = true;
        Ok(())
    }
}
