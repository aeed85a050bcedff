//! Tab-separated values without quoting: what is read, joined again, is the file.

#![no_main]

use evalh_data::{ReadOptions, parse};
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let names = ["a", "b"].map(str::to_owned);
    let options = ReadOptions { columns: &names };
    let Ok(table) = parse(Path::new("rows.tsv"), bytes, &options) else {
        return;
    };
    let text = std::str::from_utf8(bytes).expect("what was read is UTF-8");
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.split('\n');
    let lines = lines.map(|line| line.strip_suffix('\r').unwrap_or(line));
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    let row = |row: &serde_json::Map<String, serde_json::Value>| {
        let texts: Vec<&str> = row.values().filter_map(|value| value.as_str()).collect();
        texts.join("\t")
    };
    assert_eq!(table.rows.iter().map(row).collect::<Vec<_>>(), lines);
});
