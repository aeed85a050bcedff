//! The plan as a whole.

use super::value::Value;
use super::{
    Arm, ArmLayers, Evaluation, PlanError, PlanResult, arm,
    draft::{self, Draft},
    evaluate,
    reader::{Document, Section, Source},
};
use evalh_record::training::{LossOn, TargetMetric};
use std::{
    fs,
    path::{Path, PathBuf},
};
use toml::de::DeTable;

const TABLES: [&str; 6] = ["experiment", "model", "data", "train", "arm", "evaluate"];
/// Most tokens of a row, where the plan does not say.
const MAX_TOKENS: usize = 512;

/// An experiment: arms over seeds, on one model and one set of training data.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The file that it was read from.
    pub path: PathBuf,
    /// The experiment's name.
    pub name: String,
    /// The seeds, each once.
    pub seeds: Vec<u64>,
    /// The folder of everything that it makes.
    pub out: PathBuf,
    /// Threads that train and evaluate; `None` is all.
    pub threads: Option<usize>,
    /// The checkpoint: a name or a path as `--model` takes it, a relative path from [`Plan::here`].
    pub model: String,
    /// What is trained on.
    pub data: PlannedData,
    /// The ways of training, in the plan's order; at least one.
    pub arms: Vec<Arm>,
    /// What is asked afterwards; `None` asks nothing.
    pub evaluate: Option<Evaluation>,
}

/// What is trained on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedData {
    /// The training data.
    pub train: PathBuf,
    /// Data that is not trained on, for a target of held-out loss.
    pub held_out: Option<PathBuf>,
    /// Which tokens count into the loss.
    pub loss: LossOn,
    /// Most tokens of a row.
    pub max_tokens: usize,
    /// Whether rows go through the model's chat template.
    pub chat_template: bool,
}

impl Plan {
    /// Reads a plan.
    ///
    /// # Errors
    /// When the file cannot be read, or [`Plan::parse`] refuses its text.
    pub fn read(path: &Path) -> PlanResult<Plan> {
        let text = fs::read_to_string(path).map_err(|source| PlanError::Read {
            path: path.to_owned(),
            source,
        })?;
        Plan::parse(path, &text)
    }

    /// Parses a plan; relative paths of it are taken from the folder of `path`.
    ///
    /// # Errors
    /// When the text is no plan: the message names line, table and key, and what would be right.
    pub fn parse(path: &Path, text: &str) -> PlanResult<Plan> {
        let source = Source { path, text };
        let parsed = DeTable::parse(text).map_err(|error| PlanError::Syntax {
            path: path.to_owned(),
            line: source.line(error.span().map_or(0, |span| span.start)),
            problem: error.message().to_owned(),
        })?;
        let document = Document::new(source, &parsed, &TABLES)?;
        let experiment = document.required(
            "experiment",
            &["name", "seeds", "out", "threads"],
            "name and seeds",
        )?;
        let model = document.required("model", &["path"], "path")?;
        let name = experiment.required("name", "name = \"aletheia-small\"", Value::text)?;
        let train = document.table("train", &draft::KEYS)?;
        let defaults = match &train {
            Some(train) => Draft::defaults().with(train)?,
            None => Draft::defaults(),
        };
        let mut arms = Vec::new();
        for table in document.list("arm", &arm::keys())? {
            arms.push(Arm::read(&table, &defaults, &arms)?);
        }
        let data = document.required(
            "data",
            &["train", "held_out", "loss", "max_tokens", "chat_template"],
            "train",
        )?;
        let evaluate = document.table("evaluate", &evaluate::keys())?;
        if let Some(table) = &evaluate {
            check_quantize(table, &arms)?;
        }
        Ok(Plan {
            path: path.to_owned(),
            out: experiment
                .optional("out", Value::path)?
                .unwrap_or_else(|| path.with_extension("")),
            seeds: seeds(&experiment)?,
            threads: experiment.optional("threads", Value::size)?,
            name,
            model: model.required(
                "path",
                "path = \"smollm2-135m\", a name or a folder",
                Value::text,
            )?,
            data: planned_data(&data, &arms)?,
            arms,
            evaluate: evaluate.as_ref().map(evaluate::read).transpose()?,
        })
    }

    /// The plan's folder, from which its relative paths are taken.
    pub fn here(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// Whether an arm has a probe.
    pub fn probes(&self) -> bool {
        self.arms
            .iter()
            .any(|arm| matches!(arm.layers, ArmLayers::Probe(_)))
    }
}

fn seeds(table: &Section<'_>) -> PlanResult<Vec<u64>> {
    let seeds = table.optional("seeds", |value| {
        let mut seeds = Vec::new();
        for entry in value.list()? {
            let seed = entry.whole()?;
            if seeds.contains(&seed) {
                return Err(entry.wrong(format!("repeats the seed {seed}"), "name each seed once"));
            }
            seeds.push(seed);
        }
        Ok(seeds)
    })?;
    Ok(seeds.unwrap_or_else(|| vec![1, 2, 3]))
}

fn planned_data(table: &Section<'_>, arms: &[Arm]) -> PlanResult<PlannedData> {
    let held_out = table.optional("held_out", Value::path)?;
    let wants = arms.iter().find(|arm| {
        arm.until
            .is_some_and(|until| until.metric == TargetMetric::HeldOutLoss)
    });
    match (&held_out, wants) {
        (None, Some(arm)) => {
            return Err(table.wrong(
                "held_out",
                format!(
                    "is missing, and the arm \"{}\" trains until held_out_loss",
                    arm.name
                ),
                "write held_out = \"FILE.jsonl\", or train that arm until metric = \"loss\"",
            ));
        }
        (Some(_), None) => {
            return Err(table.wrong(
                "held_out",
                "has no effect, since no arm trains until held_out_loss",
                "leave it out, or give an arm until = { metric = \"held_out_loss\", target = ... }",
            ));
        }
        _ => {}
    }
    let losses = [("response", LossOn::Response), ("all", LossOn::All)];
    Ok(PlannedData {
        train: table.required("train", "train = \"train.jsonl\"", Value::path)?,
        held_out,
        loss: table
            .optional("loss", |value| value.one_of(&losses))?
            .unwrap_or(LossOn::Response),
        max_tokens: table
            .optional("max_tokens", Value::size)?
            .unwrap_or(MAX_TOKENS),
        chat_template: table
            .optional("chat_template", Value::flag)?
            .unwrap_or(false),
    })
}

/// An adapter trained over rounded weights is evaluated over what the plan says, never over a guess.
fn check_quantize(table: &Section<'_>, arms: &[Arm]) -> PlanResult<()> {
    match arms.iter().find(|arm| arm.quantize.is_some()) {
        Some(arm) if table.get("quantize").is_none() => Err(table.missing(
            "quantize",
            &format!(
                "quantize = \"nf4\" or \"none\", since the arm \"{}\" trains over rounded weights and all arms are asked over one base",
                arm.name
            ),
        )),
        _ => Ok(()),
    }
}
