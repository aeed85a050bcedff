//! lm-eval's YAML of a task, and the definition that it becomes.

#![no_main]

use evalh_task::{definition::Definition, import::import_lm_eval};
use libfuzzer_sys::fuzz_target;
use std::{path::PathBuf, sync::LazyLock};

static FOLDER: LazyLock<tempfile::TempDir> =
    LazyLock::new(|| tempfile::tempdir().expect("a folder"));

fuzz_target!(|bytes: &[u8]| {
    let path: PathBuf = FOLDER.path().join("task.yaml");
    std::fs::write(&path, bytes).expect("a file");
    if let Ok(imported) = import_lm_eval(&path, true) {
        let read: Definition = toml::from_str(&imported.toml).expect("what is written can be read");
        assert_eq!(read, imported.definition);
    }
});
