//! The fields of a prompt: contexts, targets, choices.

use super::{
    config::Config,
    dialect::{expression_problem, is_list, is_name, literal, lone_expression, template_problem},
    notes::Notes,
    yaml::Node,
};
use crate::definition::TextOrList;

/// What lm-eval takes for a column where there is one of this name, else for a text: `description`, `gen_prefix`.
pub(super) fn column_or_text(config: &mut Config, key: &str, notes: &mut Notes) -> Option<String> {
    let text = match config.take(key)? {
        Node::Text(text) if text.is_empty() => return None,
        Node::Text(text) if is_name(&text) => {
            format!("{{{{ {text} if {text} is defined else '{text}' }}}}")
        }
        Node::Text(text) => text,
        other => {
            notes.changes(key, unusable(&other));
            return None;
        }
    };
    checked(text, key, notes)
}

/// `doc_to_text`: a column's name, or a template.
pub(super) fn context(config: &mut Config, notes: &mut Notes) -> Option<String> {
    let key = "doc_to_text";
    match config.take(key)? {
        Node::Int(_) => {
            notes.changes(
                key,
                "a number gives every choice a context of its own, which the form does not have",
            );
            None
        }
        node => column_or_template(node, key, notes),
    }
}

/// `doc_to_target`: a place, a column's name, or a template. Also tells whether it is a column.
pub(super) fn target(config: &mut Config, notes: &mut Notes) -> Option<(String, bool)> {
    let key = "doc_to_target";
    let several = "several right answers to one item are not in the form";
    match config.take(key)? {
        Node::Int(place) => Some((place.to_string(), false)),
        Node::List(_) => {
            notes.changes(key, several);
            None
        }
        Node::Text(text) if lone_expression(&text).is_some_and(is_list) => {
            notes.changes(key, several);
            None
        }
        node => {
            let is_column = matches!(&node, Node::Text(text) if is_name(text));
            column_or_template(node, key, notes).map(|target| (target, is_column))
        }
    }
}

/// `doc_to_choice`: texts, a mapping's texts, a column's name, or a template that gives a list.
pub(super) fn choices(config: &mut Config, notes: &mut Notes) -> Option<TextOrList> {
    let key = "doc_to_choice";
    let items = match config.take(key)? {
        Node::List(items) => items,
        Node::Map(entries) => entries.into_iter().map(|(_, node)| node).collect(),
        Node::Text(text) => return choices_template(&text, key, notes),
        other => {
            notes.changes(key, unusable(&other));
            return None;
        }
    };
    let mut texts = Vec::new();
    for item in items {
        let Node::Text(text) = item else {
            notes.changes(
                key,
                format!(
                    "one of them is {}, where lm-eval needs texts: put it in quotes",
                    item.describe()
                ),
            );
            return None;
        };
        texts.push(literal(&text));
    }
    Some(TextOrList::List(texts))
}

fn choices_template(text: &str, key: &str, notes: &mut Notes) -> Option<TextOrList> {
    if is_name(text) {
        return Some(TextOrList::Text(text.to_owned()));
    }
    if let Some(expression) = lone_expression(text) {
        if let Some(problem) = expression_problem(expression) {
            notes.changes(key, problem);
            return None;
        }
        return Some(TextOrList::Text(expression.to_owned()));
    }
    let Some(templates) = list_of_templates(text) else {
        notes.changes(
            key,
            "it is neither one expression nor a list of texts in quotes",
        );
        return None;
    };
    let checked: Option<Vec<String>> = templates
        .into_iter()
        .map(|template| checked(template, key, notes))
        .collect();
    checked.map(TextOrList::List)
}

/// The elements of `["{{ a }}", 'b']`: a list of Python's once it is rendered, here of templates.
fn list_of_templates(text: &str) -> Option<Vec<String>> {
    let mut rest = text.trim().strip_prefix('[')?.strip_suffix(']')?.trim();
    let mut templates = Vec::new();
    while !rest.is_empty() {
        let quote = rest.chars().next().filter(|&c| c == '"' || c == '\'')?;
        let mut template = String::new();
        let mut letters = rest[1..].chars();
        loop {
            match letters.next()? {
                c if c == quote => break,
                '\\' => template.push(match letters.next()? {
                    'n' => '\n',
                    't' => '\t',
                    c @ ('\\' | '"' | '\'') => c,
                    _ => return None,
                }),
                c => template.push(c),
            }
        }
        templates.push(template);
        rest = letters.as_str().trim_start();
        if !rest.is_empty() {
            rest = rest.strip_prefix(',')?.trim_start();
        }
    }
    (!templates.is_empty()).then_some(templates)
}

fn column_or_template(node: Node, key: &str, notes: &mut Notes) -> Option<String> {
    match node {
        Node::Text(text) if is_name(&text) => Some(format!("{{{{ {text} }}}}")),
        Node::Text(text) => checked(text, key, notes),
        other => {
            notes.changes(key, unusable(&other));
            None
        }
    }
}

fn checked(template: String, key: &str, notes: &mut Notes) -> Option<String> {
    match template_problem(&template) {
        Some(problem) => {
            notes.changes(key, problem);
            None
        }
        None => Some(template),
    }
}

/// Why a value is of no use here.
pub(super) fn unusable(node: &Node) -> String {
    match node {
        Node::Other { kind, text } if kind == "!function" => {
            format!(
                "it is the Python function `{text}`: write what it does as a template, or prepare the data with it"
            )
        }
        other => format!(
            "it is {}, which the form has no place for",
            other.describe()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_in_texts_become_templates() {
        let found = list_of_templates(r#"["{{a}}, no", '{{b["x"]}}' , "it\'s"]"#);
        assert_eq!(found.unwrap(), ["{{a}}, no", "{{b[\"x\"]}}", "it's"]);
        for text in ["[]", "[a, b]", "['a' 'b']", "['a", "'a'", "[\"\\x41\"]"] {
            assert_eq!(list_of_templates(text), None, "{text}");
        }
    }

    #[test]
    fn literal_choices_are_not_taken_for_templates() {
        let nodes = ["{{a}}", "b"].map(|text| Node::Text(text.to_owned()));
        let mut config = Config::of(vec![("doc_to_choice".into(), Node::List(nodes.to_vec()))]);
        let found = choices(&mut config, &mut Notes::default());
        let expected = [literal("{{a}}"), "b".to_owned()].to_vec();
        assert_eq!(found, Some(TextOrList::List(expected)));
    }
}
