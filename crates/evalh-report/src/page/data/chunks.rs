//! The texts of items, in chunks of about one size: small enough to be read without a pause, large enough to compress.

use super::{answers, json, packed, prompts::Prompts, rows::Row};
use crate::page::{PageError, PageInput};
use serde::Serialize;

/// A chunk holds at least so many bytes of JSON, the last one aside.
const BYTES: usize = 256 << 10;

/// The chunks.
pub(super) struct Chunks {
    /// Each as it stands in the page.
    pub packed: Vec<String>,
    /// The first row of each.
    pub starts: Vec<usize>,
}

/// One item: its prompt, its choices and reference, and the answers of each variant.
#[derive(Serialize)]
struct ShownItem<'a> {
    #[serde(flatten)]
    asked: Option<super::prompts::Asked<'a>>,
    /// The answers of each variant, in the comparison's order.
    answers: Vec<Vec<answers::ShownAnswer<'a>>>,
}

/// The texts of all rows.
pub(super) fn chunks(
    input: &PageInput<'_>,
    rows: &[Row<'_>],
    prompts: &Prompts<'_>,
) -> Result<Chunks, PageError> {
    let mut chunks = Chunks {
        packed: Vec::new(),
        starts: Vec::new(),
    };
    let mut open = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        if open.is_empty() {
            chunks.starts.push(place);
            open.push(b'[');
        } else {
            open.push(b',');
        }
        open.extend(json(&ShownItem {
            asked: prompts.asked(place),
            answers: row
                .by_variant
                .iter()
                .map(|samples| {
                    let samples = samples.iter();
                    samples.map(|s| answers::shown(s, input.texts)).collect()
                })
                .collect(),
        })?);
        if open.len() >= BYTES || place + 1 == rows.len() {
            open.push(b']');
            chunks.packed.push(packed(&open)?);
            open.clear();
        }
    }
    Ok(chunks)
}
