//! Which head an encoder is loaded with.

use super::{build, config::EncoderConfig, config::EncoderTask, family};
use crate::ModelError;
use evalh_adapter::Adapter;
use evalh_checkpoint::WeightSource;
use serde_json::Value;

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

impl HeadChoice {
    /// The classifier that a base and its adapters, each with its name for messages, answer with: the base's, or else
    /// the one that the adapters bring.
    ///
    /// # Errors
    /// When none of them has one, or two of them have different numbers of labels; when the base is no encoder.
    pub fn classifier(
        base: &dyn WeightSource,
        adapters: &[(&str, &Adapter)],
    ) -> Result<Self, ModelError> {
        let family = family::find(base.config())?;
        let stored = build::task(family, base, Self::Stored)? == EncoderTask::Classification;
        let own = stored
            .then(|| EncoderConfig::of(base.config()))
            .transpose()?
            .map(|config| ("the checkpoint".to_owned(), config.labels.len()));
        let wanted = format!("{}.weight", family.names.classifier);
        let brought = adapters.iter().filter_map(|(name, adapter)| {
            let labels = adapter.saved().find_map(|tensor| {
                let before = tensor.name.strip_suffix(&wanted)?;
                let whole = before.is_empty() || before.ends_with('.');
                whole.then(|| tensor.shape.first().copied())?
            })?;
            Some((format!("the adapter {name}"), labels))
        });
        let mut heads = own.into_iter().chain(brought);
        let Some((first, labels)) = heads.next() else {
            let adapters = adapters.iter().map(|(name, _)| (*name).to_owned());
            return Err(ModelError::NoClassifier {
                adapters: adapters.collect(),
            });
        };
        match heads.find(|(_, others)| *others != labels) {
            Some((second, others)) => Err(ModelError::LabelCounts {
                first,
                labels,
                second,
                others,
            }),
            None if stored => Ok(Self::Stored),
            None => Ok(Self::Classification { labels }),
        }
    }

    /// Names of the labels of a classifier so chosen, in the order of the outputs: the config's where it has as many.
    ///
    /// # Errors
    /// When the config is no encoder's, or not honoured.
    pub fn labels(self, config: &Value) -> Result<Vec<String>, ModelError> {
        let mut config = EncoderConfig::of(config)?;
        if let Self::Classification { labels } = self {
            config.set_labels(labels);
        }
        Ok(config.labels)
    }
}
