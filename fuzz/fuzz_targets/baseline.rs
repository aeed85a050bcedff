//! A committed baseline: what is read survives being written, and can be shown.

#![no_main]

use evalh_report::{
    Style,
    baseline::{Baseline, show},
};
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("baseline.json");
    if let Ok(baseline) = Baseline::parse(path, bytes) {
        let again = Baseline::parse(path, baseline.text().unwrap().as_bytes());
        assert_eq!(again.ok().as_ref(), Some(&baseline));
        show(&baseline, Style::Plain);
    }
});
