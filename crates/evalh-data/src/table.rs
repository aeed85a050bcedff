//! Rows and their columns.

use serde_json::{Map, Value};
use std::collections::HashSet;

/// The rows of a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// The names of the columns: the header's or schema's order, or, in JSON, the order of first appearance.
    pub columns: Vec<String>,
    /// The rows in the file's order. In JSON a row may lack a column; elsewhere every row has all of them.
    pub rows: Vec<Map<String, Value>>,
}

/// How a file is to be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadOptions<'a> {
    /// The names of the columns of a CSV or TSV file without a header; where there are none, the first line is the
    /// header. Formats that name their columns themselves accept none here.
    pub columns: &'a [String],
}

impl Table {
    /// A table whose columns are those of its rows.
    pub(crate) fn of_rows(rows: Vec<Map<String, Value>>) -> Self {
        let mut seen: HashSet<&str> = HashSet::new();
        let mut columns = Vec::new();
        for key in rows.iter().flat_map(Map::keys) {
            if seen.insert(key) {
                columns.push(key.clone());
            }
        }
        Self { columns, rows }
    }
}
