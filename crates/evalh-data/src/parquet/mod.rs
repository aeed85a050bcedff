//! Parquet files as the Hugging Face datasets library writes them.
//!
//! Own code, since no length that a file states may be trusted here: the `parquet` crate reserves what page headers
//! and schemas claim and recurses as deep as a schema nests, which ends the process where a file lies. What is read is
//! what `PyArrow` writes unless told otherwise: plain and dictionary values, RLE levels, data pages of both versions,
//! no compression or Snappy; booleans, integers, floats, texts, lists and structs. Everything else is refused by name.
//!
//! Format: <https://github.com/apache/parquet-format>.

mod assemble;
mod bits;
mod budget;
mod column;
mod footer;
mod kind;
mod page;
mod schema;
mod thrift;
mod values;

use crate::{Place, Table, error::Fault};
use budget::Budget;
use footer::Footer;
use schema::Schema;

/// What a file begins and ends with.
const MAGIC: &[u8] = b"PAR1";

/// The rows of a file.
pub(crate) fn parse(bytes: &[u8]) -> Result<Table, Fault> {
    let footer = Footer::parse(footer_of(bytes)?).map_err(|trouble| trouble.at(Place::File))?;
    let schema = Schema::new(&footer.schema)?;
    let mut table = Table {
        columns: schema.columns(),
        rows: Vec::new(),
    };
    let mut budget = Budget::for_file(bytes.len());
    for group in &footer.row_groups {
        let chunks = schema.match_chunks(&group.chunks)?;
        let mut columns = Vec::with_capacity(chunks.len());
        for (leaf, chunk) in chunks {
            columns.push(column::read(bytes, leaf, chunk, &mut budget)?);
        }
        assemble::rows(&schema, columns, group.rows, &mut budget, &mut table.rows)?;
    }
    if table.rows.len() as u64 == footer.rows {
        Ok(table)
    } else {
        let problem = format!(
            "it says that it has {} rows and has {}",
            footer.rows,
            table.rows.len()
        );
        Err(corrupt(Place::File, problem))
    }
}

/// The bytes of the footer: they lie before their length and the last magic.
fn footer_of(bytes: &[u8]) -> Result<&[u8], Fault> {
    let inner = bytes
        .strip_prefix(MAGIC)
        .and_then(|rest| rest.strip_suffix(MAGIC))
        .and_then(<[u8]>::split_last_chunk::<4>);
    let Some((rest, length)) = inner else {
        let problem = "it does not begin and end as a Parquet file does";
        return Err(if bytes.ends_with(b"PARE") {
            unsupported(Place::File, "it is encrypted".to_owned())
        } else {
            corrupt(Place::File, problem.to_owned())
        });
    };
    let length = u32::from_le_bytes(*length) as usize;
    rest.len()
        .checked_sub(length)
        .map(|start| &rest[start..])
        .ok_or_else(|| {
            let problem = format!("its footer of {length} bytes is longer than the file");
            corrupt(Place::File, problem)
        })
}

/// What is wrong with a part of a file, whose place the caller knows.
#[derive(Debug)]
enum Trouble {
    Corrupt(String),
    Unsupported(String),
}

impl Trouble {
    fn at(self, place: Place) -> Fault {
        match self {
            Self::Corrupt(problem) => corrupt(place, problem),
            Self::Unsupported(problem) => unsupported(place, problem),
        }
    }
}

impl From<String> for Trouble {
    fn from(problem: String) -> Self {
        Self::Corrupt(problem)
    }
}

impl From<&str> for Trouble {
    fn from(problem: &str) -> Self {
        Self::Corrupt(problem.to_owned())
    }
}

/// A file that is broken.
fn corrupt(place: Place, problem: String) -> Fault {
    Fault::new(place, problem, "fetch the file again")
}

/// A file that uses what is not supported.
fn unsupported(place: Place, problem: String) -> Fault {
    Fault::new(
        place,
        problem,
        "write the file anew with the datasets library's to_parquet, or as JSON Lines with its to_json",
    )
}
