//! Columns to rows: the assembly of Dremel (Melnik et al., 2010, section 4.3).

use super::{
    budget::Budget,
    column::Column,
    corrupt,
    schema::{Field, Node, Schema, Shape},
};
use crate::{Place, error::Fault};
use serde_json::{Map, Value};

/// What a value in an object or array costs in memory beyond its column's entry and the bytes of its name.
const SLOT: usize = size_of::<Value>() + 64;

/// Appends the rows of a row group.
pub(super) fn rows(
    schema: &Schema,
    columns: Vec<Column>,
    count: usize,
    budget: &mut Budget,
    out: &mut Vec<Map<String, Value>>,
) -> Result<(), Fault> {
    let mut assembly = Assembly { columns, budget };
    for _ in 0..count {
        let row = assembly
            .object(&schema.fields, 0, 0)
            .map_err(|problem| corrupt(Place::Row(out.len() as u64 + 1), problem))?;
        out.push(row);
    }
    if assembly
        .columns
        .iter()
        .all(|column| column.peek().is_none())
    {
        Ok(())
    } else {
        let problem = "a group of its rows has more values than rows".to_owned();
        Err(corrupt(Place::File, problem))
    }
}

struct Assembly<'b> {
    columns: Vec<Column>,
    budget: &'b mut Budget,
}

impl Assembly<'_> {
    /// The next object; `repeated` is the repetition level that its first entries must have and `defined` the
    /// definition level that they must reach.
    fn object(
        &mut self,
        fields: &[Field],
        defined: u8,
        repeated: u8,
    ) -> Result<Map<String, Value>, String> {
        let mut object = Map::new();
        for field in fields {
            self.budget.spend(SLOT + field.name.len())?;
            let value = self.value(&field.node, defined, repeated)?;
            object.insert(field.name.clone(), value);
        }
        Ok(object)
    }

    fn value(&mut self, node: &Node, defined: u8, repeated: u8) -> Result<Value, String> {
        let level = self.entry(node.first, defined, repeated)?;
        if level < node.level {
            return self.missing(node, defined, repeated).map(|()| Value::Null);
        }
        match &node.shape {
            Shape::Leaf => self.columns[node.first].next().ok_or_else(short),
            Shape::Struct(fields) => self.object(fields, node.level, repeated).map(Value::Object),
            Shape::List { filled, .. } if level < *filled => {
                self.missing(node, node.level, repeated)?;
                Ok(Value::Array(Vec::new()))
            }
            Shape::List {
                element,
                filled,
                repeated: again,
            } => {
                let mut elements = Vec::new();
                let mut expected = repeated;
                loop {
                    self.budget.spend(SLOT)?;
                    elements.push(self.value(element, *filled, expected)?);
                    expected = *again;
                    let next = self.columns[node.first].peek();
                    if next.is_none_or(|(_, repeated)| repeated < *again) {
                        return Ok(Value::Array(elements));
                    }
                }
            }
        }
    }

    /// Takes the one entry of each leaf below a value that is null or empty.
    fn missing(&mut self, node: &Node, defined: u8, repeated: u8) -> Result<(), String> {
        let level = self.entry(node.first, defined, repeated)?;
        for leaf in node.first..node.end {
            if self.entry(leaf, defined, repeated)? != level {
                return Err(contradiction());
            }
            self.columns[leaf].next().ok_or_else(short)?;
        }
        Ok(())
    }

    /// The definition level of a leaf's next entry, which must belong here.
    fn entry(&self, leaf: usize, defined: u8, repeated: u8) -> Result<u8, String> {
        let (level, repetition) = self.columns[leaf].peek().ok_or_else(short)?;
        if repetition == repeated && level >= defined {
            Ok(level)
        } else {
            Err(contradiction())
        }
    }
}

fn short() -> String {
    "a column has fewer values than there are rows".to_owned()
}

fn contradiction() -> String {
    "its columns contradict each other about what is there".to_owned()
}
