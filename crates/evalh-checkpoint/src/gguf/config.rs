//! Metadata of a GGUF file as Hugging Face's `config.json` and generation settings.

use super::{FormatError, facts::Facts, family::Family, tokenizer};
use crate::GenerationSettings;
use serde_json::{Value, json};

/// The file's `config.json`, in the style of transformers v4.
pub(super) fn hugging_face(facts: &Facts<'_>, family: &Family) -> Result<Value, FormatError> {
    let mut config = json!({
        "model_type": family.model_type,
        "architectures": [family.class],
        "vocab_size": facts.vocabulary,
        "hidden_size": facts.hidden,
        "intermediate_size": facts.intermediate,
        "num_hidden_layers": facts.layers,
        "num_attention_heads": facts.heads,
        "max_position_embeddings": facts.positions,
        "tie_word_embeddings": !facts.has("output.weight"),
    });
    for (common, own) in family.renamed {
        config[own] = config[common].take();
        if let Value::Object(keys) = &mut config {
            keys.remove(*common);
        }
    }
    if let (Value::Object(keys), Value::Object(settings)) = (&mut config, (family.settings)(facts)?)
    {
        keys.extend(settings);
    }
    facts.refuse_what_is_left()?;
    Ok(config)
}

/// Special token ids and limits. Metadata has no sampling settings.
pub(super) fn generation(facts: &Facts<'_>) -> Result<GenerationSettings, FormatError> {
    let (header, file) = (&facts.model.header, facts.model.metadata());
    Ok(GenerationSettings {
        eos_ids: tokenizer::eos_ids(header, file)?,
        bos_id: tokenizer::special_id(header, "bos")?,
        pad_id: tokenizer::special_id(header, "padding")?,
        max_positions: usize::try_from(facts.positions).ok(),
        ..GenerationSettings::default()
    })
}
