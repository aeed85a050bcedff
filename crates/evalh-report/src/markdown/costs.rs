//! What a run took: time, memory, weights.

use super::{
    escape::text,
    table::{Align, Table},
};
use crate::compare::Run;
use crate::number::{bytes, count_of, percent, rate, seconds};
use evalh_record::{Record, Sitting, VariantTimings};
use std::fmt::Write as _;

/// Speeds, seconds and bytes.
pub(super) fn section(out: &mut String, run: &Run<'_>, named: bool) {
    let record = run.record;
    let timings = &record.timings;
    let of = if named {
        format!(" of {}", text(run.name))
    } else {
        String::new()
    };
    let _ = writeln!(out, "## Time and memory{of}\n");
    let _ = writeln!(out, "{}", sittings(record));
    let _ = writeln!(out, "{}", variants(record));
    if timings.sittings.iter().any(|of| of.variants.len() > 1) {
        let _ = writeln!(
            out,
            "Variants of one line of the first table were answered side by side: time and memory are of all of them \
             together. A variant's CPU time is then its part of that by the tokens it read, and its tokens/s are by its part of \
             each pass.\n"
        );
    }
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

/// What the process took for the variants that were answered together.
fn sittings(record: &Record) -> Table {
    let mut table = Table::new(&[
        ("answered", Align::Left),
        ("load", Align::Right),
        ("wall", Align::Right),
        ("CPU", Align::Right),
        ("tokens kept", Align::Right),
        ("kept/CPU s", Align::Right),
        ("peak memory", Align::Right),
    ]);
    for sitting in &record.timings.sittings {
        let kept = sitting.variants.iter().map(|of| of.kept_tokens).sum();
        table.row(vec![
            names(sitting),
            seconds(sitting.load_seconds),
            seconds(sitting.wall_seconds),
            seconds(sitting.cpu_seconds),
            count_of(kept),
            rate(kept, sitting.cpu_seconds),
            bytes(sitting.peak_memory_bytes),
        ]);
    }
    table
}

/// What each variant read and kept.
fn variants(record: &Record) -> Table {
    let sittings = record.timings.sittings.iter();
    let beside = sittings
        .flat_map(|sitting| &sitting.variants)
        .any(|variant| variant.beside_tokens > 0);
    let mut columns = vec![
        ("variant", Align::Left),
        ("prompt tokens read", Align::Right),
        ("shared", Align::Right),
        ("prefill tokens/s", Align::Right),
        ("decode tokens/s", Align::Right),
        ("tokens kept", Align::Right),
        ("drafts accepted", Align::Right),
        ("CPU", Align::Right),
        ("programs/s", Align::Right),
    ];
    if beside {
        columns.push(("lower layers shared", Align::Right));
    }
    let mut table = Table::new(&columns);
    for sitting in &record.timings.sittings {
        for variant in &sitting.variants {
            let mut cells = vec![
                text(&variant.variant),
                count_of(variant.prefill_tokens),
                count_of(variant.shared_tokens),
                rate(variant.prefill_tokens, variant.prefill_seconds),
                rate(variant.decode_tokens, variant.decode_seconds),
                count_of(variant.kept_tokens),
                drafts(variant),
                sitting
                    .cpu_seconds_of(variant)
                    .map_or_else(|| "\u{2013}".to_owned(), seconds),
                rate(variant.programs, variant.program_seconds),
            ];
            if beside {
                cells.push(count_of(variant.beside_tokens));
            }
            table.row(cells);
        }
    }
    table
}

/// How many tokens were drafted from another variant's answer, and how many of them were right.
fn drafts(variant: &VariantTimings) -> String {
    match variant.drafted_tokens {
        0 => "\u{2013}".to_owned(),
        drafted => {
            let share = variant.accepted_tokens as f64 / drafted as f64;
            format!("{} of {}", percent(share) + " %", count_of(drafted))
        }
    }
}

fn names(sitting: &Sitting) -> String {
    let names: Vec<_> = sitting.names().map(|name| text(name)).collect();
    names.join(", ")
}

/// The weights in memory, where the run tells.
fn held(out: &mut String, record: &Record) {
    let mut table = Table::new(&[
        ("answered", Align::Left),
        ("parameters", Align::Right),
        ("weights", Align::Right),
        ("adapters", Align::Right),
        ("held in", Align::Left),
    ]);
    let sittings = &record.timings.sittings;
    let mut any = false;
    for (sitting, held) in sittings.iter().filter_map(|s| Some((s, s.held.as_ref()?))) {
        any = true;
        table.row(vec![
            names(sitting),
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
