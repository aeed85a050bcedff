//! The user's own programs as children.

use super::FetchError;
use crate::Progress;
use std::{
    io::{self, Read},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

/// How much of a program's output is kept: the last bytes.
const KEEP: usize = 64 << 10;
/// How often a running program's folder is measured.
const POLL: Duration = Duration::from_millis(100);
/// The longest reason quoted from a program.
const MAX_REASON: usize = 600;

/// What a program left.
pub(super) struct Finished {
    pub(super) status: ExitStatus,
    pub(super) stderr: String,
}

/// Runs a program to its end without input. With `watch`, the growth of a folder is reported as progress. `None`
/// when there is no such program.
pub(super) fn run(
    command: &mut Command,
    watch: Option<(&Path, &dyn Progress)>,
) -> Result<Option<Finished>, FetchError> {
    let mut child = match command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
    {
        Ok(child) => child,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => {
            return Err(FetchError::Unavailable(format!(
                "{} cannot be run: {e}",
                name(command)
            )));
        }
    };
    let stderr = child
        .stderr
        .take()
        .map(|pipe| thread::spawn(move || tail(pipe)));
    let status = wait(&mut child, watch).map_err(|e| {
        FetchError::Unavailable(format!("{} cannot be waited for: {e}", name(command)))
    })?;
    let stderr = stderr
        .and_then(|reader| reader.join().ok())
        .unwrap_or_default();
    Ok(Some(Finished { status, stderr }))
}

/// Runs a program and streams its standard output to `take`.
pub(super) fn stream<T>(
    command: &mut Command,
    take: impl FnOnce(&mut dyn Read) -> Result<T, FetchError>,
) -> Result<T, FetchError> {
    let program = name(command);
    let unavailable =
        |e: io::Error| FetchError::Unavailable(format!("{program} cannot be run: {e}"));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(unavailable)?;
    let stderr = child
        .stderr
        .take()
        .map(|pipe| thread::spawn(move || tail(pipe)));
    let taken = match child.stdout.take() {
        Some(mut stdout) => take(&mut stdout),
        None => Err(FetchError::Unavailable(format!("{program} has no output"))),
    };
    let status = child.wait().map_err(unavailable)?;
    let stderr = stderr.and_then(|r| r.join().ok()).unwrap_or_default();
    match taken {
        // The program's own reason tells more than the cut stream that it left.
        _ if !status.success() && !stderr.trim().is_empty() => {
            Err(FetchError::Unavailable(reason(&stderr)))
        }
        taken => taken,
    }
}

fn wait(child: &mut Child, watch: Option<(&Path, &dyn Progress)>) -> io::Result<ExitStatus> {
    let Some((folder, progress)) = watch else {
        return child.wait();
    };
    let mut seen = folder_size(folder);
    loop {
        let status = child.try_wait()?;
        let size = folder_size(folder);
        if size > seen {
            progress.advance(size - seen);
            seen = size;
        }
        if let Some(status) = status {
            return Ok(status);
        }
        thread::sleep(POLL);
    }
}

/// The bytes below a folder, as far as they can be seen while another program works in it.
fn folder_size(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => folder_size(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

/// Reads a pipe to its end and keeps the last bytes.
fn tail(mut pipe: impl Read) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; 8 << 10];
    while let Ok(n) = pipe.read(&mut buffer) {
        if n == 0 {
            break;
        }
        kept.extend_from_slice(&buffer[..n]);
        if kept.len() > 2 * KEEP {
            kept.drain(..kept.len() - KEEP);
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// The lines of a program's messages that say why it failed.
pub(super) fn reason(stderr: &str) -> String {
    let lines: Vec<&str> = stderr
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let is_error = |line: &&&str| {
        ["ERROR:", "error:", "fatal:"]
            .iter()
            .any(|start| line.starts_with(start))
    };
    let errors: Vec<&str> = lines.iter().filter(is_error).copied().collect();
    let chosen = if errors.is_empty() {
        lines.last().into_iter().copied().collect()
    } else {
        errors
    };
    let text = without_credentials(&chosen.join("; "));
    match text.char_indices().nth(MAX_REASON) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None if text.is_empty() => "it failed without a message".to_owned(),
        None => text,
    }
}

/// Hides `user:password@` in the URLs of a text.
pub(super) fn without_credentials(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after
            .find(|c: char| c.is_whitespace() || "/'\"".contains(c))
            .unwrap_or(after.len());
        rest = match after[..end].rfind('@') {
            Some(user) => {
                out.push_str("***");
                &after[user..]
            }
            None => after,
        };
    }
    out.push_str(rest);
    out
}

fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

/// The error when a program is missing.
pub(super) fn missing(what: &str, remedy: &str) -> FetchError {
    FetchError::Unavailable(format!("{what} is not found ({remedy})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_telling_lines_are_quoted_without_passwords() {
        let stderr = "Looking in links: x\nERROR: no match at https://me:secret@host/simple\nWARNING: y\nERROR: gone\n";
        assert_eq!(
            reason(stderr),
            "ERROR: no match at https://***@host/simple; ERROR: gone"
        );
        assert_eq!(reason("one\n\nlast words\n"), "last words");
        assert_eq!(reason(""), "it failed without a message");
        assert_eq!(reason(&"x".repeat(9999)).chars().count(), MAX_REASON + 3);
    }
}
