//! `evalh run`.

use crate::{
    artifacts::Artifacts,
    failure::{Exit, Failure, OrFail as _, Outcome, of_record},
    flags::RunFlags,
    interrupt,
    output::{Console, Task as Progress},
    reporting::{Runs, show, write_report},
    run::{
        adapters::OpenedAdapter,
        book::{Book, Judged},
        model::OpenedModel,
        open::Open,
        session::{self, engine_failure},
        suites::SuiteData,
        variants::{Variants, held},
    },
    sandbox::PythonSandbox,
    settings::{BASE, Effort, RunSettings, VariantChoice},
    usage,
};
use evalh_record::{
    ClaimedFolder, Manifest, Prompt, Provenance, Record, RecordError, ResumableRun, RunFolder,
    Settings, Timings,
};
use evalh_report::compare::Options;
use evalh_task::{Judgement, ModelKind, Task};
use std::{
    path::{Path, PathBuf},
    time::Instant,
};

/// Answers, scores and times suites with a checkpoint and its adapters, and reports.
///
/// # Errors
/// On bad input, on a failure of the engine or the disk, and when the user interrupts.
pub fn run(flags: &RunFlags) -> Outcome<Exit> {
    let console = Console::new(flags.output);
    let effort = Effort::resolve(&flags.machine);
    let (settings, place) = place(flags)?;
    let dir = place.dir().to_owned();
    let prepared = Prepared::new(&settings, &effort, &console, place.template_moment());
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(failure) => {
            place.abandon();
            return Err(failure);
        }
    };
    let folder = place.begin(&settings, &effort, &prepared)?;
    let texts = prepared.tasks.iter().map(AsRef::as_ref);
    folder
        .write_items(texts.flat_map(evalh_task::item_texts))
        .map_err(|error| of_record("record what is asked", &error))?;
    interrupt::listen(&dir)?;
    let record = work(folder, prepared, &effort, &console)?;
    let runs = Runs::of(&dir, record)?;
    let comparison = runs.compare(&Options::default())?;
    let written = write_report(&dir, &runs, &comparison, true)?;
    show(&console, &runs, &comparison, &written);
    Ok(Exit::Done)
}

/// Where the record goes: a new folder, or one that is there.
enum Place {
    New(ClaimedFolder),
    Old(PathBuf, Box<ResumableRun>),
}

/// Settings and folder, before anything expensive.
fn place(flags: &RunFlags) -> Outcome<(RunSettings, Place)> {
    if let Some(dir) = &flags.resume {
        let what = || format!("resume {}", dir.display());
        let old = RunFolder::open(dir).map_err(|error| of_record(&what(), &error))?;
        let settings =
            RunSettings::deserialize_from(&old.manifest().provenance.arguments).or_fail_to(what)?;
        return Ok((settings, Place::Old(dir.clone(), Box::new(old))));
    }
    let here = std::env::current_dir().or_fail_to(|| "find the working directory".to_owned())?;
    let settings = RunSettings::resolve(flags, &here)?;
    let claimed = match &flags.out {
        Some(dir) => RunFolder::claim(dir),
        None => claim_next(&folder_name(&flags.suite)),
    };
    let claimed = claimed.map_err(|error| of_record("make the run folder", &error))?;
    Ok((settings, Place::New(claimed)))
}

/// What a run of these suites is called: a file's suite by the file.
fn folder_name(suites: &[String]) -> String {
    let names = suites.iter().map(|named| {
        let stem = Path::new(named.trim()).file_stem();
        stem.unwrap_or_default().to_string_lossy().into_owned()
    });
    names.collect::<Vec<_>>().join("+")
}

/// Claims the first `runs/SUITE-N` that is not there yet.
fn claim_next(suites: &str) -> Result<ClaimedFolder, RecordError> {
    let mut number = 1;
    loop {
        let dir = PathBuf::from(format!("runs/{suites}-{number}"));
        if !dir.exists() {
            match RunFolder::claim(&dir) {
                // Another run took it in between.
                Err(RecordError::Locked { .. } | RecordError::AlreadyARun { .. }) => {}
                claimed => return claimed,
            }
        }
        number += 1;
    }
}

impl Place {
    fn dir(&self) -> &Path {
        match self {
            Place::New(claimed) => claimed.dir(),
            Place::Old(dir, _) => dir,
        }
    }

