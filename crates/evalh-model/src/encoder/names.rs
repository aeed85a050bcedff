//! Module names of a family.

use evalh_kernel::Activation;

/// Names within the base model; `{}` stands for the layer's number. What the families share is spelled where it is
/// used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names {
    /// What the base model is called within a model with a head, without the dot.
    pub prefix: &'static str,
    pub query: &'static str,
    pub key: &'static str,
    pub value: &'static str,
    /// The heads, named from the whole model.
    pub pooler: Pooler,
    pub classifier: &'static str,
    /// Heads for masked tokens, the first of which is the one without a sign of another.
    pub masked: &'static [MaskedHead],
    /// Tensors of the whole model that checkpoints hold beside the head in use, by the start of their names.
    pub unused: &'static [&'static str],
}

/// Where the values of the first token go before the classifier.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pooler {
    pub module: &'static str,
    /// Whether it is part of the base model.
    pub in_base: bool,
}

/// A head for masked tokens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MaskedHead {
    pub dense: &'static str,
    pub norm: &'static str,
    /// The activation; the encoder's own where there is none.
    pub activation: Option<Activation>,
    /// The linear to the vocabulary; without a name it is the word embedding, whatever the config says.
    pub decoder: Option<&'static str>,
    pub bias: &'static str,
    /// Whether the values are reduced to the size of the embedding first.
    pub reduces: bool,
    /// The value of `legacy` that chooses it.
    pub legacy: bool,
}
