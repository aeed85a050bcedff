//! The binary in a folder of its own.

use super::sandbox::cache_dir;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// The binary in a temporary folder, where relative paths of the tests live.
pub struct Evalh {
    dir: tempfile::TempDir,
}

/// What a command left behind, for a snapshot.
pub struct Shown {
    /// Its exit code.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Evalh {
    /// An empty folder.
    pub fn new() -> Evalh {
        Evalh {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    /// A path in the folder.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.dir.path().join(relative)
    }

    /// A text file of the folder.
    pub fn read(&self, relative: &str) -> String {
        fs::read_to_string(self.path(relative)).unwrap()
    }

    /// Writes a file of the folder, with its parents.
    pub fn write(&self, relative: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// The command, its arguments separated by spaces.
    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_evalh"));
        command
            .args(line.split_whitespace())
            .current_dir(self.dir.path())
            .env("EVALH_CACHE", cache_dir())
            .env_remove("NO_COLOR");
        command
    }

    /// Runs the command to its end.
    pub fn run(&self, line: &str) -> Shown {
        Self::finish(&mut self.command(line))
    }

    /// Runs a command of [`Evalh::command`] to its end.
    pub fn finish(command: &mut Command) -> Shown {
        let output = command.stdin(Stdio::null()).output().unwrap();
        Shown {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Starts the command and leaves it running.
    pub fn start(&self, line: &str) -> Child {
        let mut command = self.command(line);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Replaces the folder's path, and that of the cache, in a text.
    pub fn without_paths(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (path, name) in [(self.dir.path(), "[DIR]"), (cache_dir(), "[CACHE]")] {
            text = text
                .replace(&real(path), name)
                .replace(&path.display().to_string(), name);
        }
        text
    }

    /// What the command showed, as one text without paths that differ from machine to machine.
    pub fn shown(&self, shown: &Shown) -> String {
        let text = format!(
            "exit code {}\n--- standard output\n{}--- standard error\n{}",
            shown.code.unwrap(),
            shown.out,
            shown.err
        );
        self.without_paths(&text)
    }
}

fn real(path: &Path) -> String {
    path.canonicalize()
        .unwrap_or_else(|_| path.to_owned())
        .display()
        .to_string()
}