    /// What a chat template is told as now: a resumed run asks the same prompts.
    fn template_moment(&self) -> Option<i64> {
        match self {
            Place::New(_) => None,
            Place::Old(_, old) => old
                .manifest()
                .settings
                .checkpoints
                .iter()
                .find_map(|checkpoint| checkpoint.chat_template_moment),
        }
    }

    fn abandon(self) {
        if let Place::New(claimed) = self {
            claimed.abandon();
        }
    }

    fn begin(
        self,
        settings: &RunSettings,
        effort: &Effort,
        prepared: &Prepared,
    ) -> Outcome<RunFolder> {
        let current = prepared.settings(settings);
        match self {
            Place::New(claimed) => {
                let provenance = prepared.provenance(settings, effort)?;
                let begun = claimed.begin(Manifest::new(current, provenance));
                begun.map_err(|error| of_record("begin the run", &error))
            }
            Place::Old(dir, old) => old
                .resume(&current)
                .map_err(|error| of_record(&format!("resume {}", dir.display()), &error)),
        }
    }
}

/// Everything that a run needs, opened and checked, before the first answer.
struct Prepared {
    tasks: Vec<Box<dyn Task>>,
    variants: Variants,
    /// What runs programs, where a suite has any.
    sandbox: Option<PythonSandbox>,
    origins: Vec<evalh_record::FileOrigin>,
    timings: Timings,
}

impl Prepared {
    fn new(
        settings: &RunSettings,
        effort: &Effort,
        console: &Console,
        moment: Option<i64>,
    ) -> Outcome<Prepared> {
        use_threads(effort)?;
        let artifacts = Artifacts::new(console, effort.offline)?;
        let data = settings
            .suites
            .iter()
            .map(|choice| {
                SuiteData::of(
                    choice.suite.open()?,
                    choice.data.clone(),
                    &artifacts,
                    "--data",
                )
            })
            .collect::<Outcome<Vec<_>>>()?;
        let adapters = OpenedAdapter::open_all(&settings.adapters, artifacts.cache_dir())?;
        let model = OpenedModel::open(&settings.model, &artifacts, moment, "--model")?;
        let others = others(settings, &artifacts, moment.or(model.moment()))?;
        check_kinds(&data, &model)?;
        let labels = model.labels(&adapters)?;
        let tasks = data
            .iter()
            .zip(&settings.suites)
            .map(|(data, choice)| {
                data.open(&choice.task_options(model.has_chat_template(), &labels))
            })
            .collect::<Outcome<Vec<_>>>()?;
        check_templates(&tasks, &others)?;
        check_labels(&labels, &others)?;
        let models = || std::iter::once(&model).chain(others.iter().map(|(_, model)| model));
        for setting in models().flat_map(OpenedModel::unhonoured) {
            console.warn(format_args!(
                "the checkpoint's generation settings ask for {setting}, which evalh does not apply: every checkpoint is asked the same way"
            ));
        }
        let mut origins: Vec<_> = models().flat_map(|model| model.origins.clone()).collect();
        origins.extend(data.iter().flat_map(|data| data.origins.iter().cloned()));

        let (began, opening) = (Instant::now(), model.opening);
        let loading = Progress::unknown(console, &format!("loading {}", model.name));
        let variants = Variants::load(model, &adapters, others, settings, effort)?;
        loading.finish();
        if let Some(first) = variants.settings.first().filter(|first| first.name != BASE) {
            console.warn(format_args!(
                "the base has no classification head of its own and is not asked: the others are compared with `{}`",
                first.name
            ));
        }
        let load_seconds = (opening + began.elapsed()).as_secs_f64();

        // After the model: a wrong one is told before the half minute that the first preparation takes.
        let began = Instant::now();
        let sandbox = if data.iter().any(|data| data.suite.runs_programs()) {
            let runtime = settings.runtime.as_deref();
            Some(PythonSandbox::prepare(&artifacts, runtime, console)?)
        } else {
            None
        };
        let sandbox_prepare_seconds = began.elapsed().as_secs_f64();
        let timings = Timings {
            sessions: 1,
            load_seconds,
            sandbox_prepare_seconds,
            sittings: Vec::new(),
        };
        Ok(Prepared {
            tasks,
            variants,
            sandbox,
            origins,
            timings,
        })
    }

