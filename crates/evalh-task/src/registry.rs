//! The suites by name.

use crate::{
    Suite, TaskError,
    definition::{BuiltInFile, DefinedSuite},
    glue::Glue,
    human_eval::HumanEval,
    perplexity::Perplexity,
    quixbugs::{QuixBugsDetect, QuixBugsRepair},
};
use std::{
    path::Path,
    sync::{Arc, LazyLock},
};

/// A definition that is part of the program.
macro_rules! defined {
    ($name:literal, $data:expr) => {
        defined(
            concat!("datasets/tasks/", $name, ".toml"),
            include_str!(concat!("../../../datasets/tasks/", $name, ".toml")),
            $data,
        )
    };
}

/// Files of small suites of the project's own, by their names below `datasets/mini`.
macro_rules! mini {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../datasets/mini/", $name)))),*]
    };
}

static MINI: &[BuiltInFile] = mini![
    "mini_mmlu/dev/mini_geography_dev.csv",
    "mini_mmlu/dev/mini_household_physics_dev.csv",
    "mini_mmlu/dev/mini_programming_dev.csv",
    "mini_mmlu/test/mini_geography_test.csv",
    "mini_mmlu/test/mini_household_physics_test.csv",
    "mini_mmlu/test/mini_programming_test.csv",
    "mini_gsm8k/train.jsonl",
    "mini_gsm8k/test.jsonl",
    "mini_glue/CoLA/dev.tsv",
    "mini_glue/MRPC/dev.tsv",
    "mini_glue/RTE/dev.tsv",
    "mini_glue/SST-2/dev.tsv",
    "mini_glue/STS-B/dev.tsv",
    "mini_text/mini_text.jsonl",
];

static SUITES: LazyLock<Vec<Arc<dyn Suite>>> = LazyLock::new(|| {
    vec![
        defined!("mmlu", &[]),
        defined!("gsm8k", &[]),
        defined!("gsm8k_cot", &[]),
        defined!("gsm8k_loss", &[]),
        defined!("glue_prompt", &[]),
        Arc::new(Glue::published()),
        Arc::new(Perplexity::new()),
        Arc::new(HumanEval::PUBLISHED),
        Arc::new(HumanEval::MINI),
        Arc::new(QuixBugsRepair::PUBLISHED),
        Arc::new(QuixBugsDetect::PUBLISHED),
        Arc::new(QuixBugsRepair::MINI),
        Arc::new(QuixBugsDetect::MINI),
        defined!("mini_mmlu", MINI),
        defined!("mini_gsm8k", MINI),
        defined!("mini_glue_prompt", MINI),
        Arc::new(Glue::mini(MINI)),
        defined!("mini_perplexity", MINI),
    ]
});

fn defined(file: &str, text: &str, data: &'static [BuiltInFile]) -> Arc<dyn Suite> {
    match DefinedSuite::built_in(text, Path::new(file), data) {
        Ok(suite) => Arc::new(suite),
        // the text is a constant of the program, and a test reads each
        Err(error) => unreachable!("{error}"),
    }
}

/// All suites, in the order in which lists show them: one line each.
pub fn suites() -> Vec<Arc<dyn Suite>> {
    SUITES.clone()
}

/// The suite that a file of the user's defines.
///
/// # Errors
/// When the file cannot be read, is no definition, or takes the name of a suite of the program's: scores of the two could
/// not be told apart.
pub fn open_suite(path: &Path) -> Result<Arc<dyn Suite>, TaskError> {
    let suite = DefinedSuite::read(path)?;
    if SUITES.iter().any(|known| known.name() == suite.name()) {
        return Err(TaskError::Definition {
            path: path.to_owned(),
            field: "name".into(),
            problem: format!("`{}` is the name of a suite of evalh's", suite.name()),
            remedy: "give it a name of its own, so that scores cannot be mistaken for that suite's"
                .into(),
        });
    }
    Ok(Arc::new(suite))
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
