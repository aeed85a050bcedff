//! Texts from strangers.

use evalh_data::{ReadOptions, parse};
use proptest::prelude::*;
use std::path::Path;

proptest! {
    #[test]
    fn random_texts_never_panic(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            "[a\",;\\t\\r\\n\\[\\]{}:0-9 ]{0,120}".prop_map(String::into_bytes),
        ],
        named in any::<bool>(),
    ) {
        let names = ["a".to_owned(), "b".to_owned()];
        for ending in ["jsonl", "json", "csv", "tsv", "parquet", "csv.gz"] {
            let columns: &[String] = if named && matches!(ending, "csv" | "tsv") { &names } else { &[] };
            let name = format!("x.{ending}");
            if let Ok(table) = parse(Path::new(&name), &bytes, &ReadOptions { columns }) {
                for row in &table.rows {
                    prop_assert!(row.keys().all(|key| table.columns.contains(key)));
                }
            }
        }
    }

    #[test]
    fn fields_survive_csv(rows in prop::collection::vec(prop::collection::vec(".*|[\",\r\n]{0,5}", 3), 1..8)) {
        let quoted = |field: &String| format!("\"{}\"", field.replace('"', "\"\""));
        let lines: Vec<String> = rows.iter().map(|row| row.iter().map(quoted).collect::<Vec<_>>().join(",")).collect();
        let names = ["a", "b", "c"].map(str::to_owned);
        let options = ReadOptions { columns: &names };
        let table = parse(Path::new("x.csv"), lines.join("\r\n").as_bytes(), &options).unwrap();
        let read: Vec<Vec<&str>> = table.rows.iter().map(|row| row.values().filter_map(|v| v.as_str()).collect()).collect();
        prop_assert_eq!(read, rows);
    }
}
