//! Text to token ids and back.

mod decoder;
mod input;
mod stream;

pub(crate) use input::InputSettings;
pub use input::TextInput;
pub use stream::TokenStream;

use crate::CheckpointError;
use decoder::Decoder;
use std::{
    ops::Range,
    path::{Path, PathBuf},
};
use tokenizers::{ModelWrapper, Tokenizer};

/// Which special tokens [`TextTokenizer::encode`] puts around a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpecialTokens {
    /// Exactly those that the tokenizer's post-processor adds, such as one BOS.
    AsPostProcessor,
    /// None: for text that has them already, such as a rendered chat template.
    None,
}

/// The tokenizer of a checkpoint.
///
/// Special tokens written out in a text (`<|im_start|>`) become their ids in either mode of [`SpecialTokens`].
#[derive(Debug, Clone)]
pub struct TextTokenizer {
    inner: Tokenizer,
    path: PathBuf,
    decoder: Decoder,
    vocab_size: usize,
    input: InputSettings,
}

impl TextTokenizer {
    pub(crate) fn new(mut inner: Tokenizer, path: &Path) -> Result<Self, CheckpointError> {
        // A file may carry the truncation and padding of whoever saved it. A prompt is cut and filled by nobody here.
        inner
            .with_truncation(None)
            .map_err(|e| error(path, "set up", &*e))?
            .with_padding(None);
        let vocab_size = inner
            .get_vocab(true)
            .into_values()
            .max()
            .map_or(0, |largest| largest as usize + 1);
        let decoder = Decoder::of(&inner).map_err(|e| error(path, "set up", &e))?;
        Ok(Self {
            inner,
            path: path.to_owned(),
            decoder,
            vocab_size,
            input: InputSettings::default(),
        })
    }

    /// Reads a `tokenizer.json`.
    pub(crate) fn from_json(path: &Path) -> Result<Self, CheckpointError> {
        let inner = Tokenizer::from_bytes(crate::map::read(path)?)
            .map_err(|e| error(path, "parse", &*e))?;
        Self::new(inner, path)
    }

    /// The same tokenizer, with what else its checkpoint says of inputs.
    pub(crate) fn with_input(self, input: InputSettings) -> Self {
        Self { input, ..self }
    }

    /// The same tokenizer, once it is known to fit a model's embedding.
    pub(crate) fn fitting(self, vocabulary: usize) -> Result<Self, CheckpointError> {
        if self.vocab_size > vocabulary {
            return Err(CheckpointError::VocabularyTooSmall {
                path: self.path,
                largest_id: (self.vocab_size - 1) as u32,
                vocabulary,
            });
        }
        Ok(self)
    }

    /// The token ids of a text.
    ///
    /// # Errors
    /// When the tokenizer has no token for a part of the text.
    pub fn encode(&self, text: &str, special: SpecialTokens) -> Result<Vec<u32>, CheckpointError> {
        self.inner
            .encode_fast(text, special == SpecialTokens::AsPostProcessor)
            .map(|encoding| encoding.get_ids().to_vec())
            .map_err(|e| error(&self.path, "encode", &*e))
    }

    /// The token ids of a text, each with the bytes of the text that it stands for.
    ///
    /// Tokens that the post-processor adds stand for none; where it trims places, the spaces around a token are not in them.
    ///
    /// # Errors
    /// When the tokenizer has no token for a part of the text.
    pub fn encode_with_places(
        &self,
        text: &str,
        special: SpecialTokens,
    ) -> Result<Vec<(u32, Range<usize>)>, CheckpointError> {
        let encoding = self
            .inner
            .encode(text, special == SpecialTokens::AsPostProcessor)
            .map_err(|e| error(&self.path, "encode", &*e))?;
        let places = encoding.get_offsets().iter();
        let places = places.map(|(begin, end)| *begin..*end);
        Ok(encoding.get_ids().iter().copied().zip(places).collect())
    }

    /// The text of token ids, special tokens left out. Ids without a token (padding of the embedding) give no text.
    ///
    /// # Errors
    /// When the tokenizer's decoder fails.
    pub fn decode(&self, ids: &[u32]) -> Result<String, CheckpointError> {
        self.inner
            .decode(ids, true)
            .map_err(|e| error(&self.path, "decode", &*e))
    }

    /// The largest id plus one: the rows an embedding needs at least.
    pub fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    /// The id of a token, written as the vocabulary writes it.
    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// How it splits words: `BPE`, `WordPiece`, `Unigram` or `WordLevel`.
    pub fn kind(&self) -> &'static str {
        match self.inner.get_model() {
            ModelWrapper::BPE(_) => "BPE",
            ModelWrapper::WordPiece(_) => "WordPiece",
            ModelWrapper::WordLevel(_) => "WordLevel",
            ModelWrapper::Unigram(_) => "Unigram",
        }
    }

    /// The special tokens with their ids, ascending.
    pub fn special_tokens(&self) -> Vec<(u32, String)> {
        let mut special: Vec<_> = self
            .inner
            .get_added_tokens_decoder()
            .into_iter()
            .filter(|(_, token)| token.special)
            .map(|(id, token)| (id, token.content))
            .collect();
        special.sort_unstable();
        special
    }

    /// A decoder for tokens that arrive one by one.
    pub fn stream(&self) -> TokenStream<'_> {
        TokenStream::new(self)
    }

    /// The token of an id as the vocabulary writes it, or `None` for an unknown or special token.
    fn visible_token(&self, id: u32) -> Option<String> {
        self.inner
            .id_to_token(id)
            .filter(|token| !self.inner.get_added_vocabulary().is_special_token(token))
    }
}

fn error(path: &Path, action: &'static str, error: &dyn std::error::Error) -> CheckpointError {
    CheckpointError::Tokenizer {
        path: path.to_owned(),
        action,
        message: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn places_are_bytes_of_the_text() {
        let words = json!({"<s>": 0, "<unk>": 1, "é": 2, "th": 3, "e": 4, "t": 5, "h": 6});
        let json = json!({
            "added_tokens": [{"id": 0, "content": "<s>", "special": true, "single_word": false, "lstrip": false,
                              "rstrip": false, "normalized": false}],
            "pre_tokenizer": {"type": "Whitespace"},
            "post_processor": {
                "type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}}
            },
            "model": {"type": "BPE", "unk_token": "<unk>", "vocab": words, "merges": [["t", "h"]]}
        });
        let inner = Tokenizer::from_bytes(json.to_string()).unwrap();
        let tokenizer = TextTokenizer::new(inner, Path::new("tokenizer.json")).unwrap();
        let text = "é the<s>";
        let placed = tokenizer
            .encode_with_places(text, SpecialTokens::AsPostProcessor)
            .unwrap();
        assert_eq!(
            placed,
            [(0, 0..0), (2, 0..2), (3, 3..5), (4, 5..6), (0, 6..9)]
        );
        for special in [SpecialTokens::AsPostProcessor, SpecialTokens::None] {
            let placed = tokenizer.encode_with_places(text, special).unwrap();
            let ids: Vec<u32> = placed.into_iter().map(|(id, _)| id).collect();
            assert_eq!(ids, tokenizer.encode(text, special).unwrap());
        }
    }
}
