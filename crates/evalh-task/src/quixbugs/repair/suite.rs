//! The registered suites of this kind.

use super::{super::set::Set, protocol::RepairProtocol, task::Put};
use crate::{
    DataFiles, DataSource, Extra, Facts, Suite, Task, TaskError, TaskOptions,
    quixbugs::Items,
    writing::{self, WritingTask},
};

/// Programs to repair.
#[derive(Debug)]
pub struct QuixBugsRepair {
    name: &'static str,
    description: &'static str,
    set: Set,
}

impl QuixBugsRepair {
    /// The published programs.
    pub const PUBLISHED: QuixBugsRepair = QuixBugsRepair {
        name: "quixbugs_repair",
        description: "QuixBugs: 40 Python programs with one bug each to repair, scored by running their tests",
        set: Set::Published,
    };

    /// A few programs of this project's own, for demonstration and tests without any download.
    pub const MINI: QuixBugsRepair = QuixBugsRepair {
        name: "mini_quixbugs_repair",
        description: "5 small Python programs of this project's own with one bug each to repair, built in; no published score",
        set: Set::Mini,
    };

    /// The programs and their fixes.
    ///
    /// # Errors
    /// When the data is missing, corrupt or not complete.
    pub fn items(&self, data: &DataFiles) -> Result<Items, TaskError> {
        self.set.open(data, self.name)
    }
}

impl Suite for QuixBugsRepair {
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
            items: Some(self.set.counts().programs),
            metrics: vec!["pass@1".into(), "pass@k".into(), "repaired".into()],
            shots: 0,
        }
    }

    fn protocols(&self) -> Vec<&str> {
        RepairProtocol::NAMES.to_vec()
    }

    fn default_protocol(&self, has_chat_template: bool) -> &str {
        RepairProtocol::default_for(has_chat_template).name()
    }

    fn honours(&self) -> Vec<Extra> {
        vec![Extra::Samples, Extra::MaxNewTokens]
    }

    fn runs_programs(&self) -> bool {
        true
    }

    fn open(&self, data: &DataFiles, options: &TaskOptions) -> Result<Box<dyn Task>, TaskError> {
        options.check(self.name, &self.honours())?;
        let protocol = writing::chosen(self.name, options)?;
        Ok(Box::new(WritingTask {
            suite: self.name,
            problems: Put {
                items: self.items(data)?,
                protocol,
            },
            options: options.clone(),
        }))
    }
}
