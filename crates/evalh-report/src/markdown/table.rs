//! Markdown tables that also read well as plain text.

use std::fmt;
use unicode_width::UnicodeWidthStr as _;

/// Where a column's cells stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// On the left: names.
    Left,
    /// On the right: numbers.
    Right,
}

/// A table; its cells are Markdown already.
pub struct Table {
    aligns: Vec<Align>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub fn new(columns: &[(&str, Align)]) -> Table {
        Table {
            aligns: columns.iter().map(|&(_, align)| align).collect(),
            rows: vec![columns.iter().map(|&(name, _)| name.to_owned()).collect()],
        }
    }

    /// Adds a row, a cell a column.
    pub fn row(&mut self, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.aligns.len());
        self.rows.push(cells);
    }

    fn widths(&self) -> Vec<usize> {
        let width = |column: usize| {
            self.rows
                .iter()
                .map(move |row| row[column].as_str().width())
                .max()
        };
        (0..self.aligns.len())
            .map(|column| width(column).unwrap_or(0).max(3))
            .collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        for (i, row) in self.rows.iter().enumerate() {
            for ((cell, &width), align) in row.iter().zip(&widths).zip(&self.aligns) {
                let room = " ".repeat(width - cell.width());
                match align {
                    Align::Left => write!(f, "| {cell}{room} ")?,
                    Align::Right => write!(f, "| {room}{cell} ")?,
                }
            }
            writeln!(f, "|")?;
            if i == 0 {
                for (&width, align) in widths.iter().zip(&self.aligns) {
                    match align {
                        Align::Left => write!(f, "| {} ", "-".repeat(width))?,
                        Align::Right => write!(f, "| {}: ", "-".repeat(width - 1))?,
                    }
                }
                writeln!(f, "|")?;
            }
        }
        Ok(())
    }
}
