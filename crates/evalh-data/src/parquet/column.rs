//! A column of a row group: levels and values.

use super::{
    Trouble,
    bits::Hybrid,
    budget::Budget,
    footer::Chunk,
    kind::Values,
    page::{Page, PageKind, Pages},
    schema::Leaf,
    unsupported, values,
};
use crate::error::Fault;
use serde_json::Value;

/// What an entry costs in memory, without the bytes of a text.
const ENTRY: usize = size_of::<Value>() + 2;

/// The entries of a column. Each stands for a value, a missing one or an empty list.
#[derive(Debug)]
pub(super) struct Column {
    /// How many of an entry's optional and repeated nodes are there; empty where there are none.
    defined: Vec<u8>,
    /// At which list an entry goes on, 0 for a new row; empty where there are none.
    repeated: Vec<u8>,
    values: std::vec::IntoIter<Value>,
    /// The next entry.
    at: usize,
    entries: usize,
    /// The definition level of a value.
    level: u8,
}

impl Column {
    /// The levels of the next entry, definition and repetition; `None` at the end.
    pub(super) fn peek(&self) -> Option<(u8, u8)> {
        (self.at < self.entries).then(|| {
            let level = |levels: &[u8]| levels.get(self.at).copied().unwrap_or(0);
            (level(&self.defined), level(&self.repeated))
        })
    }

    /// Takes the next entry: its value, or null where it is missing.
    pub(super) fn next(&mut self) -> Option<Value> {
        let (defined, _) = self.peek()?;
        self.at += 1;
        if defined == self.level {
            self.values.next()
        } else {
            Some(Value::Null)
        }
    }
}

/// Reads a column's chunk of a row group.
pub(super) fn read(
    file: &[u8],
    leaf: &Leaf,
    chunk: &Chunk,
    budget: &mut Budget,
) -> Result<Column, Fault> {
    if chunk.elsewhere {
        let problem = "it is encrypted, or in a file of its own";
        return Err(unsupported(leaf.place(), problem.to_owned()));
    }
    entries(file, leaf, chunk, budget).map_err(|trouble| trouble.at(leaf.place()))
}

fn entries(
    file: &[u8],
    leaf: &Leaf,
    chunk: &Chunk,
    budget: &mut Budget,
) -> Result<Column, Trouble> {
    let mut pages = Pages::new(file, chunk)?;
    let mut dictionary: Option<Vec<Value>> = None;
    let (mut defined, mut repeated, mut out) = (Vec::new(), Vec::new(), Vec::new());
    let mut entries: usize = 0;
    while let Some(page) = pages.next()? {
        let cost = page.count.checked_mul(ENTRY).ok_or("a page is too long")?;
        budget.spend(cost)?;
        if page.kind == PageKind::Dictionary {
            if dictionary.is_some()
                || leaf.values == Values::Bool
                || !matches!(page.encoding, 0 | 2)
            {
                return Err("it has a dictionary of a wrong kind".into());
            }
            let mut texts = Vec::new();
            values::plain(leaf.values, &page.body, page.count, &mut texts, budget)?;
            dictionary = Some(texts);
            continue;
        }
        let parts = Parts::of(&page, leaf)?;
        levels(parts.repeated, leaf.repeated, page.count, &mut repeated)?;
        levels(parts.defined, leaf.level, page.count, &mut defined)?;
        let count = if leaf.level == 0 {
            page.count
        } else {
            let levels = defined.iter().rev().take(page.count);
            levels.filter(|level| **level == leaf.level).count()
        };
        let dictionary = dictionary.as_deref();
        let (encoding, kind) = (page.encoding, leaf.values);
        values::decode(
            encoding,
            kind,
            parts.values,
            count,
            dictionary,
            &mut out,
            budget,
        )?;
        entries = entries
            .checked_add(page.count)
            .ok_or("a page is too long")?;
    }
    if entries != chunk.entries {
        return Err(format!(
            "its footer says that it has {} entries, and its pages have {entries}",
            chunk.entries
        )
        .into());
    }
    Ok(Column {
        defined,
        repeated,
        values: out.into_iter(),
        at: 0,
        entries,
        level: leaf.level,
    })
}

/// The three parts of a page of data.
struct Parts<'p> {
    repeated: &'p [u8],
    defined: &'p [u8],
    values: &'p [u8],
}

impl<'p> Parts<'p> {
    fn of(page: &'p Page<'_>, leaf: &Leaf) -> Result<Self, String> {
        let mut rest: &'p [u8] = &page.body;
        let mut part = |length: usize| {
            let (part, after) = rest
                .split_at_checked(length)
                .ok_or("a page is shorter than its levels")?;
            rest = after;
            Ok::<_, String>(part)
        };
        let (repeated, defined) = if let PageKind::DataV2(repeated, defined) = page.kind {
            (part(repeated)?, part(defined)?)
        } else {
            // Each kind of levels, where there are any, after its length.
            let mut with_length = |there: bool| {
                let mut length = [0; 4];
                if there {
                    length.copy_from_slice(part(4)?);
                }
                part(u32::from_le_bytes(length) as usize)
            };
            (
                with_length(leaf.repeated > 0)?,
                with_length(leaf.level > 0)?,
            )
        };
        Ok(Self {
            repeated,
            defined,
            values: rest,
        })
    }
}

/// Decodes the levels of a page; where none can be greater than 0 none are written.
fn levels(bytes: &[u8], max: u8, count: usize, out: &mut Vec<u8>) -> Result<(), String> {
    if max == 0 {
        return Ok(());
    }
    let mut levels = Hybrid::new(bytes, u8::BITS - max.leading_zeros())?;
    for _ in 0..count {
        match u8::try_from(levels.next()?) {
            Ok(level) if level <= max => out.push(level),
            _ => return Err("a page has a level that its schema does not have".to_owned()),
        }
    }
    Ok(())
}
