//! Whether scores were made with a chat template. lm-eval says so once for a whole run.

use super::names;
use evalh_record::{Settings, Sha256, SuiteSettings, VariantSettings};
use serde_json::Value;

/// How lm-eval would say that a chat template was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chat {
    /// Before everything else.
    pub system: Option<String>,
    /// Whether solved examples are turns; `None` where there are none.
    pub shots_as_turns: Option<bool>,
}

/// What can be said of the whole run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The chat of all suites that have lm-eval's names; `None` where there is none in any.
    pub chat: Option<Chat>,
    /// Hash of the checkpoint's chat template, where that was applied.
    pub template: Option<Sha256>,
}

impl Told {
    /// What all suites that lm-eval knows have in common. Where some are chats and others are not, or they differ, nothing
    /// is said, and the chats lose lm-eval's names.
    pub fn of(settings: &Settings, variant: &VariantSettings) -> Told {
        let checkpoint = settings
            .checkpoints
            .iter()
            .find(|checkpoint| checkpoint.name == variant.checkpoint);
        let template = checkpoint.and_then(|checkpoint| checkpoint.chat_template_sha256.clone());
        let known = settings
            .suites
            .iter()
            .filter(|suite| names::is_known(suite));
        let mut chats = known.map(|suite| chat(suite, template.is_some()));
        let first = chats.next().flatten();
        let common = chats.fold(first, |common, chat| match (common, chat) {
            (Some(common), Some(chat)) => common.with(&chat),
            _ => None,
        });
        Told {
            template: template.filter(|_| common.is_some()),
            chat: common,
        }
    }

    /// Whether what is said of the whole run holds for the suite.
    pub fn holds_for(&self, suite: &SuiteSettings, has_template: bool) -> bool {
        match (chat(suite, has_template), &self.chat) {
            (None, None) => true,
            (Some(own), Some(common)) => common.with(&own).as_ref() == Some(common),
            _ => false,
        }
    }
}

impl Chat {
    fn with(&self, other: &Chat) -> Option<Chat> {
        let shots_as_turns = match (self.shots_as_turns, other.shots_as_turns) {
            (Some(a), Some(b)) if a != b => return None,
            (a, b) => a.or(b),
        };
        (self.system == other.system).then(|| Chat {
            system: self.system.clone(),
            shots_as_turns,
        })
    }
}

/// How the suite was put as a chat; `None` where it was plain text.
fn chat(suite: &SuiteSettings, has_template: bool) -> Option<Chat> {
    if let Some(chat) = suite.options.get("chat") {
        let turns = chat.get("shots_as_turns").and_then(Value::as_bool);
        return Some(Chat {
            system: chat
                .get("system")
                .and_then(Value::as_str)
                .map(str::to_owned),
            shots_as_turns: turns.filter(|_| suite.shots > 0),
        });
    }
    // A checkpoint without a template reads the two parts of this protocol as one plain text.
    (names::is_prefilled(suite) && has_template).then_some(Chat {
        system: None,
        shots_as_turns: None,
    })
}
