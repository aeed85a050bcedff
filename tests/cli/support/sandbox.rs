//! The sandbox, where this machine can have one.

use std::{path::Path, process::Command, sync::LazyLock};

/// The cache of all tests: it outlives them, so that the sandbox's runtime is built once.
pub fn cache_dir() -> &'static Path {
    Path::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/evalh-cache"))
}

/// Whether programs can run here. It is not where the tool that builds the runtime cannot be fetched; the test is then
/// skipped by its name.
pub fn has_sandbox(test: &str) -> bool {
    static READY: LazyLock<Result<(), String>> = LazyLock::new(|| {
        let program = cache_dir().join("ready.py");
        std::fs::create_dir_all(cache_dir()).unwrap();
        std::fs::write(&program, "print(1)\n").unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_evalh"))
            .arg("exec")
            .arg(&program)
            .env("EVALH_CACHE", cache_dir())
            .output()
            .unwrap();
        if output.status.success() {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    });
    match &*READY {
        Ok(()) => true,
        Err(why) if why.contains("no source answered") => {
            eprintln!("skipped {test}: the sandbox's runtime cannot be built here: {why}");
            false
        }
        Err(why) => panic!("evalh exec failed: {why}"),
    }
}
