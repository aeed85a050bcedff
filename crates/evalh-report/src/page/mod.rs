//! The self-contained HTML page: the verdict, the tables and figures under it, and a browser of all samples.
//!
//! One file, no network: styles and scripts are in it, and its content security policy allows exactly those, by their
//! hashes. Everything that a model, a data set or a user wrote reaches the page in one of two ways: through `maud`, which
//! escapes it, or as compressed JSON in base64, which the script shows as text.

mod assets;
mod browser;
mod data;
mod document;
mod efficiency;
mod foreign;
mod forgetting;
mod links;
mod replicated;
mod scores;
mod sections;
mod values;
mod verdict;

use crate::{Figure, compare::Comparison};
use evalh_record::{ItemText, Record};
use std::io;

/// What a page is made of.
#[derive(Debug, Clone, Copy)]
pub struct PageInput<'a> {
    /// The tables.
    pub comparison: &'a Comparison,
    /// The records that it compares, in the order of [`Comparison::runs`]: the samples.
    pub records: &'a [&'a Record],
    /// What was asked; may be empty, then samples are shown without prompts.
    pub items: &'a [ItemText],
    /// Drawings.
    pub figures: &'a [Figure],
    /// Whether the page may hold prompts, completions, references, what was read out of answers and what programs said.
    /// Without them it can be published where the texts of a benchmark may not be.
    pub texts: bool,
}

/// Why a page could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The comparison names a run that was not given.
    #[error("find the record of run {run} (variant {variant}): {given} records were given")]
    NoRecord {
        /// The variant.
        variant: String,
        /// The place of its run.
        run: usize,
        /// Records that were given.
        given: usize,
    },
    /// A sample could not be written as JSON.
    #[error("write a sample into the page")]
    Json(#[from] serde_json::Error),
    /// The samples could not be compressed.
    #[error("compress the samples of the page")]
    Compress(#[from] io::Error),
}

/// The page, as one HTML file.
///
/// # Errors
/// When the comparison and the records do not belong together.
pub fn html(input: &PageInput<'_>) -> Result<String, PageError> {
    let data = data::data(input)?;
    Ok(document::document(input, &data).into_string())
}
