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

/// Copies the files of the folder that hold no weights: configuration, tokenizer, templates, licence. Folders within are
/// left. Gives the names, sorted.
pub fn copy(from: &Path, to: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if fs::metadata(entry.path())?.is_file()
            && !WEIGHTS.iter().any(|end| name.to_lowercase().ends_with(end))
        {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
