//! Examples of encoders with a head.

/// What an encoder reads and what is right. Batches of them are made by their lengths, as those of decoders
/// ([`Batches`](super::Batches)).
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledExample {
    /// Token ids with special tokens; at least one.
    pub tokens: Vec<u32>,
    /// The type of each token (which text it belongs to); empty where the tokenizer gives none, which is 0 for all.
    pub token_types: Vec<u32>,
    /// What is right.
    pub label: Label,
}

/// What is right of a [`LabelledExample`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Label {
    /// The index of a class: the loss is cross-entropy.
    Class(usize),
    /// A number: the loss is the squared error.
    Value(f32),
}
