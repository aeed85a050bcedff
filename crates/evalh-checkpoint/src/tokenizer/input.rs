//! A text or a pair of texts as an encoder reads them.

use super::{TextTokenizer, error};
use crate::CheckpointError;
use serde_json::Value;
use std::path::Path;
use tokenizers::{
    Encoding, TruncationDirection, TruncationParams, TruncationStrategy,
    utils::truncation::truncate_encodings,
};

/// What an encoder reads: a text, or two with the special tokens between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextInput {
    /// Token ids with the post-processor's special tokens.
    pub ids: Vec<u32>,
    /// The type of each token (which text it belongs to, as the post-processor has it); empty where the tokenizer gives
    /// none, which is 0 for all.
    pub token_types: Vec<u32>,
    /// Tokens left out to keep within the limit.
    pub truncated: usize,
}

/// What `tokenizer_config.json` says of inputs, beside `tokenizer.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InputSettings {
    side: TruncationDirection,
    token_types: bool,
}

impl Default for InputSettings {
    fn default() -> Self {
        Self {
            side: TruncationDirection::Right,
            token_types: true,
        }
    }
}

impl InputSettings {
    /// Reads `truncation_side` and `model_input_names`.
    ///
    /// Without the latter there are token types, save for the class of that name in transformers 5, whose default has none.
    /// (Up to version 4 the general class has them by default: what it saved was trained with them.)
    pub(crate) fn read(config: &Value, path: &Path) -> Result<Self, CheckpointError> {
        let malformed = |field: &str, problem: &str| CheckpointError::Malformed {
            path: path.to_owned(),
            field: field.to_owned(),
            problem: problem.to_owned(),
            remedy: "correct it, or fetch the file again",
        };
        let side = match &config["truncation_side"] {
            Value::Null => TruncationDirection::Right,
            Value::String(side) if side == "right" => TruncationDirection::Right,
            Value::String(side) if side == "left" => TruncationDirection::Left,
            _ => return Err(malformed("truncation_side", "is neither right nor left")),
        };
        let token_types = match &config["model_input_names"] {
            Value::Null => config["tokenizer_class"] != "TokenizersBackend",
            Value::Array(names) => names.iter().any(|name| name == "token_type_ids"),
            _ => return Err(malformed("model_input_names", "is not a list of names")),
        };
        Ok(Self { side, token_types })
    }
}

impl TextTokenizer {
    /// A text, or a pair of texts, as an encoder reads them: transformers'
    /// `tokenizer([first], [second], truncation=True, max_length=max_tokens)`.
    ///
    /// The longer text is cut first (`longest_first`), on the side that the checkpoint names, else from its end.
    ///
    /// # Errors
    /// When the tokenizer has no token for a part of a text, or the limit leaves no room for one beside the special tokens.
    pub fn encode_input(
        &self,
        first: &str,
        second: Option<&str>,
        max_tokens: usize,
    ) -> Result<TextInput, CheckpointError> {
        let failed = |failure: &dyn std::error::Error| error(&self.path, "encode", failure);
        let encode = |text: &str, kind: u32| -> Result<Encoding, CheckpointError> {
            let encoding = self
                .inner
                .encode_fast(text, false)
                .map_err(|e| failed(&*e))?;
            // What the post-processor does not set stays as the place of the text says.
            let mut encoding = encoding;
            encoding.set_type_ids(vec![kind; encoding.len()]);
            Ok(encoding)
        };
        let first = encode(first, 0)?;
        let second = second.map(|text| encode(text, 1)).transpose()?;
        let count = |first: &Encoding, second: &Option<Encoding>| {
            first.len() + second.as_ref().map_or(0, Encoding::len)
        };
        let added = self.added_tokens(second.is_some());
        let room = max_tokens
            .checked_sub(added)
            .filter(|room| *room > 0)
            .ok_or_else(|| CheckpointError::Tokenizer {
                path: self.path.clone(),
                action: "encode",
                message: format!("{max_tokens} tokens have no room beside {added} special ones"),
            })?;
        let whole = count(&first, &second);
        let limit = TruncationParams {
            direction: self.input.side,
            max_length: room,
            strategy: TruncationStrategy::LongestFirst,
            stride: 0,
        };
        let (first, second) = truncate_encodings(first, second, &limit).map_err(|e| failed(&*e))?;
        let truncated = whole - count(&first, &second);
        let encoding = self
            .inner
            .post_process(first, second, true)
            .map_err(|e| failed(&*e))?;
        Ok(TextInput {
            ids: encoding.get_ids().to_vec(),
            token_types: if self.input.token_types {
                encoding.get_type_ids().to_vec()
            } else {
                Vec::new()
            },
            truncated,
        })
    }

    /// Special tokens around a text or a pair.
    fn added_tokens(&self, is_pair: bool) -> usize {
        use tokenizers::PostProcessor as _;
        let post_processor = self.inner.get_post_processor();
        post_processor.map_or(0, |processor| processor.added_tokens(is_pair))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(config: &Value) -> Result<InputSettings, String> {
        InputSettings::read(config, Path::new("tokenizer_config.json")).map_err(|e| e.to_string())
    }

    #[test]
    fn the_configuration_decides_on_side_and_types() {
        assert_eq!(read(&Value::Null), Ok(InputSettings::default()));
        let left = read(&json!({"truncation_side": "left"})).unwrap();
        assert_eq!(left.side, TruncationDirection::Left);
        let names = json!({"model_input_names": ["input_ids", "attention_mask"]});
        assert!(!read(&names).unwrap().token_types);
        let backend = |names: Value| json!({"tokenizer_class": "TokenizersBackend", "model_input_names": names});
        assert!(!read(&backend(Value::Null)).unwrap().token_types);
        let named = backend(json!(["input_ids", "token_type_ids"]));
        assert!(read(&named).unwrap().token_types);
    }

    #[test]
    fn what_is_neither_is_refused_by_name() {
        for config in [
            json!({"truncation_side": "middle"}),
            json!({"model_input_names": "input_ids"}),
        ] {
            let field = config.as_object().unwrap().keys().next().unwrap().clone();
            let error = read(&config).unwrap_err();
            assert!(error.contains(&field), "{error}");
        }
    }
}
