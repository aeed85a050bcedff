//! A suite's definition, as text.

#![no_main]

use evalh_task::definition::Definition;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let path = Path::new("suite.toml");
    if let Ok(definition) = Definition::parse(text, path) {
        assert!(!definition.protocols.is_empty());
    }
});
