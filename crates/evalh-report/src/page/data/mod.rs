//! The samples in the page: a small index of all of them, and their texts in chunks that are read when they are needed.
//!
//! Every part is JSON, compressed, in base64: its alphabet holds no `<`, so nothing in it can end the element that it is in.

mod answers;
mod chunks;
mod index;
mod prompts;
mod rows;
mod shared;

use super::{PageError, PageInput};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};
use serde::Serialize;
use std::io::Write as _;

/// What the browser of samples reads.
pub(super) struct Data {
    /// The index, packed.
    pub index: String,
    /// The beginnings that prompts of a task share, packed.
    pub heads: String,
    /// The texts, packed, in the order of the index's rows.
    pub chunks: Vec<String>,
    /// Items.
    pub items: usize,
    /// Answers.
    pub answers: usize,
}

/// The samples of the variants of the comparison, on its suites.
pub(super) fn data(input: &PageInput<'_>) -> Result<Data, PageError> {
    let rows = rows::rows(input)?;
    let prompts = prompts::Prompts::new(input, &rows);
    let chunks = chunks::chunks(input, &rows, &prompts)?;
    let index = index::index(input, &rows, &prompts, chunks.starts);
    Ok(Data {
        index: packed(&json(&index)?)?,
        heads: packed(&json(prompts.heads())?)?,
        chunks: chunks.packed,
        items: rows.len(),
        answers: rows.iter().map(rows::Row::answers).sum(),
    })
}

fn json(value: &(impl Serialize + ?Sized)) -> Result<Vec<u8>, PageError> {
    Ok(serde_json::to_vec(value)?)
}

/// Compressed, in base64.
fn packed(json: &[u8]) -> Result<String, PageError> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(json)?;
    Ok(STANDARD.encode(encoder.finish()?))
}
