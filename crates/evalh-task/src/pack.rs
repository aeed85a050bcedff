//! Packs: several suites with their settings, under one name.

use serde::Deserialize;

/// Several suites, run together.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// The name that `--suite` takes.
    pub name: String,
    /// What it is, in one line.
    pub description: String,
    /// The suites, in the order in which they run.
    #[serde(rename = "suite")]
    pub suites: Vec<PackSuite>,
}

/// A suite of a pack. What the user sets goes before what the pack sets.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackSuite {
    /// The suite.
    pub name: String,
    /// Only the first so many items of each task.
    pub limit: Option<usize>,
    /// Only so many items, drawn over all tasks.
    pub draw: Option<usize>,
    /// The seed of the draw; 1234 where it is left out.
    pub draw_seed: Option<u64>,
    /// Solved examples before each item.
    pub shots: Option<usize>,
    /// Most tokens of an answer.
    pub max_new_tokens: Option<usize>,
}

/// A pack's file in this repository and its text.
const PACKS: &[(&str, &str)] = &[
    (
        "datasets/packs/seed.toml",
        include_str!("../../../datasets/packs/seed.toml"),
    ),
    (
        "datasets/packs/tiny.toml",
        include_str!("../../../datasets/packs/tiny.toml"),
    ),
    (
        "datasets/packs/demo.toml",
        include_str!("../../../datasets/packs/demo.toml"),
    ),
    (
        "datasets/packs/demo_text.toml",
        include_str!("../../../datasets/packs/demo_text.toml"),
    ),
];

/// All packs, in the order in which lists show them.
///
/// # Panics
/// Never: the crate's tests parse every pack that is part of the program.
pub fn packs() -> Vec<Pack> {
    let parse = |(file, text): &(&str, &str)| {
        toml::from_str(text).unwrap_or_else(|error| panic!("{file}: {error}"))
    };
    PACKS.iter().map(parse).collect()
}

/// The pack of this name, if there is one.
pub fn find_pack(name: &str) -> Option<Pack> {
    packs().into_iter().find(|pack| pack.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{find_suite, suites};

    #[test]
    fn packs_hold_suites_and_have_names_of_their_own() {
        for pack in packs() {
            assert!(suites().iter().all(|suite| suite.name() != pack.name));
            assert_eq!(find_pack(&pack.name), Some(pack.clone()));
            for part in &pack.suites {
                let suite = find_suite(&part.name).unwrap_or_else(|error| panic!("{error}"));
                assert!(part.limit.is_none() || part.draw.is_none());
                assert!(!suite.description().is_empty());
            }
        }
        assert_eq!(find_pack("humaneval"), None);
    }
}
