//! Tasks of lm-eval's to definitions: `evalh suite import FILE.yaml`.
//!
//! The YAML keys are those of lm-eval 0.4.13 (`config/task.py`), and what they mean is read off its `api/task.py`. What has
//! no place in the [form](crate::definition) is named; a key without which scores would be others makes the import an error
//! unless that is asked for.

mod config;
mod data;
mod dialect;
mod generation;
mod leftovers;
mod metrics;
mod notes;
mod prompt;
mod shots;
mod toml_text;
mod yaml;

use crate::{
    TaskError,
    definition::{Definition, Form, Layout, Loss, TargetIs, TextOrList},
};
use config::Config;
use data::Data;
use metrics::Kind;
use notes::Notes;
use std::{collections::BTreeMap, path::Path};

/// The name of the protocol that an imported definition has.
const PROTOCOL: &str = "lm-eval";

/// A task of lm-eval's as a definition.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The definition.
    pub definition: Definition,
    /// The same as the text of a file, with what is not carried over in comments on top.
    pub toml: String,
    /// The keys that are not in it, with the reason and what to do, in the order in which they were found. Keys inside of
    /// others are written with a point: `generation_kwargs.top_p`.
    pub not_carried: Vec<(String, String)>,
}

/// Reads a YAML file of a task of lm-eval's, with the files that it includes, and makes a definition of it.
///
/// `dataset_path` is always among what is not carried over: the definition names files, which lm-eval gets from the hub by
/// itself. With `allow_partial`, keys without which scores differ are left out like others; what they say has to be
/// written by hand before the definition asks the same as lm-eval.
///
/// # Errors
///
/// Where a file cannot be read or is no YAML of a task, where the task is of a kind that the form does not have (groups,
/// Python classes, `loglikelihood`), and, unless `allow_partial`, where a key cannot be carried over without which
/// scores differ.
pub fn import_lm_eval(path: &Path, allow_partial: bool) -> Result<Imported, TaskError> {
    let mut notes = Notes::default();
    let mut config = Config::load(path, &mut notes)?;
    let task = task_name(&mut config, path)?;
    let kind = kind(&mut config, path)?;
    let definition = definition(&mut config, &task, kind, &mut notes);
    leftovers::note(config, &mut notes);
    let changing = notes.changing();
    let is_whole = changing.is_none() && !allow_partial;
    if let Some(changing) = changing.filter(|_| !allow_partial) {
        return Err(TaskError::Data {
            path: path.to_owned(),
            problem: format!("keys cannot be carried over without which scores differ: {changing}"),
            remedy: "import what can be with `--allow-partial`, and write the rest by hand".into(),
        });
    }
    let not_carried = notes.into_pairs();
    let toml = toml_text::write(&definition, &task, path, &not_carried)?;
    if is_whole {
        Definition::parse(&toml, path).map_err(|error| {
            refused(
                path,
                format!("it makes no suite: {error}"),
                "import with `--allow-partial`, and correct the definition",
            )
        })?;
    }
    Ok(Imported {
        definition,
        toml,
        not_carried,
    })
}

fn refused(path: &Path, problem: String, remedy: &str) -> TaskError {
    TaskError::Data {
        path: path.to_owned(),
        problem,
        remedy: remedy.to_owned(),
    }
}

fn task_name(config: &mut Config, path: &Path) -> Result<String, TaskError> {
    if config.take("class").is_some() {
        return Err(refused(
            path,
            "the task is a Python class".into(),
            "write a definition by hand",
        ));
    }
    if config.take("task_list").is_some() {
        return Err(refused(
            path,
            "it holds several tasks".into(),
            "make a file of each, and import those",
        ));
    }
    match config.take("task") {
        Some(yaml::Node::Text(task)) => Ok(task),
        Some(yaml::Node::List(_)) => Err(refused(
            path,
            "it is a group of tasks".into(),
            "import the tasks that it names, one by one",
        )),
        Some(other) => Err(refused(
            path,
            format!("its `task` is {}", other.describe()),
            "name the task",
        )),
        None => Err(refused(
            path,
            "it names no `task`".into(),
            "import a file that includes it, or give it a `task`",
        )),
    }
}

fn kind(config: &mut Config, path: &Path) -> Result<Kind, TaskError> {
    let given = match config.take("output_type") {
        None => return Ok(Kind::Generation),
        Some(yaml::Node::Text(given)) => given,
        Some(other) => other.describe(),
    };
    match given.as_str() {
        "multiple_choice" => Ok(Kind::Choices),
        "generate_until" => Ok(Kind::Generation),
        "loglikelihood_rolling" => Ok(Kind::Loss),
        _ => Err(refused(
            path,
            format!("its `output_type` is `{given}`"),
            "import tasks of multiple_choice, generate_until or loglikelihood_rolling",
        )),
    }
}

