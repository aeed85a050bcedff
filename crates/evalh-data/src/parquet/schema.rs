//! The tree of a file's columns.

use super::{
    corrupt,
    footer::{Chunk, Element},
    kind::{Values, values},
    unsupported,
};
use crate::{Place, error::Fault};
use std::collections::HashSet;

/// How deep columns may nest.
const MAX_DEPTH: usize = 32;

/// The columns and the leaves that hold their values.
#[derive(Debug)]
pub(super) struct Schema {
    /// The root's fields.
    pub(super) fields: Vec<Field>,
    pub(super) leaves: Vec<Leaf>,
}

/// A named value.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) node: Node,
}

/// A value of a row. A level counts the optional and repeated nodes from the root to a node, itself included.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) shape: Shape,
    /// The definition level from which on the value is there rather than null; with lists, possibly empty.
    pub(super) level: u8,
    /// The index of its first leaf; those of a node follow each other.
    pub(super) first: usize,
    /// The index after its last leaf.
    pub(super) end: usize,
}

#[derive(Debug)]
pub(super) enum Shape {
    Leaf,
    Struct(Vec<Field>),
    List {
        element: Box<Node>,
        /// The definition level from which on there is an element.
        filled: u8,
        /// The repetition level of every element but the first.
        repeated: u8,
    },
}

/// A column of values.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) path: Vec<String>,
    pub(super) values: Values,
    /// The definition level of a value.
    pub(super) level: u8,
    /// The greatest repetition level.
    pub(super) repeated: u8,
}

impl Leaf {
    pub(super) fn place(&self) -> Place {
        Place::Column(self.path.join("."))
    }
}

impl Schema {
    pub(super) fn new(elements: &[Element]) -> Result<Self, Fault> {
        let Some((root, rest)) = elements.split_first() else {
            return Err(corrupt(Place::File, "it has no schema".to_owned()));
        };
        let mut builder = Builder {
            rest: rest.iter(),
            leaves: Vec::new(),
            path: Vec::new(),
        };
        let fields = builder.fields(root.children, Levels::default())?;
        if builder.rest.next().is_some() || fields.is_empty() {
            let problem = "its schema is no tree of columns".to_owned();
            return Err(corrupt(Place::File, problem));
        }
        Ok(Self {
            fields,
            leaves: builder.leaves,
        })
    }

    /// The names of the columns.
    pub(super) fn columns(&self) -> Vec<String> {
        self.fields.iter().map(|field| field.name.clone()).collect()
    }

    /// The leaves with their chunks of a row group.
    pub(super) fn match_chunks<'a>(
        &'a self,
        chunks: &'a [Chunk],
    ) -> Result<Vec<(&'a Leaf, &'a Chunk)>, Fault> {
        let same = self.leaves.len() == chunks.len()
            && self
                .leaves
                .iter()
                .zip(chunks)
                .all(|(leaf, chunk)| chunk.elsewhere || leaf.path == chunk.path);
        if !same {
            let problem = "a group of its rows has other columns than its schema".to_owned();
            return Err(corrupt(Place::File, problem));
        }
        Ok(self.leaves.iter().zip(chunks).collect())
    }
}

/// The levels of a node's parent.
#[derive(Debug, Clone, Copy, Default)]
struct Levels {
    defined: u8,
    repeated: u8,
}

/// What a node may be between its parent and its children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repetition {
    Required,
    Optional,
    Repeated,
}

struct Builder<'a> {
    rest: std::slice::Iter<'a, Element>,
    leaves: Vec<Leaf>,
    /// The names down to the node in hand.
    path: Vec<String>,
}

impl<'a> Builder<'a> {
    fn fault(&self, make: fn(Place, String) -> Fault, problem: &str) -> Fault {
        make(Place::Column(self.path.join(".")), problem.to_owned())
    }

