//! The suites by name.

use crate::{Suite, TaskError, human_eval::HumanEval};

/// One line a suite.
static SUITES: &[&dyn Suite] = &[&HumanEval::PUBLISHED, &HumanEval::MINI];

/// All suites, in the order in which lists show them.
pub fn suites() -> &'static [&'static dyn Suite] {
    SUITES
}

/// The suite of this name.
///
/// # Errors
/// When there is none; the message holds the nearest name and all names.
pub fn find_suite(name: &str) -> Result<&'static dyn Suite, TaskError> {
    SUITES
        .iter()
        .copied()
        .find(|suite| suite.name() == name)
        .ok_or_else(|| {
            let wanted = name.to_lowercase();
            let nearest = SUITES
                .iter()
                .map(|suite| suite.name())
                .min_by_key(|known| strsim::damerau_levenshtein(&wanted, known));
            TaskError::UnknownSuite {
                name: name.to_owned(),
                nearest: nearest.unwrap_or_default().to_owned(),
                known: SUITES
                    .iter()
                    .map(|suite| suite.name())
                    .collect::<Vec<_>>()
                    .join(", "),
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_is_found_by_its_name() {
        for suite in suites() {
            assert_eq!(find_suite(suite.name()).unwrap().name(), suite.name());
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
