//! One prepared sandbox for all tests of a binary, and `HumanEval` where the shared folder has it.

#![allow(
    dead_code,
    reason = "each test binary and the benchmark use a part of it"
)]

use evalh_sandbox::{
    COMPONENTIZE_PY_VERSION, Limits, Program, Runtime, Sandbox, SandboxConfig, SandboxError,
    Verdict,
};
use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The sandbox, or nothing where componentize-py cannot be had (no Python, no registry): the caller then skips.
pub fn sandbox(test: &str) -> Option<&'static Sandbox> {
    static SANDBOX: OnceLock<Option<Sandbox>> = OnceLock::new();
    let sandbox = SANDBOX.get_or_init(|| prepare(Limits::default())).as_ref();
    if sandbox.is_none() {
        eprintln!("skipped {test}: the sandbox's Python runtime is absent");
    }
    sandbox
}

/// A sandbox with other limits, on the same runtime.
pub fn prepare(limits: Limits) -> Option<Sandbox> {
    let cache_dir = cache_dir();
    let config = SandboxConfig {
        cache_dir: cache_dir.clone(),
        runtime: Runtime::Built(&|| tool(&cache_dir)),
        limits,
    };
    match Sandbox::prepare(&config, &|event| {
        eprintln!("preparing the sandbox: {event:?}");
    }) {
        Ok(sandbox) => Some(sandbox),
        Err(error @ (SandboxError::Tool { .. } | SandboxError::Python { .. })) => {
            eprintln!("{error}");
            None
        }
        Err(error) => panic!("failed to {error}"),
    }
}

/// `EVALH_CACHE`, or a folder of this workspace's builds.
pub fn cache_dir() -> PathBuf {
    let own = || Path::new(env!("CARGO_TARGET_TMPDIR")).join("evalh-cache");
    std::env::var_os("EVALH_CACHE").map_or_else(own, PathBuf::from)
}

/// Installs componentize-py beside the cache.
fn tool(cache_dir: &Path) -> Result<PathBuf, Box<dyn Error + Send + Sync>> {
    let folder = cache_dir.join(format!("componentize-py-{COMPONENTIZE_PY_VERSION}"));
    if !folder.exists() {
        let fresh = tempfile::TempDir::new_in(cache_dir)?;
        let package = format!("componentize-py=={COMPONENTIZE_PY_VERSION}");
        let pip = Command::new("python3")
            .args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"])
            .arg(fresh.path())
            .arg(package)
            .output()?;
        if !pip.status.success() {
            return Err(String::from_utf8_lossy(&pip.stderr).into());
        }
        fs::rename(fresh.keep(), &folder)?;
    }
    Ok(folder)
}

/// One problem of `HumanEval`.
pub struct Problem {
    pub task_id: String,
    pub prompt: String,
    pub canonical_solution: String,
    pub test: String,
    pub entry_point: String,
}

impl Problem {
    /// The tests and their call, as the reference harness appends them.
    pub fn tests(&self) -> String {
        format!("{}\ncheck({})", self.test, self.entry_point)
    }

    pub fn run(&self, sandbox: &Sandbox, completion: &str) -> Verdict {
        let code = format!("{}{completion}\n", self.prompt);
        sandbox.run(&Program::tested(&code, &self.tests())).unwrap()
    }
}

/// The problems, or nothing where the shared folder is absent: the caller then skips.
pub fn humaneval(test: &str) -> Option<Vec<Problem>> {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/datasets/humaneval/HumanEval.jsonl"
    );
    let Ok(text) = fs::read_to_string(file) else {
        eprintln!("skipped {test}: ../shared is absent");
        return None;
    };
    let problem = |line: &str| {
        let item = serde_json::from_str::<serde_json::Value>(line).unwrap();
        let field = |name: &str| item[name].as_str().unwrap().to_owned();
        Problem {
            task_id: field("task_id"),
            prompt: field("prompt"),
            canonical_solution: field("canonical_solution"),
            test: field("test"),
            entry_point: field("entry_point"),
        }
    };
    Some(text.lines().map(problem).collect())
}
