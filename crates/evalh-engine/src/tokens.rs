//! Requests as a decoder would read them, without its weights.

use crate::{
    EngineError, Vocabulary,
    local::{LocalText, vocabulary},
    prepare::{self, Work},
};
use evalh_checkpoint::{ChatTemplate, GenerationSettings, TextTokenizer};
use evalh_model::DecoderConfig;
use evalh_record::Request;

/// A decoder's tokenizer, chat template and limits: everything that turns a request into token ids.
#[derive(Debug)]
pub struct LocalTokenizer {
    text: LocalText,
    vocabulary: Vocabulary,
}

/// The token ids of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestTokens {
    /// What the model reads before the answer, after truncation; of a text whose loss is taken, the prefix token and all of it.
    pub context: Vec<u32>,
    /// The continuations to score, in their order; none where text is generated.
    pub continuations: Vec<Vec<u32>>,
    /// Tokens cut from the left.
    pub truncated: usize,
}

impl LocalTokenizer {
    /// The parts come from one checkpoint.
    ///
    /// # Errors
    /// When the tokenizer has ids the model has no row for.
    pub fn new(
        config: &DecoderConfig,
        tokenizer: TextTokenizer,
        template: Option<ChatTemplate>,
        generation: &GenerationSettings,
    ) -> Result<LocalTokenizer, EngineError> {
        let vocabulary = vocabulary(config, &tokenizer, generation)?;
        Ok(LocalTokenizer {
            text: LocalText {
                tokenizer,
                template,
            },
            vocabulary,
        })
    }

    /// The token ids of every request, exactly those that the engine would run.
    ///
    /// # Errors
    /// The first request, in order, that could not be answered.
    pub fn tokens(&self, requests: &[Request]) -> Result<Vec<RequestTokens>, EngineError> {
        let prepared = prepare::all(&self.text, &self.vocabulary, requests)?;
        let tokens = prepared.into_iter().map(|prepared| {
            let (context, mut members) = match prepared.work {
                Work::Generate(generation) => (generation.prompt, Vec::new()),
                Work::Score(contexts) => {
                    let shortest = contexts.iter().map(|known| &known.context);
                    let shortest = shortest.min_by_key(|ids| ids.len()).cloned();
                    let members = contexts.into_iter().flat_map(|known| known.members);
                    (shortest.unwrap_or_default(), members.collect())
                }
                Work::Text(text) => (text.ids, Vec::new()),
            };
            members.sort_by_key(|(place, _)| *place);
            RequestTokens {
                context,
                continuations: members.into_iter().map(|(_, ids)| ids).collect(),
                truncated: prepared.truncated_tokens,
            }
        });
        Ok(tokens.collect())
    }
}
