//! A training's folder while it is written.

use super::{
    StepRow, Training, TrainingError, TrainingResult, TrainingSettings,
    record::{TRAINING, read_steps, read_training},
    step::to_line,
};
use crate::{
    atomic,
    folder::json,
    lock::{self, LOCK, LockError},
};
use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
};

pub(super) const STEPS: &str = "steps.jsonl";
const CHECKPOINTS: &str = "checkpoints";

/// A new training's folder: made, writable and locked, before anything expensive begins.
pub struct ClaimedTraining {
    dir: PathBuf,
    lock: File,
}

/// An existing training's folder, locked, before it is known whether the settings still agree.
pub struct ResumableTraining {
    dir: PathBuf,
    lock: File,
    training: Training,
    steps: Vec<StepRow>,
    ends: Vec<usize>,
}

/// A training's folder that takes steps.
pub struct TrainingFolder {
    dir: PathBuf,
    _lock: File,
    training: Training,
    file: File,
    bytes: u64,
    steps: u64,
}

impl TrainingFolder {
    /// Makes `dir` and its parents and locks it. A folder that holds anything else is refused.
    ///
    /// # Errors
    /// When the folder cannot be made or written, is in use, or holds other things or a training.
    pub fn claim(dir: &Path) -> TrainingResult<ClaimedTraining> {
        fs::create_dir_all(dir).map_err(|source| write_error(dir, source))?;
        if dir.join(TRAINING).exists() {
            return Err(TrainingError::AlreadyATraining {
                dir: dir.to_owned(),
            });
        }
        let read = |source| TrainingError::Read {
            path: dir.to_owned(),
            source,
        };
        for entry in fs::read_dir(dir).map_err(read)? {
            // A training that was killed before its first record leaves nothing but names of ours.
            let name = entry.map_err(read)?.file_name();
            if name != LOCK && name != ".training.json.partial" {
                return Err(TrainingError::NotEmpty {
                    dir: dir.to_owned(),
                });
            }
        }
        let lock = lock(dir)?;
        Ok(ClaimedTraining {
            dir: dir.to_owned(),
            lock,
        })
    }

    /// Opens and locks an existing training.
    ///
    /// # Errors
    /// When there is no training, its record is damaged, or it is in use.
    pub fn open(dir: &Path) -> TrainingResult<ResumableTraining> {
        let training = read_training(dir)?;
        let lock = lock(dir)?;
        let parsed = read_steps(dir)?;
        Ok(ResumableTraining {
            dir: dir.to_owned(),
            lock,
            training,
            steps: parsed.steps,
            ends: parsed.ends,
        })
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The record as it was last written.
    pub fn training(&self) -> &Training {
        &self.training
    }

    /// The folder of the checkpoint after `step`.
    pub fn checkpoint_dir(&self, step: u64) -> PathBuf {
        self.dir.join(CHECKPOINTS).join(format!("step-{step}"))
    }

    /// Appends a step with one write. After a kill at any moment it is there whole or not at all.
    ///
    /// # Errors
    /// When it is not the next step, holds a number that is not finite, or cannot be written; the file then ends where it
    /// ended before.
    pub fn append(&mut self, row: &StepRow) -> TrainingResult<()> {
        if row.step != self.steps + 1 {
            return Err(TrainingError::NotNext {
                step: row.step,
                last: self.steps,
            });
        }
        let line = to_line(row)?;
        if let Err(source) = self.file.write_all(&line) {
            // Part of the line may be there. Where even cutting it off fails, the next resume does it.
            let _ = self.file.set_len(self.bytes);
            return Err(write_error(&self.dir.join(STEPS), source));
        }
        self.bytes += line.len() as u64;
        self.steps += 1;
        Ok(())
    }

    /// Waits until the steps are on the disk, so that no checkpoint is ahead of them after a power cut.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn sync(&self) -> TrainingResult<()> {
        self.file
            .sync_data()
            .map_err(|source| write_error(&self.dir.join(STEPS), source))
    }

