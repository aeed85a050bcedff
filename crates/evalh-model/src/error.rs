//! What can go wrong between a checkpoint's weights and its logits.

use evalh_checkpoint::CheckpointError;

/// Why a model could not be built or run.
///
/// The messages are fragments that read after "failed to ...".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// No token of a training batch counts.
    #[error("find a token to predict: no token of the batch counts for the loss")]
    NothingToPredict,
    /// The config asks for something that is not honoured.
    #[error(
        "build the model: config.json: {field} is {found}, which is not supported; {supported}"
    )]
    Unsupported {
        /// The key.
        field: String,
        /// Its value.
        found: String,
        /// What would work.
        supported: String,
    },
    /// A key is missing, or no such value can be.
    #[error(
        "build the model: config.json: {field}: {problem}; take config.json from the checkpoint's source again"
    )]
    Config {
        /// The key.
        field: String,
        /// What is wrong.
        problem: String,
    },
    /// A tensor is missing.
    #[error(
        "load tensor {name}: the checkpoint has no such tensor; fetch the checkpoint again, or correct its config.json"
    )]
    MissingTensor {
        /// The tensor.
        name: String,
    },
    /// The checkpoint holds a tensor that this family has no place for.
    #[error(
        "load tensor {name}: a {family} model has no such tensor; check model_type in config.json"
    )]
    UnknownTensor {
        /// The tensor.
        name: String,
        /// The family.
        family: &'static str,
    },
    /// A tensor's shape contradicts the config.
    #[error(
        "load tensor {name}: its shape is {found:?}, but config.json asks for {expected:?}; file and config belong to different models"
    )]
    Shape {
        /// The tensor.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// What the config asks for.
        expected: Vec<usize>,
    },
    /// A tensor holds values that no computation survives.
    #[error(
        "load tensor {name}: {count} of its values are NaN or infinite; the checkpoint is damaged, or overflowed when it was converted to half precision"
    )]
    NonFinite {
        /// The tensor.
        name: String,
        /// How many values.
        count: usize,
    },
    /// The checkpoint could not be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// An adapter update for a module that the model does not have, or of another shape.
    #[error(
        "apply the adapter to module {module}: {problem}; the adapter belongs to another model"
    )]
    Update {
        /// The module.
        module: String,
        /// What is wrong.
        problem: String,
    },
    /// The device is not there.
    #[error("use device {device}: {problem}")]
    Device {
        /// The device.
        device: String,
        /// Why not, and what to do.
        problem: String,
    },
    /// The key-value cache does not fit into memory.
    #[error(
        "allocate {bytes} bytes for the key-value cache: not enough memory; lower --memory or --batch"
    )]
    OutOfMemory {
        /// Bytes asked for.
        bytes: usize,
    },
    /// The key-value cache is full.
    #[error(
        "extend a sequence by {tokens} tokens: the key-value cache has room for {free}; raise --memory"
    )]
    CacheFull {
        /// Tokens asked for.
        tokens: usize,
        /// Tokens that fit.
        free: usize,
    },
    /// A sequence outgrows the model.
    #[error("extend a sequence to {tokens} tokens: the model has {max_positions} positions")]
    TooLong {
        /// Tokens of the sequence.
        tokens: usize,
        /// Positions of the model.
        max_positions: usize,
    },
    /// A token id without an embedding.
    #[error(
        "embed token id {id}: the vocabulary has {vocab_size} entries; the tokenizer belongs to another model"
    )]
    UnknownToken {
        /// The id.
        id: u32,
        /// Entries of the vocabulary.
        vocab_size: usize,
    },
    /// A token type without an embedding.
    #[error("embed token type {token_type}: the model has {token_types} types")]
    UnknownTokenType {
        /// The type.
        token_type: u32,
        /// Types of the model.
        token_types: usize,
    },
    /// No classifier anywhere.
    #[error(
        "find a classification head: neither the checkpoint nor {} has one; use a checkpoint trained for sequence \
         classification, or an adapter that saves its head (modules_to_save)",
        among(adapters)
    )]
    NoClassifier {
        /// The adapters by name.
        adapters: Vec<String>,
    },
    /// Classifiers that do not go together.
    #[error(
        "fit one classification head: {first} has {labels} labels and {second} has {others}; evaluate them apart"
    )]
    LabelCounts {
        /// Where the first head is.
        first: String,
        /// Its labels.
        labels: usize,
        /// Where the other one is.
        second: String,
        /// Its labels.
        others: usize,
    },
    /// A label that the head cannot give.
    #[error(
        "compare with {label}: the head has {outputs} output{}; give labels of its classes, or numbers to a head of one output",
        if *outputs == 1 { "" } else { "s" }
    )]
    Label {
        /// The label.
        label: String,
        /// Outputs of the head.
        outputs: usize,
    },
    /// A head without weights.
    #[error(
        "compute logits: the checkpoint has no weights for {module}; use an adapter that saves it (modules_to_save), or a checkpoint that was trained with it"
    )]
    Headless {
        /// The module.
        module: String,
    },
}

/// Adapters in a message.
fn among(adapters: &[String]) -> String {
    match adapters {
        [] => "any adapter".into(),
        [one] => format!("the adapter {one}"),
        several => format!("any of the adapters {}", several.join(", ")),
    }
}
