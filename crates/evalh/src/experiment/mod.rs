//! Runs a plan: probes, trainings and evaluations, each a process of its own, and reports.
//!
//! Every job is a command that a user could give: its record tells it. A process a job keeps memory and processor time
//! apart, and one that dies is a row of the report.

mod child;
mod encoder;
mod report;
mod words;

use crate::{
    failure::{Failure, OrFail as _, Outcome},
    identity, interrupt,
    output::Console,
    training::Material,
};
use child::Child;
use evalh_record::{
    sha256_bytes,
    training::{Status, TrainingRecord},
};
use evalh_train::plan::{Book, BookError, Done, Identity, Job, Plan, State, Work};
use std::path::{Path, PathBuf};

/// How an experiment is run.
pub struct Settings<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Whether only what is on this machine may be used.
    pub offline: bool,
    /// Where lines go.
    pub console: &'a Console,
}

/// How an experiment ended.
pub struct Ended {
    /// The files of the report.
    pub written: Vec<PathBuf>,
    /// What a terminal shows of it.
    pub shown: String,
    /// All of it as JSON.
    pub json: String,
    /// Jobs that failed.
    pub failed: usize,
}

/// Does every job that is not done yet, and writes the report.
///
/// # Errors
/// When the plan's files cannot be read, something was changed since a job was done, or the user interrupts.
pub fn experiment(settings: &Settings<'_>) -> Outcome<Ended> {
    let Settings { plan, console, .. } = settings;
    let identity = identity_of(settings)?;
    let jobs = plan.jobs(&identity);
    let book = Book::open(&plan.out).map_err(|error| of_book(&error))?;
    let states = book.states(&jobs).map_err(|error| of_book(&error))?;
    let over = states
        .iter()
        .filter(|s| matches!(s, State::Over(_)))
        .count();
    console.say(format_args!(
        "{}: {} jobs, {over} of them done already",
        plan.name,
        jobs.len()
    ));
    let mut done: Vec<(&Job, Done)> = Vec::new();
    for (number, (job, state)) in jobs.iter().zip(states).enumerate() {
        let place = format!("job {} of {}: {}", number + 1, jobs.len(), job.id);
        let ended = perform(settings, &book, job, state, &done, &place)?;
        done.push((job, ended));
    }
    let trained: Vec<&Job> = done
        .iter()
        .filter(|(job, ended)| {
            matches!(job.work, Work::Train(_)) && matches!(ended, Done::Finished)
        })
        .map(|(job, _)| *job)
        .collect();
    let evaluation = plan
        .evaluation(&identity, &trained)
        .filter(|_| !trained.is_empty());
    let mut answered = None;
    if let Some(job) = &evaluation {
        let state = book.state(job).map_err(|error| of_book(&error))?;
        match perform(settings, &book, job, state, &done, "evaluation")? {
            Done::Finished => answered = Some(job.folder.clone()),
            Done::Failed { problem } => console.warn(format_args!("{}: {problem}", job.id)),
        }
    }
    let failed = done
        .iter()
        .filter(|(_, ended)| matches!(ended, Done::Failed { .. }))
        .count();
    let (written, shown, json) = report::report(plan, &done, answered.as_deref())?;
    Ok(Ended {
        written,
        shown,
        json,
        failed,
    })
}

/// What the plan is about, by its content.
fn identity_of(settings: &Settings<'_>) -> Outcome<Identity> {
    let model = words::model(settings.plan);
    let material = Material::open(&model, settings.offline, settings.console)?;
    if material.is_encoder() {
        encoder::check(settings.plan, &material)?;
    }
    let hashes: Vec<String> = material
        .files
        .iter()
        .map(|file| format!("{} {}", file.name, file.sha256.as_str()))
        .collect();
    let hash = sha256_bytes(hashes.join("\n").as_bytes());
    Identity::read(settings.plan, env!("CARGO_PKG_VERSION"), hash).map_err(|error| {
        Failure::new("read what the plan is about")
            .because(&error)
            .help(error.help())
    })
}

fn of_book(error: &BookError) -> Failure {
    Failure::new("look up what is done already")
        .because(error)
        .help(error.help())
}

/// Does a job unless it is done.
fn perform(
    settings: &Settings<'_>,
    book: &Book,
    job: &Job,
    state: State,
    before: &[(&Job, Done)],
    place: &str,
) -> Outcome<Done> {
    if let State::Over(done) = state {
        return Ok(done);
    }
    let lost = job.needs.iter().find(|need| {
        before
            .iter()
            .any(|(other, ended)| other.id == **need && matches!(ended, Done::Failed { .. }))
    });
    if let Some(need) = lost {
        let problem = format!("it needs {need}, which failed");
        let done = Done::Failed { problem };
        book.end(job, done.clone())
            .map_err(|error| of_book(&error))?;
        return Ok(done);
    }
    let begun = state == State::Begun;
    let words = words::of(settings, job, before, begun)?;
    settings.console.say(place);
    book.begin(job).map_err(|error| of_book(&error))?;
    let child = Child::run(&words, &job.folder)?;
    if interrupt::asked() {
        return Err(Failure::new(format!("finish {}", job.id))
            .cause("interrupted")
            .help("give the same command again to go on")
            .incomplete());
    }
    let done = ended(job, &child);
    if let Done::Failed { problem } = &done {
        settings
            .console
            .warn(format_args!("{} failed: {problem}", job.id));
    }
    book.end(job, done.clone())
        .map_err(|error| of_book(&error))?;
    Ok(done)
}

/// How a job ended, by its record and by what its process said.
fn ended(job: &Job, child: &Child) -> Done {
    let failed = |problem: String| Done::Failed { problem };
    if child.succeeded {
        return Done::Finished;
    }
    if let Work::Train(_) = job.work
        && let Ok(record) = TrainingRecord::read(&job.folder)
        && let Status::Failed(failure) = record.training.status
    {
        return failed(format!("step {}: {}", failure.step, failure.problem));
    }
    failed(child.said.clone())
}

/// The file in which a probe leaves what it found.
fn layers_file(folder: &Path) -> PathBuf {
    folder.join("layers.json")
}

/// Hash of a file of a job.
fn hash_of(path: &Path) -> Outcome<evalh_record::Sha256> {
    identity::of_path(path).map(|(file, _)| file.sha256)
}

/// A folder for a job that writes a single file.
fn make(folder: &Path) -> Outcome<()> {
    std::fs::create_dir_all(folder).or_fail_to(|| format!("make the folder {}", folder.display()))
}
