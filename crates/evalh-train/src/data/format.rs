//! The formats of training data, told from the fields of a line.

use super::{Content, error::Fault, fields::Fields};
use std::fmt;

/// A format, by its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `prompt` and `response`.
    PromptResponse,
    /// `prompt` and `completion`.
    PromptCompletion,
    /// `question` and `answer` (GSM8K).
    QuestionAnswer,
    /// `instruction`, `output` and maybe `input` (Alpaca).
    Alpaca,
    /// `messages` of `role` and `content`.
    Chat,
    /// `text`.
    Text,
}

/// What a user may write, for every message that refuses something else.
const KNOWN: &str = "use prompt and response (or completion), question and answer, instruction, input and output, \
                     messages, or text";

impl Format {
    const ALL: [Format; 6] = [
        Format::PromptResponse,
        Format::PromptCompletion,
        Format::QuestionAnswer,
        Format::Alpaca,
        Format::Chat,
        Format::Text,
    ];

    /// Fields that a line must have.
    fn required(self) -> &'static [&'static str] {
        match self {
            Self::PromptResponse => &["prompt", "response"],
            Self::PromptCompletion => &["prompt", "completion"],
            Self::QuestionAnswer => &["question", "answer"],
            Self::Alpaca => &["instruction", "output"],
            Self::Chat => &["messages"],
            Self::Text => &["text"],
        }
    }

    /// Fields that a line may have besides.
    fn optional(self) -> &'static [&'static str] {
        match self {
            Self::Alpaca => &["input"],
            _ => &[],
        }
    }

    fn knows(self, field: &str) -> bool {
        self.required().contains(&field) || self.optional().contains(&field)
    }

    /// The format whose fields these are, each of them and no other.
    pub(super) fn of(fields: &Fields) -> Result<Self, Fault> {
        let missing = |format: Format| {
            let mut required = format.required().iter();
            required.find(|name| !fields.has(name))
        };
        let unknown = |format: Format| fields.names().find(|name| !format.knows(name));
        let complete: Vec<Format> = Self::ALL
            .into_iter()
            .filter(|format| missing(*format).is_none())
            .collect();
        match complete.as_slice() {
            &[format] => match unknown(format) {
                None => Ok(format),
                Some(name) => Err(Fault::new(
                    format!("`{}` is no field of {format}", name.escape_debug()),
                    format!("take the field out, or {KNOWN}"),
                )),
            },
            [first, second, ..] => Err(Fault::new(
                format!("its fields are those of {first} and of {second}"),
                "keep the fields of one of them",
            )),
            [] => Err(Self::nearest(fields, missing)),
        }
    }

    /// What is wrong with fields that make up no format, in terms of the format they have most of.
    fn nearest(
        fields: &Fields,
        missing: impl Fn(Format) -> Option<&'static &'static str>,
    ) -> Fault {
        let known = |format: &Format| fields.names().filter(|name| format.knows(name)).count();
        // The first of equals, so that the message does not depend on the order of the list's search.
        let best = Self::ALL
            .into_iter()
            .rev()
            .max_by_key(known)
            .filter(|format| known(format) > 0);
        match best.and_then(|format| Some((format, missing(format)?))) {
            Some((format, name)) => Fault::new(
                format!("field `{name}` of {format} is missing"),
                format!("add it, or {KNOWN}"),
            ),
            None => match fields.names().next() {
                Some(name) => {
                    Fault::new(format!("field `{}` is unknown", name.escape_debug()), KNOWN)
                }
                None => Fault::new("the object has no fields", KNOWN),
            },
        }
    }

    /// The sample of a line whose fields are this format's.
    pub(super) fn content(self, mut fields: Fields) -> Result<Content, Fault> {
        Ok(match self {
            Self::PromptResponse => Content::Completion {
                prompt: fields.take_text("prompt")?,
                response: fields.take_answer("response")?,
            },
            Self::PromptCompletion => Content::Completion {
                prompt: fields.take_text("prompt")?,
                response: fields.take_answer("completion")?,
            },
            Self::QuestionAnswer => Content::Question {
                question: fields.take_text("question")?,
                answer: fields.take_answer("answer")?,
            },
            Self::Alpaca => Content::Instruction {
                instruction: fields.take_text("instruction")?,
                input: if fields.has("input") {
                    fields.take_text("input")?
                } else {
                    String::new()
                },
                output: fields.take_answer("output")?,
            },
            Self::Chat => Content::Chat(fields.take_messages("messages")?),
            Self::Text => Content::Text(fields.take_answer("text")?),
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PromptResponse => "prompt/response data",
            Self::PromptCompletion => "prompt/completion data",
            Self::QuestionAnswer => "question/answer data",
            Self::Alpaca => "Alpaca data (instruction, input, output)",
            Self::Chat => "chat data (messages)",
            Self::Text => "text data",
        })
    }
}
