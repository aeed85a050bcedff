//! The manifests that are part of the binary: one line each.

/// A manifest's file in this repository and its text.
pub(crate) const MANIFESTS: &[(&str, &str)] = &[
    (
        "datasets/glue.toml",
        include_str!("../../../datasets/glue.toml"),
    ),
    (
        "datasets/gsm8k.toml",
        include_str!("../../../datasets/gsm8k.toml"),
    ),
    (
        "datasets/humaneval.toml",
        include_str!("../../../datasets/humaneval.toml"),
    ),
    (
        "datasets/mmlu.toml",
        include_str!("../../../datasets/mmlu.toml"),
    ),
    (
        "datasets/models/smollm2-135m-instruct.toml",
        include_str!("../../../datasets/models/smollm2-135m-instruct.toml"),
    ),
    (
        "datasets/quixbugs.toml",
        include_str!("../../../datasets/quixbugs.toml"),
    ),
    (
        "sandboxes/python.toml",
        include_str!("../../../sandboxes/python.toml"),
    ),
];

#[cfg(test)]
mod tests {
    use super::MANIFESTS;
    use crate::Manifest;
    use std::{collections::BTreeSet, path::Path};

    #[test]
    fn every_manifest_in_the_repository_is_registered_and_valid() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut found = BTreeSet::new();
        for folder in ["datasets", "datasets/models", "sandboxes"] {
            for entry in std::fs::read_dir(root.join(folder)).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|e| e == "toml") {
                    found.insert(format!(
                        "{folder}/{}",
                        path.file_name().unwrap().to_str().unwrap()
                    ));
                }
            }
        }
        let registered: BTreeSet<_> = MANIFESTS
            .iter()
            .map(|(file, _)| (*file).to_owned())
            .collect();
        assert_eq!(found, registered);
        for (file, text) in MANIFESTS {
            let manifest = Manifest::parse(text, file).unwrap_or_else(|e| panic!("{e}"));
            assert!(
                file.ends_with(&format!("/{}.toml", manifest.name)),
                "{file} is named for its artifact"
            );
        }
    }
}
