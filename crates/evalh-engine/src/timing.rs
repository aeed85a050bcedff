//! Where the time went.

use std::time::Duration;

/// Times and counts of one [`answer`](crate::Engine::answer) call. None of it can change a score.
///
/// Prefill is the reading of prompts and of continuations to score, decode the reading of tokens generated here. One
/// step of the scheduler is one forward pass and may hold both; its time is then divided in proportion to the tokens
/// of each kind. The choice of tokens, decoding to text and the caller's `sink` are in `wall_seconds` only.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct EngineTimings {
    /// Tokens read in prefill.
    pub prefill_tokens: usize,
    /// Prompt tokens that did not have to be read, because another prompt begins with them too.
    pub shared_tokens: usize,
    /// Seconds of forward passes spent on prefill.
    pub prefill_seconds: f64,
    /// Generated tokens read back in decode (the last token of a generation is never read).
    pub decode_tokens: usize,
    /// Seconds of forward passes spent on decode.
    pub decode_seconds: f64,
    /// Forward passes.
    pub steps: usize,
    /// Tokens of the generations delivered.
    pub tokens_kept: usize,
    /// Most requests in progress at once.
    pub peak_rows: usize,
    /// Tokens of cache set up.
    pub cache_tokens: usize,
    /// Seconds of preparing the requests: templates, tokenizer, truncation.
    pub prepare_seconds: f64,
    /// Seconds in all.
    pub wall_seconds: f64,
}

impl EngineTimings {
    /// Books one forward pass over `prefill` and `decode` tokens.
    pub(crate) fn step(&mut self, prefill: usize, decode: usize, time: Duration) {
        let total = (prefill + decode).max(1) as f64;
        self.steps += 1;
        self.prefill_tokens += prefill;
        self.decode_tokens += decode;
        self.prefill_seconds += time.as_secs_f64() * prefill as f64 / total;
        self.decode_seconds += time.as_secs_f64() * decode as f64 / total;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mixed_step_is_divided_by_tokens() {
        let mut timings = EngineTimings::default();
        timings.step(30, 10, Duration::from_secs(4));
        timings.step(0, 10, Duration::from_secs(1));
        assert!((timings.prefill_seconds - 3.0).abs() < 1e-12);
        assert!((timings.decode_seconds - 2.0).abs() < 1e-12);
        assert_eq!(
            (timings.prefill_tokens, timings.decode_tokens, timings.steps),
            (30, 20, 2)
        );
    }
}
