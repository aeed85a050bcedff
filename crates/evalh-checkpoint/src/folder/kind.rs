//! Which files of a folder hold its weights.

use crate::{CheckpointError, map::list};
use std::path::{Path, PathBuf};

/// Weight files in the order in which transformers prefers them, and what the names of an index's shards end in.
const KNOWN: [(&str, Option<&str>); 4] = [
    ("model.safetensors", None),
    ("model.safetensors.index.json", Some(".safetensors")),
    ("pytorch_model.bin", None),
    ("pytorch_model.bin.index.json", Some(".bin")),
];

/// PyTorch files that trainers leave beside the weights.
const NO_WEIGHTS: [&str; 6] = [
    "training_args.bin",
    "optimizer.bin",
    "optimizer.pt",
    "scheduler.pt",
    "scaler.pt",
    "adapter_model.bin",
];

/// Where the weights are.
pub(super) enum WeightFiles {
    Single(PathBuf),
    /// An index, and what its shards' names end in.
    Sharded(PathBuf, &'static str),
}

/// The files that transformers would load, or else the folder's one PyTorch file of another name (such as
/// `consolidated.00.pth`).
pub(super) fn weight_files(folder: &Path) -> Result<WeightFiles, CheckpointError> {
    for (name, index_of) in KNOWN {
        let path = folder.join(name);
        if path.is_file() {
            return Ok(match index_of {
                None => WeightFiles::Single(path),
                Some(extension) => WeightFiles::Sharded(path, extension),
            });
        }
    }
    let mut others = other_torch_files(folder)?;
    match (others.pop(), others.as_slice()) {
        (Some(path), []) => Ok(WeightFiles::Single(path)),
        (Some(last), rest) => Err(CheckpointError::Unsupported {
            path: folder.to_owned(),
            field: "the weights".to_owned(),
            found: rest
                .iter()
                .chain([&last])
                .filter_map(|path| path.file_name())
                .map(|name| name.to_string_lossy().into_owned())
                .collect::<Vec<_>>()
                .join(" or "),
            supported: "one PyTorch file is, or several that pytorch_model.bin.index.json lists; save the model with \
                        transformers' save_pretrained"
                .to_owned(),
        }),
        (None, _) => Err(CheckpointError::MissingFile {
            path: folder.join(KNOWN[0].0),
            needed_by: format!(
                "the folder has neither it nor {}, {} or {}",
                KNOWN[1].0, KNOWN[2].0, KNOWN[3].0
            ),
            remedy: "fetch the weights",
        }),
    }
}

fn other_torch_files(folder: &Path) -> Result<Vec<PathBuf>, CheckpointError> {
    let mut files = list(folder)?;
    files.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let torch = [".bin", ".pt", ".pth"]
            .iter()
            .any(|extension| name.ends_with(extension));
        // `rng_state_0.pth` and so on, a file a process.
        let state = NO_WEIGHTS.contains(&&*name) || name.starts_with("rng_state");
        torch && !state && path.is_file()
    });
    Ok(files)
}
