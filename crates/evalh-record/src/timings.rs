//! What a run cost. Kept apart from samples and results, which must not depend on it.

use serde::{Deserialize, Serialize};

/// What a run cost, summed over its sessions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timings {
    /// Sessions that worked on the run: 1, and one more for each time it was resumed.
    pub sessions: u32,
    /// Seconds to open the checkpoint and load its weights, which all variants share.
    pub load_seconds: f64,
    /// Seconds to prepare the sandbox.
    pub sandbox_prepare_seconds: f64,
    /// What was answered, in the order in which it was begun.
    pub sittings: Vec<Sitting>,
}

/// One variant, or several of one checkpoint that were answered beside each other, on all suites.
///
/// What is measured of the process is of all of them together: their rows share each pass through the weights. Counts and
/// seconds are of the sessions that reported them: a session that was killed loses its counts and its seconds together,
/// so the rates stay right.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sitting {
    /// Seconds to switch to these variants: read, match and apply an adapter, or load another checkpoint.
    pub load_seconds: f64,
    /// Seconds from the switch to the last recorded sample.
    pub wall_seconds: f64,
    /// CPU seconds of the process in that span, all threads.
    pub cpu_seconds: f64,
    /// Highest resident memory of the process in that span, in bytes, where the system tells.
    pub peak_memory_bytes: Option<u64>,
    /// What the model took, once it was loaded and its adapters applied.
    pub held: Option<Held>,
    /// The variants, in the order of the manifest.
    pub variants: Vec<VariantTimings>,
}

/// What one variant read and answered in a sitting.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariantTimings {
    /// The variant.
    pub variant: String,
    /// Prompt tokens that went through the model.
    pub prefill_tokens: u64,
    /// Prompt tokens that did not have to, because another prompt begins with them too.
    pub shared_tokens: u64,
    /// Tokens read whose lowest layers were computed with another variant's, where both are the same.
    #[serde(default)]
    pub beside_tokens: u64,
    /// Seconds of forward passes spent on prompts; of a pass that several variants share, this one's part by tokens.
    pub prefill_seconds: f64,
    /// Generated tokens that were read back.
    pub decode_tokens: u64,
    /// Seconds of that, counted like `prefill_seconds`; tokens drafted in vain are in them.
    pub decode_seconds: f64,
    /// Tokens drafted from another variant's answer and read with the one before them.
    pub drafted_tokens: u64,
    /// Those of them that were the answer.
    pub accepted_tokens: u64,
    /// Tokens of recorded answers.
    pub kept_tokens: u64,
    /// Programs that the sandbox ran.
    pub programs: u64,
    /// Seconds of sandbox work, summed over its threads.
    pub program_seconds: f64,
}

/// What a loaded model takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// Parameters of the model without its adapter, a tied head counted once.
    pub parameters: u64,
    /// Bytes of its weights in memory.
    pub bytes: u64,
    /// Bytes that adapters take beside them, merged or not.
    pub adapter_bytes: u64,
    /// The types that the weights are held in: `bf16, f32`.
    pub dtype: String,
}

impl Timings {
    /// The entry of variants answered beside each other, made where there is none.
    pub fn sitting(&mut self, variants: &[String]) -> &mut Sitting {
        let same = |sitting: &Sitting| sitting.names().eq(variants);
        let at = self.sittings.iter().position(same);
        let at = at.unwrap_or_else(|| {
            self.sittings.push(Sitting::of(variants));
            self.sittings.len() - 1
        });
        &mut self.sittings[at]
    }

    /// Adds another session's figures: counts and seconds are summed, peaks are the higher one.
    pub fn add(&mut self, session: &Timings) {
        self.sessions += session.sessions;
        self.load_seconds += session.load_seconds;
        self.sandbox_prepare_seconds += session.sandbox_prepare_seconds;
        for of in &session.sittings {
            let names: Vec<String> = of.names().cloned().collect();
            self.sitting(&names).add(of);
        }
    }
}

