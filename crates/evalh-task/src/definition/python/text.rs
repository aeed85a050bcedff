//! White space as Python's `str` knows it.

/// `str.isspace()` of one character: Unicode's white space and the four information separators.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// `str.strip()`.
pub fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_information_separators_are_white_space() {
        assert_eq!(strip("\u{1c}\u{a0} a\u{200b}\u{1f}\u{3000}"), "a\u{200b}");
    }
}
