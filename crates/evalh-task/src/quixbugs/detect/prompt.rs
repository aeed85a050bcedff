//! How a program is shown and asked about.

use super::super::{item::Item, source::without_comments};
use crate::Chat;
use evalh_record::{Message, Prompt, Role};

/// Which of an item's two programs is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    Buggy,
    Correct,
}

impl Version {
    pub const ALL: [Version; 2] = [Version::Buggy, Version::Correct];

    pub fn name(self) -> &'static str {
        match self {
            Version::Buggy => "buggy",
            Version::Correct => "correct",
        }
    }

    /// The right answer, as a place in [`ANSWERS`].
    pub fn label(self) -> usize {
        match self {
            Version::Buggy => 1,
            Version::Correct => 0,
        }
    }
}

/// The answers, by label. On a tie the first is taken.
pub(super) const ANSWERS: [&str; 2] = ["no", "yes"];

/// The question of Sobania et al. 2023, "An Analysis of the Automatic Bug Fixing Performance of `ChatGPT`"
/// (arXiv:2301.08653), in the form that lm-eval gives to questions of yes and no.
const QUESTION: &str = "Question: Does this program have a bug?\nAnswer:";

/// The text before the answer: code, specification, question.
///
/// Both versions have the buggy file's specification, because the fix's file mostly holds other fixes in its place, and
/// neither has comments or blank lines around it, because these would give some of them away.
pub(super) fn context(item: &Item, version: Version) -> String {
    let code = match version {
        Version::Buggy => item.buggy_code(),
        Version::Correct => item.correct_code(),
    };
    format!(
        "{}\n\n{}\n\n{QUESTION}",
        without_comments(code),
        item.specification()
    )
}

/// The prompt and the continuations to compare. In a chat the context is the request, and the answers lose the space
/// before them, as in lm-eval.
pub(super) fn question(
    item: &Item,
    version: Version,
    chat: Option<&Chat>,
) -> (Prompt, Vec<String>) {
    let context = context(item, version);
    let Some(chat) = chat else {
        let continuations = ANSWERS.map(|answer| format!(" {answer}")).to_vec();
        return (Prompt::Text(context), continuations);
    };
    let message = |role, content: &str| Message {
        role,
        content: content.to_owned(),
    };
    let messages = chat
        .system
        .iter()
        .map(|system| message(Role::System, system))
        .chain([message(Role::User, &context)])
        .collect();
    let prompt = Prompt::Chat {
        messages,
        prefill: None,
    };
    (prompt, ANSWERS.map(str::to_owned).to_vec())
}
