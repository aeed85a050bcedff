//! The suites by name.

use crate::{
    Suite, TaskError,
    human_eval::HumanEval,
    quixbugs::{QuixBugsDetect, QuixBugsRepair},
};
use std::sync::Arc;

/// All suites, in the order in which lists show them: one line each.
pub fn suites() -> Vec<Arc<dyn Suite>> {
    vec![
        Arc::new(HumanEval::PUBLISHED),
        Arc::new(HumanEval::MINI),
        Arc::new(QuixBugsRepair::PUBLISHED),
        Arc::new(QuixBugsDetect::PUBLISHED),
    ]
}

/// The suite of this name.
///
/// # Errors
/// When there is none; the message holds the nearest name and all names.
pub fn find_suite(name: &str) -> Result<Arc<dyn Suite>, TaskError> {
    let suites = suites();
    if let Some(suite) = suites.iter().find(|suite| suite.name() == name) {
        return Ok(Arc::clone(suite));
    }
    let wanted = name.to_lowercase();
    let names: Vec<&str> = suites.iter().map(|suite| suite.name()).collect();
    let nearest = names
        .iter()
        .min_by_key(|known| strsim::damerau_levenshtein(&wanted, known));
    Err(TaskError::UnknownSuite {
        name: name.to_owned(),
        nearest: (*nearest.unwrap_or(&"")).to_owned(),
        known: names.join(", "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_suite_is_found_by_its_name_which_is_its_own() {
        let mut names = BTreeSet::new();
        for suite in suites() {
            assert_eq!(find_suite(suite.name()).unwrap().name(), suite.name());
            assert!(names.insert(suite.name().to_owned()), "{}", suite.name());
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest_and_the_list() {
        for (name, nearest) in [
            ("human_eval", "humaneval"),
            ("HumanEval", "humaneval"),
            ("mini-humaneval", "mini_humaneval"),
        ] {
            let error = find_suite(name).err().unwrap().to_string();
            assert!(
                error.contains(&format!("nearest is `{nearest}`")),
                "{error}"
            );
            assert!(error.contains("humaneval, mini_humaneval"), "{error}");
        }
    }
}
