//! Run folders, read to be compared.

use crate::{
    failure::{Failure, Outcome, of_record},
    flags::{HowFlags, RoleFlag},
};
use evalh_record::{ItemText, Record, read_items};
use evalh_report::{
    BenchFile, BenchFileError, Comparison,
    compare::{Analysis, CompareError, Options, Role, Run, compare},
};
use std::path::{Path, PathBuf};

/// Runs with their names and texts.
pub struct Runs {
    names: Vec<String>,
    /// Their folders.
    pub dirs: Vec<PathBuf>,
    /// Their records.
    pub records: Vec<Record>,
    /// What was asked, of all runs.
    pub items: Vec<ItemText>,
}

impl Runs {
    /// Reads finished runs.
    ///
    /// # Errors
    /// When a folder holds no finished run.
    pub fn read(dirs: &[PathBuf]) -> Outcome<Runs> {
        let what = |dir: &Path| format!("read the run {}", dir.display());
        let read = |dir: &PathBuf| Record::read(dir).map_err(|error| of_record(&what(dir), &error));
        let mut items: Vec<ItemText> = Vec::new();
        for dir in dirs {
            let own = read_items(dir).map_err(|error| of_record(&what(dir), &error))?;
            // An item that several runs ask stands once.
            let suites: Vec<String> = items.iter().map(|item| item.suite.clone()).collect();
            items.extend(own.into_iter().filter(|item| !suites.contains(&item.suite)));
        }
        Ok(Runs {
            names: names(dirs),
            records: dirs.iter().map(read).collect::<Outcome<_>>()?,
            dirs: dirs.to_vec(),
            items,
        })
    }

    /// The run of a folder that was just finished.
    ///
    /// # Errors
    /// When its texts cannot be read.
    pub fn of(dir: &Path, record: Record) -> Outcome<Runs> {
        let dirs = vec![dir.to_owned()];
        Ok(Runs {
            names: names(&dirs),
            items: read_items(dir).map_err(|error| of_record("read what was asked", &error))?,
            records: vec![record],
            dirs,
        })
    }

    /// The runs as a comparison takes them.
    pub fn each(&self) -> Vec<Run<'_>> {
        let runs = self.names.iter().zip(&self.records);
        runs.map(|(name, record)| Run { name, record }).collect()
    }

    /// Compares them.
    ///
    /// # Errors
    /// When they cannot be compared.
    pub fn compare(&self, options: &Options) -> Outcome<Comparison> {
        compare(&self.each(), options).map_err(|error| of_comparison(&error))
    }
}

/// No path has more parts than this that tell anything.
const MOST_PARTS: usize = 64;

/// What runs are called: as their folders, with as much of the path as tells them apart.
fn names(dirs: &[PathBuf]) -> Vec<String> {
    let last = |dir: &Path, parts: usize| {
        let absolute = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
        let all: Vec<_> = absolute
            .components()
            .map(|part| part.as_os_str().to_string_lossy().into_owned())
            .filter(|part| part != "/")
            .collect();
        all[all.len().saturating_sub(parts)..].join("/")
    };
    let mut parts = 1;
    loop {
        let names: Vec<String> = dirs.iter().map(|dir| last(dir, parts)).collect();
        let mut distinct = names.clone();
        distinct.sort();
        distinct.dedup();
        // The same folder named twice stays the same, however much of its path is shown.
        if distinct.len() == names.len() {
            return names;
        }
        if parts > MOST_PARTS {
            return dirs.iter().map(|dir| last(dir, 1)).collect();
        }
        parts += 1;
    }
}

/// Roles as they were typed.
pub fn roles(flags: &[RoleFlag]) -> Vec<(String, Role)> {
    let roles = flags.iter();
    roles.map(|flag| (flag.name.clone(), flag.role)).collect()
}

/// What the flags ask for.
///
/// # Errors
/// When a bench file cannot be read.
pub fn options(how: &HowFlags, force: bool) -> Outcome<Options> {
    let bench = |path: &PathBuf| BenchFile::read(path).map_err(|error| of_bench(&error));
    Ok(Options {
        analysis: Analysis {
            confidence: how.confidence,
            resamples: how.resamples,
            seed: how.bootstrap_seed,
            ..Analysis::default()
        },
        force,
        roles: roles(&how.roles),
        bench: how.bench.iter().map(bench).collect::<Outcome<_>>()?,
    })
}

/// An error of a comparison with its remedy.
pub fn of_comparison(error: &CompareError) -> Failure {
    Failure::new("compare the runs")
        .because(error)
        .help(error.remedy())
}

/// An error of a bench file with its remedy.
pub fn of_bench(error: &BenchFileError) -> Failure {
    Failure::new("use what `evalh bench` measured")
        .because(error)
        .help(error.help())
}
