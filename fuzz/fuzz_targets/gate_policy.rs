//! A gate's policy, as text.

#![no_main]

use evalh_report::gate::Policy;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(policy) = Policy::parse(Path::new("gate.toml"), text) {
        assert!(!policy.rules.is_empty() || !policy.limits.is_empty());
    }
});
