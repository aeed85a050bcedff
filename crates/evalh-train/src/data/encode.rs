//! Samples to tokens, and which of them are learnt.

use super::{
    Content, DataError, Dataset, Sample, alpaca,
    chat::{self, Rendered},
    error::{Fault, SampleFault},
};
use evalh_checkpoint::{ChatTemplate, SpecialTokens, TextTokenizer};
use evalh_record::{Message, Role, training::LossOn};
use std::ops::Range;

/// A sample as tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The token ids.
    pub tokens: Vec<u32>,
    /// As long as `tokens`: whether a token is predicted from those before it and counts in the loss. The first never is.
    pub loss: Vec<bool>,
}

impl Example {
    /// How many tokens count in the loss.
    pub fn loss_tokens(&self) -> usize {
        self.loss.iter().filter(|counts| **counts).count()
    }
}

/// What the token limit did to the samples of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Truncation {
    /// Samples read.
    pub samples: usize,
    /// Samples cut at the limit.
    pub cut: usize,
    /// Tokens cut.
    pub tokens_cut: usize,
    /// Samples left out because no token that counts in the loss is left (or ever was).
    pub dropped: usize,
}

/// The examples of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedData {
    /// The examples, each with at least one token that counts, in the file's order.
    pub examples: Vec<Example>,
    /// The sample that each example was, by its index in the file.
    pub samples: Vec<usize>,
    /// What the token limit did.
    pub truncation: Truncation,
}

/// How samples become tokens.
///
/// Without a template, prompt and response are one text, with the special tokens that the tokenizer's post-processor adds;
/// the end-of-text token follows the response, or the plain text. With a template, the rendered conversation is the text,
/// which has all special tokens itself.
///
/// Where a response begins and ends: the whole text is encoded once, and a token is the response's where the last character
/// that it stands for is. So a token that holds the end of the prompt and the beginning of the response is learnt, and one
/// that holds the end of an assistant's turn and the beginning of what follows is not.
#[derive(Debug, Clone, Copy)]
pub struct Encoder<'a> {
    /// The checkpoint's tokenizer.
    pub tokenizer: &'a TextTokenizer,
    /// The chat template that renders every sample: conversations need one; given for prompts and responses (questions,
    /// instructions), they are told as a user's and an assistant's turn, bare of the forms they otherwise have.
    pub template: Option<&'a ChatTemplate>,
    /// The end-of-text token, put after responses and texts that no template ends; `None` puts none.
    pub end_of_text: Option<u32>,
    /// Which tokens are learnt: those of the response (of plain text, which is all response, every one), or all. The first
    /// token of an example, which follows nothing, never is.
    pub loss_on: LossOn,
    /// Most tokens of an example; the rest is cut from its end.
    pub max_tokens: usize,
}