    fn settings(&self, run: &RunSettings) -> Settings {
        Settings {
            evalh: env!("CARGO_PKG_VERSION").to_owned(),
            suites: self.tasks.iter().map(|task| task.settings()).collect(),
            checkpoints: self.variants.checkpoints.clone(),
            variants: self.variants.settings.clone(),
            device: run.device.clone(),
            kernel: self.variants.kernel.clone(),
            dtype: self.variants.dtype.clone(),
            sandbox: self.sandbox.as_ref().map(PythonSandbox::settings),
        }
    }

    fn provenance(&self, run: &RunSettings, effort: &Effort) -> Outcome<Provenance> {
        Ok(Provenance {
            command: command_line(),
            arguments: serde_json::to_value(run)
                .or_fail_to(|| "write the settings as JSON".to_owned())?,
            origins: self.origins.clone(),
            adapters: self.variants.findings.clone(),
            machine: usage::machine(),
            threads: effort.threads.get(),
        })
    }
}

/// The fully fine-tuned checkpoints, with the names of their variants.
fn others(
    settings: &RunSettings,
    artifacts: &Artifacts<'_>,
    moment: Option<i64>,
) -> Outcome<Vec<(String, OpenedModel)>> {
    let open = |choice: &VariantChoice| {
        let model = OpenedModel::open(&choice.model, artifacts, moment, "--variant")?;
        Ok((choice.name.clone(), model))
    };
    settings.variants.iter().map(open).collect()
}

/// A suite asks one kind of model.
///
/// # Errors
/// When the checkpoint is of the other kind; the message names the suite that asks the same of it.
pub fn check_kinds(data: &[SuiteData], model: &OpenedModel) -> Outcome<()> {
    let other = data
        .iter()
        .find(|data| data.suite.answered_by() != model.kind);
    let Some(SuiteData { suite, .. }) = other else {
        return Ok(());
    };
    let (asked, given) = match model.kind {
        ModelKind::Decoder => ("an encoder with a classification head", "a decoder"),
        ModelKind::Encoder => ("a decoder", "an encoder"),
    };
    let what = format!("ask {} of {}", suite.name(), model.name);
    let failure =
        Failure::new(what).cause(format!("the suite is for {asked}, and this is {given}"));
    Err(match suite.counterpart() {
        Some(name) => failure.help(format!("ask the same of it with --suite {name}")),
        None => failure.help("choose a suite for it: `evalh list suites`"),
    })
}

/// Every checkpoint is asked in the same form, so each needs a chat template where that is a chat.
fn check_templates(tasks: &[Box<dyn Task>], others: &[(String, OpenedModel)]) -> Outcome<()> {
    let without = others.iter().find(|(_, model)| !model.has_chat_template());
    let is_chat = |task: &dyn Task| {
        let first = task.requests().into_iter().next();
        first.is_some_and(|request| matches!(request.prompt, Prompt::Chat { .. }))
    };
    let mut tasks = tasks.iter().map(|task| &**task);
    let chats = without.and_then(|_| tasks.find(|task| is_chat(*task)));
    match (without, chats) {
        (Some((name, _)), Some(task)) => Err(Failure::new(format!("ask the variant `{name}`"))
            .cause(format!(
                "{} is asked in the form of a chat, and the checkpoint has no chat template",
                evalh_task::score_name(task.suite(), task.protocol())
            ))
            .help("ask all variants in plain text: --protocol completion, or no --chat")),
        _ => Ok(()),
    }
}

/// Every checkpoint's head has the base's labels in the base's order, so that an output means the same of each.
fn check_labels(labels: &[String], others: &[(String, OpenedModel)]) -> Outcome<()> {
    for (name, model) in others {
        let own = model.labels(&[])?;
        if own != labels {
            return Err(Failure::new(format!("ask the variant `{name}`"))
                .cause(format!(
                    "its head has the labels {}, and the base's has {}",
                    own.join(", "),
                    labels.join(", ")
                ))
                .help(
                    "compare checkpoints whose config.json has one id2label, or run them apart",
                ));
        }
    }
    Ok(())
}

