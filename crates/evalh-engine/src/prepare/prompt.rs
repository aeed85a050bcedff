//! The text of a prompt, and how it becomes tokens.

use crate::{RequestProblem, SpecialTokens, Text, Vocabulary};
use evalh_record::Prompt;
use std::borrow::Cow;

/// A prompt as one text.
pub struct PromptText<'a> {
    /// What the model reads.
    pub text: Cow<'a, str>,
    /// Which special tokens its encoding adds.
    special: SpecialTokens,
}

impl<'a> PromptText<'a> {
    /// Renders a conversation; takes plain text as it is.
    pub fn new<T: Text>(text: &T, prompt: &'a Prompt) -> Result<Self, RequestProblem> {
        match prompt {
            Prompt::Text(plain) => Ok(Self {
                text: Cow::Borrowed(plain),
                special: SpecialTokens::AsPostProcessor,
            }),
            Prompt::Pair { .. } => Err(RequestProblem::WrongKind(
                "with a pair of texts, which only an encoder reads",
            )),
            Prompt::Chat { messages, prefill } => {
                let rendered = text.render(messages).map_err(RequestProblem::Text)?;
                let mut rendered = rendered.ok_or(RequestProblem::NoChatTemplate)?;
                rendered.push_str(prefill.as_deref().unwrap_or_default());
                Ok(Self {
                    text: Cow::Owned(rendered),
                    special: SpecialTokens::None,
                })
            }
        }
    }

    /// Encodes all of it without what the post-processor adds.
    pub fn encode_bare<T: Text>(&self, tokenizer: &T) -> Result<Vec<u32>, RequestProblem> {
        tokenizer
            .encode(&self.text, SpecialTokens::None)
            .map_err(RequestProblem::Text)
    }

    /// Encodes `text`, which is this prompt's or begins like it.
    ///
    /// A text that spells out the beginning-of-sequence token itself does not get a second one (as in lm-eval).
    pub fn encode<T: Text>(
        &self,
        tokenizer: &T,
        vocabulary: &Vocabulary,
        text: &str,
    ) -> Result<Vec<u32>, RequestProblem> {
        let ids = tokenizer
            .encode(text, self.special)
            .map_err(RequestProblem::Text)?;
        let twice = matches!((vocabulary.prefix_token, &*ids), (Some(bos), [a, b, ..]) if *a == bos && *b == bos);
        if twice && self.special == SpecialTokens::AsPostProcessor {
            let plain = tokenizer
                .encode(text, SpecialTokens::None)
                .map_err(RequestProblem::Text)?;
            // only where the post-processor was the source of the first one
            if plain.len() < ids.len() {
                return Ok(plain);
            }
        }
        Ok(ids)
    }
}

/// The token that stands for an empty prompt.
pub fn prefix_token(vocabulary: &Vocabulary) -> Result<u32, RequestProblem> {
    vocabulary.prefix_token.ok_or(RequestProblem::EmptyPrompt)
}
