//! The tables of what was found.

use super::figure::{rate, ratio, seconds, spread};
use crate::commands::bench::{
    clock::{Latency, Spread},
    found::{Found, Requests},
};
use evalh_report::Align;

/// A table with its title.
pub struct Sheet {
    /// What it is about.
    pub title: String,
    /// Its columns.
    pub columns: Vec<(&'static str, Align)>,
    /// Its cells, as plain text.
    pub rows: Vec<Vec<String>>,
}

/// All tables that have rows.
pub fn sheets(found: &Found) -> Vec<Sheet> {
    let all = [
        Some(prefill(found)),
        Some(decode(found)),
        found.requests.as_ref().map(requests),
        Some(adapters(found)),
        Some(energy(found)),
    ];
    let all = all.into_iter().flatten();
    all.filter(|sheet| !sheet.rows.is_empty()).collect()
}

fn prefill(found: &Found) -> Sheet {
    let figures = found.prefill.iter().map(|figure| {
        let speed = rate(figure.tokens_per_second);
        row(figure.tokens, speed, &figure.seconds, &figure.cpu_seconds)
    });
    Sheet {
        title: "Reading a prompt".to_owned(),
        columns: numbers(["tokens", "tokens/s", "time to the first token", "CPU"]),
        rows: figures.collect(),
    }
}

fn decode(found: &Found) -> Sheet {
    let figures = found.decode.iter().map(|figure| {
        let speed = rate(figure.tokens_per_second);
        row(figure.batch, speed, &figure.seconds, &figure.cpu_seconds)
    });
    let plan = &found.plan;
    Sheet {
        title: format!("Writing {} tokens after {}", plan.new_tokens, plan.context),
        columns: numbers(["sequences", "tokens/s", "a step", "CPU"]),
        rows: figures.collect(),
    }
}

fn numbers<const N: usize>(names: [&'static str; N]) -> Vec<(&'static str, Align)> {
    names.map(|name| (name, Align::Right)).into()
}

fn row(of: usize, speed: String, wall: &Spread, cpu: &Spread) -> Vec<String> {
    vec![of.to_string(), speed, spread(wall), seconds(cpu.median)]
}

fn requests(found: &Requests) -> Sheet {
    let row = |name: &str, latency: &Latency| {
        vec![name.to_owned(), seconds(latency.p50), seconds(latency.p95)]
    };
    let rows = vec![
        row("first token", &found.first_token),
        row("whole", &found.whole),
        row("CPU of the whole", &found.cpu_seconds),
    ];
    Sheet {
        title: format!(
            "{} requests of {} and {} tokens, one after the other",
            found.count, found.prompt_tokens, found.new_tokens
        ),
        columns: vec![
            ("latency", Align::Left),
            ("p50", Align::Right),
            ("p95", Align::Right),
        ],
        rows,
    }
}

fn adapters(found: &Found) -> Sheet {
    let rows = found.adapters.iter().map(|cost| {
        vec![
            cost.adapter.clone(),
            cost.how.clone(),
            seconds(cost.seconds.median),
            seconds(cost.base_seconds.median),
            ratio(&cost.ratio),
            ratio(&cost.cpu_ratio),
        ]
    });
    Sheet {
        title: format!(
            "A token with an adapter beside one of the base, {} rounds",
            found.plan.rounds
        ),
        columns: vec![
            ("adapter", Align::Left),
            ("how", Align::Left),
            ("a token", Align::Right),
            ("base", Align::Right),
            ("ratio", Align::Right),
            ("of CPU", Align::Right),
        ],
        rows: rows.collect(),
    }
}

/// Empty where nothing counts joules.
fn energy(found: &Found) -> Sheet {
    let prefill = found.prefill.iter().map(|figure| {
        let what = format!("a token of a prompt of {}", figure.tokens);
        (what, figure.joules_per_token)
    });
    let decode = found.decode.iter().map(|figure| {
        let what = format!("a token written to one of {} sequences", figure.batch);
        (what, figure.joules_per_token)
    });
    let requests = found.requests.iter().map(|requests| {
        let what = "a request".to_owned();
        (what, requests.joules_per_request)
    });
    let all = prefill.chain(decode).chain(requests);
    let rows = all.filter_map(|(what, joules)| Some(vec![what, format!("{:.3}", joules?)]));
    Sheet {
        title: "Energy".to_owned(),
        columns: vec![("of", Align::Left), ("J", Align::Right)],
        rows: rows.collect(),
    }
}
