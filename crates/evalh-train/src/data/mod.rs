//! Training data: files to samples, samples to tokens that count, tokens to micro-batches.

mod alpaca;
mod batches;
mod chat;
mod encode;
mod error;
mod fields;
mod format;
mod labelled;
mod read;
mod sample;

pub use batches::{BatchSize, Batches, MicroBatch, Order, Position};
pub use encode::{EncodedData, Encoder, Example, Truncation};
pub use error::{DataError, Place};
pub use format::Format;
pub use labelled::{
    LabelledData, LabelledDataset, LabelledEncoder, LabelledExample, LabelledText, parse_labelled,
    read_labelled,
};
pub use read::{parse, read};
pub use sample::{Content, Dataset, Sample};
