//! The data of a training or a probe.

use crate::{
    failure::Outcome,
    identity,
    output::{Console, number},
};
use evalh_record::{FileIdentity, training::LossOn};
use evalh_train::data::{Example, Truncation};
use std::path::PathBuf;

/// Data and how it becomes tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataChoice {
    /// The file.
    pub path: PathBuf,
    /// Which tokens count.
    pub loss: LossOn,
    /// Samples are cut at so many tokens; `None` for as many as is usual, and the model has positions.
    pub max_tokens: Option<usize>,
    /// Whether samples are written in the checkpoint's chat template.
    pub chat_template: bool,
    /// Whether the end of the text is appended to responses, and predicted.
    pub end_of_text: bool,
}

impl DataChoice {
    /// What has no effect on an encoder's data: whether it is asked for, its name and what to do instead.
    pub fn decoders_only(&self) -> [(bool, &'static str, &'static str); 2] {
        [
            (
                self.loss != LossOn::Response,
                "--loss all",
                "leave it out: the loss is that of the labels",
            ),
            (
                self.chat_template,
                "--chat-template",
                "leave it out: encoders read no conversations",
            ),
        ]
    }
}

/// Data as tokens.
pub struct TrainingData<E = Example> {
    /// The examples.
    pub examples: Vec<E>,
    /// Tokens of each.
    pub lengths: Vec<usize>,
    /// What the token limit did.
    truncation: Truncation,
    /// Where they are from.
    pub files: Vec<FileIdentity>,
    /// The file's name.
    pub name: String,
    /// Tokens at which samples are cut.
    pub max_tokens: usize,
}

impl<E> TrainingData<E> {
    /// The examples of a file, and their lengths in tokens.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn new(
        choice: &DataChoice,
        max_tokens: usize,
        (examples, lengths): (Vec<E>, Vec<usize>),
        truncation: Truncation,
    ) -> Outcome<Self> {
        Ok(Self {
            examples,
            lengths,
            truncation,
            max_tokens,
            files: vec![identity::of_path(&choice.path)?.0],
            name: choice.path.file_name().map_or_else(
                || choice.path.display().to_string(),
                |name| name.to_string_lossy().into_owned(),
            ),
        })
    }

    /// Says what was cut or left out.
    pub fn say(&self, console: &Console) {
        let cut = self.truncation;
        let tokens: usize = self.lengths.iter().sum();
        console.say(format_args!(
            "{} samples, {} tokens",
            number::thousands(self.examples.len() as u64),
            number::thousands(tokens as u64)
        ));
        if cut.cut > 0 {
            console.warn(format_args!(
                "{} of {} samples were cut at {} tokens, {} tokens in all; raise --max-tokens to keep them whole",
                cut.cut, cut.samples, self.max_tokens, cut.tokens_cut
            ));
        }
        if cut.dropped > 0 {
            console.warn(format_args!(
                "{} of {} samples have no token to learn within {} tokens and are left out",
                cut.dropped, cut.samples, self.max_tokens
            ));
        }
    }
}
