//! What a run took: time, memory, weights.

use super::{
    escape::text,
    table::{Align, Table},
};
use crate::number::{bytes, count_of, rate, seconds};
use evalh_record::Record;
use std::fmt::Write as _;

/// Speeds, seconds and bytes of each variant.
pub(super) fn section(out: &mut String, record: &Record) {
    let timings = &record.timings;
    let mut table = Table::new(&[
        ("variant", Align::Left),
        ("load", Align::Right),
        ("prompt tokens read", Align::Right),
        ("shared", Align::Right),
        ("prefill tokens/s", Align::Right),
        ("decode tokens/s", Align::Right),
        ("tokens kept", Align::Right),
        ("kept/CPU s", Align::Right),
        ("programs/s", Align::Right),
        ("wall", Align::Right),
        ("peak memory", Align::Right),
    ]);
    for variant in &timings.variants {
        table.row(vec![
            text(&variant.variant),
            seconds(variant.load_seconds),
            count_of(variant.prefill_tokens),
            count_of(variant.shared_tokens),
            rate(variant.prefill_tokens, variant.prefill_seconds),
            rate(variant.decode_tokens, variant.decode_seconds),
            count_of(variant.kept_tokens),
            rate(variant.kept_tokens, variant.cpu_seconds),
            rate(variant.programs, variant.program_seconds),
            seconds(variant.wall_seconds),
            bytes(variant.peak_memory_bytes),
        ]);
    }
    let _ = writeln!(out, "## Time and memory\n\n{table}");
    held(out, record);
    let sandbox = match record.manifest.settings.sandbox {
        Some(_) => format!(
            "The sandbox was ready after {}; programs/s is of one of its threads. ",
            seconds(timings.sandbox_prepare_seconds)
        ),
        None => String::new(),
    };
    let _ = writeln!(
        out,
        "The checkpoint's weights, shared by all variants, loaded in {}. {sandbox}Kept/CPU s counts the CPU time of all threads.{}\n",
        seconds(timings.load_seconds),
        if timings.sessions > 1 {
            format!(
                " The figures are sums over {} sessions: the run was resumed.",
                timings.sessions
            )
        } else {
            String::new()
        }
    );
}

/// The weights in memory, where the run tells.
fn held(out: &mut String, record: &Record) {
    let mut table = Table::new(&[
        ("variant", Align::Left),
        ("parameters", Align::Right),
        ("weights", Align::Right),
        ("adapters", Align::Right),
        ("held in", Align::Left),
    ]);
    let variants = &record.timings.variants;
    let mut any = false;
    for (variant, held) in variants.iter().filter_map(|v| Some((v, v.held.as_ref()?))) {
        any = true;
        table.row(vec![
            text(&variant.variant),
            count_of(held.parameters),
            bytes(Some(held.bytes)),
            bytes(Some(held.adapter_bytes)),
            text(&held.dtype),
        ]);
    }
    if any {
        let _ = writeln!(out, "{table}");
    }
}
