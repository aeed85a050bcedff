//! The two ways of asking for a repair, each text with its source.

use super::super::item::Item;
use crate::writing;
use evalh_record::{Message, Prompt, Role};

/// How a program is put to a model. Scores of two protocols are not comparable, so the name is part of every score's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepairProtocol {
    /// Continue a file that holds the buggy program and then the fixed one.
    Completion,
    /// A chat request for the complete corrected function.
    Chat,
}

/// Prenner and Robbes 2021, "Automatic Program Repair with `OpenAI`'s Codex: Evaluating `QuixBugs`" (arXiv:2111.03922), in the
/// form of bigcode-evaluation-harness' `quixbugs` (`prompt_codex`), with the specification, which is one of the paper's
/// inputs. The answer is begun with the function's first line, as that harness begins its other prompt with `def`.
const COMPLETION: &str =
    "### fix the bug in the following function\n{program}\n### fixed function\n{signature}";

/// The stops of bigcode-evaluation-harness' `quixbugs`, less the end of sequence, which is no text here. The last is our
/// own: many models repeat the specification after the function, and one cut off by the limit would be a syntax error.
const STOPS: [&str; 9] = [
    "\ndef", "\nclass", "\n#", "\n@", "\nprint", "\nif", "###", "///", "\n\"\"\"",
];

/// Program, then request, as in `HumanEvalFix` (Muennighoff et al. 2023, arXiv:2308.07124: "Fix bugs in {name}."); the form
/// of the answer in the words of evalplus, as for `humaneval`.
const CHAT: &str = "```python\n{program}\n```\n\nFix bugs in {name}. Please provide the complete corrected function in a \
                    markdown code block.";

impl RepairProtocol {
    /// All, in the order in which lists show them.
    pub const ALL: [RepairProtocol; 2] = [RepairProtocol::Completion, RepairProtocol::Chat];

    /// Their names, in the same order.
    pub const NAMES: [&'static str; 2] = ["completion", "chat"];

    /// The name in options, records and reports.
    pub fn name(self) -> &'static str {
        match self {
            RepairProtocol::Completion => "completion",
            RepairProtocol::Chat => "chat",
        }
    }

    /// Chat where the checkpoint has a chat template, else completion.
    pub fn default_for(has_chat_template: bool) -> RepairProtocol {
        if has_chat_template {
            RepairProtocol::Chat
        } else {
            RepairProtocol::Completion
        }
    }

    /// The strings that end an answer.
    pub fn stops(self) -> &'static [&'static str] {
        match self {
            RepairProtocol::Completion => &STOPS,
            RepairProtocol::Chat => &[],
        }
    }

    /// Most tokens of an answer. The longest program has about 700 with its specification.
    pub fn max_new_tokens(self) -> usize {
        1024
    }

    /// What the model reads: the buggy program with its specification, and nothing of the fix.
    pub fn prompt(self, item: &Item) -> Prompt {
        // In one pass, so that no part of a program is taken for a mark.
        let filled = |template: &str| {
            let mut text = String::new();
            let mut rest = template;
            while let Some((before, after)) = rest.split_once('{') {
                let (mark, after) = after.split_once('}').unwrap_or((after, ""));
                text.push_str(before);
                text.push_str(match mark {
                    "program" => item.buggy.trim(),
                    "signature" => item.signature(),
                    _ => &item.name,
                });
                rest = after;
            }
            text + rest
        };
        match self {
            RepairProtocol::Completion => Prompt::Text(filled(COMPLETION)),
            RepairProtocol::Chat => Prompt::Chat {
                messages: vec![Message {
                    role: Role::User,
                    content: filled(CHAT),
                }],
                prefill: None,
            },
        }
    }
}

impl writing::Choice for RepairProtocol {
    const CHOICES: &'static [RepairProtocol] = &RepairProtocol::ALL;

    fn name(self) -> &'static str {
        self.name()
    }

    fn default_for(has_chat_template: bool) -> RepairProtocol {
        RepairProtocol::default_for(has_chat_template)
    }

    fn needs_chat_template(self) -> bool {
        self == RepairProtocol::Chat
    }
}
