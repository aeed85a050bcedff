//! The three ways of asking for a function, each text with its source.

use super::Problem;
use crate::writing;
use evalh_record::{Message, Prompt, Role};

/// How a problem is put to a model. Scores of two protocols are not comparable, so the name is part of every score's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Continue the prompt: lm-eval's `humaneval`.
    Completion,
    /// A chat request whose answer is begun with the prompt: lm-eval's `humaneval_instruct`.
    Prefill,
    /// A chat request for the complete function, as evalplus and model cards do.
    Chat,
}

/// lm-eval 0.4.13, `tasks/humaneval/humaneval.yaml`, `until`; the same in `humaneval_instruct.yaml`, which includes it.
const STOPS: [&str; 5] = ["\nclass", "\ndef", "\n#", "\nif", "\nprint"];

/// lm-eval 0.4.13, `tasks/humaneval/humaneval_instruct.yaml`, `doc_to_text`.
const PREFILL_REQUEST: &str = "Write a solution to the following problem and make sure that it passes the tests:\n```python\n{prompt}\n```\n";

/// lm-eval 0.4.13, `tasks/humaneval/humaneval_instruct.yaml`, `gen_prefix`.
const PREFILL_ANSWER: &str = "Here is the completed function:\n```python\n{prompt}\n";

/// evalplus 0.3.1, `codegen.py` (`instruction_prefix`) and `provider/openai.py`, the form that leaves the answer free (its
/// local models have the answer begun for them). The prompt stands in it without the white space around it.
const CHAT_REQUEST: &str = "Please provide a self-contained Python script that solves the following problem in a markdown \
                            code block:\n```python\n{prompt}\n```";

impl Protocol {
    /// All, in the order in which lists show them.
    pub const ALL: [Protocol; 3] = [Protocol::Completion, Protocol::Prefill, Protocol::Chat];

    /// Their names, in the same order.
    pub const NAMES: [&'static str; 3] = ["completion", "prefill", "chat"];

    /// The name in options, records and reports.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Completion => "completion",
            Protocol::Prefill => "prefill",
            Protocol::Chat => "chat",
        }
    }

    /// Chat where the checkpoint has a chat template, else completion.
    pub fn default_for(has_chat_template: bool) -> Protocol {
        if has_chat_template {
            Protocol::Chat
        } else {
            Protocol::Completion
        }
    }

    /// The strings that end an answer.
    pub fn stops(self) -> &'static [&'static str] {
        match self {
            Protocol::Completion | Protocol::Prefill => &STOPS,
            Protocol::Chat => &[],
        }
    }

    /// Most tokens of an answer: lm-eval's `max_gen_toks`, and 512 for the chat form.
    pub fn max_new_tokens(self) -> usize {
        match self {
            Protocol::Completion | Protocol::Prefill => 1024,
            Protocol::Chat => 512,
        }
    }

    /// What the model reads. Without a chat template the two parts of `prefill` are one text, as lm-eval puts it then.
    pub fn prompt(self, problem: &Problem, has_chat_template: bool) -> Prompt {
        let filled = |template: &str, prompt: &str| template.replace("{prompt}", prompt);
        match self {
            Protocol::Completion => Prompt::Text(problem.prompt.clone()),
            Protocol::Prefill => {
                let request = filled(PREFILL_REQUEST, &problem.prompt);
                let answer = filled(PREFILL_ANSWER, &problem.prompt);
                if has_chat_template {
                    chat(request, Some(answer))
                } else {
                    Prompt::Text(request + &answer)
                }
            }
            Protocol::Chat => chat(filled(CHAT_REQUEST, problem.prompt.trim()), None),
        }
    }
}

impl writing::Choice for Protocol {
    const CHOICES: &'static [Protocol] = &Protocol::ALL;

    fn name(self) -> &'static str {
        self.name()
    }

    fn default_for(has_chat_template: bool) -> Protocol {
        Protocol::default_for(has_chat_template)
    }

    fn needs_chat_template(self) -> bool {
        self == Protocol::Chat
    }
}

fn chat(request: String, prefill: Option<String>) -> Prompt {
    Prompt::Chat {
        messages: vec![Message {
            role: Role::User,
            content: request,
        }],
        prefill,
    }
}
