//! The fields of a suite's definition. No unknown field is accepted.
//!
//! Templates are minijinja with the settings of lm-eval's jinja2 (strict undefined, trailing newline kept) and Python's
//! string methods; they see the row's fields, the task's `vars`, the task's name as `task`, and all of the row as `row`.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A suite's definition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The suite's name: lower-case letters, digits, `_`.
    pub name: String,
    /// One line for lists.
    pub description: String,
    /// The artifact that holds its data; left out where the data's files are named relative to this file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<String>,
    /// The split that is asked, for lists: `test`, `validation`.
    #[serde(default)]
    pub split: String,
    /// Rows of all tasks together. A file with another number of rows is an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<usize>,
    /// The suite that asks the same data of the other kind of model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counterpart: Option<String>,
    /// Where the rows are: the first layout whose files are there is taken.
    #[serde(default, rename = "layout", skip_serializing_if = "Vec::is_empty")]
    pub layouts: Vec<Layout>,
    /// How an item is put, answered and scored, by the protocol's name.
    #[serde(default, rename = "protocol")]
    pub protocols: BTreeMap<String, Form>,
    /// The protocol that is taken where none is named; needed where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_protocol: Option<String>,
    /// The parts that are scored apart; none: the suite is one task of its own name.
    #[serde(default, rename = "task", skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskForm>,
}

/// One task of a suite. What it sets itself goes before what the suite sets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskForm {
    /// Its name within the suite.
    pub name: String,
    /// The group that it is counted in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Values for templates.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub vars: BTreeMap<String, Value>,
    /// Its items. A file with another number of rows is an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<usize>,
    /// Its own layouts.
    #[serde(default, rename = "layout", skip_serializing_if = "Vec::is_empty")]
    pub layouts: Vec<Layout>,
    /// Its own fields of any protocol: those it sets replace the protocol's.
    #[serde(default)]
    pub form: Form,
}

/// One way in which the data may lie in files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    /// The rows that are asked.
    pub items: Rows,
    /// The rows that solved examples are taken from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shots: Option<Rows>,
}

/// The rows of one split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rows {
    /// The file, a template: `test/{{ task }}_test.csv`. Its ending tells the format: `.jsonl`, `.json`, `.csv`, `.tsv`,
    /// `.parquet`, each of the text formats also with `.gz`.
    pub file: String,
    /// How many there are, after `where`. Another number is an error: random examples would be others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<usize>,
    /// Names of the columns, for CSV and TSV without a header line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Only the rows for which this minijinja expression is true: `subject == task`.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Fields computed from a row's own, each a minijinja expression: `answer = "'ABCD'[answer]"`. They are added to the
    /// row's or replace them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
}

/// How an item is put, answered and scored. Every field is optional here, because a task may set any of them for itself.
///
/// Exactly one of `choices`, `generate` and `loss` says what is asked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// Where the protocol comes from, for documentation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// An item's id, a template; without it the row's number among the task's, from 0. The task's name and `/` go before
    /// it where the suite has several tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Text before everything else, a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preamble: Option<String>,
    /// The question, a template (lm-eval's `doc_to_text`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// What is right, a template (lm-eval's `doc_to_target`). For choices: the right one's place from 0, or its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// What the target of choices stands for. Where it is left out, digits are a place and all else is a text, as in
    /// lm-eval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_is: Option<TargetIs>,
    /// Between context and answer (lm-eval's `target_delimiter`); a space where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// Between solved examples (lm-eval's `fewshot_delimiter`); an empty line where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
    /// The beginning of the answer, a template (lm-eval's `gen_prefix`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefill: Option<String>,
    /// Solved examples before each item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shots: Option<Shots>,
    /// The answers to choose from: templates, or one minijinja expression that gives the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choices: Option<TextOrList>,
    /// Text is generated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generate: Option<Generate>,
    /// The text's own loss is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<Loss>,
    /// What is read out of a generated text, each way by its name; the first is the headline's.
    #[serde(default, rename = "extract", skip_serializing_if = "Vec::is_empty")]
    pub extracts: Vec<Extract>,
    /// What is done to both answer and target before they are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalize: Option<Normalize>,
    /// The metrics, the headline first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Vec<Metric>>,
    /// The label that F1, precision and recall count as positive: the choice's place. 1 where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive: Option<usize>,
}

/// What the target of choices stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetIs {
    /// The right choice's place, from 0.
    Place,
    /// The right choice's text.
    Text,
}

/// A template, or a template an element.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TextOrList {
    /// A minijinja expression whose value is a list of texts: `choices.text`.
    Text(String),
    /// Templates.
    List(Vec<String>),
}

/// Solved examples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shots {
    /// How many.
    pub count: usize,
    /// Which.
    #[serde(default)]
    pub sampler: Sampler,
    /// The seed of a random sampler; 1234 where it is left out (lm-eval's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Draw one example more than asked and leave out what equals the item, as lm-eval does where it does not know that
    /// examples and items are of different splits. Left out: only where they are of the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leave_out_item: Option<bool>,
    /// Fixed examples, in place of rows of a split.
    #[serde(default, rename = "exemplar", skip_serializing_if = "Vec::is_empty")]
    pub exemplars: Vec<Exemplar>,
}

/// A fixed solved example: the fields that the templates need.
pub type Exemplar = BTreeMap<String, Value>;

/// Which solved examples are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sampler {
    /// The first of the split, or the exemplars in their order.
    #[default]
    First,
    /// As lm-eval's default sampler: one generator of Python's for the task, `sample(rows, count)` for each item in order.
    Random,
}

/// Text is generated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generate {
    /// Most tokens of an answer.
    pub max_new_tokens: usize,
    /// The strings that end it.
    #[serde(default)]
    pub stops: Vec<String>,
}

/// The loss of a text is taken: of `context`, followed by delimiter and target where there is one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loss {
    /// Tokens by which the window moves; whole windows where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<usize>,
}

/// A way of reading an answer out of a generated text (lm-eval's filters `regex` and `take_first`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extract {
    /// Its name: `strict-match`.
    pub name: String,
    /// A regular expression. Of its groups the first that matched is taken, or all of the match where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
    /// Which of the matches, from 0; -1 is the last (lm-eval's `group_select`).
    #[serde(default)]
    pub select: i64,
    /// What stands for no match; `[invalid]` where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
}

/// What is done to texts before they are compared (lm-eval's `exact_match`), in the order of the fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalize {
    /// Regular expressions whose matches are removed, one after another.
    #[serde(default)]
    pub remove: Vec<String>,
    /// Letter case does not count.
    #[serde(default)]
    pub ignore_case: bool,
    /// ASCII punctuation does not count.
    #[serde(default)]
    pub ignore_punctuation: bool,
    /// ASCII digits do not count.
    #[serde(default)]
    pub ignore_numbers: bool,
}

/// A metric by the name that lm-eval gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Right choices, by log-likelihood.
    Acc,
    /// Right choices, by log-likelihood a character of the choice.
    AccNorm,
    /// Right choices, by log-likelihood a byte of the choice.
    AccBytes,
    /// F1 of the positive label.
    F1,
    /// Precision of the positive label.
    Precision,
    /// Recall of the positive label.
    Recall,
    /// The mean of the labels' recalls.
    BalancedAcc,
    /// Matthews' correlation coefficient.
    Mcc,
    /// Generated texts that equal the target.
    ExactMatch,
    /// Nats a token, over all tokens of all texts.
    NatsPerToken,
    /// Bits a byte, over all bytes of all texts.
    BitsPerByte,
    /// `exp(nats a word)` over the words of all texts, as lm-eval counts them.
    WordPerplexity,
}
