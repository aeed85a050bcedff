//! A whole Parquet file.

#![no_main]

use evalh_data::{ReadOptions, parse};
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(table) = parse(Path::new("rows.parquet"), bytes, &ReadOptions::default()) {
        for row in &table.rows {
            assert!(row.keys().eq(&table.columns));
        }
    }
});
