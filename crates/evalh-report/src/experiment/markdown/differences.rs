//! What arms differ by from the ones that they are held against.

use super::{confidence, dash, text};
use crate::{
    compare::Range,
    experiment::{Claim, Experiment, Paired, loss::measure, words::signed},
    markdown::{Align, Table},
    number::{p_value, percent},
};
use std::fmt::Write as _;

/// How much faster each arm is than the one it is held against.
pub(super) fn speeds(out: &mut String, experiment: &Experiment) {
    let mut table = Table::new(&[
        ("arm", Align::Left),
        ("against", Align::Left),
        ("what", Align::Left),
        ("times as fast", Align::Right),
        ("less time", Align::Right),
        ("corrected p", Align::Right),
        ("seeds", Align::Right),
        ("finding", Align::Left),
    ]);
    let mut any = false;
    for arm in &experiment.arms {
        let rows = [
            ("wall time", &arm.speed),
            ("wall time with the probe", &arm.speed_with_probe),
            ("CPU time", &arm.speed_cpu),
            ("median step", &arm.speed_step),
            ("energy", &arm.energy_ratio),
        ];
        for (what, paired) in rows {
            let (Some(of), Some(reference)) = (paired, arm.reference) else {
                continue;
            };
            any = true;
            table.row(vec![
                text(&arm.name),
                text(&experiment.arms[reference].name),
                what.to_owned(),
                ratio(of),
                saved(of),
                of.p_holm.map_or_else(dash, p_value),
                of.each.len().to_string(),
                word(of.claim, "faster", "slower").to_owned(),
            ]);
        }
    }
    if any {
        let _ = writeln!(
            out,
            "### Speed\n\n{table}\nPaired by seed; geometric means with {} intervals by Student's t of the logarithms. Only trainings of equally many steps, or to one target that both reached, are held against each other; a median step is of any.\n",
            confidence(experiment)
        );
    }
}

/// `1.28 [1.22, 1.35]`.
pub(super) fn ratio(of: &Paired) -> String {
    let interval = of.interval.map_or_else(String::new, |range| {
        format!(" [{:.2}, {:.2}]", range.low, range.high)
    });
    format!("{:.2}{interval}", of.value)
}

/// `21.9 % [18.0, 25.9]`.
fn saved(of: &Paired) -> String {
    let share = |ratio: f64| {
        let saved = 1.0 - 1.0 / ratio;
        let sign = if saved < 0.0 { "\u{2212}" } else { "" };
        format!("{sign}{}", percent(saved.abs()))
    };
    let interval = of.interval.map_or_else(String::new, |range| {
        format!(" [{}, {}]", share(range.low), share(range.high))
    });
    format!("{} %{interval}", share(of.value))
}

/// Final training losses.
pub(super) fn losses(out: &mut String, experiment: &Experiment) {
    let mut table = Table::new(&[
        ("arm", Align::Left),
        ("first", Align::Right),
        ("last 10 steps", Align::Right),
        ("against", Align::Left),
        ("difference", Align::Right),
        ("corrected p", Align::Right),
        ("finding", Align::Left),
    ]);
    let mut any = false;
    for arm in &experiment.arms {
        let Some(loss) = &arm.loss else {
            continue;
        };
        any = true;
        let first: Vec<f64> = arm
            .runs
            .iter()
            .filter(|run| run.is_whole())
            .filter_map(|run| Some(run.loss?.first))
            .collect();
        let sd = loss
            .sd
            .map_or_else(String::new, |sd| format!(" \u{b1} {sd:.4}"));
        let paired = arm.loss_difference.as_ref();
        table.row(vec![
            text(&arm.name),
            evalh_stats::mean(&first).map_or_else(dash, |mean| format!("{:.4}", mean.value)),
            format!("{:.4}{sd}", loss.mean),
            paired
                .and(arm.reference)
                .map_or_else(dash, |at| text(&experiment.arms[at].name)),
            paired.map_or_else(dash, |of| plain(of, 4)),
            paired.and_then(|of| of.p_holm).map_or_else(dash, p_value),
            paired.map_or_else(dash, |of| word(of.claim, "higher", "lower").to_owned()),
        ]);
    }
    if any {
        let _ = writeln!(
            out,
            "### Training loss\n\n{table}\n{} on the batches trained on, each before its update; means over seeds. Differences are paired by seed, with {} intervals.\n",
            capitalised(measure(experiment.objective)),
            confidence(experiment)
        );
    }
}

fn capitalised(words: &str) -> String {
    let (first, rest) = words.split_at(1);
    first.to_uppercase() + rest
}

/// `+0.0120 [−0.0010, +0.0250]`.
pub(super) fn plain(of: &Paired, decimals: usize) -> String {
    let show = |range: Range| {
        format!(
            " [{}, {}]",
            signed(range.low, decimals),
            signed(range.high, decimals)
        )
    };
    format!(
        "{}{}",
        signed(of.value, decimals),
        of.interval.map_or_else(String::new, show)
    )
}

/// What a claim is called.
pub(super) fn word(claim: Claim, higher: &'static str, lower: &'static str) -> &'static str {
    match claim {
        Claim::Higher => higher,
        Claim::Lower => lower,
        Claim::Inconclusive => "inconclusive",
        Claim::TooFewSeeds => "too few seeds",
        Claim::Untested => "not tested",
    }
}
