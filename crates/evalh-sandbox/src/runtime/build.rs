//! Building the component with componentize-py from the guest's sources.

use super::{Origin, PrepareEvent, ToolSource, cache::Cache};
use crate::SandboxError;
use evalh_record::{Sha256, sha256_bytes};
use std::{
    fs, io,
    path::Path,
    process::{Command, Output, Stdio},
    time::Instant,
};

/// The release of componentize-py that the guest is made for: it bundles the Python that programs run in.
pub const COMPONENTIZE_PY_VERSION: &str = "0.25.1";

const WORLD: &str = include_str!("../../../../sandboxes/python/world.wit");
const GUEST: &str = include_str!("../../../../sandboxes/python/evalh_guest.py");
/// The guest's module name.
const MODULE: &str = "evalh_guest";

/// The functions of `world.wit` that the host calls.
pub(crate) const EXPORTS: [&str; 4] = ["load", "load-script", "seal", "test"];

/// Starts the tool whatever the interpreter that its own start script names.
const START: &str = "import sys; sys.argv[0] = 'componentize-py'; from componentize_py import script; sys.exit(script())";

/// Characters shown of what a failed tool printed.
const OUTPUT_CHARS: usize = 4000;

/// Name of the component in the cache.
pub(super) fn entry_name() -> String {
    format!("python-{}.wasm", &guest_sha256().as_str()[..32])
}

/// How a component built here came to be.
pub(super) fn origin() -> Origin {
    Origin::Built {
        tool: format!("componentize-py {COMPONENTIZE_PY_VERSION}"),
        guest_sha256: guest_sha256(),
    }
}

fn guest_sha256() -> Sha256 {
    sha256_bytes(format!("{COMPONENTIZE_PY_VERSION}\0{WORLD}\0{GUEST}").as_bytes())
}

/// Builds the component.
pub(super) fn component(
    tool: &ToolSource<'_>,
    cache: &Cache,
    progress: &dyn Fn(PrepareEvent),
) -> Result<Vec<u8>, SandboxError> {
    progress(PrepareEvent::FetchingTool);
    let tool = tool().map_err(|source| SandboxError::Tool { source })?;
    let scratch = cache.scratch()?;
    check_version(&tool, scratch.path())?;

    progress(PrepareEvent::Building);
    let begin = Instant::now();
    let write = |name: &str, text: &str| {
        let path = scratch.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(scratch.path()))
            .and_then(|()| fs::write(&path, text))
            .map_err(SandboxError::io("write", &path))
    };
    write("world.wit", WORLD)?;
    write(&format!("guest/{MODULE}.py"), GUEST)?;
    let arguments = [
        "-d",
        "world.wit",
        "-w",
        "python",
        "componentize",
        "-p",
        "guest",
        "-o",
        "python.wasm",
        MODULE,
    ];
    let output = run(&tool, scratch.path(), &arguments)?;
    if !output.status.success() {
        return Err(SandboxError::Build {
            status: output.status,
            output: printed(&output),
        });
    }
    let path = scratch.path().join("python.wasm");
    let bytes = fs::read(&path).map_err(SandboxError::io("read the built", &path))?;
    progress(PrepareEvent::Built {
        took: begin.elapsed(),
    });
    Ok(bytes)
}

fn check_version(tool: &Path, scratch: &Path) -> Result<(), SandboxError> {
    let output = run(tool, scratch, &["--version"])?;
    let found = printed(&output);
    if output.status.success() && found.split_whitespace().last() == Some(COMPONENTIZE_PY_VERSION) {
        return Ok(());
    }
    // Without the tool's module, Python prints a traceback: its last line says it.
    let found = found
        .lines()
        .last()
        .unwrap_or("a tool that says nothing")
        .to_owned();
    Err(SandboxError::ToolVersion {
        found,
        folder: tool.to_path_buf(),
        expected: COMPONENTIZE_PY_VERSION,
    })
}

fn run(tool: &Path, scratch: &Path, arguments: &[&str]) -> Result<Output, SandboxError> {
    let tool = std::path::absolute(tool).map_err(SandboxError::io("find", tool))?;
    let start = |python: &str| {
        Command::new(python)
            .args(["-s", "-c", START])
            .args(arguments)
            .current_dir(scratch)
            .env("PYTHONPATH", &tool)
            .env_remove("PYTHONHOME")
            // The packages of the user's environment would be put into the component: point at an empty one.
            .env("VIRTUAL_ENV", scratch)
            .stdin(Stdio::null())
            .output()
    };
    let started = match start("python3") {
        Err(error) if error.kind() == io::ErrorKind::NotFound => start("python"),
        started => started,
    };
    started.map_err(|source| SandboxError::Python { source })
}

fn printed(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&text)
        .trim()
        .chars()
        .take(OUTPUT_CHARS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_world_has_the_functions_that_the_host_calls() {
        for name in EXPORTS {
            assert!(WORLD.contains(&format!("export {name}: func(")), "{name}");
        }
        assert_eq!(WORLD.matches("export ").count(), EXPORTS.len());
    }

    #[test]
    fn a_folder_without_the_tool_is_named() {
        let dir = tempfile::TempDir::new().unwrap();
        let cache = Cache::open(dir.path()).unwrap();
        match component(&|| Ok(dir.path().to_path_buf()), &cache, &|_| {}) {
            Err(SandboxError::ToolVersion { found, .. }) => {
                assert!(found.contains("componentize_py"), "{found}");
            }
            // A machine without Python says so.
            Err(SandboxError::Python { .. }) => {}
            other => panic!("{:?}", other.map(|bytes| bytes.len())),
        }
    }

    #[test]
    fn a_tool_that_cannot_be_had_is_an_error() {
        let dir = tempfile::TempDir::new().unwrap();
        let cache = Cache::open(dir.path()).unwrap();
        let error = component(&|| Err("offline".into()), &cache, &|_| {}).unwrap_err();
        assert!(
            error.to_string().contains("offline") && error.to_string().contains("--runtime"),
            "{error}"
        );
    }
}