    fn next(&mut self) -> Result<(&'a Element, Repetition), Fault> {
        let problem = "its schema is cut off";
        let element = self
            .rest
            .next()
            .ok_or_else(|| corrupt(Place::File, problem.to_owned()))?;
        self.path.push(element.name.clone());
        if self.path.len() > MAX_DEPTH {
            self.path.truncate(3);
            return Err(self.fault(unsupported, "it nests more than 32 levels deep"));
        }
        let repetition = match element.repetition {
            Some(0) => Repetition::Required,
            Some(1) => Repetition::Optional,
            Some(2) => Repetition::Repeated,
            _ => {
                return Err(self.fault(corrupt, "it is neither required nor optional nor repeated"));
            }
        };
        Ok((element, repetition))
    }

    fn fields(&mut self, count: usize, levels: Levels) -> Result<Vec<Field>, Fault> {
        let mut fields = Vec::new();
        let mut names = HashSet::new();
        for _ in 0..count {
            let (element, repetition) = self.next()?;
            if !names.insert(element.name.as_str()) {
                return Err(self.fault(unsupported, "there are two columns of this name"));
            }
            let node = self.node(element, repetition, levels)?;
            self.path.pop();
            fields.push(Field {
                name: element.name.clone(),
                node,
            });
        }
        Ok(fields)
    }

    fn node(
        &mut self,
        element: &'a Element,
        repetition: Repetition,
        mut levels: Levels,
    ) -> Result<Node, Fault> {
        let first = self.leaves.len();
        if repetition == Repetition::Repeated {
            return Err(self.fault(unsupported, "it is repeated without being marked as a list"));
        }
        levels.defined += u8::from(repetition == Repetition::Optional);
        let level = levels.defined;
        let shape = if element.physical.is_some() {
            self.leaf(element, levels)?
        } else {
            match (element.converted, element.logical.map(|logical| logical.id)) {
                (_, Some(3)) | (Some(3), None) => self.list(element, levels)?,
                (None, None) if element.children > 0 => {
                    Shape::Struct(self.fields(element.children, levels)?)
                }
                (_, Some(2)) | (Some(1 | 2), None) => {
                    return Err(self.fault(unsupported, "it is a map"));
                }
                (None, None) => return Err(self.fault(unsupported, "it is a struct of nothing")),
                _ => return Err(self.fault(unsupported, "it is neither a list nor a struct")),
            }
        };
        Ok(Node {
            shape,
            level,
            first,
            end: self.leaves.len(),
        })
    }

    /// A list of three levels, or of two as older writers have it (`LogicalTypes.md`, backward compatibility).
    fn list(&mut self, list: &'a Element, mut levels: Levels) -> Result<Shape, Fault> {
        if list.children != 1 {
            return Err(self.fault(corrupt, "it is a list of other than one kind of element"));
        }
        let (middle, repetition) = self.next()?;
        if repetition != Repetition::Repeated {
            return Err(self.fault(corrupt, "it is what a list holds and is not repeated"));
        }
        levels.defined += 1;
        levels.repeated += 1;
        let (filled, repeated) = (levels.defined, levels.repeated);
        let two_levels = middle.physical.is_some()
            || middle.children > 1
            || middle.name == "array"
            || self
                .path
                .iter()
                .rev()
                .nth(1)
                .is_some_and(|name| middle.name == format!("{name}_tuple"));
        let element = if two_levels {
            self.node(middle, Repetition::Required, levels)?
        } else {
            if middle.children != 1 {
                return Err(self.fault(corrupt, "it is a list of nothing"));
            }
            let (element, repetition) = self.next()?;
            let node = self.node(element, repetition, levels)?;
            self.path.pop();
            node
        };
        self.path.pop();
        Ok(Shape::List {
            element: Box::new(element),
            filled,
            repeated,
        })
    }

    fn leaf(&mut self, element: &Element, levels: Levels) -> Result<Shape, Fault> {
        let values = values(element).map_err(|what| {
            let problem = format!("it holds {what}, which is no text or number");
            self.fault(unsupported, &problem)
        })?;
        self.leaves.push(Leaf {
            path: self.path.clone(),
            values,
            level: levels.defined,
            repeated: levels.repeated,
        });
        Ok(Shape::Leaf)
    }
}
