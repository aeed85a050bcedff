//! How wide text is, before any font is known.

use unicode_width::UnicodeWidthChar;

/// The width of a line of text of a size, in the same units: by the advance widths of Helvetica, which the fonts asked for
/// are near to; other scripts and emoji by their columns, rather too wide than too narrow.
pub fn width(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size
}

/// The advance width in ems.
fn advance(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '\'' | '|' => 0.24,
        ' ' | '!' | ',' | '.' | '/' | ':' | ';' | 'I' | '[' | '\\' | ']' | 'f' | 't' | '·' => 0.28,
        '(' | ')' | '-' | '`' | 'r' | '{' | '}' => 0.34,
        '*' | '"' => 0.39,
        'c' | 'k' | 's' | 'v' | 'x' | 'y' | 'z' | 'J' | '^' => 0.5,
        'F' | 'T' | 'Z' | 'L' | '+' | '<' | '=' | '>' | '~' | '\u{2212}' => 0.61,
        'A' | 'B' | 'E' | 'K' | 'P' | 'S' | 'V' | 'X' | 'Y' | '&' => 0.67,
        'C' | 'D' | 'H' | 'N' | 'R' | 'U' | 'w' => 0.73,
        'G' | 'O' | 'Q' => 0.78,
        'M' | 'm' => 0.84,
        'W' | '%' => 0.95,
        '@' | '…' => 1.02,
        c if c.is_ascii() => 0.56,
        c => match c.width() {
            None | Some(0) => 0.0,
            Some(1) => 0.62,
            Some(_) if c < '\u{1f000}' => 1.02,
            Some(_) => 1.3,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_near_helvetica() {
        // By Adobe's font metrics: 556 × 4, and 667 + 222 + 500 + 278.
        assert!((width("gena", 1.0) - 2.224).abs() < 0.05);
        assert!((width("Aly.", 1.0) - 1.667).abs() < 0.06);
        assert!(width("數據", 10.0) > 20.0 && width("🔥", 10.0) > 12.0);
        assert!(width("", 10.0) < f64::EPSILON);
    }
}
