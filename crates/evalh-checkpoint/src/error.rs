//! What can go wrong with a checkpoint.

use std::{io, path::PathBuf};

/// Why a checkpoint, its tokenizer or its chat template could not be used.
///
/// The messages are fragments that read after "failed to ...".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The operating system refused.
    #[error("read {path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The path holds nothing that is known as a checkpoint.
    #[error(
        "open {path} as a checkpoint: {found}; give a folder with config.json and safetensors, or a .gguf file"
    )]
    NotACheckpoint {
        /// What was given.
        path: PathBuf,
        /// What was found there.
        found: String,
    },
    /// A file's bytes contradict themselves or its format.
    #[error("parse {path}: {field}: {problem}; {remedy}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The field, tensor or metadata key.
        field: String,
        /// What is wrong with it.
        problem: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// The file is sound, but asks for something that is not honoured.
    #[error("load {path}: {field} is {found}, which is not supported; {supported}")]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The field, tensor or metadata key.
        field: String,
        /// Its value.
        found: String,
        /// What would work.
        supported: String,
    },
    /// A file that the checkpoint names or needs is absent.
    #[error("find {path}: {needed_by}; {remedy}")]
    MissingFile {
        /// The absent file.
        path: PathBuf,
        /// Why it is needed.
        needed_by: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// The checkpoint has no such tensor.
    #[error("read tensor {tensor} of {path}: the checkpoint has no tensor of that name")]
    MissingTensor {
        /// The checkpoint.
        path: PathBuf,
        /// The name asked for.
        tensor: String,
    },
    /// A token id would index past the embedding.
    #[error(
        "use the tokenizer of {path}: its ids go up to {largest_id}, but the model's vocabulary has {vocabulary} \
         rows; use the tokenizer that belongs to this model, or resize the model's embedding"
    )]
    VocabularyTooSmall {
        /// The tokenizer's file.
        path: PathBuf,
        /// The largest id that the tokenizer can give.
        largest_id: u32,
        /// The rows of the model's embedding.
        vocabulary: usize,
    },
    /// The tokenizers library refused.
    #[error("{action} with the tokenizer of {path}: {message}")]
    Tokenizer {
        /// The tokenizer's file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the library said.
        message: String,
    },
    /// A chat template does not parse, or failed as it was rendered.
    #[error("{action} the chat template {template}{}: {message}", line.map(|l| format!(" (line {l})")).unwrap_or_default())]
    Template {
        /// Where the template was found.
        template: String,
        /// What was tried: parse or render.
        action: &'static str,
        /// The line of the template, where it is known.
        line: Option<usize>,
        /// What is wrong.
        message: String,
    },
}

/// What most faults of a downloaded file call for.
pub(crate) const FETCH_AGAIN: &str = "fetch the file again, or convert the checkpoint anew";