impl Encoder<'_> {
    /// All samples of a file, without those that nothing can be learnt from.
    ///
    /// # Errors
    /// As [`encode`](Self::encode), and when no sample is left.
    pub fn encode_all(&self, data: &Dataset) -> Result<EncodedData, DataError> {
        let mut encoded = EncodedData {
            examples: Vec::with_capacity(data.samples.len()),
            samples: Vec::with_capacity(data.samples.len()),
            truncation: Truncation {
                samples: data.samples.len(),
                ..Truncation::default()
            },
        };
        for (index, sample) in data.samples.iter().enumerate() {
            let (example, tokens_cut) = self.encode(data, sample)?;
            encoded.truncation.cut += usize::from(tokens_cut > 0);
            encoded.truncation.tokens_cut += tokens_cut;
            if example.loss.contains(&true) {
                encoded.examples.push(example);
                encoded.samples.push(index);
            } else {
                encoded.truncation.dropped += 1;
            }
        }
        if encoded.examples.is_empty() {
            let fault = Fault::new(
                format!(
                    "no sample has a token to learn within {} tokens",
                    self.max_tokens
                ),
                "allow more tokens, or put the loss on all",
            );
            return Err(SampleFault::Unusable(fault).of(&data.path, super::Place::File));
        }
        Ok(encoded)
    }

    /// A sample of `data` as tokens, and how many were cut from its end. The example may be left without a token that
    /// counts.
    ///
    /// # Errors
    /// When a conversation has no template, a plain text has one, the template breaks the conversation or refuses it, or
    /// the tokenizer fails.
    pub fn encode(&self, data: &Dataset, sample: &Sample) -> Result<(Example, usize), DataError> {
        self.whole(&sample.content)
            .map(|example| cut(example, self.max_tokens))
            .map_err(|fault| fault.of(&data.path, sample.place))
    }

    fn whole(&self, content: &Content) -> Result<Example, SampleFault> {
        if let Some(template) = self.template {
            return self.rendered(template, &conversation(content)?);
        }
        match content {
            Content::Completion { prompt, response } => self.completed(prompt, response),
            // The form that the suite `gsm8k` asks in.
            Content::Question { question, answer } => self.completed(
                &format!("Question: {question}\nAnswer:"),
                &format!(" {answer}"),
            ),
            Content::Instruction {
                instruction,
                input,
                output,
            } => self.completed(&alpaca::prompt(instruction, input), output),
            Content::Text(text) => self.completed("", text),
            Content::Chat(_) => Err(SampleFault::Unusable(Fault::new(
                "it is a conversation and there is no chat template to render it with",
                "take a checkpoint that has a template, or give prompt and response",
            ))),
        }
    }

    /// A prompt and its response, without a template.
    fn completed(&self, prompt: &str, response: &str) -> Result<Example, SampleFault> {
        let text = format!("{prompt}{response}");
        let special = SpecialTokens::AsPostProcessor;
        let response = prompt.len()..text.len();
        let mut example = self.example(&text, special, &[response])?;
        // A post-processor that ends texts may have done so already.
        if let Some(end) = self.end_of_text {
            if example.tokens.last() == Some(&end) {
                example.loss.pop();
            } else {
                example.tokens.push(end);
            }
            example.loss.push(example.tokens.len() > 1);
        }
        Ok(example)
    }

    /// A conversation as the template renders it.
    fn rendered(
        &self,
        template: &ChatTemplate,
        messages: &[Message],
    ) -> Result<Example, SampleFault> {
        let Rendered { text, answers } = match self.loss_on {
            LossOn::Response => chat::render(template, messages)?,
            LossOn::All => Rendered {
                text: template.render(messages, false)?,
                answers: Vec::new(),
            },
        };
        self.example(&text, SpecialTokens::None, &answers)
    }

    /// A text as tokens, of which those in one of `responses` (bytes of the text) count, or all.
    fn example(
        &self,
        text: &str,
        special: SpecialTokens,
        responses: &[Range<usize>],
    ) -> Result<Example, SampleFault> {
        let placed = self.tokenizer.encode_with_places(text, special)?;
        let counts = |place: &Range<usize>| {
            let ends_in =
                |response: &Range<usize>| place.end > response.start && place.end <= response.end;
            self.loss_on == LossOn::All || responses.iter().any(ends_in)
        };
        let mut loss: Vec<bool> = placed.iter().map(|(_, place)| counts(place)).collect();
        if let Some(first) = loss.first_mut() {
            *first = false;
        }
        let tokens = placed.into_iter().map(|(token, _)| token).collect();
        Ok(Example { tokens, loss })
    }
}

/// A sample as a conversation.
fn conversation(content: &Content) -> Result<Vec<Message>, SampleFault> {
    let pair = |user: String, assistant: &str| {
        let turn = |role, content| Message { role, content };
        vec![
            turn(Role::User, user),
            turn(Role::Assistant, assistant.to_owned()),
        ]
    };
    match content {
        Content::Chat(messages) => Ok(messages.clone()),
        Content::Completion { prompt, response } => Ok(pair(prompt.clone(), response)),
        Content::Question { question, answer } => Ok(pair(question.clone(), answer)),
        Content::Instruction {
            instruction,
            input,
            output,
        } => Ok(pair(alpaca::turn(instruction, input), output)),
        Content::Text(_) => Err(SampleFault::Unusable(Fault::new(
            "it is plain text, which has no turns for a chat template",
            "train on it without the template",
        ))),
    }
}

fn cut(mut example: Example, max_tokens: usize) -> (Example, usize) {
    let tokens_cut = example.tokens.len().saturating_sub(max_tokens);
    example.tokens.truncate(max_tokens);
    example.loss.truncate(max_tokens);
    (example, tokens_cut)
}

#[cfg(test)]
mod tests;
