//! What one program may use.

use serde::{Deserialize, Serialize};

/// Fuel that the slowest canonical solution of `HumanEval` (HumanEval/75) takes, program and tests together, measured
/// with the snapshot of componentize-py 0.25.1. String hashes differ between builds of the snapshot, so another build
/// takes a slightly different amount; 3.82e9 was measured in several, and this is rounded up.
pub const HUMANEVAL_MAX_FUEL: u64 = 3_900_000_000;

/// What one program, with its tests, may use. Every field can change a verdict, so a run records them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Work, in units of about one WebAssembly instruction. This decides who is too slow: it does not depend on the
    /// machine, its load, or the number of threads.
    pub fuel: u64,
    /// Wall-clock milliseconds after which a program is stopped whatever its fuel. A backstop, long enough that fuel
    /// decides first even on a slow or busy machine.
    pub wall_ms: u64,
    /// Milliseconds that a program may sleep in all. A longer sleep ends it at once.
    pub sleep_ms: u64,
    /// Bytes of linear memory, the interpreter's own (about 60 MB) included.
    pub memory_bytes: usize,
    /// Bytes of call stack for WebAssembly code. The calling thread needs this much and about half a megabyte more.
    pub stack_bytes: usize,
    /// Bytes kept of each of standard output and standard error.
    pub stream_bytes: usize,
    /// Bytes of a program's text, and of its tests'.
    pub source_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fuel: 10 * HUMANEVAL_MAX_FUEL,
            wall_ms: 60_000,
            sleep_ms: 3_000,
            memory_bytes: 256 << 20,
            stack_bytes: 1 << 20,
            stream_bytes: 64 << 10,
            source_bytes: 1 << 20,
        }
    }
}
