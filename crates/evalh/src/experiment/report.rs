//! The report of an experiment.

use super::{hash_of, layers_file};
use crate::{
    failure::{OrFail as _, Outcome},
    output::Console,
    reporting::{Runs, write_report},
    settings::suite_names,
    training::of_record,
};
use evalh_record::{
    Sha256,
    training::{LayerSelection, TrainingRecord},
};
use evalh_report::{
    Image,
    compare::Options,
    experiment::{
        ArmInput, ExperimentInput, ProbeInput, RunInput, analyse, csv_files, figures, json,
        markdown, terminal,
    },
};
use evalh_train::plan::{Done, Job, Plan, Work};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Confidence of every interval.
const CONFIDENCE: f64 = 0.95;

/// Writes the report of what is done; gives its files, what a terminal shows, and all of it as JSON.
///
/// # Errors
/// When a record cannot be read or a file written.
pub fn report(
    plan: &Plan,
    done: &[(&Job, Done)],
    answered: Option<&Path>,
) -> Outcome<(Vec<PathBuf>, String, String)> {
    let mut probes: Vec<(String, Sha256, LayerSelection)> = Vec::new();
    for (job, ended) in done {
        if matches!(job.work, Work::Probe(_)) && *ended == Done::Finished {
            let path = layers_file(&job.folder);
            let selection = LayerSelection::read(&path)
                .map_err(|error| of_record("read what a probe found", &error))?;
            probes.push((job.id.clone(), hash_of(&path)?, selection));
        }
    }
    let records: Vec<(&Job, &Done, Option<TrainingRecord>)> = done
        .iter()
        .filter(|(job, _)| matches!(job.work, Work::Train(_)))
        .map(|(job, ended)| (*job, ended, TrainingRecord::read(&job.folder).ok()))
        .collect();
    let arms = plan.arms.iter().enumerate().map(|(number, arm)| {
        let runs = records.iter().filter_map(|(job, ended, record)| {
            let Work::Train(training) = &job.work else {
                return None;
            };
            (training.arm == number).then(|| RunInput {
                variant: &job.id,
                seed: training.seed,
                record: record.as_ref(),
                problem: match ended {
                    Done::Failed { problem } => Some(problem.as_str()),
                    Done::Finished => None,
                },
            })
        });
        ArmInput {
            name: &arm.name,
            runs: runs.collect(),
        }
    });
    let runs = answered
        .map(|dir| Runs::read(&[dir.to_owned()]))
        .transpose()?;
    let comparison = runs
        .as_ref()
        .map(|runs| runs.compare(&Options::default()))
        .transpose()?;
    let names = |suites: Option<&Vec<String>>| -> Outcome<Vec<String>> {
        suites.map_or(Ok(Vec::new()), |suites| suite_names(suites, plan.here()))
    };
    let evaluate = plan.evaluate.as_ref();
    let target = names(evaluate.map(|evaluate| &evaluate.target))?;
    let guard = names(evaluate.map(|evaluate| &evaluate.guard))?;
    let experiment = analyse(&ExperimentInput {
        name: &plan.name,
        arms: arms.collect(),
        probes: probes
            .iter()
            .map(|(name, sha256, selection)| ProbeInput {
                name,
                sha256,
                selection,
            })
            .collect(),
        comparison: comparison.as_ref(),
        target: &target,
        guard: &guard,
        confidence: CONFIDENCE,
    });
    let dir = plan.out.join("report");
    fs::create_dir_all(&dir).or_fail_to(|| format!("make the folder {}", dir.display()))?;
    let mut written = Vec::new();
    let mut images = Vec::new();
    for (number, figure) in figures(&experiment).iter().enumerate() {
        let file = format!("figure-{}.svg", number + 1);
        write(&dir.join(&file), &figure.svg)?;
        images.push(Image {
            title: figure.title.clone(),
            caption: figure.caption.clone(),
            file,
        });
    }
    let path = dir.join("experiment.md");
    write(&path, &markdown(&experiment, &images))?;
    written.push(path);
    let path = dir.join("experiment.json");
    let found = json(&experiment);
    write(&path, &found)?;
    written.push(path);
    for (name, text) in csv_files(&experiment) {
        write(&dir.join(name), &text)?;
    }
    if let (Some(dir), Some(runs), Some(comparison)) = (answered, &runs, &comparison) {
        written.extend(write_report(dir, runs, comparison, true)?);
    }
    Ok((written, terminal(&experiment, Console::style()), found))
}

fn write(path: &Path, text: &str) -> Outcome<()> {
    fs::write(path, text).or_fail_to(|| format!("write {}", path.display()))
}
