//! The registered suites of this kind.

use super::{super::set::Set, task::DetectTask};
use crate::{DataFiles, DataSource, Extra, Facts, Suite, Task, TaskError, TaskOptions};

/// The name of the one protocol; `+chat` follows it where the question is a chat.
pub(super) const PROTOCOL: &str = "question";

/// Programs to tell from their fixes.
#[derive(Debug)]
pub struct QuixBugsDetect {
    name: &'static str,
    description: &'static str,
    set: Set,
}

impl QuixBugsDetect {
    /// The published programs.
    pub const PUBLISHED: QuixBugsDetect = QuixBugsDetect {
        name: "quixbugs_detect",
        description: "QuixBugs: 40 Python programs with a bug and their 40 fixes to tell apart, by the likelihood of yes and no",
        set: Set::Published,
    };

    fn check(&self, options: &TaskOptions) -> Result<(), TaskError> {
        options.check(self.name, &self.honours())?;
        let refuse = |setting, problem: String, remedy: &str| {
            Err(TaskError::Setting {
                suite: self.name.to_owned(),
                setting,
                problem,
                remedy: remedy.to_owned(),
            })
        };
        if let Some(name) = &options.protocol
            && name != PROTOCOL
        {
            return refuse(
                "protocol",
                format!("`{name}` is unknown"),
                "choose `question`, the only one",
            );
        }
        let Some(chat) = &options.chat else {
            return Ok(());
        };
        if !options.has_chat_template {
            return refuse(
                "chat",
                "needs a chat template, and the checkpoint has none".into(),
                "leave it out, or choose a checkpoint with a chat template",
            );
        }
        if chat.shots_as_turns {
            return refuse(
                "shots as turns",
                "has no effect here: the suite has no solved examples".into(),
                "leave it out",
            );
        }
        Ok(())
    }
}

impl Suite for QuixBugsDetect {
    fn name(&self) -> &str {
        self.name
    }

    fn description(&self) -> &str {
        self.description
    }

    fn data(&self) -> DataSource {
        self.set.data()
    }

    fn facts(&self) -> Facts {
        Facts {
            split: "test".into(),
            items: Some(2 * self.set.counts().programs),
            metrics: super::task::METRICS.map(str::to_owned).to_vec(),
            shots: 0,
        }
    }

    fn protocols(&self) -> Vec<&str> {
        vec![PROTOCOL]
    }

    fn default_protocol(&self, _has_chat_template: bool) -> &str {
        PROTOCOL
    }

    fn honours(&self) -> Vec<Extra> {
        vec![Extra::Chat]
    }

    fn open(&self, data: &DataFiles, options: &TaskOptions) -> Result<Box<dyn Task>, TaskError> {
        self.check(options)?;
        let items = self.set.open(data, self.name)?;
        Ok(Box::new(DetectTask::new(self.name, items, options.clone())))
    }
}
