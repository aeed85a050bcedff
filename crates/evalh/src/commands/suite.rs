//! `evalh suite`.

use crate::{
    failure::{Exit, Failure, OrFail as _, Outcome},
    flags::{ImportFlags, SuiteCommand},
    output::Console,
};
use evalh_task::import::import_lm_eval;
use serde_json::json;
use std::{fs::OpenOptions, io::Write as _, path::PathBuf};

/// Does what is asked about suites.
///
/// # Errors
/// When the file is wrong, or cannot be carried over.
pub fn suite(command: &SuiteCommand) -> Outcome<Exit> {
    match command {
        SuiteCommand::Import(flags) => import(flags),
    }
}

fn import(flags: &ImportFlags) -> Outcome<Exit> {
    let console = Console::new(flags.output);
    let imported = import_lm_eval(&flags.file, flags.allow_partial).or_fail()?;
    let out = match &flags.out {
        Some(path) => path.clone(),
        None => PathBuf::from(format!("{}.toml", imported.definition.name)),
    };
    let what = || format!("write {}", out.display());
    let file = OpenOptions::new().write(true).create_new(true).open(&out);
    let mut file = file.map_err(|error| {
        let failure = Failure::new(what()).because(&error);
        match error.kind() {
            std::io::ErrorKind::AlreadyExists => failure.help("name another file with --out"),
            _ => failure,
        }
    })?;
    file.write_all(imported.toml.as_bytes()).or_fail_to(what)?;
    for (key, why) in &imported.not_carried {
        console.result(format_args!("not carried over: `{key}`: {why}"));
    }
    console.result(format_args!("suite: {}", out.display()));
    console.machine(&json!({
        "suite": imported.definition.name,
        "file": out,
        "not_carried": imported.not_carried.iter().map(|(key, why)| json!({"key": key, "why": why})).collect::<Vec<_>>(),
    }));
    Ok(Exit::Done)
}
