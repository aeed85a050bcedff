//! How much an engine may do at once. None of it can change an answer.

use crate::memory::available_memory;
use std::num::NonZeroUsize;

/// Bounds of the scheduler.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EngineOptions {
    /// Memory for cached keys and values.
    pub memory: MemoryBudget,
    /// Most requests in progress at once.
    pub max_rows: NonZeroUsize,
    /// Tokens a forward pass is filled up to with prefill. Decode always has its one token a row, so a pass may hold
    /// more where there are more rows; prefill then still gets an eighth of this.
    pub step_tokens: NonZeroUsize,
    /// Whether variants' greedy answers to one request draft for each other.
    pub drafts: bool,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            memory: MemoryBudget::OfAvailable(0.5),
            max_rows: NonZeroUsize::new(64).expect("not zero"),
            step_tokens: NonZeroUsize::new(512).expect("not zero"),
            drafts: true,
        }
    }
}

/// Memory for cached keys and values. What the requests at hand cannot use is not allocated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MemoryBudget {
    /// This many bytes.
    Bytes(u64),
    /// This share of what the machine has available when the requests come, between 0 and 1.
    OfAvailable(f64),
}

impl MemoryBudget {
    /// The budget in bytes, now.
    pub fn bytes(self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::OfAvailable(share) => (available_memory() as f64 * share.clamp(0.0, 1.0)) as u64,
        }
    }
}
