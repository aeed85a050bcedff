//! Checkpoints by name or path.

use crate::{
    artifacts::Artifacts,
    failure::{Failure, OrFail as _, Outcome},
    output::Console,
    settings::ModelChoice,
};
use evalh_artifact::Pulled;
use evalh_checkpoint::Checkpoint;
use std::path::{Path, PathBuf};

/// A checkpoint that was found or fetched.
pub struct Located {
    /// Its name in the record.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// How it was fetched, where it was.
    pub pulled: Option<Pulled>,
}

/// Finds or fetches a checkpoint; the user names it by `flag`.
///
/// # Errors
/// When there is no such checkpoint.
pub fn locate(choice: &ModelChoice, artifacts: &Artifacts<'_>, flag: &str) -> Outcome<Located> {
    match choice {
        ModelChoice::Path(path) if !path.exists() => {
            let what = format!(
                "open the checkpoint {}: there is no such file or folder",
                path.display()
            );
            Err(Failure::new(what).help(format!(
                "give {flag} a Hugging Face folder, a .gguf file or a name of `evalh list models`"
            )))
        }
        ModelChoice::Path(path) => Ok(Located {
            name: file_stem(path),
            path: path.clone(),
            pulled: None,
        }),
        ModelChoice::Name(name) => {
            let pulled = artifacts.pull(name, None, flag)?;
            Ok(Located {
                name: name.clone(),
                path: pulled.entry().to_owned(),
                pulled: Some(pulled),
            })
        }
    }
}

/// Opens a checkpoint that is named on the command line.
///
/// # Errors
/// When there is no such checkpoint, or it is damaged.
pub fn open(named: &str, flag: &str, console: &Console) -> Outcome<Checkpoint> {
    let here = std::env::current_dir().or_fail_to(|| "find the working folder".to_owned())?;
    let choice = ModelChoice::of(named, &here);
    let artifacts = Artifacts::new(console, false)?;
    Checkpoint::open(&locate(&choice, &artifacts, flag)?.path).or_fail()
}

fn file_stem(path: &Path) -> String {
    // `.` and `model/..` have a name only once they are resolved.
    let real: PathBuf = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = if real.is_dir() {
        real.file_name()
    } else {
        real.file_stem()
    };
    name.unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}
