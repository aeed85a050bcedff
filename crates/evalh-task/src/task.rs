//! What a suite is, and what it gives and takes.

use crate::{Extra, TaskError, TaskOptions, human_eval::Problems};
use evalh_record::{
    Outcome, Request, Response, ResultRow, Sample, Sha256, SuiteSettings, sha256_bytes,
};
use std::{collections::BTreeMap, path::PathBuf};

/// A benchmark by name.
pub trait Suite: Send + Sync {
    /// The name that users and records use.
    fn name(&self) -> &str;

    /// What it is, in one line.
    fn description(&self) -> &str;

    /// Where its data is.
    fn data(&self) -> DataSource;

    /// What a list shows of it.
    fn facts(&self) -> Facts;

    /// The ways in which its items can be put to a model.
    fn protocols(&self) -> Vec<&str>;

    /// The protocol that suits a checkpoint with or without a chat template.
    fn default_protocol(&self, has_chat_template: bool) -> &str;

    /// The settings that have an effect on it, of those that not every suite has.
    fn honours(&self) -> Vec<Extra>;

    /// What kind of model can answer it.
    fn answered_by(&self) -> ModelKind {
        ModelKind::Decoder
    }

    /// The suite over the same data for the other kind of model, where there is one.
    fn counterpart(&self) -> Option<&str> {
        None
    }

    /// Whether its scores come from programs that run in the sandbox.
    fn runs_programs(&self) -> bool {
        false
    }

    /// Reads the data and makes it a task.
    ///
    /// # Errors
    /// When a setting is not possible, or the data is missing, corrupt or not complete.
    fn open(&self, data: &DataFiles, options: &TaskOptions) -> Result<Box<dyn Task>, TaskError>;

    /// Whether it has [`Suite::problems`].
    fn has_problems(&self) -> bool {
        false
    }

    /// The problems alone, to score completions that were made elsewhere.
    ///
    /// # Errors
    /// When the suite has none in this form, or the data is missing, corrupt or not complete.
    fn problems(&self, _data: &DataFiles) -> Result<Problems, TaskError> {
        Err(TaskError::Setting {
            suite: self.name().to_owned(),
            setting: "samples",
            problem: "are not programs for problems in HumanEval's format".into(),
            remedy: "score samples of humaneval or mini_humaneval".into(),
        })
    }
}

/// Where a suite's data is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataSource {
    /// An artifact of this name, or a file or folder of the user's in its layout.
    Artifact(String),
    /// Part of the program.
    BuiltIn,
    /// A file or folder that only the user can name.
    User,
    /// Files beside the suite's own definition, relative to this folder.
    Folder(PathBuf),
}

/// A suite's data as it was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DataFiles {
    /// The folder that relative names start from; empty where the data is built in.
    pub root: PathBuf,
    /// The files that are known by name. A folder of the user's may hold more.
    pub files: Vec<PathBuf>,
}

/// The kinds of models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelKind {
    /// A causal language model.
    Decoder,
    /// A bidirectional encoder with a classification head.
    Encoder,
}

/// What a list shows of a suite.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The split that is asked.
    pub split: String,
    /// Its items; `None` where the user's data decides.
    pub items: Option<usize>,
    /// Its metrics, the headline first.
    pub metrics: Vec<String>,
    /// Solved examples before each item, by default.
    pub shots: usize,
}

/// A suite with its data and settings: requests out, samples and rows back.
pub trait Task: Send + Sync {
    /// The suite's name.
    fn suite(&self) -> &str;

    /// The protocol's name.
    fn protocol(&self) -> &str;

    /// Everything of the task that can change a score, for the record.
    fn settings(&self) -> SuiteSettings;

    /// What is asked of a model, by ascending index from 0: all samples of the first item, then of the next.
    fn requests(&self) -> Vec<Request>;

    /// Which item and sample a request's index stands for; `None` for an index that no request has.
    fn slot(&self, index: usize) -> Option<Slot<'_>>;

