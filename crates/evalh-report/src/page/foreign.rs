//! Foreign text in the static parts of the page. `maud` escapes mark-up; this makes visible what would hide or reorder text.

use std::fmt::Write as _;

/// The text with control characters and marks that turn the reading direction as their code points, so that what is read is
/// what is there. The script's `visible` does the same.
pub(super) fn shown(foreign: &str) -> String {
    let mut out = String::with_capacity(foreign.len());
    for c in foreign.chars() {
        match c {
            '\n' | '\t' => out.push(c),
            '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => {
                let _ = write!(out, "\u{2039}U+{:04X}\u{203a}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_seen() {
        assert_eq!(
            shown("a\0\u{1b}[2J\u{202e}b\u{2028}\n\tc"),
            "a\u{2039}U+0000\u{203a}\u{2039}U+001B\u{203a}[2J\u{2039}U+202E\u{203a}b\u{2039}U+2028\u{203a}\n\tc"
        );
        assert_eq!(
            shown("\u{1f980} d\u{e9}j\u{e0}"),
            "\u{1f980} d\u{e9}j\u{e0}"
        );
    }
}
