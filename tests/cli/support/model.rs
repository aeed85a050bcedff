//! The real model.

use std::path::PathBuf;

/// SmolLM2-135M-Instruct as `EVALH_TEST_MODEL` names it, or a note that the test is skipped.
pub fn real_model(test: &str) -> Option<PathBuf> {
    let Some(path) = std::env::var_os("EVALH_TEST_MODEL") else {
        eprintln!("skipped {test}: EVALH_TEST_MODEL is not set");
        return None;
    };
    Some(PathBuf::from(path).canonicalize().unwrap())
}
