//! Foreign text in SVG.

/// The text as one line that XML may hold and that cannot rearrange what stands beside it: control characters, line ends
/// and those that turn the direction of text around become spaces.
pub fn plain(foreign: &str) -> String {
    let is_unfit = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            || matches!(c, '\u{fffe}' | '\u{ffff}')
    };
    let spaced = foreign.replace(is_unfit, " ");
    spaced.trim().to_owned()
}

/// [`plain`] text with every character that is mark-up in XML escaped, for content and for attributes in double quotes.
pub fn escaped(foreign: &str) -> String {
    let mut out = String::with_capacity(foreign.len());
    for c in plain(foreign).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_foreign_is_mark_up() {
        assert_eq!(
            escaped("</text><script>\"a\" & 'b'\u{0}\n\u{202e}c"),
            "&lt;/text&gt;&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;   c"
        );
    }

    proptest! {
        #[test]
        fn escaped_text_reads_back(foreign in any::<String>()) {
            let document = format!("<t a=\"{0}\">{0}</t>", escaped(&foreign));
            let parsed = roxmltree::Document::parse(&document).unwrap();
            let root = parsed.root_element();
            let text = plain(&foreign);
            prop_assert_eq!(root.text().unwrap_or_default(), &text);
            prop_assert_eq!(root.attribute("a"), Some(text.as_str()));
        }
    }
}
