//! The files of a checkpoint beside its weights.

use std::{fs, io, path::Path};

/// Ends of names of files that hold weights, or tell where weights are.
const WEIGHTS: [&str; 9] = [
    ".safetensors",
    ".safetensors.index.json",
    ".bin",
    ".bin.index.json",
    ".pt",
    ".pth",
    ".gguf",
    ".h5",
    ".msgpack",
];

/// What a training leaves beside its weights: how these came about, and its lock. It is not about what is made of them.
const OF_A_TRAINING: [&str; 3] = ["training.json", "steps.jsonl", ".lock"];

/// Copies the files of the folder that hold no weights: configuration, tokenizer, templates, licence. Folders within and
/// the record of a training are left. Gives the names, sorted.
pub fn copy(from: &Path, to: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if fs::metadata(entry.path())?.is_file()
            && !OF_A_TRAINING.contains(&name.as_str())
            && !WEIGHTS.iter().any(|end| name.to_lowercase().ends_with(end))
        {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_and_records_of_a_training_stay() {
        let [from, to] = [(); 2].map(|()| tempfile::tempdir().expect("folder"));
        for name in [
            "config.json",
            "tokenizer.json",
            "model.safetensors",
            "training.json",
            "steps.jsonl",
            ".lock",
        ] {
            fs::write(from.path().join(name), name).expect("written");
        }
        fs::write(to.path().join("training.json"), "its own").expect("written");
        let names = copy(from.path(), to.path()).expect("copied");
        assert_eq!(names, ["config.json", "tokenizer.json"]);
        let own = fs::read_to_string(to.path().join("training.json")).expect("there");
        assert_eq!(own, "its own");
        assert!(!to.path().join("steps.jsonl").exists());
    }
}
