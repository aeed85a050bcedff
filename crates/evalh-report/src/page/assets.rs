//! The page's styles and scripts, joined at compile time, and the policy that allows them and nothing else.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

/// All styles.
pub(super) const STYLES: &str = concat!(
    include_str!("css/theme.css"),
    include_str!("css/base.css"),
    include_str!("css/report.css"),
    include_str!("css/browser.css"),
    include_str!("css/sample.css"),
    include_str!("css/narrow.css"),
);

/// All scripts, in one scope of their own.
pub(super) const SCRIPTS: &str = concat!(
    "(() => {\n'use strict';\n",
    include_str!("js/text.js"),
    include_str!("js/dom.js"),
    include_str!("js/data.js"),
    include_str!("js/state.js"),
    include_str!("js/filter.js"),
    include_str!("js/search.js"),
    include_str!("js/filters.js"),
    include_str!("js/rows.js"),
    include_str!("js/diff.js"),
    include_str!("js/passage.js"),
    include_str!("js/answer.js"),
    include_str!("js/logprobs.js"),
    include_str!("js/sample.js"),
    include_str!("js/theme.js"),
    include_str!("js/keys.js"),
    include_str!("js/main.js"),
    "})();\n",
);

/// The content security policy. No address may be fetched; scripts and styles are those of the page, by their hashes;
/// and no script may turn text into mark-up, which browsers with trusted types enforce.
pub(super) fn policy<'a>(styles: impl IntoIterator<Item = &'a str>) -> String {
    let styles: Vec<_> = styles.into_iter().map(source).collect();
    format!(
        "default-src 'none'; script-src {}; style-src {}; img-src data:; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        source(SCRIPTS),
        styles.join(" "),
    )
}

fn source(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

/// The contents of the `<style>` elements of a drawing.
pub(super) fn styles_of(svg: &str) -> impl Iterator<Item = &str> {
    svg.split("<style").skip(1).filter_map(|after| {
        let (_, content) = after.split_once('>')?;
        Some(content.split_once("</style>")?.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_script_nor_style_ends_its_element() {
        assert!(!SCRIPTS.contains("</script") && !SCRIPTS.contains("<!--"));
        assert!(!STYLES.contains("</style"));
    }

    #[test]
    fn text_is_never_made_into_mark_up() {
        for way in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
        ] {
            assert!(!SCRIPTS.contains(way), "{way}");
        }
    }

    #[test]
    fn styles_of_drawings_are_found() {
        let svg = "<svg><style>.a{}</style><g/><style type=\"text/css\">.b{}</style></svg>";
        assert_eq!(styles_of(svg).collect::<Vec<_>>(), [".a{}", ".b{}"]);
    }
}
