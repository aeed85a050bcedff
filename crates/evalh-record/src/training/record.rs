//! A training's folder as a reader sees it.

use super::{
    ParsedSteps, StepRow, Training, TrainingError, TrainingResult, folder::STEPS, parse_steps,
};
use std::{fs, io, path::Path};

pub(super) const TRAINING: &str = "training.json";

/// A training, read back. It may still run, or have failed: its status tells.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingRecord {
    /// What it is and what it came to.
    pub training: Training,
    /// Its steps.
    pub steps: Vec<StepRow>,
}

impl TrainingRecord {
    /// Reads a training's folder. A torn last line of its steps is left out.
    ///
    /// # Errors
    /// When there is no training, or a file is damaged.
    pub fn read(dir: &Path) -> TrainingResult<TrainingRecord> {
        Ok(TrainingRecord {
            training: read_training(dir)?,
            steps: read_steps(dir)?.steps,
        })
    }
}

/// The `training.json` of a folder.
pub(super) fn read_training(dir: &Path) -> TrainingResult<Training> {
    let path = dir.join(TRAINING);
    match fs::read(&path) {
        Ok(text) => Training::parse(&path, &text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(TrainingError::NoTraining {
            dir: dir.to_owned(),
        }),
        Err(source) => Err(TrainingError::Read { path, source }),
    }
}

/// The steps of a folder; none where there is no file yet.
pub(super) fn read_steps(dir: &Path) -> TrainingResult<ParsedSteps> {
    let path = dir.join(STEPS);
    match fs::read(&path) {
        Ok(bytes) => parse_steps(&path, &bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => parse_steps(&path, &[]),
        Err(source) => Err(TrainingError::Read { path, source }),
    }
}
