//! What can be wrong with an adapter.

use std::path::PathBuf;

/// Why an adapter was refused. Every message names the file or folder, the field, tensor or module, and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum AdapterError {
    /// A file of the adapter is missing or cannot be read.
    #[error("read adapter file {path}: {source}; {remedy}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
        /// What would work.
        remedy: String,
    },
    /// `adapter_config.json` is not a JSON object.
    #[error(
        "read adapter configuration {path}: {problem}; save the adapter again with PEFT's save_pretrained"
    )]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A field of `adapter_config.json` is malformed, unknown, or asks for something that is not honoured.
    #[error("use adapter configuration {path}: field `{field}` {problem}; {remedy}")]
    Field {
        /// The file.
        path: PathBuf,
        /// The field.
        field: String,
        /// What is wrong with its value.
        problem: String,
        /// What would work.
        remedy: String,
    },
    /// A file of weights, of the adapter or of the model, cannot be read or is damaged.
    #[error(transparent)]
    File(#[from] evalh_checkpoint::CheckpointError),
    /// The file of weights holds nothing.
    #[error(
        "use adapter weights {path}: it holds no tensor; save the adapter again with PEFT's save_pretrained"
    )]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A tensor is unknown, missing, or of the wrong kind.
    #[error("use adapter weights {path}: tensor `{tensor}` {problem}; {remedy}")]
    Tensor {
        /// The file.
        path: PathBuf,
        /// The tensor's key in the file.
        tensor: String,
        /// What is wrong with it.
        problem: String,
        /// What would work.
        remedy: String,
    },
    /// The adapter's configuration and its weights, or the adapter and the model, disagree about a module.
    #[error("apply adapter {adapter}: module `{module}` {problem}; {remedy}")]
    Module {
        /// The adapter's folder.
        adapter: PathBuf,
        /// The module.
        module: String,
        /// The disagreement.
        problem: String,
        /// What would work.
        remedy: String,
    },
    /// The adapter and the model disagree about a tensor that the adapter replaces.
    #[error("apply adapter {adapter}: tensor `{tensor}` {problem}; {remedy}")]
    ModelTensor {
        /// The adapter's folder.
        adapter: PathBuf,
        /// The tensor's name in the model.
        tensor: String,
        /// The disagreement.
        problem: String,
        /// What would work.
        remedy: String,
    },
    /// A mix of adapters is not written as one, or is not defined.
    #[error("mix adapters as `{text}`: {problem}; {remedy}")]
    Mix {
        /// The mix as written, or its name.
        text: String,
        /// What is wrong with it.
        problem: String,
        /// What would work.
        remedy: String,
    },
    /// An adapter cannot be merged into a checkpoint.
    #[error("merge the adapter: {problem}; {remedy}")]
    Merge {
        /// What stands against it.
        problem: String,
        /// What would work.
        remedy: String,
    },
    /// A merged checkpoint could not be written.
    #[error(
        "write the merged checkpoint to {path}: {source}; give a new or empty folder with room for the whole checkpoint"
    )]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A trained adapter or checkpoint is not written, because it would be read as something else than was trained.
    #[error("write the trained weights to {path}: {problem}; {remedy}")]
    Save {
        /// The folder.
        path: PathBuf,
        /// What stands against it.
        problem: String,
        /// What would work.
        remedy: String,
    },
    /// A file of a trained adapter or checkpoint could not be written.
    #[error(
        "write the trained weights to {path}: {source}; give a folder that can be written, with room for them"
    )]
    SaveFile {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Two adapters have updates of different shapes for a module.
    #[error(
        "compare adapters: module `{module}` has an update of shape {first:?} in the first, but {second:?} in the second; compare adapters of one model"
    )]
    Compare {
        /// The module.
        module: String,
        /// Rows and columns in the first.
        first: [usize; 2],
        /// Rows and columns in the second.
        second: [usize; 2],
    },
    /// A matrix has no decomposition that can be computed.
    #[error(
        "decompose module `{module}`: {problem}; look for values that are no numbers in the weights"
    )]
    Decomposition {
        /// The module.
        module: String,
        /// What is wrong.
        problem: String,
    },
    /// Nothing of the adapter fits the model.
    #[error("apply adapter {adapter}: no module of the model matches it ({problem}); {remedy}")]
    NoMatch {
        /// The adapter's folder.
        adapter: PathBuf,
        /// What was looked for and what the model has.
        problem: String,
        /// What would work.
        remedy: String,
    },
}
