//! Generation settings of a Hugging Face folder.

use super::optional_json;
use crate::{CheckpointError, GenerationSettings, error::FETCH_AGAIN, map};
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

/// Settings of `generation_config.json` that change what is generated, with the value that leaves it as it is, and
/// that have no field in [`GenerationSettings`].
const CHANGES_OUTPUT: &[(&str, f64)] = &[
    ("num_beams", 1.0),
    ("num_beam_groups", 1.0),
    ("penalty_alpha", 0.0),
    ("min_p", 0.0),
    ("typical_p", 1.0),
    ("epsilon_cutoff", 0.0),
    ("eta_cutoff", 0.0),
    ("encoder_repetition_penalty", 1.0),
    ("no_repeat_ngram_size", 0.0),
    ("min_length", 0.0),
    ("min_new_tokens", 0.0),
    ("guidance_scale", 1.0),
];

/// Such settings that are no numbers; anything but null counts.
const CHANGES_OUTPUT_IF_GIVEN: &[&str] = &[
    "bad_words_ids",
    "force_words_ids",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "suppress_tokens",
    "begin_suppress_tokens",
    "sequence_bias",
    "exponential_decay_length_penalty",
    "stop_strings",
    "watermarking_config",
];

/// Reads `generation_config.json`; what it leaves out comes from `config.json`, as in transformers.
///
/// The tokenizer's own `eos_token` ends a generation too, since lm-eval and vLLM stop there.
pub(super) fn settings(
    folder: &Path,
    config: &Value,
    tokenizer_config: &Value,
) -> Result<GenerationSettings, CheckpointError> {
    let generation_path = folder.join("generation_config.json");
    let generation = optional_json(&generation_path)?;
    let config_path = folder.join("config.json");
    let sources = [
        (&generation, generation_path.as_path()),
        (config, config_path.as_path()),
    ];
    let ids = |key: &str| -> Result<Vec<u32>, CheckpointError> {
        for (source, path) in sources {
            let found = token_ids(&source[key], key, path)?;
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    };
    let mut eos_ids = ids("eos_token_id")?;
    eos_ids.extend(tokenizer_eos(folder, tokenizer_config)?);
    eos_ids.sort_unstable();
    eos_ids.dedup();
    let number = |key: &str| generation[key].as_f64().map(|x| x as f32);
    Ok(GenerationSettings {
        eos_ids,
        bos_id: ids("bos_token_id")?.first().copied(),
        pad_id: ids("pad_token_id")?.first().copied(),
        temperature: number("temperature"),
        top_p: number("top_p"),
        top_k: generation["top_k"]
            .as_u64()
            .and_then(|k| u32::try_from(k).ok()),
        repetition_penalty: number("repetition_penalty"),
        max_positions: config["max_position_embeddings"]
            .as_u64()
            .and_then(|n| usize::try_from(n).ok()),
        unhonoured: unhonoured(&generation),
    })
}

/// An id or a list of ids; null and absent are an empty list.
fn token_ids(value: &Value, key: &str, path: &Path) -> Result<Vec<u32>, CheckpointError> {
    let one = |value: &Value| {
        value
            .as_u64()
            .and_then(|id| u32::try_from(id).ok())
            .ok_or_else(|| CheckpointError::Malformed {
                path: path.to_owned(),
                field: key.to_owned(),
                problem: format!("has {value}, which is no token id"),
                remedy: "correct it to a number of 0 or more, or a list of them",
            })
    };
    match value {
        Value::Null => Ok(Vec::new()),
        // Old configs write -1 where there is no such token.
        Value::Number(n) if n.as_i64() == Some(-1) => Ok(Vec::new()),
        Value::Array(ids) => ids.iter().map(one).collect(),
        other => one(other).map(|id| vec![id]),
    }
}

fn unhonoured(generation: &Value) -> Vec<String> {
    let numbers = CHANGES_OUTPUT
        .iter()
        .filter(|(key, neutral)| {
            !generation[*key].is_null() && generation[*key].as_f64() != Some(*neutral)
        })
        .map(|(key, _)| *key);
    let others = CHANGES_OUTPUT_IF_GIVEN
        .iter()
        .copied()
        .filter(|key| !generation[*key].is_null());
    numbers.chain(others).map(str::to_owned).collect()
}

/// The part of a `tokenizer.json` that names special tokens; the vocabulary is skipped over.
#[derive(Deserialize)]
struct AddedTokens {
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
}

#[derive(Deserialize)]
struct AddedToken {
    id: u32,
    content: String,
}

/// The id of the `eos_token` that `tokenizer_config.json` names.
fn tokenizer_eos(folder: &Path, tokenizer_config: &Value) -> Result<Option<u32>, CheckpointError> {
    let Some(eos) = super::template::token_text(&tokenizer_config["eos_token"]) else {
        return Ok(None);
    };
    let path = folder.join("tokenizer.json");
    if !path.is_file() {
        return Ok(None);
    }
    let file: AddedTokens =
        serde_json::from_slice(&map::read(&path)?).map_err(|e| CheckpointError::Malformed {
            path,
            field: "added_tokens".to_owned(),
            problem: e.to_string(),
            remedy: FETCH_AGAIN,
        })?;
    Ok(file
        .added_tokens
        .into_iter()
        .find(|token| token.content == eos)
        .map(|token| token.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn folder(files: &[(&str, Value)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content.to_string()).unwrap();
        }
        folder
    }

    #[test]
    fn the_generation_config_goes_before_the_config_and_the_tokenizers_eos_is_added() {
        let tokenizer = json!({"added_tokens": [{"id": 7, "content": "<|im_end|>"}], "model": {"vocab": {"a": 0}}});
        let folder = folder(&[
            (
                "generation_config.json",
                json!({"eos_token_id": [5, 3], "temperature": 0.6, "num_beams": 4, "min_p": 0}),
            ),
            ("tokenizer.json", tokenizer),
        ]);
        let config = json!({"eos_token_id": 2, "bos_token_id": 1, "pad_token_id": -1, "max_position_embeddings": 64});
        let settings = settings(
            folder.path(),
            &config,
            &json!({"eos_token": {"content": "<|im_end|>"}}),
        )
        .unwrap();
        assert_eq!(settings.eos_ids, [3, 5, 7]);
        assert_eq!(
            (settings.bos_id, settings.pad_id, settings.max_positions),
            (Some(1), None, Some(64))
        );
        assert_eq!(settings.temperature, Some(0.6));
        assert_eq!(settings.unhonoured, ["num_beams"]);
    }

    #[test]
    fn without_a_generation_config_the_config_speaks() {
        let folder = folder(&[]);
        let settings = settings(
            folder.path(),
            &json!({"eos_token_id": [2, 9]}),
            &Value::Null,
        )
        .unwrap();
        assert_eq!(settings.eos_ids, [2, 9]);
    }

    #[test]
    fn an_id_that_is_none_is_named() {
        let error = settings(
            folder(&[]).path(),
            &json!({"eos_token_id": "x"}),
            &Value::Null,
        )
        .unwrap_err()
        .to_string();
        assert!(
            error.contains("config.json: eos_token_id: has \"x\""),
            "{error}"
        );
    }
}