/// The command as a shell would take it again.
fn command_line() -> String {
    let words = std::env::args().skip(1).map(|word| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./,:@%+".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    });
    std::iter::once("evalh".to_owned())
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

fn use_threads(effort: &Effort) -> Outcome<()> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(effort.threads.get());
    pool.build_global()
        .or_fail_to(|| format!("start {} threads", effort.threads))
}

/// Has every open question answered, and finishes the record.
fn work(
    folder: RunFolder,
    prepared: Prepared,
    effort: &Effort,
    console: &Console,
) -> Outcome<Record> {
    let Prepared {
        tasks,
        mut variants,
        sandbox,
        timings,
        ..
    } = prepared;
    let resume = interrupt::resume_line(folder.dir());
    let book = Book::new(folder, timings);
    let names: Vec<_> = variants
        .settings
        .iter()
        .map(|variant| variant.name.clone())
        .collect();
    for sitting in variants.sittings() {
        let sitting_names: Vec<_> = sitting.iter().map(|place| names[*place].clone()).collect();
        let open: Vec<_> = tasks
            .iter()
            .map(|task| Open::of(task.as_ref(), &sitting_names, &book))
            .collect();
        if open.iter().all(|open| open.requests.is_empty()) {
            continue;
        }
        book.begin(&sitting_names);
        let began = Instant::now();
        let (engine, adapters) = variants.select(&sitting).map_err(|failure| {
            failure.help(format!(
                "every finished answer is kept; once the cause is gone, go on with `{resume}`"
            ))
        })?;
        book.loaded(began.elapsed().as_secs_f64(), Some(held(engine)));
        for (task, open) in tasks.iter().map(AsRef::as_ref).zip(&open) {
            let name = format!(
                "{} with {}",
                evalh_task::score_name(task.suite(), task.protocol()),
                sitting_names.join(", ")
            );
            let progress = Progress::items(console, &name, open.answers());
            let judge = |place: usize, response| {
                let judged = judge(task, &sitting_names[place], response, sandbox.as_ref());
                progress.advance(1);
                judged
            };
            let answered = session::answer(
                engine,
                &open.requests,
                &open.beside(&adapters),
                &judge,
                &book,
                effort.threads.get(),
                &interrupt::asked,
            );
            progress.finish();
            if let Err(error) = answered {
                // What was measured until then is worth keeping; the engine's failure is the one to tell.
                let _ = book.end();
                return Err(engine_failure(&error, Some(task), &resume));
            }
            if interrupt::asked() || book.failed() {
                break;
            }
        }
        book.end()?;
        if interrupt::asked() {
            return Err(interrupted(&book, &tasks, names.len(), &resume));
        }
    }
    finish(book, &tasks, &names)
}

fn judge(
    task: &dyn Task,
    variant: &str,
    response: evalh_record::Response,
    sandbox: Option<&PythonSandbox>,
) -> Outcome<Judged> {
    let mut suspicions = Vec::new();
    let (scored, program_seconds) = match task.judge(&response).or_fail()? {
        Judgement::Scored(scored) => (scored, None),
        Judgement::Run(program) => {
            let sandbox = sandbox.ok_or_else(|| {
                Failure::new(format!(
                    "run a program of `{}`: the suite did not ask for a sandbox",
                    task.suite()
                ))
            })?;
            let verdict = sandbox.run(&program)?;
            if verdict.outcome.is_passed() {
                suspicions.extend(verdict.suspicions.iter().map(|s| s.name().to_owned()));
            }
            (
                program.scored(verdict.outcome),
                Some(verdict.wall.as_secs_f64()),
            )
        }
    };
    let mut sample = evalh_task::sample(task, variant, response, scored).or_fail()?;
    sample.suspicions = suspicions;
    Ok(Judged {
        sample,
        program_seconds,
    })
}

fn interrupted(book: &Book, tasks: &[Box<dyn Task>], variants: usize, resume: &str) -> Failure {
    let all: usize = tasks
        .iter()
        .map(|task| {
            let settings = task.settings();
            settings.items * settings.samples * variants
        })
        .sum();
    let done = book.folder(|folder| folder.done().len());
    Failure::new("finish the run")
        .cause(format!(
            "it was interrupted after {done} of {all} answers, which are kept"
        ))
        .help(format!("go on with `{resume}`"))
        .incomplete()
}

fn finish(book: Book, tasks: &[Box<dyn Task>], variants: &[String]) -> Outcome<Record> {
    let what = "finish the record";
    let (mut folder, timings) = book.close()?;
    let samples = folder.complete().map_err(|error| of_record(what, &error))?;
    let mut results = Vec::new();
    for task in tasks {
        for variant in variants {
            results.extend(task.rows(variant, &samples).or_fail()?);
        }
    }
    let record = Record {
        manifest: folder.manifest().clone(),
        samples,
        results,
        timings,
    };
    folder
        .finish(&record.results)
        .map_err(|error| of_record(what, &error))?;
    Ok(record)
}
