//! Parquet files of other programs, whole and damaged.

use evalh_data::{DataError, ReadOptions, Table, parse, read};
use proptest::prelude::*;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

fn parquet(bytes: &[u8]) -> Result<Table, DataError> {
    parse(Path::new("x.parquet"), bytes, &ReadOptions::default())
}

/// The same number, whether an integer or a float stands in the text.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.keys().eq(b.keys()) && a.values().zip(b.values()).all(|(a, b)| same(a, b))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        _ => a == b,
    }
}

#[test]
fn rows_are_those_that_pyarrow_reads() {
    for (file, rows) in [
        ("hub", "hub"),
        ("snappy", "snappy"),
        ("plain_groups", "snappy"),
        ("second_version", "snappy"),
        ("second_version_plain", "snappy"),
        ("small_pages", "snappy"),
        ("empty", "empty"),
    ] {
        let path = data().join(format!("{file}.parquet"));
        let table = read(&path, &ReadOptions::default()).unwrap_or_else(|e| panic!("{e}"));
        let expected: Vec<Value> =
            serde_json::from_slice(&fs::read(data().join(format!("{rows}.json"))).unwrap())
                .unwrap();
        assert_eq!(table.rows.len(), expected.len(), "{file}");
        for (index, (row, expected)) in table.rows.into_iter().zip(&expected).enumerate() {
            let row = Value::Object(row);
            assert!(
                same(&row, expected),
                "{file} row {index}:\n{row}\n{expected}"
            );
            assert!(row.as_object().unwrap().keys().eq(&table.columns));
        }
    }
}

#[test]
fn what_is_not_read_is_named() {
    for (file, named) in [
        ("gzip", "column `x`: its compression is GZIP"),
        ("zstd", "its compression is ZSTD"),
        ("brotli", "its compression is BROTLI"),
        ("lz4", "its compression is LZ4"),
        ("delta", "DELTA_BINARY_PACKED"),
        ("binary", "raw bytes"),
        ("timestamp", "timestamps"),
        ("date", "dates"),
        ("half", "half-precision floats"),
        ("decimal", "decimals"),
        ("map", "it is a map"),
        ("nan", "a value is NaN"),
    ] {
        let path = data().join(format!("refused/{file}.parquet"));
        let error = read(&path, &ReadOptions::default())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(named) && error.contains("column `x`") && error.contains("to_parquet"),
            "{file}: {error}"
        );
    }
}

#[test]
fn what_is_no_parquet_file_is_refused() {
    let whole = fs::read(data().join("snappy.parquet")).unwrap();
    for bytes in [
        &b""[..],
        b"PAR1",
        b"PAR1PAR1",
        b"PAR1\xff\xff\xff\x7fPAR1",
        &whole[1..],
    ] {
        assert!(parquet(bytes).is_err());
    }
    for end in 0..whole.len() {
        assert!(parquet(&whole[..end]).is_err(), "{end}");
    }
}

#[test]
fn a_checksum_is_compared() {
    let bytes = fs::read(data().join("second_version.parquet")).unwrap();
    let found = (4..bytes.len() - 8).any(|at| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        parquet(&bytes).is_err_and(|e| e.to_string().contains("differs from its checksum"))
    });
    assert!(found);
}

/// A file of one required int32 column `x`, whose page the caller makes.
fn made(rows: u8, page: &[u8]) -> Vec<u8> {
    let rows = rows * 2;
    let length = u8::try_from(page.len() * 2).unwrap();
    // Thrift, each field with its number's step and its type; whole numbers are doubled (zigzag).
    let schema = [
        &[0x48, 1, b'r', 0x15, 2, 0][..],
        &[0x15, 2, 0x25, 0, 0x18, 1, b'x', 0],
    ];
    let chunk = [
        &[0x15, 2, 0x29, 0x18, 1, b'x', 0x15, 0, 0x16, rows][..],
        &[0x26, length, 0x26, 8, 0],
    ];
    let footer = [
        &[0x15, 2, 0x19, 0x2c][..],
        &schema.concat(),
        &[0x16, rows, 0x19, 0x1c, 0x19, 0x1c, 0x3c],
        &chunk.concat(),
        &[0, 0x26, rows, 0, 0],
    ];
    file(page, &footer.concat())
}

fn file(pages: &[u8], footer: &[u8]) -> Vec<u8> {
    let length = u32::try_from(footer.len()).unwrap().to_le_bytes();
    [b"PAR1", pages, footer, &length, b"PAR1"].concat()
}

#[test]
fn lengths_that_lie_reserve_nothing() {
    let page = |count: &[u8]| {
        let header = [&[0x15, 0, 0x15, 16, 0x15, 16, 0x2c, 0x15][..], count];
        let levels = &[0x15, 0, 0x15, 6, 0x15, 6, 0, 0];
        [&header.concat()[..], levels, &[7, 0, 0, 0, 9, 0, 0, 0]].concat()
    };
    let table = parquet(&made(2, &page(&[4]))).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(
        Value::from(table.rows),
        serde_json::json!([{"x": 7}, {"x": 9}])
    );
    for (rows, count, named) in [
        (3, &[4][..], "its footer says that it has 3 entries"),
        (3, &[6], "cut off"),
        (2, &[0x80, 0x80, 0x80, 0x80, 8], "out of all proportion"),
        (2, &[3], "negative length"),
    ] {
        let error = parquet(&made(rows, &page(count))).unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
}

#[test]
fn a_schema_that_nests_without_end_is_refused() {
    let group = [0x35, 0, 0x18, 1, b'g', 0x15, 2, 0];
    let footer = [
        &[0x29, 0xfc, 0xa0, 0x8d, 6][..],
        &group.repeat(100_000),
        &[0],
    ]
    .concat();
    let error = parquet(&file(b"", &footer)).unwrap_err().to_string();
    assert!(error.contains("nests more than 32 levels deep"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn mutated_files_never_panic(
        file in prop::sample::select(vec!["hub", "plain_groups", "second_version", "small_pages"]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        in_footer in any::<bool>(),
    ) {
        let mut bytes = fs::read(data().join(format!("{file}.parquet"))).unwrap();
        let footer = u32::from_le_bytes(*bytes[..bytes.len() - 4].last_chunk::<4>().unwrap()) as usize + 8;
        let start = if in_footer { bytes.len() - footer } else { 0 };
        for (at, byte) in changes {
            let at = start + at.index(bytes.len() - start);
            bytes[at] = byte;
        }
        if let Ok(table) = parquet(&bytes) {
            prop_assert!(table.rows.iter().all(|row| row.keys().eq(&table.columns)));
        }
    }

    #[test]
    fn random_footers_never_panic(footer in prop::collection::vec(any::<u8>(), 0..200)) {
        let length = u32::try_from(footer.len()).unwrap().to_le_bytes();
        let bytes = [&b"PAR1"[..], &footer, &length, b"PAR1"].concat();
        let _ = parquet(&bytes);
    }
}
