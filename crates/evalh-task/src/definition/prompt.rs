//! From an item and its solved examples to what a model reads, byte for byte as lm-eval 0.4.13 builds it
//! (`ConfigurableTask.fewshot_context`, `build_qa_turn` and `multiturn_to_singleturn`).

use super::{form::Form, item::Asked, python::is_space};
use crate::Chat;
use evalh_record::{Message, Prompt, Role};

/// A question with its examples.
pub struct Asking<'a> {
    /// The task's form.
    pub form: &'a Form,
    /// Text before everything else.
    pub preamble: &'a str,
    /// The solved examples.
    pub solved: Vec<&'a Asked>,
    /// The item.
    pub item: &'a Asked,
}

/// A turn, and what goes between it and the next where all is one text.
struct Turn<'a> {
    role: Role,
    content: String,
    after: &'a str,
}

impl Asking<'_> {
    /// All as one text.
    pub fn text(&self) -> Prompt {
        let turns = self.turns();
        Prompt::Text(self.preamble.to_owned() + &joined(&turns))
    }

    /// A conversation.
    pub fn chat(&self, chat: &Chat) -> Prompt {
        let mut messages = Vec::new();
        let system = delimited(
            chat.system.as_deref().unwrap_or_default(),
            self.preamble,
            self.form.separator(),
        );
        if !system.is_empty() {
            messages.push(message(Role::System, system));
        }
        let mut turns = self.turns();
        let prefill = self.item.prefill.is_some().then(|| turns.pop()).flatten();
        if chat.shots_as_turns {
            messages.extend(
                turns
                    .into_iter()
                    .map(|turn| message(turn.role, turn.content)),
            );
        } else {
            if let Some(last) = turns.last_mut() {
                last.after = "";
            }
            messages.push(message(Role::User, joined(&turns)));
        }
        Prompt::Chat {
            messages,
            prefill: prefill.map(|turn| turn.content),
        }
    }

    /// What is put between a prompt and a choice.
    ///
    /// In a chat the answer begins a turn, so there is nothing before it, unless the turn is begun by a prefill.
    pub fn before_choice(form: &Form, is_chat: bool) -> &str {
        let prefill = form.prefill.as_deref().unwrap_or_default();
        if is_chat && (prefill.is_empty() || prefill.ends_with(is_space)) {
            ""
        } else {
            form.delimiter()
        }
    }

    fn turns(&self) -> Vec<Turn<'_>> {
        let mut turns = Vec::new();
        for solved in &self.solved {
            self.turn(solved, &solved.target, &mut turns);
        }
        self.turn(self.item, "", &mut turns);
        turns
    }

    /// A question, and its answer or the answer's beginning where there is one.
    fn turn<'a>(&'a self, asked: &'a Asked, answer: &str, turns: &mut Vec<Turn<'a>>) {
        let prefill = asked.prefill.as_deref();
        let has_delimiter = match prefill {
            None => !answer.is_empty(),
            Some(prefill) => needs_delimiter(&asked.question, prefill),
        };
        turns.push(Turn {
            role: Role::User,
            content: asked.question.clone(),
            after: if has_delimiter {
                self.form.delimiter()
            } else {
                ""
            },
        });
        if !answer.is_empty() {
            turns.push(Turn {
                role: Role::Assistant,
                content: delimited(prefill.unwrap_or_default(), answer, " "),
                after: self.form.separator(),
            });
        } else if let Some(prefill) = prefill {
            turns.push(Turn {
                role: Role::Assistant,
                content: prefill.to_owned(),
                after: "",
            });
        }
    }
}

fn joined(turns: &[Turn<'_>]) -> String {
    turns
        .iter()
        .flat_map(|turn| [turn.content.as_str(), turn.after])
        .collect()
}

fn message(role: Role, content: String) -> Message {
    Message { role, content }
}

/// The two texts with the delimiter between, unless one is empty or there is white space where they meet.
fn delimited(before: &str, after: &str, delimiter: &str) -> String {
    let is_bare = before.is_empty() || after.is_empty() || !needs_delimiter(before, after);
    [before, if is_bare { "" } else { delimiter }, after].concat()
}

fn needs_delimiter(before: &str, after: &str) -> bool {
    !before.is_empty() && !before.ends_with(is_space) && !after.starts_with(is_space)
}
