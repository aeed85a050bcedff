//! Which programs a suite asks about.

use super::items::{Counts, Items, JSONL, NODE};
use crate::{DataFiles, DataSource, TaskError};
use std::path::Path;

/// A benchmark of programs in the form of `QuixBugs`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Set {
    /// The published one.
    Published,
    /// A few programs of this project's own, built in.
    Mini,
}

impl Set {
    /// Where the programs are.
    pub fn data(self) -> DataSource {
        match self {
            Set::Published => DataSource::Artifact("quixbugs".into()),
            Set::Mini => DataSource::BuiltIn,
        }
    }

    /// How many there are.
    pub const fn counts(self) -> Counts {
        match self {
            Set::Published => Counts {
                programs: 40,
                with_cases: 31,
                cases: 242,
            },
            Set::Mini => Counts {
                programs: 5,
                with_cases: 4,
                cases: 22,
            },
        }
    }

    /// Reads all of them.
    pub fn open(self, data: &DataFiles, suite: &str) -> Result<Items, TaskError> {
        let items = match self {
            Set::Published => Items::open(data)?,
            Set::Mini => Items::parse(
                (
                    Path::new(JSONL),
                    include_str!("../../../../datasets/mini/mini_quixbugs/quixbugs.jsonl"),
                ),
                Some((
                    Path::new(NODE),
                    include_str!("../../../../datasets/mini/mini_quixbugs/node.json"),
                )),
            )?,
        };
        items.check_count(self.counts(), suite)?;
        Ok(items)
    }
}
