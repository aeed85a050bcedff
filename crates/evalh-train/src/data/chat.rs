//! Conversations: what of a rendered template is the assistant's.

use super::error::{Fault, SampleFault};
use evalh_checkpoint::{ChatTemplate, CheckpointError};
use evalh_record::{Message, Role};
use std::ops::Range;

/// A conversation as the template renders it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rendered {
    /// The text, special tokens included.
    pub(super) text: String,
    /// The bytes of it that the assistant says, turn by turn: what follows the generation prompt, with whatever the
    /// template ends the turn with.
    pub(super) answers: Vec<Range<usize>>,
}

/// Renders a conversation and the beginnings of it that end before and after each of the assistant's turns.
pub(super) fn render(
    template: &ChatTemplate,
    messages: &[Message],
) -> Result<Rendered, SampleFault> {
    render_with(messages, |turns, add_generation_prompt| {
        template.render(turns, add_generation_prompt)
    })
}

fn render_with(
    messages: &[Message],
    render: impl Fn(&[Message], bool) -> Result<String, CheckpointError>,
) -> Result<Rendered, SampleFault> {
    let text = render(messages, false)?;
    let mut answers = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        if message.role != Role::Assistant {
            continue;
        }
        let before = render(&messages[..index], true)?;
        let after = render(&messages[..=index], false)?;
        if !after.starts_with(&before) {
            return Err(breaks(
                index,
                "the generation prompt is not what it puts before the answer",
            ));
        }
        if !text.starts_with(&after) {
            return Err(breaks(index, "later turns change how it is rendered"));
        }
        answers.push(before.len()..after.len());
    }
    Ok(Rendered { text, answers })
}

fn breaks(turn: usize, how: &str) -> SampleFault {
    SampleFault::Unusable(Fault::new(
        format!(
            "the chat template does not tell turn {} apart: {how}",
            turn + 1
        ),
        "train on conversations with one answer, on prompt and response without the template, or with the loss on all",
    ))
}
