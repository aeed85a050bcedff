//! Comma-separated values, with a header and with names for the columns.

#![no_main]

use evalh_data::{ReadOptions, parse};
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let names = ["a", "b", "c"].map(str::to_owned);
    for columns in [&[][..], &names] {
        if let Ok(table) = parse(Path::new("rows.csv"), bytes, &ReadOptions { columns }) {
            for row in &table.rows {
                assert!(row.keys().eq(&table.columns));
                // A field is a part of the file.
                let texts = row.values().map(|value| value.as_str().expect("a text"));
                assert!(texts.map(str::len).sum::<usize>() <= bytes.len());
            }
        }
    }
});
