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

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(turns: &[(Role, &str)]) -> Vec<Message> {
        let turn = |(role, content): &(Role, &str)| Message {
            role: *role,
            content: (*content).to_owned(),
        };
        turns.iter().map(turn).collect()
    }

    const TALK: [(Role, &str); 4] = [
        (Role::User, "a"),
        (Role::Assistant, "b"),
        (Role::User, "c"),
        (Role::Assistant, "d"),
    ];

    fn written(messages: &[Message], prompt: &str) -> String {
        let texts = messages.iter().map(|turn| match turn.role {
            Role::Assistant => format!("A:{}.", turn.content),
            Role::User | Role::System => format!("U:{}.", turn.content),
        });
        texts.chain([prompt.to_owned()]).collect()
    }

    fn problem(render: impl Fn(&[Message], bool) -> String) -> String {
        match render_with(&turns(&TALK), |messages, add| Ok(render(messages, add))) {
            Err(SampleFault::Unusable(fault)) => format!("{}; {}", fault.problem, fault.remedy),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_answers_are_what_follows_the_generation_prompt() {
        let rendered = render_with(&turns(&TALK), |messages, add| {
            Ok(written(messages, if add { "A:" } else { "" }))
        });
        let rendered = rendered.unwrap();
        assert_eq!(rendered.text, "U:a.A:b.U:c.A:d.");
        let said: Vec<&str> = rendered
            .answers
            .iter()
            .map(|range| &rendered.text[range.clone()])
            .collect();
        assert_eq!(said, ["b.", "d."]);
    }

    #[test]
    fn a_template_that_forgets_earlier_turns_is_refused() {
        let said = problem(|messages, add| {
            let from = messages.len().saturating_sub(2);
            written(&messages[from..], if add { "A:" } else { "" })
        });
        assert_eq!(
            said,
            "the chat template does not tell turn 2 apart: later turns change how it is rendered; train on conversations \
             with one answer, on prompt and response without the template, or with the loss on all"
        );
    }

    #[test]
    fn a_template_with_another_generation_prompt_is_refused() {
        let said = problem(|messages, add| written(messages, if add { "Assistant:" } else { "" }));
        assert!(
            said.starts_with(
                "the chat template does not tell turn 2 apart: the generation prompt is not what it puts before the answer"
            ),
            "{said}"
        );
    }
}
