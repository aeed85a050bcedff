//! `evalh pull`.

use crate::{
    artifacts::Artifacts,
    failure::{Exit, Outcome},
    flags::PullFlags,
    output::Console,
};
use serde_json::json;

/// Fetches an artifact and says what there is.
///
/// # Errors
/// When no source has it.
pub fn pull(flags: &PullFlags) -> Outcome<Exit> {
    let console = Console::new(flags.output);
    let artifacts = Artifacts::new(&console, flags.offline)?.only_from(flags.from);
    let pulled = artifacts.pull(&flags.name, flags.path.clone(), "--path")?;
    let mut lines = vec![format!(
        "{} from {} in {}",
        pulled.name,
        pulled.source(),
        pulled.dir.display()
    )];
    lines.extend(pulled.files.iter().map(|file| {
        let first = if file.first_use {
            "  (taken on first use)"
        } else {
            ""
        };
        format!(
            "  {}  {} bytes  sha256 {}{first}",
            file.name, file.bytes, file.sha256
        )
    }));
    console.result(lines.join("\n"));
    let files: Vec<_> = pulled
        .files
        .iter()
        .map(|file| {
            json!({
                "name": file.name,
                "path": file.path,
                "bytes": file.bytes,
                "sha256": file.sha256.as_str(),
                "first_use": file.first_use,
            })
        })
        .collect();
    console.machine(&json!({
        "name": pulled.name,
        "source": pulled.origin.label,
        "from_cache": pulled.from_cache,
        "dir": pulled.dir,
        "files": files,
    }));
    Ok(Exit::Done)
}
