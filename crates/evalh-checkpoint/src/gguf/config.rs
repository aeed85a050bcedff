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

/// Settings of sampling that have no field in [`GenerationSettings`], with the value that leaves it as it is.
const UNHONOURED: &[(&str, f64)] = &[("min_p", 0.0), ("xtc_probability", 0.0), ("mirostat", 0.0)];

/// Special token ids, limits, and how the model's makers recommend to sample.
pub(super) fn generation(facts: &Facts<'_>) -> Result<GenerationSettings, FormatError> {
    const SEQUENCE: &str = "general.sampling.sequence";
    let (header, file) = (&facts.model.header, facts.model.metadata());
    let sampling = |name: &str| header.float(&format!("general.sampling.{name}"));
    let single = |name: &str| sampling(name).map(|value| value.map(|x| x as f32));
    let mut unhonoured = Vec::new();
    for (name, neutral) in UNHONOURED {
        if sampling(name)?.is_some_and(|value| (value - neutral).abs() > f64::EPSILON) {
            unhonoured.push(format!("general.sampling.{name}"));
        }
    }
    if header.string(SEQUENCE)?.is_some() {
        unhonoured.push(SEQUENCE.to_owned());
    }
    let suppressed = format!("tokenizer.ggml.{}", tokenizer::SUPPRESSED);
    if header.array(&suppressed)?.is_some_and(|ids| ids.len() > 0) {
        unhonoured.push(suppressed);
    }
    Ok(GenerationSettings {
        eos_ids: tokenizer::eos_ids(header, file)?,
        bos_id: tokenizer::special_id(header, "bos")?,
        pad_id: tokenizer::special_id(header, "padding")?,
        temperature: single("temp")?,
        top_p: single("top_p")?,
        top_k: header
            .unsigned("general.sampling.top_k")?
            .and_then(|k| u32::try_from(k).ok()),
        repetition_penalty: single("penalty_repeat")?,
        max_positions: usize::try_from(facts.positions).ok(),
        unhonoured,
    })
}
