//! From hidden values to logits.

use super::adapt::{Changes, Part, Size};
use super::config::EncoderConfig;
use super::dense::Dense;
use super::norm::Norm;
use super::slot::{Place, Slot};
use super::table::Table;
use crate::{LoraId, ModelError};
use burn::tensor::Tensor;
use evalh_kernel::{Activation, Compute, Vector, Weight};

/// Which head to load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HeadChoice {
    /// The one that the checkpoint has, by its `architectures` or its tensors.
    #[default]
    Stored,
    /// A classifier of so many labels. What the checkpoint lacks of it must come from an adapter.
    Classification {
        /// Number of labels; 1 for a regression.
        labels: usize,
    },
    /// The head for masked tokens.
    MaskedLm,
    /// None: hidden values.
    Hidden,
}

/// A head with its weights.
#[derive(Debug)]
pub(super) enum Head {
    /// The hidden values themselves.
    Hidden,
    /// Of the first token.
    Classification { pooler: Dense, classifier: Dense },
    /// Of every token.
    Masked {
        dense: Dense,
        activation: Activation,
        norm: Norm,
        decoder: Decoder,
    },
}

/// The linear to the vocabulary.
#[derive(Debug)]
pub(super) struct Decoder {
    /// Name of its weight, unless that is never its own.
    pub weight_name: Option<String>,
    /// Names of its bias, the first of which wins.
    pub bias_names: Vec<String>,
    /// The weight; empty where it is the word embedding.
    pub weight: Slot<Weight>,
    pub bias: Slot<Vector>,
    /// Vocabulary and embedding.
    pub shape: [usize; 2],
}

impl Head {
    /// The rows of a sequence of `tokens` that the head reads, at most.
    pub(super) fn reads_first_token(&self) -> bool {
        matches!(self, Self::Classification { .. })
    }

    /// Values of an output row.
    pub(super) fn width(&self, config: &EncoderConfig) -> usize {
        match self {
            Self::Hidden => config.hidden_size,
            Self::Classification { .. } => config.labels.len(),
            Self::Masked { .. } => config.vocab_size,
        }
    }

    /// The output of hidden rows `x`.
    ///
    /// # Errors
    /// When neither the checkpoint nor the adapter has the head's weights.
    pub(super) fn forward(
        &self,
        compute: &Compute,
        config: &EncoderConfig,
        x: Tensor<2>,
        word: &Table,
        adapter: Option<LoraId>,
    ) -> Result<Tensor<2>, ModelError> {
        match self {
            Self::Hidden => Ok(x),
            Self::Classification { pooler, classifier } => {
                let pooled = pooler.forward(compute, &x, adapter)?;
                let pooled = compute.activate(pooled, config.pooler_activation);
                classifier.forward(compute, &pooled, adapter)
            }
            Self::Masked {
                dense,
                activation,
                norm,
                decoder,
            } => {
                let h = dense.forward(compute, &x, adapter)?;
                let h = compute.activate(h, *activation);
                let h = norm.forward(compute, h, None, adapter);
                let weight = decoder.weight.get(adapter).unwrap_or_else(|| word.tied());
                Ok(compute.linear(&h, weight, decoder.bias.get(adapter)))
            }
        }
    }

    pub(super) fn parts(&self) -> Vec<&dyn Part> {
        match self {
            Self::Hidden => Vec::new(),
            Self::Classification { pooler, classifier } => vec![pooler, classifier],
            Self::Masked {
                dense,
                norm,
                decoder,
                ..
            } => vec![dense, norm, decoder],
        }
    }

    pub(super) fn parts_mut(&mut self) -> Vec<&mut dyn Part> {
        match self {
            Self::Hidden => Vec::new(),
            Self::Classification { pooler, classifier } => vec![pooler, classifier],
            Self::Masked {
                dense,
                norm,
                decoder,
                ..
            } => vec![dense, norm, decoder],
        }
    }
}

impl Part for Decoder {
    fn apply(
        &mut self,
        compute: &Compute,
        place: Place,
        changes: &Changes<'_>,
    ) -> Result<(), ModelError> {
        let weight = self
            .weight_name
            .as_ref()
            .and_then(|name| changes.saved(name));
        if let Some(values) = weight {
            let [outputs, inputs] = self.shape;
            let weight = compute.weight(values.to_vec(), outputs, inputs);
            self.weight.put(place, weight);
        }
        if let Some(values) = self.bias_names.iter().find_map(|name| changes.saved(name)) {
            self.bias.put(place, compute.vector(values.to_vec()));
        }
        Ok(())
    }

    fn restore(&mut self) {
        self.weight.restore();
        self.bias.restore();
    }

    fn detach(&mut self) {
        self.weight.detach();
        self.bias.detach();
    }

    fn size(&self) -> Size {
        let bias = self.shape[0] * size_of::<f32>();
        let own = self.weight.base();
        Size {
            parameters: own.map_or(0, |_| self.shape.iter().product()) + self.shape[0],
            bytes: own.map_or(0, Weight::bytes) + bias,
            adapter_bytes: self.weight.extra().map(Weight::bytes).sum::<usize>()
                + self.bias.extra().count() * bias,
            dtype: own.map(Weight::dtype),
        }
    }
}