    /// What is right for a request, as a person would read it: a canonical solution, a worked answer, a label. `None`
    /// where the data does not tell.
    fn reference(&self, index: usize) -> Option<String> {
        self.slot(index)?.target.map(str::to_owned)
    }

    /// What follows from a response.
    ///
    /// # Errors
    /// When it is not the response to one of the requests.
    fn judge(&self, response: &Response) -> Result<Judgement, TaskError>;

    /// The rows of one variant from its samples, the headline first; samples of other variants or suites are passed over.
    ///
    /// # Errors
    /// When an item has fewer samples than were asked for.
    fn rows(&self, variant: &str, samples: &[Sample]) -> Result<Vec<ResultRow>, TaskError>;
}

/// The place of a request in its suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot<'t> {
    /// The task within the suite.
    pub task: &'t str,
    /// The item's id, unique in the suite.
    pub item: &'t str,
    /// The item's place in the suite's data, from 0, all tasks counted through.
    pub position: usize,
    /// Which of its samples, from 0.
    pub sample: usize,
    /// The solved examples before it: rows of the split that they were taken from.
    pub shots: &'t [usize],
    /// What is right, where that is one text.
    pub target: Option<&'t str>,
}

/// What follows from a response.
#[derive(Debug, Clone, PartialEq)]
pub enum Judgement {
    /// The score is known once this has run: [`Program::scored`].
    Run(Program),
    /// The score could be read off the response.
    Scored(Scored),
}

/// A program to run, and the tests that it has to pass after it has loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The candidate's code.
    pub code: String,
    /// Code that raises unless the candidate is right, run in the same namespace afterwards.
    pub tests: String,
    /// How many times the usual work it may take: 1, but where correct programs are known to need more.
    pub effort: u32,
}

impl Program {
    /// Hash of code and tests.
    pub fn sha256(&self) -> Sha256 {
        sha256_bytes(format!("{}\n{}", self.code, self.tests).as_bytes())
    }

    /// The score of how it ended: 1 where it passed, else 0.
    pub fn scored(&self, outcome: Outcome) -> Scored {
        Scored {
            extracted: None,
            program_sha256: Some(self.sha256()),
            score: if outcome.is_passed() { 1.0 } else { 0.0 },
            scores: BTreeMap::new(),
            outcome: Some(outcome),
        }
    }
}

/// The score of a response, and what it was told from.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// What was read out of the answer, where that is text.
    pub extracted: Option<String>,
    /// Hash of the program that ran, where one did.
    pub program_sha256: Option<Sha256>,
    /// How that program ended.
    pub outcome: Option<Outcome>,
    /// By the headline metric: 1 right, 0 wrong.
    pub score: f64,
    /// By the task's other metrics that are means over items.
    pub scores: BTreeMap<String, f64>,
}

/// The name of a score wherever one is shown: the suite with its protocol, `humaneval (chat)`.
pub fn score_name(suite: &str, protocol: &str) -> String {
    format!("{suite} ({protocol})")
}

/// The record's sample of a scored response.
///
/// # Errors
/// When it is not the response to one of the task's requests.
pub fn sample(
    task: &dyn Task,
    variant: &str,
    response: Response,
    scored: Scored,
) -> Result<Sample, TaskError> {
    let slot = task
        .slot(response.index)
        .ok_or_else(|| TaskError::Response {
            suite: task.suite().to_owned(),
            index: response.index,
            problem: "no request has this index".into(),
        })?;
    Ok(Sample {
        suite: task.suite().to_owned(),
        task: slot.task.to_owned(),
        protocol: task.protocol().to_owned(),
        variant: variant.to_owned(),
        item: slot.item.to_owned(),
        position: slot.position,
        sample: slot.sample,
        shots: slot.shots.to_vec(),
        prompt_sha256: response.prompt_sha256,
        prompt_tokens: response.prompt_tokens,
        truncated_tokens: response.truncated_tokens,
        answer: response.answer,
        extracted: scored.extracted,
        target: slot.target.map(str::to_owned),
        program_sha256: scored.program_sha256,
        outcome: scored.outcome,
        suspicions: Vec::new(),
        score: scored.score,
        scores: scored.scores,
    })
}
