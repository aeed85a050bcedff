//! What each variant cost in the runs that answered for it.

use super::{Costs, Role, Run, variants::Member};
use crate::BenchFile;
use evalh_record::{Sitting, VariantTimings};

/// The costs of each variant, summed over its runs.
pub(super) fn costs(runs: &[Run<'_>], members: &[Member], bench: &[BenchFile]) -> Vec<Costs> {
    let members = members.iter().enumerate();
    members
        .map(|(variant, member)| {
            let sittings: Vec<(&Sitting, &VariantTimings)> = member
                .runs
                .iter()
                .flat_map(|(run, name)| {
                    let sittings = runs[*run].record.timings.sittings.iter();
                    sittings.filter_map(move |sitting| {
                        let mut of = sitting.variants.iter();
                        Some((sitting, of.find(|of| of.variant == *name)?))
                    })
                })
                .collect();
            let sum = |of: &dyn Fn(&VariantTimings) -> f64| -> f64 {
                sittings.iter().map(|(_, timings)| of(timings)).sum()
            };
            let cpu_seconds = sittings
                .iter()
                .map(|(sitting, timings)| sitting.cpu_seconds_of(timings))
                .sum::<Option<f64>>()
                .filter(|_| !sittings.is_empty());
            let last = sittings.last();
            Costs {
                variant,
                prefill_tokens_per_second: rate(
                    sum(&|of| of.prefill_tokens as f64),
                    sum(&|of| of.prefill_seconds),
                ),
                decode_tokens_per_second: rate(
                    sum(&|of| of.decode_tokens as f64),
                    sum(&|of| of.decode_seconds),
                ),
                cpu_seconds,
                kept_tokens_per_cpu_second: cpu_seconds
                    .and_then(|seconds| rate(sum(&|of| of.kept_tokens as f64), seconds)),
                peak_memory_bytes: sittings
                    .iter()
                    .filter_map(|(sitting, _)| sitting.peak_memory_bytes)
                    .max(),
                beside: last.map_or(0, |(sitting, _)| sitting.variants.len()),
                weight_bytes: last.and_then(|(sitting, _)| Some(sitting.held.as_ref()?.bytes)),
                bench: bench.iter().find_map(|file| match member.facts.role {
                    Role::Base => file.of_base(&member.facts.model),
                    _ => file.of_adapter(&member.facts.model, &member.facts.name_in_run),
                }),
            }
        })
        .collect()
}

fn rate(count: f64, seconds: f64) -> Option<f64> {
    (count > 0.0 && seconds > 0.0).then(|| count / seconds)
}