    /// Changes the record and replaces `training.json`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn update(&mut self, change: impl FnOnce(&mut Training)) -> TrainingResult<()> {
        change(&mut self.training);
        write_training(&self.dir, &self.training)
    }

    /// Opens `steps.jsonl`, cut to its first `bytes` bytes, which are `steps` steps.
    fn start(
        dir: PathBuf,
        lock: File,
        training: Training,
        steps: u64,
        bytes: u64,
    ) -> TrainingResult<TrainingFolder> {
        let path = dir.join(STEPS);
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .and_then(|file| file.set_len(bytes).map(|()| file))
            .map_err(|source| write_error(&path, source))?;
        Ok(TrainingFolder {
            dir,
            _lock: lock,
            training,
            file,
            bytes,
            steps,
        })
    }
}

impl ClaimedTraining {
    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes the record: from here on the training can be read and, once there is a checkpoint, resumed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(self, training: Training) -> TrainingResult<TrainingFolder> {
        write_training(&self.dir, &training)?;
        TrainingFolder::start(self.dir, self.lock, training, 0, 0)
    }
}

impl ResumableTraining {
    /// The record that the last session left.
    pub fn training(&self) -> &Training {
        &self.training
    }

    /// The steps that are done.
    pub fn steps(&self) -> &[StepRow] {
        &self.steps
    }

    /// The last step that has a checkpoint, and its folder. One that the steps do not reach is passed over.
    ///
    /// # Errors
    /// When the folder of checkpoints cannot be read.
    pub fn last_checkpoint(&self) -> TrainingResult<Option<(u64, PathBuf)>> {
        let dir = self.dir.join(CHECKPOINTS);
        let read = |source| TrainingError::Read {
            path: dir.clone(),
            source,
        };
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(read(source)),
        };
        let mut last = None;
        for entry in entries {
            let path = entry.map_err(read)?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let step = name.and_then(|name| name.strip_prefix("step-")?.parse::<u64>().ok());
            if let Some(step) = step.filter(|&step| step <= self.steps.len() as u64)
                && last.as_ref().is_none_or(|(best, _)| step > *best)
            {
                last = Some((step, path));
            }
        }
        Ok(last)
    }

    /// Goes on after step `from` (0 to begin anew) if every setting is still the same. Later steps and a torn last line
    /// are cut off.
    ///
    /// # Errors
    /// When a setting differs, which is named; when the steps do not reach `from`; when they cannot be written.
    pub fn resume(self, current: &TrainingSettings, from: u64) -> TrainingResult<TrainingFolder> {
        let differences = self.training.settings.differences(current);
        if !differences.is_empty() {
            return Err(TrainingError::Changed {
                dir: self.dir,
                differences,
            });
        }
        let last = self.ends.len() as u64;
        if from > last {
            return Err(TrainingError::StepsMissing {
                path: self.dir.join(STEPS),
                last,
                from,
            });
        }
        let kept = (from as usize).checked_sub(1).map(|at| self.ends[at]);
        let bytes = kept.unwrap_or(0) as u64;
        TrainingFolder::start(self.dir, self.lock, self.training, from, bytes)
    }
}

fn write_training(dir: &Path, training: &Training) -> TrainingResult<()> {
    let path = dir.join(TRAINING);
    let text = json(training).map_err(TrainingError::from_json)?;
    atomic::replace_file(&path, &text).map_err(|source| write_error(&path, source))
}

fn lock(dir: &Path) -> TrainingResult<File> {
    lock::lock(dir).map_err(|error| match error {
        LockError::InUse => TrainingError::Locked {
            dir: dir.to_owned(),
        },
        LockError::Io { path, source } => TrainingError::Write { path, source },
    })
}

fn write_error(path: &Path, source: std::io::Error) -> TrainingError {
    TrainingError::Write {
        path: path.to_owned(),
        source,
    }
}
