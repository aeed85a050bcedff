//! `RoBERTa`, and the models that are it with another tokenizer: `CamemBERT`, XLM-R.

use super::EncoderFamily;
use crate::ModelError;
use crate::config::Keys;
use crate::encoder::config::{EncoderConfig, PositionKind};
use crate::encoder::names::{MaskedHead, Names, Pooler};
use evalh_kernel::Activation;

pub(super) const fn family(model_type: &'static str, classifier: &'static str) -> EncoderFamily {
    EncoderFamily {
        model_type,
        classifier,
        config,
        names: Names {
            prefix: "roberta",
            query: "attention.self.query",
            key: "attention.self.key",
            value: "attention.self.value",
            pooler: Pooler {
                module: "classifier.dense",
                in_base: false,
            },
            classifier: "classifier.out_proj",
            masked: &[MaskedHead {
                dense: "lm_head.dense",
                norm: "lm_head.layer_norm",
                activation: Some(Activation::Gelu),
                decoder: Some("lm_head.decoder"),
                bias: "lm_head.bias",
                reduces: false,
                legacy: true,
            }],
            unused: &["roberta.pooler.dense.", "lm_head."],
        },
    }
}

fn config(keys: &Keys<'_>, family: &'static str) -> Result<EncoderConfig, ModelError> {
    let padding = keys.usize("pad_token_id")?.unwrap_or(1);
    let padding = u32::try_from(padding)
        .map_err(|_| keys.invalid("pad_token_id", &format!("{padding} is no token id")))?;
    EncoderConfig {
        positions: PositionKind::AfterPadding(padding),
        ..EncoderConfig::read(keys, family)?
    }
    .checked(keys)
}
