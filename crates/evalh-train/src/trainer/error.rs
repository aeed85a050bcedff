//! What can go wrong in a training, but for numbers that are not finite.

use std::path::PathBuf;

/// Why a training could not begin or go on.
///
/// The messages are fragments that read after "failed to ...".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// Nothing is selected.
    #[error("find something to train: no module is selected; name others by --targets or --layers")]
    NothingToTrain,
    /// Dropout without updates.
    #[error("train every weight with dropout: only low-rank updates have it; leave --dropout out")]
    DropoutOfAll,
    /// The model refused.
    #[error(transparent)]
    Model(#[from] evalh_model::ModelError),
    /// A saved state that is not of this training.
    #[error("read {}: {problem}; resume from an earlier checkpoint, or begin anew", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A file that could not be read or written.
    #[error("{doing} {}: {source}", path.display())]
    File {
        /// `read` or `write`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}
