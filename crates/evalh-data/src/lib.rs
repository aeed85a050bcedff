//! Files of benchmark rows, read into tables.
//!
//! JSON Lines, JSON arrays, CSV, TSV and Parquet, by the ending of the file's name; the text formats also with `.gz`
//! behind it. Every row becomes a JSON object, in the file's order, so that whoever asks for a row does not see the
//! format that it came from.
//!
//! Files come from strangers: no length that a file states is trusted, memory is bounded by a multiple of the file's
//! own length, and what a format allows but a table of texts, numbers, lists and structs cannot hold is refused by
//! name.

mod csv;
mod error;
mod format;
mod header;
mod json;
mod parquet;
mod table;
mod text;
mod tsv;

pub use error::{DataError, Place};
pub use format::{parse, read};
pub use table::{ReadOptions, Table};
