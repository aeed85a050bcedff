//! Where the rows are. lm-eval names a data set of the hub; here a file of it is proposed, for the user to confirm.

use super::{config::Config, notes::Notes, prompt::unusable, yaml::Node};
use crate::definition::Rows;

/// The splits that a task names.
pub(super) struct Splits {
    pub(super) train: Option<String>,
    pub(super) validation: Option<String>,
    pub(super) test: Option<String>,
}

/// A data set and its splits.
pub(super) struct Data {
    set: Option<String>,
    configuration: Option<String>,
    pub(super) splits: Splits,
}

impl Data {
    pub(super) fn take(config: &mut Config, notes: &mut Notes) -> Data {
        if let Some(node) = config.take("custom_dataset") {
            notes.changes("custom_dataset", unusable(&node));
        }
        let mut split = |key| config.take_text(key, notes);
        let splits = Splits {
            train: split("training_split"),
            validation: split("validation_split"),
            test: split("test_split"),
        };
        let data = Data {
            set: config.take_text("dataset_path", notes),
            configuration: config.take_text("dataset_name", notes),
            splits,
        };
        data.note(config.take("dataset_kwargs"), notes);
        data
    }

    fn note(&self, settings: Option<Node>, notes: &mut Notes) {
        match &self.set {
            None => notes.changes(
                "dataset_path",
                "no data set is named: write the `layout` by hand",
            ),
            Some(set) => {
                let part = self.configuration.as_ref();
                let part = part.map_or(String::new(), |name| format!(", configuration `{name}`"));
                notes.lost(
                    "dataset_path",
                    format!(
                        "the files in `layout` are a guess at those of the hub's `{set}`{part}: get them, put them beside the \
                         definition, and correct the names"
                    ),
                );
            }
        }
        let Some(settings) = settings else { return };
        let Node::Map(entries) = settings else {
            notes.changes("dataset_kwargs", unusable(&settings));
            return;
        };
        for (key, node) in entries {
            let name = format!("dataset_kwargs.{key}");
            match key.as_str() {
                "trust_remote_code" | "streaming" => {
                    notes.lost(name, "files are read here, and nothing is run to get them");
                }
                _ => notes.lost(
                    name,
                    format!(
                        "it tells where the rows come from ({}): name those files in `layout`",
                        summary(&node)
                    ),
                ),
            }
        }
    }

    /// The split that is asked.
    pub(super) fn asked_split(&self) -> Option<&String> {
        self.splits
            .test
            .as_ref()
            .or(self.splits.validation.as_ref())
    }

    /// The proposed file of a split: as the hub names the Parquet files of its small data sets.
    pub(super) fn rows(&self, split: &str, key: &str, notes: &mut Notes) -> Rows {
        let plain = split
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
        if !plain {
            notes.changes(key, format!("`{split}` is a part of a split: make a file of its rows, and name that in `layout`"));
        }
        let folder = self.configuration.as_deref().unwrap_or("data");
        let whole = split.split('[').next().unwrap_or(split);
        let file = format!("{folder}/{whole}-00000-of-00001.parquet");
        Rows {
            file: super::dialect::literal(&file),
            rows: None,
            columns: Vec::new(),
            filter: None,
            fields: std::collections::BTreeMap::new(),
        }
    }
}

fn summary(node: &Node) -> String {
    match node {
        Node::Map(entries) => entries
            .iter()
            .map(|(key, node)| format!("{key}: {}", summary(node)))
            .collect::<Vec<_>>()
            .join(", "),
        Node::List(items) => items.iter().map(summary).collect::<Vec<_>>().join(", "),
        other => other.describe(),
    }
}
