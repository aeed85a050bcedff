//! From hidden values to logits.

use super::config::EncoderConfig;
use super::dense::Dense;
use super::part::{Part, scope};
use crate::part::{Held, Linear, Norm, ParameterSlot, Target, Updates};
use crate::{LoraId, ModelError};
use burn::tensor::Tensor;
use evalh_adapter::TargetModule;
use evalh_kernel::{Activation, Compute, Weight};

/// A head with its weights.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "a model has one")]
pub(super) enum Head {
    /// The hidden values themselves.
    Hidden,
    /// Of the first token.
    Classification { pooler: Dense, classifier: Dense },
    /// Of every token.
    Masked {
        dense: Linear,
        activation: Activation,
        norm: Norm,
        decoder: Decoder,
    },
}

/// The linear to the vocabulary.
#[derive(Debug)]
pub(super) struct Decoder {
    pub linear: Linear,
    /// Whether it is a module, and not merely a product with the word embedding.
    pub is_module: bool,
    /// Another name of its bias, and the linear's own.
    pub bias_names: [String; 2],
}

impl Head {
    /// A module of the head whose weights are neither the checkpoint's nor this adapter's.
    pub(super) fn missing(&self, adapter: Option<LoraId>) -> Option<&str> {
        match self {
            Self::Classification { pooler, classifier } => [pooler, classifier]
                .into_iter()
                .find_map(|dense| dense.missing(adapter)),
            Self::Hidden | Self::Masked { .. } => None,
        }
    }

    /// The linears of a classifier, those nearest to the hidden values first; none of another head.
    pub(super) fn dense_mut(&mut self) -> Vec<&mut Dense> {
        match self {
            Self::Classification { pooler, classifier } => vec![pooler, classifier],
            Self::Hidden | Self::Masked { .. } => Vec::new(),
        }
    }

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
                let scope = scope(x.dims()[0], adapter);
                let h = dense.forward(compute, &x, &scope);
                let h = compute.activate(h, *activation);
                let h = norm.forward(compute, h, None, &scope).1;
                Ok(decoder.linear.forward(compute, &h, &scope))
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

impl Held for Decoder {
    fn parameters_mut(&mut self) -> Vec<ParameterSlot<'_>> {
        self.linear.parameters_mut()
    }

    fn restore(&mut self) {
        self.linear.restore();
    }

    fn detach(&mut self) {
        self.linear.detach();
    }

    fn replaced_by(&self, adapter: LoraId) -> bool {
        self.linear.replaced_by(adapter)
    }

    fn extra_bytes(&self) -> usize {
        self.linear.extra_bytes()
    }
}

impl Part for Decoder {
    fn apply(&mut self, compute: &Compute, target: Target, updates: &Updates<'_>) {
        self.linear.apply(compute, target, updates);
    }

    fn modules(&self) -> Vec<TargetModule> {
        let modules = Part::modules(&self.linear);
        modules.into_iter().filter(|_| self.is_module).collect()
    }

    fn weight(&self) -> Option<&Weight> {
        self.linear.base()
    }

    fn vectors(&self) -> usize {
        self.linear.biases()
    }
}
