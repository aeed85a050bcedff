//! `evalh demo`.

use super::run::run;
use crate::{
    artifacts::Artifacts,
    failure::{Exit, Failure, OrFail as _, Outcome},
    flags::{Cli, Command, DemoFlags},
    output::Console,
    own_folders::DEMO,
    sandbox::PythonSandbox,
};
use clap::Parser as _;
use std::path::{Path, PathBuf};

/// Every small suite.
const PACK: &str = "demo";
/// Those of them that run no programs.
const WITHOUT_PROGRAMS: &str = "demo_text";

/// Compares the tiny models that are part of the program on the small suites, and opens the report.
///
/// # Errors
/// When a folder cannot be written.
pub fn demo(flags: &DemoFlags) -> Outcome<Exit> {
    let console = Console::new(flags.output);
    let artifacts = Artifacts::new(&console, flags.offline)?;
    let mut folders = Vec::new();
    for folder in DEMO {
        folders.push((folder.name, folder.unpack(artifacts.cache_dir())?));
    }
    // Threads of its own: the run starts those of the whole program.
    let threads = rayon::ThreadPoolBuilder::new()
        .build()
        .or_fail_to(|| "start threads".to_owned())?;
    let sandbox = threads.install(|| PythonSandbox::prepare(&artifacts, None, &console).map(drop));
    let pack = match sandbox {
        Ok(()) => PACK,
        Err(failure) => {
            console.warn(format_args!(
                "the suites whose answers are programs are left out: {}",
                failure.into_message()
            ));
            WITHOUT_PROGRAMS
        }
    };
    let out = flags.out.clone().unwrap_or_else(next);
    let done = run(&words(&folders, pack, &out, flags)?)?;
    let page = out.join("report.html");
    if !flags.no_open
        && let Err(error) = open::that(&page)
    {
        console.warn(format_args!("{error}: open {} yourself", page.display()));
    }
    Ok(done)
}

/// The demo as flags of `evalh run`.
fn words(
    folders: &[(&str, PathBuf)],
    pack: &str,
    out: &Path,
    flags: &DemoFlags,
) -> Outcome<crate::flags::RunFlags> {
    let mut words: Vec<String> = ["evalh", "run", "--suite", pack, "--offline"]
        .map(str::to_owned)
        .into();
    for (name, folder) in folders {
        let folder = folder.display();
        match *name {
            "base" => words.extend(["--model".to_owned(), folder.to_string()]),
            name => words.extend(["--adapter".to_owned(), format!("{name}={folder}")]),
        }
    }
    words.extend(["--out".to_owned(), out.display().to_string()]);
    for (given, flag) in [
        (flags.output.quiet, "--quiet"),
        (flags.output.json, "--json"),
    ] {
        if given {
            words.push(flag.to_owned());
        }
    }
    match Cli::try_parse_from(words).or_fail_to(|| "make the demo's run".to_owned())? {
        Cli {
            command: Command::Run(flags),
        } => Ok(*flags),
        Cli { .. } => Err(Failure::new("make the demo's run")),
    }
}

/// The first `runs/demo-N` that is not there yet.
fn next() -> PathBuf {
    let mut number = 1;
    loop {
        let dir = PathBuf::from(format!("runs/demo-{number}"));
        if !dir.exists() {
            return dir;
        }
        number += 1;
    }
}
