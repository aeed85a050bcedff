//! Which programs a suite asks about.

use super::items::{Counts, Items};
use crate::{DataFiles, DataSource, TaskError};

/// A benchmark of programs in the form of `QuixBugs`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Set {
    /// The published one.
    Published,
}

impl Set {
    /// Where the programs are.
    pub fn data(self) -> DataSource {
        match self {
            Set::Published => DataSource::Artifact("quixbugs".into()),
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
        }
    }

    /// Reads all of them.
    pub fn open(self, data: &DataFiles, suite: &str) -> Result<Items, TaskError> {
        let items = match self {
            Set::Published => Items::open(data)?,
        };
        items.check_count(self.counts(), suite)?;
        Ok(items)
    }
}