impl Sitting {
    /// Nothing measured yet.
    pub fn of(variants: &[String]) -> Sitting {
        let variant = |name: &String| VariantTimings {
            variant: name.clone(),
            ..VariantTimings::default()
        };
        Sitting {
            variants: variants.iter().map(variant).collect(),
            ..Sitting::default()
        }
    }

    /// The variants, in order.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.variants.iter().map(|of| &of.variant)
    }

    /// Tokens that went through the model.
    pub fn read_tokens(&self) -> u64 {
        self.variants.iter().map(VariantTimings::read_tokens).sum()
    }

    /// A variant's part of the CPU seconds, in proportion to the tokens it read. `None` where nothing was read.
    pub fn cpu_seconds_of(&self, variant: &VariantTimings) -> Option<f64> {
        let part = variant.read_tokens() as f64 / self.read_tokens() as f64;
        part.is_finite().then_some(part * self.cpu_seconds)
    }

    fn add(&mut self, of: &Sitting) {
        self.load_seconds += of.load_seconds;
        self.wall_seconds += of.wall_seconds;
        self.cpu_seconds += of.cpu_seconds;
        self.peak_memory_bytes = self.peak_memory_bytes.max(of.peak_memory_bytes);
        self.held = of.held.clone().or(self.held.take());
        for (sum, of) in self.variants.iter_mut().zip(&of.variants) {
            sum.prefill_tokens += of.prefill_tokens;
            sum.shared_tokens += of.shared_tokens;
            sum.beside_tokens += of.beside_tokens;
            sum.prefill_seconds += of.prefill_seconds;
            sum.decode_tokens += of.decode_tokens;
            sum.decode_seconds += of.decode_seconds;
            sum.drafted_tokens += of.drafted_tokens;
            sum.accepted_tokens += of.accepted_tokens;
            sum.kept_tokens += of.kept_tokens;
            sum.programs += of.programs;
            sum.program_seconds += of.program_seconds;
        }
    }
}

impl VariantTimings {
    /// Tokens that went through the model.
    pub fn read_tokens(&self) -> u64 {
        self.prefill_tokens + self.decode_tokens + self.drafted_tokens - self.accepted_tokens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(variants: &[&str], peak: Option<u64>) -> Timings {
        let names: Vec<String> = variants.iter().map(ToString::to_string).collect();
        let mut sitting = Sitting::of(&names);
        sitting.cpu_seconds = 3.0;
        sitting.peak_memory_bytes = peak;
        for (place, variant) in sitting.variants.iter_mut().enumerate() {
            variant.decode_tokens = 10 * (place as u64 + 1);
        }
        Timings {
            sessions: 1,
            load_seconds: 0.5,
            sandbox_prepare_seconds: 0.25,
            sittings: vec![sitting],
        }
    }

    #[test]
    fn sessions_add_up_and_peaks_do_not() {
        let mut sum = session(&["base", "one"], Some(7));
        sum.add(&session(&["base", "one"], Some(5)));
        sum.add(&session(&["base", "one"], None));
        assert_eq!(sum.sessions, 3);
        assert!((sum.load_seconds - 1.5).abs() < 1e-12);
        assert_eq!(sum.sittings.len(), 1);
        let sitting = &sum.sittings[0];
        assert_eq!(sitting.variants[0].decode_tokens, 30);
        assert_eq!(sitting.peak_memory_bytes, Some(7));
        let part = sitting.cpu_seconds_of(&sitting.variants[1]);
        assert!((part.unwrap() - 6.0).abs() < 1e-12);
    }

    #[test]
    fn a_variant_answered_apart_is_a_sitting_of_its_own() {
        let mut sum = session(&["base", "one"], None);
        sum.add(&session(&["base"], None));
        assert_eq!(sum.sittings.len(), 2);
        assert_eq!(sum.sittings[1].variants.len(), 1);
        let empty = Sitting::of(&["base".to_owned()]);
        assert_eq!(empty.cpu_seconds_of(&empty.variants[0]), None);
    }
}
