//! Aligned tables for a terminal.

use anstyle::Style as Ansi;
use unicode_width::UnicodeWidthStr as _;

/// Whether escape codes may be used: the caller knows the terminal and `NO_COLOR`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// No escape codes.
    Plain,
    /// Bold, dim and colours.
    Colour,
}

/// No decoration.
pub const PLAIN: Ansi = Ansi::new();
/// What matters.
pub const BOLD: Ansi = PLAIN.bold();
/// What can be read past.
pub const DIM: Ansi = PLAIN.dimmed();

/// One cell of a table.
#[derive(Debug, Clone)]
pub struct Cell {
    text: String,
    ansi: Ansi,
    right: bool,
}

impl Cell {
    /// Text, on the left.
    pub fn name(text: &str, ansi: Ansi) -> Cell {
        let text = printable(text);
        Cell {
            text,
            ansi,
            right: false,
        }
    }

    /// A number, on the right.
    pub fn number(text: impl Into<String>, ansi: Ansi) -> Cell {
        Cell {
            text: text.into(),
            ansi,
            right: true,
        }
    }
}

/// Rows as lines, each column as wide as its widest cell. All rows have as many cells as the first.
pub fn aligned(rows: &[Vec<Cell>], style: Style) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            rows.iter()
                .map(|row| row[column].text.width())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, &width) in row.iter().zip(&widths) {
            if !line.is_empty() {
                line.push_str("  ");
            }
            let room = " ".repeat(width - cell.text.width());
            let shown = painted(&cell.text, cell.ansi, style);
            line.push_str(&if cell.right {
                room + &shown
            } else {
                shown + &room
            });
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Text with its escape codes, where they may be used.
pub fn painted(text: &str, ansi: Ansi, style: Style) -> String {
    match style {
        Style::Colour if !ansi.is_plain() && !text.is_empty() => format!("{ansi}{text}{ansi:#}"),
        _ => text.to_owned(),
    }
}

/// Names without control characters: a variant called `ESC[2J` clears no screen.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
