//! BERT.

use super::EncoderFamily;
use crate::ModelError;
use crate::config::Keys;
use crate::encoder::config::EncoderConfig;
use crate::encoder::names::{MaskedHead, Names, Pooler};

pub(super) const fn family(model_type: &'static str, classifier: &'static str) -> EncoderFamily {
    EncoderFamily {
        model_type,
        classifier,
        config,
        names: Names {
            prefix: "bert",
            query: "attention.self.query",
            key: "attention.self.key",
            value: "attention.self.value",
            pooler: Pooler {
                module: "pooler.dense",
                in_base: true,
            },
            classifier: "classifier",
            masked: &[MASKED],
            unused: &[
                "cls.seq_relationship.",
                "bert.pooler.dense.",
                "cls.predictions.",
            ],
        },
    }
}

pub(super) const MASKED: MaskedHead = MaskedHead {
    dense: "cls.predictions.transform.dense",
    norm: "cls.predictions.transform.LayerNorm",
    activation: None,
    decoder: Some("cls.predictions.decoder"),
    bias: "cls.predictions.bias",
    reduces: false,
    legacy: true,
};

fn config(keys: &Keys<'_>, family: &'static str) -> Result<EncoderConfig, ModelError> {
    EncoderConfig::read(keys, family)?.checked(keys)
}
