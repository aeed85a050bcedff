//! Checkpoints of a training in progress.

use crate::data::Position;
use crate::{TrainError, TrainableModel, Trainer, TrainerState};
use evalh_record::training::Seconds;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub(super) const WEIGHTS: &str = "state.safetensors";
const STATE: &str = "state.json";

/// Where a training stands, beside its values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointState {
    /// Steps and micro-batches.
    pub trainer: TrainerState,
    /// The next example.
    pub position: Position,
    /// What all sessions took so far.
    pub seconds: Seconds,
    /// Joules of all sessions so far, where they are counted.
    pub joules: Option<f64>,
}

impl CheckpointState {
    pub(super) fn read(dir: &Path) -> Result<Self, TrainError> {
        let path = dir.join(STATE);
        let bytes = fs::read(&path).map_err(file("read", &path))?;
        serde_json::from_slice(&bytes).map_err(|error| TrainError::State {
            path,
            problem: error.to_string(),
        })
    }
}

/// Writes a checkpoint: the folder is there whole or not at all.
pub(super) fn write(
    trainer: &Trainer<impl TrainableModel>,
    dir: &Path,
    state: impl FnOnce(TrainerState) -> CheckpointState,
) -> Result<(), TrainError> {
    let partial = dir.with_extension("partial");
    // One of a session that was killed.
    match fs::remove_dir_all(&partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(file("write", &partial)(error));
        }
        _ => {}
    }
    fs::create_dir_all(&partial).map_err(file("write", &partial))?;
    let state = state(trainer.save(&partial.join(WEIGHTS))?);
    let text = serde_json::to_vec_pretty(&state).map_err(io::Error::other);
    let path = partial.join(STATE);
    text.and_then(|text| fs::write(&path, text))
        .map_err(file("write", &path))?;
    // A checkpoint of the same step, which an interrupted session left, is the same.
    if dir.exists() {
        fs::remove_dir_all(dir).map_err(file("write", dir))?;
    }
    fs::rename(&partial, dir).map_err(file("write", dir))
}

/// Removes all but the newest checkpoints beside `newest`.
pub(super) fn prune(newest: &Path, keep: usize) -> Result<(), TrainError> {
    let Some(parent) = newest.parent() else {
        return Ok(());
    };
    let entries = fs::read_dir(parent).map_err(file("read", parent))?;
    let mut steps: Vec<(u64, PathBuf)> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let step = path.file_name()?.to_str()?.strip_prefix("step-")?;
            Some((step.parse().ok()?, path))
        })
        .collect();
    steps.sort_unstable();
    let old = steps.len().saturating_sub(keep.max(1));
    for (_, path) in &steps[..old] {
        fs::remove_dir_all(path).map_err(file("write", path))?;
    }
    Ok(())
}

fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> TrainError + use<> {
    let path = path.to_owned();
    move |source| TrainError::File {
        doing,
        path,
        source,
    }
}
