//! Which format a file has.

use crate::{DataError, Place, ReadOptions, Table, csv, error::Fault, json, parquet, text, tsv};
use std::{borrow::Cow, fs, path::Path};

/// The longest file, also after decompression, in bytes. A table is held in memory as a whole.
const MAX_BYTES: u64 = 2 << 30;

/// Reads a file into a table, by the ending of its name: `.jsonl`, `.json`, `.csv`, `.tsv` or `.parquet`, the text
/// formats also with `.gz` behind it.
///
/// # Errors
/// When the file cannot be read, has none of these endings, is longer than 2 GiB, or its content is not of its format.
pub fn read(path: &Path, options: &ReadOptions<'_>) -> Result<Table, DataError> {
    // Before a long file is read for nothing.
    let format = Format::of(path).map_err(|fault| fault.of(path))?;
    let io = |source| DataError::Io {
        path: path.to_path_buf(),
        source,
    };
    let length = fs::metadata(path).map_err(io)?.len();
    if length > MAX_BYTES {
        return Err(too_long().of(path));
    }
    let bytes = fs::read(path).map_err(io)?;
    table(format, &bytes, options).map_err(|fault| fault.of(path))
}

/// Reads the bytes of a file into a table; the name says the format, as in [`read`], and is what errors call it.
///
/// # Errors
/// When the name has none of the endings, or the content is not of its format.
pub fn parse(name: &Path, bytes: &[u8], options: &ReadOptions<'_>) -> Result<Table, DataError> {
    Format::of(name)
        .and_then(|format| table(format, bytes, options))
        .map_err(|fault| fault.of(name))
}

/// The form of the rows and what is around it.
#[derive(Debug, Clone, Copy)]
struct Format {
    rows: Rows,
    gzip: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rows {
    JsonLines,
    Json,
    Csv,
    Tsv,
    Parquet,
}

impl Format {
    fn of(name: &Path) -> Result<Self, Fault> {
        let name = name
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .to_ascii_lowercase();
        let undone = name.strip_suffix(".gz");
        let (gzip, stem) = (undone.is_some(), undone.unwrap_or(&name));
        let rows = match stem.rsplit_once('.').map(|(_, ending)| ending) {
            Some("jsonl") => Rows::JsonLines,
            Some("json") => Rows::Json,
            Some("csv") => Rows::Csv,
            Some("tsv") => Rows::Tsv,
            Some("parquet") if gzip => {
                return Err(Fault::new(
                    Place::File,
                    "a Parquet file is compressed within, not as a whole",
                    "undo the compression with gunzip",
                ));
            }
            Some("parquet") => Rows::Parquet,
            _ => {
                return Err(Fault::new(
                    Place::File,
                    "its name says no format of rows",
                    "let it end in .jsonl, .json, .csv, .tsv (each also with .gz) or .parquet",
                ));
            }
        };
        Ok(Self { rows, gzip })
    }
}

fn table(format: Format, bytes: &[u8], options: &ReadOptions<'_>) -> Result<Table, Fault> {
    let delimited = matches!(format.rows, Rows::Csv | Rows::Tsv);
    if !delimited && !options.columns.is_empty() {
        return Err(Fault::new(
            Place::File,
            "names of columns were given for a format that has its own",
            "give them only for a CSV or TSV file without a header",
        ));
    }
    if format.rows == Rows::Parquet {
        return parquet::parse(bytes);
    }
    let bytes = if format.gzip {
        Cow::Owned(text::gunzip(bytes, MAX_BYTES)?.ok_or_else(too_long)?)
    } else {
        Cow::Borrowed(bytes)
    };
    let text = text::decode(&bytes)?;
    match format.rows {
        Rows::JsonLines => json::lines(text),
        Rows::Json => json::array(text),
        Rows::Csv => csv::parse(text, options.columns),
        Rows::Tsv | Rows::Parquet => tsv::parse(text, options.columns),
    }
}

fn too_long() -> Fault {
    Fault::new(
        Place::File,
        "it is longer than 2 GiB",
        "give a part of it; a table is held in memory as a whole",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(name: &str, bytes: &[u8], columns: &[&str]) -> String {
        let columns: Vec<String> = columns.iter().map(|c| (*c).to_owned()).collect();
        parse(Path::new(name), bytes, &ReadOptions { columns: &columns })
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn the_ending_decides_and_its_case_does_not_matter() {
        let rows = |name: &str, bytes: &[u8]| {
            parse(Path::new(name), bytes, &ReadOptions::default())
                .unwrap()
                .rows
                .len()
        };
        assert_eq!(rows("d/a.jsonl", b"{}\n{}"), 2);
        assert_eq!(rows("A.JSON", b"[{}]"), 1);
        assert_eq!(rows("a.b.csv", b"x\n1\n"), 1);
        assert_eq!(rows("a.tsv", b"x\n1\n"), 1);
        assert_eq!(
            error("a.txt", b"", &[]),
            "read a.txt: its name says no format of rows; let it end in .jsonl, .json, .csv, .tsv (each also with \
             .gz) or .parquet"
        );
        assert!(error("jsonl", b"", &[]).contains("no format"));
        assert!(error("a.parquet.gz", b"", &[]).contains("gunzip"));
    }

    #[test]
    fn names_of_columns_are_for_files_without_a_header() {
        for name in ["a.jsonl", "a.json", "a.parquet"] {
            assert!(
                error(name, b"{}", &["x"]).contains("names of columns"),
                "{name}"
            );
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read(Path::new("no/such.csv"), &ReadOptions::default())
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("read no/such.csv: "), "{error}");
    }
}
