//! A run folder as a reader sees it.

use crate::{
    Manifest, RecordError, RecordResult, ResultRow, Sample, Timings,
    folder::{RESULTS, SAMPLES, TIMINGS, checked, read, read_json, read_manifest},
};
use std::path::Path;

/// A complete run, read back.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What the run was.
    pub manifest: Manifest,
    /// Its samples, in canonical order.
    pub samples: Vec<Sample>,
    /// Its scores.
    pub results: Vec<ResultRow>,
    /// What it cost.
    pub timings: Timings,
}

impl Record {
    /// Reads a complete run.
    ///
    /// # Errors
    /// When a file is missing, damaged, or the run is unfinished.
    pub fn read(dir: &Path) -> RecordResult<Record> {
        let manifest = read_manifest(dir)?;
        let unfinished = |file| RecordError::Unfinished {
            dir: dir.to_owned(),
            file,
        };
        let results = read_json(&dir.join(RESULTS))?.ok_or_else(|| unfinished(RESULTS))?;
        let timings = read_json(&dir.join(TIMINGS))?.ok_or_else(|| unfinished(TIMINGS))?;
        let path = dir.join(SAMPLES);
        let bytes = read(&path)?;
        let parsed = checked(&path, &manifest, &bytes)?;
        if parsed.whole_bytes < bytes.len() {
            return Err(unfinished("the end of samples.jsonl"));
        }
        Ok(Record {
            manifest,
            samples: parsed.samples,
            results,
            timings,
        })
    }
}
