//! YAML as lm-eval reads it: version 1.1's words and numbers (`yes` is a truth value, `1e-3` a text), with the tags of
//! Python objects (`!function`) kept apart.
//!
//! The grammar is `saphyr-parser`'s; the meaning of scalars is `PyYAML`'s, which no crate on the registry offers.

mod scalar;
mod tree;

pub(super) use tree::parse;

/// A value of a document.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
    /// What stands for something that is none of these: a tagged value such as a Python function, a date.
    Other {
        kind: String,
        text: String,
    },
}

impl Node {
    /// What it is, for messages.
    pub(super) fn describe(&self) -> String {
        match self {
            Node::Null => "nothing".into(),
            Node::Bool(value) => format!("the truth value {value}"),
            Node::Int(value) => format!("the number {value}"),
            Node::Float(value) => format!("the number {value}"),
            Node::Text(text) => format!("the text {text:?}"),
            Node::List(_) => "a list".into(),
            Node::Map(_) => "a mapping".into(),
            Node::Other { kind, text } => format!("`{kind} {text}`"),
        }
    }
}
