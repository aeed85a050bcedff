//! The programs in the way in which a protocol puts them.

use super::{
    super::{Item, Items},
    RepairProtocol,
    program::{EFFORT, SLOW},
};
use crate::{
    Program,
    writing::{self, Metric, Tally},
};
use evalh_record::{FileIdentity, Prompt};
use serde_json::{Map, Value, json};

/// The programs to repair, and how they are put.
pub(super) struct Put {
    pub items: Items,
    pub protocol: RepairProtocol,
}

impl Put {
    fn item(&self, place: usize) -> &Item {
        &self.items.all()[place]
    }
}

impl writing::Problems for Put {
    fn protocol(&self) -> &'static str {
        self.protocol.name()
    }

    fn count(&self) -> usize {
        self.items.all().len()
    }

    fn id(&self, place: usize) -> &str {
        &self.item(place).name
    }

    fn prompt(&self, place: usize, _has_chat_template: bool) -> Prompt {
        self.protocol.prompt(self.item(place))
    }

    fn reference(&self, place: usize) -> Option<&str> {
        Some(self.item(place).correct_code())
    }

    fn program(&self, place: usize, answer: &str) -> Program {
        self.protocol.program(self.item(place), answer)
    }

    fn stops(&self) -> &'static [&'static str] {
        self.protocol.stops()
    }

    fn max_new_tokens(&self) -> usize {
        self.protocol.max_new_tokens()
    }

    fn files(&self) -> Vec<FileIdentity> {
        self.items.files().to_vec()
    }

    fn settings(&self) -> Map<String, Value> {
        // Upstream's `--runslow` is off: see the test module of `knapsack`.
        let settings = [
            ("slow_tests".to_owned(), false.into()),
            ("effort".to_owned(), json!({ SLOW: EFFORT })),
        ];
        settings.into_iter().collect()
    }

    /// `repaired`: how many of the programs were repaired by at least one of their samples. It is a count, not a share.
    fn metrics(&self, tallies: &[Tally]) -> Vec<Metric> {
        let repaired: Vec<f64> = tallies
            .iter()
            .map(|tally| f64::from(u8::from(tally.passed > 0)))
            .collect();
        let stderr = evalh_stats::mean(&repaired).and_then(|share| share.stderr);
        vec![Metric {
            name: "repaired",
            value: repaired.iter().sum(),
            stderr: stderr.map(|stderr| stderr * repaired.len() as f64),
        }]
    }
}
