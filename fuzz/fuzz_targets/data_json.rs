//! JSON Lines and JSON arrays, also compressed: rows survive being written again.

#![no_main]

use evalh_data::{ReadOptions, parse};
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    for name in ["rows.jsonl", "rows.json", "rows.jsonl.gz"] {
        let Ok(table) = parse(Path::new(name), bytes, &ReadOptions::default()) else {
            continue;
        };
        let lines: Vec<String> = table
            .rows
            .iter()
            .map(|row| serde_json::to_string(row).expect("a row is JSON"))
            .collect();
        let again = lines.join("\n");
        let again = parse(
            Path::new("rows.jsonl"),
            again.as_bytes(),
            &ReadOptions::default(),
        );
        assert_eq!(again.expect("written rows can be read"), table);
    }
});
