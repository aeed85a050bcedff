//! `model.safetensors.index.json` and `pytorch_model.bin.index.json`: which shard holds which tensor.

use crate::{CheckpointError, error::FETCH_AGAIN, json::UniqueEntries, map};
use serde::Deserialize;
use std::{
    collections::BTreeSet,
    path::{Component, Path},
};

#[derive(Deserialize)]
struct IndexFile {
    weight_map: UniqueEntries<String>,
}

/// An index whose shard names are plain file names.
#[derive(Debug)]
pub(super) struct Index {
    /// Tensor and shard, as listed.
    entries: Vec<(String, String)>,
}

impl Index {
    /// Reads an index of shards whose names end in `extension`.
    pub(super) fn read(path: &Path, extension: &str) -> Result<Self, CheckpointError> {
        Self::parse(&map::read(path)?, path, extension)
    }

    fn parse(bytes: &[u8], path: &Path, extension: &str) -> Result<Self, CheckpointError> {
        let malformed = |field: &str, problem: String| CheckpointError::Malformed {
            path: path.to_owned(),
            field: field.to_owned(),
            problem,
            remedy: FETCH_AGAIN,
        };
        let index: IndexFile =
            serde_json::from_slice(bytes).map_err(|e| malformed("weight_map", e.to_string()))?;
        let entries = index.weight_map.0;
        if entries.is_empty() {
            return Err(malformed("weight_map", "lists no tensor".to_owned()));
        }
        for (tensor, shard) in &entries {
            if !is_plain_file_name(shard, extension) {
                return Err(malformed(
                    tensor,
                    format!(
                        "is said to be in {shard:?}, which is no name of a {extension} file in the same folder"
                    ),
                ));
            }
        }
        Ok(Self { entries })
    }

    /// Every shard once, in the order of their names.
    pub(super) fn shards(&self) -> BTreeSet<&str> {
        self.entries
            .iter()
            .map(|(_, shard)| shard.as_str())
            .collect()
    }

    pub(super) fn entries(&self) -> &[(String, String)] {
        &self.entries
    }
}

/// Whether a name stays within its folder on any system.
fn is_plain_file_name(name: &str, extension: &str) -> bool {
    let mut parts = Path::new(name).components();
    name.ends_with(extension)
        && !name.contains(['/', '\\', ':', '\0'])
        && matches!(
            (parts.next(), parts.next()),
            (Some(Component::Normal(_)), None)
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = r#"{"metadata": {"total_size": 8}, "weight_map": {"a": "x-1.safetensors", "b": "x-2.safetensors"}}"#;

    fn parse(text: &str) -> Result<Index, CheckpointError> {
        Index::parse(text.as_bytes(), Path::new("i.json"), ".safetensors")
    }

    #[test]
    fn shards_are_listed_once() {
        assert_eq!(
            parse(GOOD)
                .unwrap()
                .shards()
                .into_iter()
                .collect::<Vec<_>>(),
            ["x-1.safetensors", "x-2.safetensors"]
        );
    }

    #[test]
    fn paths_out_of_the_folder_are_refused() {
        for shard in [
            "../x.safetensors",
            "/etc/x.safetensors",
            "a/b.safetensors",
            "a\\\\b.safetensors",
            "C:x.safetensors",
            "..",
            "x.bin",
            "",
        ] {
            let error = parse(&GOOD.replace("x-2.safetensors", shard))
                .unwrap_err()
                .to_string();
            assert!(error.contains("b: is said to be in"), "{shard}: {error}");
        }
    }

    #[test]
    fn a_tensor_listed_twice_is_named() {
        let error = parse(&GOOD.replace("\"b\"", "\"a\""))
            .unwrap_err()
            .to_string();
        assert!(error.contains("\"a\" occurs twice"), "{error}");
    }

    proptest! {
        #[test]
        fn mutated_indexes_never_panic(at in 0..GOOD.len(), byte: u8, cut in 0..GOOD.len()) {
            let mut bytes = GOOD.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = Index::parse(&bytes, Path::new("i.json"), ".safetensors");
            let _ = Index::parse(&bytes[..cut], Path::new("i.json"), ".safetensors");
        }
    }
}
