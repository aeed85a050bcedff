//! Whether templates and regular expressions of Python's can be read here.

use crate::definition::{
    python::Regex,
    template::{Formula, TaskValues, Text},
};
use std::collections::{BTreeMap, BTreeSet};

/// What is wrong with a jinja2 template, if anything.
pub(super) fn template_problem(source: &str) -> Option<String> {
    if let Err(problem) = Text::new(source) {
        return Some(format!("it is no template that evalh can read: {problem}"));
    }
    // An unknown filter is found only when it is used.
    let scope = TaskValues::new("", &BTreeMap::new()).scope();
    filters(source).into_iter().find_map(|filter| {
        let probe = format!("{{{{ '' | {filter} }}}}");
        let problem = Text::new(&probe)
            .and_then(|probe| probe.render(&scope))
            .err()?;
        problem
            .starts_with("unknown filter")
            .then(|| format!("its filter `{filter}` is not known here"))
    })
}

/// What is wrong with an expression between `{{` and `}}`, if anything.
pub(super) fn expression_problem(source: &str) -> Option<String> {
    Formula::new(source)
        .err()
        .map(|problem| format!("it is no expression that evalh can read: {problem}"))
        .or_else(|| template_problem(&format!("{{{{ {source} }}}}")))
}

/// What is wrong with a regular expression, if anything.
pub(super) fn regex_problem(pattern: &str) -> Option<String> {
    let problem = Regex::new(pattern).err()?;
    Some(format!(
        "its regular expression `{pattern}` cannot be read here: {problem}"
    ))
}

/// The names that stand after a `|` inside of tags, outside of texts.
fn filters(source: &str) -> BTreeSet<String> {
    let ends = |rest: &str| rest.starts_with("}}") || rest.starts_with("%}");
    let mut names = BTreeSet::new();
    let mut rest = source;
    while let Some(at) = rest.find("{{").into_iter().chain(rest.find("{%")).min() {
        rest = &rest[at + 2..];
        let mut quote = None;
        let mut inside = rest.char_indices();
        while let Some((at, letter)) = inside.next() {
            match (quote, letter) {
                (Some(_), '\\') => {
                    inside.next();
                }
                (Some(open), _) if letter == open => quote = None,
                (None, '\'' | '"') => quote = Some(letter),
                (None, '}' | '%') if ends(&rest[at..]) => break,
                (None, '|') => {
                    let name = rest[at + 1..].trim_start();
                    let end = name.find(|c: char| c != '_' && !c.is_ascii_alphanumeric());
                    let name = &name[..end.unwrap_or(name.len())];
                    if name.starts_with(|first: char| first.is_ascii_alphabetic()) {
                        names.insert(name.to_owned());
                    }
                }
                _ => {}
            }
        }
        rest = inside.as_str();
    }
    names
}

/// A text as a template that gives it back.
pub(super) fn literal(text: &str) -> String {
    if ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark)) {
        text.replace('{', "{{ '{' }}")
    } else {
        text.to_owned()
    }
}

/// Whether a text is a name that a column can have, which lm-eval takes for the column where there is one.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first == '_' || first.is_ascii_alphabetic())
        && text.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
}

/// The expression of a text that is nothing but `{{ expression }}`.
pub(super) fn lone_expression(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let inner = inner.strip_prefix('-').unwrap_or(inner);
    let inner = inner.strip_suffix('-').unwrap_or(inner);
    let marks = ["{{", "}}", "{%", "%}", "{#"];
    (!marks.iter().any(|mark| inner.contains(mark))).then(|| inner.trim())
}

/// Whether an expression is a list that is written out, and nothing after it.
pub(super) fn is_list(expression: &str) -> bool {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut letters = expression.char_indices();
    while let Some((at, letter)) = letters.next() {
        match (quote, letter) {
            (Some(_), '\\') => {
                letters.next();
            }
            (Some(open), _) if letter == open => quote = None,
            (None, '\'' | '"') => quote = Some(letter),
            (None, '[') => depth += 1,
            (None, ']') if depth <= 1 => {
                return expression.starts_with('[') && at + 1 == expression.len();
            }
            (None, ']') => depth -= 1,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_found_in_tags_and_not_in_texts() {
        let found = filters(
            "a|b {{ x | lower|join('|no') }} {% if y|length > \"\\\"|nor\" %}|c{% endif %}",
        );
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            ["join", "length", "lower"]
        );
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        assert_eq!(template_problem("{{ a.strip() }} {{ b|trim }}"), None);
        assert!(template_problem("{{ a").is_some());
        assert!(
            template_problem("{{ a | urlize }}")
                .unwrap()
                .contains("`urlize`")
        );
        assert!(expression_problem("[a, b").is_some());
    }

    #[test]
    fn literals_render_to_themselves() {
        for text in ["plain", "{one}", "{{ x }}", "a {% b %} {# c #}", "{{{"] {
            let scope = TaskValues::new("", &BTreeMap::new()).scope();
            let rendered = Text::new(&literal(text)).unwrap().render(&scope);
            assert_eq!(rendered.as_deref(), Ok(text));
        }
    }

    #[test]
    fn a_list_is_told_from_what_is_made_of_one() {
        for list in ["[a, b]", "[]", "[[a], b[0]]", "[']', \"[\"]"] {
            assert!(is_list(list), "{list}");
        }
        for other in ["['A', 'B'].index(a)", "['A', 'B'][0]", "a", "[a", "x[0]"] {
            assert!(!is_list(other), "{other}");
        }
    }

    #[test]
    fn only_a_single_expression_is_alone() {
        assert_eq!(lone_expression(" {{ a['b'] }} "), Some("a['b']"));
        assert_eq!(lone_expression("{{- a -}}"), Some("a"));
        assert_eq!(lone_expression("{{a}}{{b}}"), None);
        assert_eq!(lone_expression("x {{a}}"), None);
    }
}
