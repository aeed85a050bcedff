//! Foreign text in Markdown.

/// Text that shows as it is wherever a line of Markdown or a cell of a table may stand: no mark-up of it works, line
/// breaks and control characters become spaces.
pub fn text(foreign: &str) -> String {
    let mut out = String::with_capacity(foreign.len());
    let mut before = ' ';
    let mut chars = foreign.chars().peekable();
    while let Some(c) = chars.next() {
        let after = chars.peek().copied().unwrap_or(' ');
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A backslash before a bar would still end the cell on some renderers.
            '|' => out.push_str("&#124;"),
            // No mention of people or issues on GitHub; within a word there is none.
            '@' if !before.is_alphanumeric() => out.push_str("&#64;"),
            '#' => out.push_str("&#35;"),
            // Within a word an underscore is no emphasis.
            '_' if before.is_alphanumeric() && after.is_alphanumeric() => out.push(c),
            '\\' | '`' | '*' | '_' | '[' | ']' | '!' | '~' | '$' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
        before = c;
    }
    out
}

/// Foreign text as code: a fence longer than any run of backticks in it.
pub(crate) fn fenced(foreign: &str) -> String {
    let longest = foreign.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!(
        "{fence}text\n{}\n{fence}",
        foreign.replace(['\r', '\0'], " ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_foreign_is_mark_up() {
        assert_eq!(
            text("<script>|`x`|</script>\n# a_b _c_ @c pass@1 [d](e) **f**"),
            "&lt;script&gt;&#124;\\`x\\`&#124;&lt;/script&gt; &#35; a_b \\_c\\_ &#64;c pass@1 \\[d\\](e) \\*\\*f\\*\\*"
        );
        assert_eq!(text("HumanEval/12"), "HumanEval/12");
    }

    #[test]
    fn a_fence_holds_what_it_holds() {
        assert_eq!(fenced("a\n````\nb"), "`````text\na\n````\nb\n`````");
        assert_eq!(fenced("evalh run"), "```text\nevalh run\n```");
    }

    proptest! {
        #[test]
        fn escaped_text_is_one_line_without_tags_or_bars(foreign in any::<String>()) {
            let escaped = text(&foreign);
            prop_assert!(!escaped.contains(['<', '>', '|', '\n', '\r', '\0']));
        }
    }
}
