//! A document's events to a tree, with its aliases and merges resolved and its size bounded.

use super::{Node, scalar::resolve};
use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use std::{borrow::Cow, collections::BTreeMap};

/// Values in a document, with those that aliases repeat.
const MOST_NODES: usize = 200_000;
/// Lists and mappings in each other.
const MOST_DEPTH: usize = 64;

/// What is wrong with a document.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::import) struct Problem {
    /// The line, from 1.
    pub(in crate::import) line: usize,
    /// What is wrong there.
    pub(in crate::import) message: String,
}

/// A list or mapping that is not complete yet.
enum Open {
    List(Vec<Node>),
    Map(Vec<(Node, Node)>, Option<Node>),
}

struct Level {
    open: Open,
    anchor: usize,
    tag: Option<String>,
}

#[derive(Default)]
struct Builder {
    levels: Vec<Level>,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
    repeated: Vec<String>,
    documents: usize,
    root: Option<Node>,
}

/// The one document of a text.
///
/// Also gives the keys that stand twice in one mapping. As in `PyYAML` the last counts.
pub(in crate::import) fn parse(text: &str) -> Result<(Node, Vec<String>), Problem> {
    let mut builder = Builder::default();
    let mut last = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| Problem {
            line: error.marker().line(),
            message: error.info().to_owned(),
        })?;
        last = span.start.line();
        builder.take(event).map_err(|message| Problem {
            line: last,
            message,
        })?;
    }
    match builder.root {
        Some(root) => Ok((root, builder.repeated)),
        None => Err(Problem {
            line: last.max(1),
            message: "there is no document".to_owned(),
        }),
    }
}

impl Builder {
    fn take(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err("a second document begins".into());
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let node = scalar(&text, style, tag.as_deref());
                self.done(node, 1, anchor)?;
            }
            Event::Alias(id) => {
                let node = self.anchors.get(&id).cloned();
                let node = node.ok_or("an alias stands inside what it names")?;
                let size = size(&node);
                self.done(node, size, 0)?;
            }
            Event::SequenceStart(anchor, tag) => self.open(Open::List(Vec::new()), anchor, tag)?,
            Event::MappingStart(anchor, tag) => {
                self.open(Open::Map(Vec::new(), None), anchor, tag)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(level) = self.levels.pop() else {
                    return Err("something ends that has not begun".into());
                };
                let node = close(level.open, &mut self.repeated)?;
                let node = match level.tag {
                    Some(kind) => Node::Other {
                        kind,
                        text: node.describe(),
                    },
                    None => node,
                };
                self.done(node, 1, level.anchor)?;
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn open(&mut self, open: Open, anchor: usize, tag: Option<Cow<Tag>>) -> Result<(), String> {
        if self.levels.len() == MOST_DEPTH {
            return Err(format!(
                "more than {MOST_DEPTH} lists and mappings lie in each other"
            ));
        }
        let tag = tag
            .filter(|tag| !(tag.is_yaml_core_schema() && ["seq", "map"].contains(&&*tag.suffix)))
            .map(|tag| tag.to_string());
        self.levels.push(Level { open, anchor, tag });
        Ok(())
    }

    /// Puts a complete value in its place, which adds as many as `more` to the document's values.
    fn done(&mut self, node: Node, more: usize, anchor: usize) -> Result<(), String> {
        self.nodes += more;
        if self.nodes > MOST_NODES {
            return Err(format!("there are more than {MOST_NODES} values"));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.levels.last_mut().map(|level| &mut level.open) {
            None => self.root = Some(node),
            Some(Open::List(items)) => items.push(node),
            Some(Open::Map(entries, key)) => match key.take() {
                None => *key = Some(node),
                Some(key) => entries.push((key, node)),
            },
        }
        Ok(())
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Node {
    let own = || Node::Text(text.to_owned());
    match tag {
        None if style == ScalarStyle::Plain => resolve(text),
        None => own(),
        Some(tag) if tag.is_yaml_core_schema() && tag.suffix == "str" => own(),
        Some(tag) if tag.handle.is_empty() && tag.suffix == "!" => own(),
        Some(tag) if tag.is_yaml_core_schema() && is_of(&tag.suffix, &resolve(text)) => {
            resolve(text)
        }
        Some(tag) => Node::Other {
            kind: tag.to_string(),
            text: text.to_owned(),
        },
    }
}

/// Whether a scalar's meaning is what its tag says.
fn is_of(tag: &str, node: &Node) -> bool {
    matches!(
        (tag, node),
        ("null", Node::Null)
            | ("bool", Node::Bool(_))
            | ("int", Node::Int(_))
            | ("float", Node::Float(_))
    )
}

fn close(open: Open, repeated: &mut Vec<String>) -> Result<Node, String> {
    let entries = match open {
        Open::List(items) => return Ok(Node::List(items)),
        Open::Map(entries, _) => entries,
    };
    let mut merged: Vec<(String, Node)> = Vec::new();
    let mut own: BTreeMap<String, (usize, Node)> = BTreeMap::new();
    for (place, (key, value)) in entries.into_iter().enumerate() {
        let key = match key {
            Node::Text(key) if key == "<<" => {
                merge(&mut merged, value)?;
                continue;
            }
            Node::Text(key) => key,
            Node::Int(key) => key.to_string(),
            other => return Err(format!("a key is {}, not a text", other.describe())),
        };
        if own.contains_key(&key) {
            repeated.push(key.clone());
        }
        own.insert(key, (place, value));
    }
    merged.retain(|(name, _)| !own.contains_key(name));
    let mut own: Vec<(usize, (String, Node))> = own
        .into_iter()
        .map(|(key, (place, value))| (place, (key, value)))
        .collect();
    own.sort_by_key(|(place, _)| *place);
    merged.extend(own.into_iter().map(|(_, entry)| entry));
    Ok(Node::Map(merged))
}

/// Takes in what `<<` names: of equal keys the first counts.
fn merge(merged: &mut Vec<(String, Node)>, value: Node) -> Result<(), String> {
    match value {
        Node::Map(entries) => {
            for (key, value) in entries {
                if merged.iter().all(|(name, _)| *name != key) {
                    merged.push((key, value));
                }
            }
            Ok(())
        }
        Node::List(maps) if maps.iter().all(|map| matches!(map, Node::Map(_))) => {
            maps.into_iter().try_for_each(|map| merge(merged, map))
        }
        other => Err(format!("`<<` is {}, not a mapping", other.describe())),
    }
}

fn size(node: &Node) -> usize {
    1 + match node {
        Node::List(items) => items.iter().map(size).sum(),
        Node::Map(entries) => entries.iter().map(|(_, value)| 1 + size(value)).sum(),
        _ => 0,
    }
}