fn definition(config: &mut Config, task: &str, kind: Kind, notes: &mut Notes) -> Definition {
    let data = Data::take(config, notes);
    let split = data.asked_split().cloned();
    if split.is_none() {
        notes.changes(
            "test_split",
            "neither it nor `validation_split` names the rows to ask",
        );
    }
    let solved = shots::take(config, &data, notes);
    let items = split
        .as_ref()
        .map(|split| data.rows(split, "test_split", notes));
    let layouts = items.map(|items| Layout {
        items,
        shots: solved.rows,
    });
    let mut form = form(config, kind, notes);
    form.shots = solved.shots.filter(|_| kind != Kind::Loss);
    form.source = Some(leftovers::source(config, task, notes));
    Definition {
        name: suite_name(task, notes),
        description: format!("lm-eval's task {}", on_one_line(task)),
        artifact: None,
        split: split.unwrap_or_default(),
        rows: None,
        counterpart: None,
        layouts: layouts.into_iter().collect(),
        protocols: BTreeMap::from([(PROTOCOL.to_owned(), form)]),
        default_protocol: None,
        tasks: Vec::new(),
    }
}

fn form(config: &mut Config, kind: Kind, notes: &mut Notes) -> Form {
    let delimiter = config.take_text("target_delimiter", notes);
    let separator = config.take_text("fewshot_delimiter", notes);
    let preamble = prompt::column_or_text(config, "description", notes);
    let prefill = prompt::column_or_text(config, "gen_prefix", notes);
    let context = prompt::context(config, notes);
    let (target, is_column) = prompt::target(config, notes).unzip();
    let choices = prompt::choices(config, notes);
    let generate = (kind == Kind::Generation)
        .then(|| generation::generate(config, separator.as_deref().unwrap_or("\n\n"), notes));
    let extracts = generation::extracts(config, notes);
    let (metrics, normalize) = metrics::take(config, kind, notes);
    let mut form = Form {
        preamble,
        context,
        target,
        delimiter,
        separator,
        prefill,
        choices,
        generate,
        extracts,
        normalize,
        metrics: Some(metrics),
        ..Form::default()
    };
    match kind {
        Kind::Choices => for_choices(&mut form, is_column == Some(true), notes),
        Kind::Generation => for_generation(&mut form, notes),
        Kind::Loss => for_loss(&mut form),
    }
    form
}

fn for_choices(form: &mut Form, target_is_column: bool, notes: &mut Notes) {
    // Filters are for texts; on choices lm-eval has the first answer taken, or nothing.
    if form
        .extracts
        .drain(..)
        .any(|extract| extract.regex.is_some())
    {
        notes.changes(
            "filter_list",
            "there is no text to filter where choices are scored",
        );
    }
    let digits = |choice: &str| choice.bytes().all(|digit| digit.is_ascii_digit());
    let misleads =
        |(place, choice): (usize, &String)| digits(choice) && choice.parse() != Ok(place);
    let is_ambiguous = matches!(&form.choices, Some(TextOrList::List(choices)) if choices.iter().enumerate().any(misleads));
    if is_ambiguous && target_is_column {
        notes.changes(
            "doc_to_target",
            "choices are numbers: lm-eval takes a column's numbers for places and its texts for choices, so set `target_is` \
             to \"place\" or \"text\"",
        );
    } else if is_ambiguous {
        form.target_is = Some(TargetIs::Place);
    }
}

fn for_generation(form: &mut Form, notes: &mut Notes) {
    if form.choices.take().is_some() {
        notes.changes("doc_to_choice", "lm-eval takes the target from it, and the form has no choices where text is generated: give the right text as `target`");
    }
}

/// lm-eval takes the loss of the target alone.
fn for_loss(form: &mut Form) {
    *form = Form {
        context: form.target.take(),
        loss: Some(Loss::default()),
        metrics: form.metrics.take(),
        ..Form::default()
    };
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A suite's name: what is no lower-case letter, digit or `_` becomes `_`.
fn suite_name(task: &str, notes: &mut Notes) -> String {
    let name: String = task
        .to_ascii_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let name = name.trim_start_matches('_').to_owned();
    if name != task {
        notes.lost(
            "task",
            format!("a suite's name has lower-case letters, digits and `_`: it is `{name}`"),
        );
    }
    name
}
