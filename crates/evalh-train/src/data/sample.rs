//! What a model is trained on, before it is tokens.

use super::{Format, Place};
use evalh_record::{Message, Sha256};
use std::path::PathBuf;

/// The samples of a file, all of one format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// The file.
    pub path: PathBuf,
    /// The hash of its bytes.
    pub hash: Sha256,
    /// The format of every sample.
    pub format: Format,
    /// The samples, in the file's order; at least one.
    pub samples: Vec<Sample>,
}

/// One sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Where in the file it is.
    pub place: Place,
    /// What it says.
    pub content: Content,
}

/// What a sample says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A text and what is to follow it, with no character between the two.
    Completion {
        /// What the model reads.
        prompt: String,
        /// What it is to answer, with its own leading space where it has one.
        response: String,
    },
    /// A question and its answer, as GSM8K has them.
    Question {
        /// The question.
        question: String,
        /// The answer.
        answer: String,
    },
    /// An instruction, as Alpaca has them.
    Instruction {
        /// What is to be done.
        instruction: String,
        /// What it is to be done with; empty where there is nothing.
        input: String,
        /// The answer.
        output: String,
    },
    /// A conversation; at least one turn.
    Chat(Vec<Message>),
    /// Plain text; not empty.
    Text(String),
}
