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
    /// What each variant cost, in the order of the manifest.
    pub variants: Vec<VariantTimings>,
}

/// What one variant cost on all suites. Counts and seconds are of the sessions that reported them: a session that was
/// killed loses its counts and its seconds together, so the rates stay right.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariantTimings {
    /// The variant.
    pub variant: String,
    /// Seconds to switch to the variant: read, match and apply its adapter.
    pub load_seconds: f64,
    /// Prompt tokens that went through the model.
    pub prefill_tokens: u64,
    /// Prompt tokens that did not have to, because another prompt begins with them too.
    pub shared_tokens: u64,
    /// Seconds of that.
    pub prefill_seconds: f64,
    /// Tokens that decoding steps made, including those dropped later.
    pub decode_tokens: u64,
    /// Seconds of that.
    pub decode_seconds: f64,
    /// Tokens of recorded answers.
    pub kept_tokens: u64,
    /// Programs that the sandbox ran.
    pub programs: u64,
    /// Seconds of sandbox work, summed over its threads.
    pub program_seconds: f64,
    /// Seconds from switching to the variant to its last recorded sample.
    pub wall_seconds: f64,
    /// CPU seconds of the process in that span, all threads.
    pub cpu_seconds: f64,
    /// Highest resident memory of the process while the variant was answered, in bytes, where the system tells.
    pub peak_memory_bytes: Option<u64>,
    /// What the model took, once it was loaded and its adapter applied.
    pub held: Option<Held>,
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
    /// The entry of a variant, made where there is none.
    pub fn variant(&mut self, name: &str) -> &mut VariantTimings {
        let at = self.variants.iter().position(|v| v.variant == name);
        let at = at.unwrap_or_else(|| {
            self.variants.push(VariantTimings {
                variant: name.to_owned(),
                ..VariantTimings::default()
            });
            self.variants.len() - 1
        });
        &mut self.variants[at]
    }

    /// Adds another session's figures: counts and seconds are summed, peaks are the higher one.
    pub fn add(&mut self, session: &Timings) {
        self.sessions += session.sessions;
        self.load_seconds += session.load_seconds;
        self.sandbox_prepare_seconds += session.sandbox_prepare_seconds;
        for of in &session.variants {
            let sum = self.variant(&of.variant);
            sum.load_seconds += of.load_seconds;
            sum.prefill_tokens += of.prefill_tokens;
            sum.shared_tokens += of.shared_tokens;
            sum.prefill_seconds += of.prefill_seconds;
            sum.decode_tokens += of.decode_tokens;
            sum.decode_seconds += of.decode_seconds;
            sum.kept_tokens += of.kept_tokens;
            sum.programs += of.programs;
            sum.program_seconds += of.program_seconds;
            sum.wall_seconds += of.wall_seconds;
            sum.cpu_seconds += of.cpu_seconds;
            sum.peak_memory_bytes = sum.peak_memory_bytes.max(of.peak_memory_bytes);
            sum.held = of.held.clone().or(sum.held.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_add_up_and_peaks_do_not() {
        let session = |peak| Timings {
            sessions: 1,
            load_seconds: 0.5,
            sandbox_prepare_seconds: 0.25,
            variants: vec![VariantTimings {
                variant: "base".into(),
                decode_tokens: 10,
                decode_seconds: 2.0,
                peak_memory_bytes: peak,
                ..VariantTimings::default()
            }],
        };
        let mut sum = session(Some(7));
        sum.add(&session(Some(5)));
        sum.add(&session(None));
        assert_eq!(sum.sessions, 3);
        assert!((sum.load_seconds - 1.5).abs() < 1e-12);
        assert_eq!(sum.variants.len(), 1);
        assert_eq!(sum.variants[0].decode_tokens, 30);
        assert_eq!(sum.variants[0].peak_memory_bytes, Some(7));
    }
}
