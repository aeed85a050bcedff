//! Where the time went.

use std::time::Duration;

/// Times and counts of one call of [`answer`](crate::Engine::answer) or [`answer_all`](crate::ModelEngine::answer_all).
/// None of it can change a score.
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
    /// Tokens whose lowest layers were computed with another variant's, where both are the same.
    pub beside_tokens: usize,
    /// Seconds of forward passes spent on prefill.
    pub prefill_seconds: f64,
    /// Generated tokens read back in decode (the last token of a generation is never read).
    pub decode_tokens: usize,
    /// Seconds of forward passes spent on decode, tokens drafted in vain included.
    pub decode_seconds: f64,
    /// Tokens drafted from another variant's answer and read with the one before them.
    pub drafted_tokens: usize,
    /// Those of them that were the answer, and so are among `decode_tokens`.
    pub accepted_tokens: usize,
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

/// Times of variants answered beside each other.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SharedTimings {
    /// Of all of them together.
    pub all: EngineTimings,
    /// Of each variant: its tokens, the passes it had a part in, and its part of their seconds, in proportion to the tokens
    /// it read in them. Cache, preparation and the seconds in all cannot be told apart and are those of all.
    pub variants: Vec<EngineTimings>,
}

/// What a forward pass read for one variant, or for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Read {
    /// Tokens of prompts.
    pub prefill: usize,
    /// Tokens generated before, drafts that were the answer included.
    pub decode: usize,
    /// Drafts.
    pub drafted: usize,
    /// Drafts that were the answer.
    pub accepted: usize,
    /// Tokens that had a twin of another variant.
    pub beside: usize,
}

impl Read {
    pub(crate) fn tokens(self) -> usize {
        self.prefill + self.decode + self.drafted - self.accepted
    }
}

impl EngineTimings {
    /// Books one forward pass that read so much.
    pub(crate) fn step(&mut self, read: Read, time: Duration) {
        self.part(read, time, read.tokens());
    }

    /// Books its part of a pass over so many tokens.
    fn part(&mut self, read: Read, time: Duration, tokens: usize) {
        let each = time.as_secs_f64() / tokens.max(1) as f64;
        self.steps += 1;
        self.prefill_tokens += read.prefill;
        self.decode_tokens += read.decode;
        self.drafted_tokens += read.drafted;
        self.accepted_tokens += read.accepted;
        self.beside_tokens += read.beside;
        self.prefill_seconds += each * read.prefill as f64;
        self.decode_seconds += each * (read.tokens() - read.prefill) as f64;
    }
}

impl SharedTimings {
    /// Nothing measured yet, for so many variants.
    pub(crate) fn new(variants: usize) -> Self {
        Self {
            all: EngineTimings::default(),
            variants: vec![EngineTimings::default(); variants],
        }
    }

    /// Books one forward pass, given what it read for each variant.
    pub(crate) fn step(&mut self, read: &[Read], time: Duration) {
        let all = Read {
            prefill: read.iter().map(|read| read.prefill).sum(),
            decode: read.iter().map(|read| read.decode).sum(),
            drafted: read.iter().map(|read| read.drafted).sum(),
            accepted: read.iter().map(|read| read.accepted).sum(),
            beside: read.iter().map(|read| read.beside).sum(),
        };
        self.all.step(all, time);
        for (variant, read) in self.variants.iter_mut().zip(read) {
            if read.tokens() > 0 {
                variant.part(*read, time, all.tokens());
            }
        }
    }

    /// Books prompt tokens that need not be read.
    pub(crate) fn share(&mut self, variant: usize, tokens: usize) {
        self.all.shared_tokens += tokens;
        self.variants[variant].shared_tokens += tokens;
    }

    /// Books tokens of a generation that was delivered.
    pub(crate) fn keep(&mut self, variant: usize, tokens: usize) {
        self.all.tokens_kept += tokens;
        self.variants[variant].tokens_kept += tokens;
    }

    /// Gives every variant what is measured of all together.
    pub(crate) fn finish(&mut self) {
        let all = self.all;
        for variant in &mut self.variants {
            variant.peak_rows = all.peak_rows;
            variant.cache_tokens = all.cache_tokens;
            variant.prepare_seconds = all.prepare_seconds;
            variant.wall_seconds = all.wall_seconds;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mixed_step_is_divided_by_tokens() {
        let mut timings = EngineTimings::default();
        let read = |prefill, decode| Read {
            prefill,
            decode,
            ..Read::default()
        };
        timings.step(read(30, 10), Duration::from_secs(4));
        timings.step(read(0, 10), Duration::from_secs(1));
        assert!((timings.prefill_seconds - 3.0).abs() < 1e-12);
        assert!((timings.decode_seconds - 2.0).abs() < 1e-12);
        assert_eq!(
            (timings.prefill_tokens, timings.decode_tokens, timings.steps),
            (30, 20, 2)
        );
    }

    #[test]
    fn a_shared_step_is_divided_between_variants() {
        let mut timings = SharedTimings::new(3);
        let read = |prefill, decode| Read {
            prefill,
            decode,
            ..Read::default()
        };
        timings.step(
            &[read(6, 0), read(1, 1), read(0, 0)],
            Duration::from_secs(4),
        );
        assert_eq!((timings.all.prefill_tokens, timings.all.steps), (7, 1));
        let [first, second, third] = &timings.variants[..] else {
            panic!("three variants")
        };
        assert!((first.prefill_seconds - 3.0).abs() < 1e-12);
        assert!((second.prefill_seconds - 0.5).abs() < 1e-12);
        assert!((second.decode_seconds - 0.5).abs() < 1e-12);
        assert_eq!((third.steps, third.prefill_tokens), (0, 0));
    }

    #[test]
    fn drafts_in_vain_take_time_and_are_no_tokens() {
        let mut timings = EngineTimings::default();
        let read = Read {
            prefill: 2,
            decode: 3,
            drafted: 5,
            accepted: 2,
            beside: 1,
        };
        timings.step(read, Duration::from_secs(8));
        assert!((timings.prefill_seconds - 2.0).abs() < 1e-12);
        assert!((timings.decode_seconds - 6.0).abs() < 1e-12);
        assert_eq!((timings.decode_tokens, timings.accepted_tokens), (3, 2));
        assert_eq!(timings.beside_tokens, 1);
    }
}
