//! What the arms cost, what they end with, and every training.

use super::{confidence, dash, text};
use crate::{
    compare::Range,
    experiment::{
        ArmResult, Claim, Ending, Experiment, Over, Paired, RunResult,
        findings::{seconds_over, signed},
    },
    markdown::{Align, Table},
    number::{bytes, count_of, p_value, percent, seconds, spans},
};
use evalh_record::training::{LayerChoice, Method};
use std::fmt::Write as _;

/// The arms: time, parameters, memory, energy, losses.
pub(super) fn section(out: &mut String, experiment: &Experiment) {
    let _ = writeln!(out, "## Training\n");
    let mut table = Table::new(&[
        ("arm", Align::Left),
        ("layers", Align::Left),
        ("trained", Align::Right),
        ("steps", Align::Right),
        ("wall", Align::Right),
        ("CPU", Align::Right),
        ("step", Align::Right),
        ("peak memory", Align::Right),
        ("energy", Align::Right),
    ]);
    for arm in &experiment.arms {
        table.row(vec![
            text(&arm.name),
            layers(arm),
            arm.trainable_parameters.map_or_else(dash, count_of),
            arm.steps
                .map_or_else(dash, |steps| format!("{:.0}", steps.mean)),
            arm.wall.as_ref().map_or_else(dash, seconds_over),
            arm.cpu.as_ref().map_or_else(dash, seconds_over),
            arm.step.as_ref().map_or_else(dash, seconds_over),
            bytes(arm.peak_rss_bytes),
            energy(arm),
        ]);
    }
    let _ = writeln!(
        out,
        "{table}\nMean \u{b1} standard deviation over the seeds whose training ended as planned; step: the mean of the runs' median steps, the first of each left out.\n"
    );
    for reason in reasons(experiment) {
        let _ = writeln!(out, "Energy was not measured: {}.\n", text(reason));
    }
    speeds(out, experiment);
    losses(out, experiment);
    matched(out, experiment);
    targets(out, experiment);
}

fn layers(arm: &ArmResult) -> String {
    let Some(chosen) = &arm.chosen else {
        return dash();
    };
    let how = match (chosen, arm.method) {
        (_, Some(Method::Full)) => ", all weights".to_owned(),
        (LayerChoice::Probe { method, .. }, _) => format!(", by {method}"),
        (LayerChoice::All | LayerChoice::List, _) => String::new(),
    };
    let quantized = arm
        .quantized
        .as_ref()
        .map_or_else(String::new, |kind| format!(", over {}", text(kind)));
    let varies = if arm.layers_vary { " (first seed)" } else { "" };
    format!(
        "{} of {}: {}{varies}{how}{quantized}",
        arm.layers.len(),
        arm.of_layers,
        spans(&arm.layers)
    )
}

fn energy(arm: &ArmResult) -> String {
    match (&arm.joules, &arm.no_energy) {
        (Some(joules), _) => joules_over(joules),
        (None, Some(_)) => "not measured".to_owned(),
        (None, None) => dash(),
    }
}

fn joules_over(joules: &Over) -> String {
    let sd = joules
        .sd
        .map_or_else(String::new, |sd| format!(" \u{b1} {sd:.0}"));
    format!("{:.0}{sd} J", joules.mean)
}

fn reasons(experiment: &Experiment) -> Vec<&str> {
    let mut reasons: Vec<&str> = experiment
        .arms
        .iter()
        .filter_map(|arm| arm.no_energy.as_deref())
        .collect();
    reasons.sort_unstable();
    reasons.dedup();
    reasons
}

/// How much faster each arm is than the one it is held against.
fn speeds(out: &mut String, experiment: &Experiment) {
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
fn ratio(of: &Paired) -> String {
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

fn losses(out: &mut String, experiment: &Experiment) {
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
            "### Training loss\n\n{table}\nNats a loss token on the batches trained on, each before its update; means over seeds. Differences are paired by seed, with {} intervals.\n",
            confidence(experiment)
        );
    }
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

/// Arms that spend another arm's time.
fn matched(out: &mut String, experiment: &Experiment) {
    let mut table = Table::new(&[
        ("arm", Align::Left),
        ("spends the time of", Align::Left),
        ("wall", Align::Right),
        ("steps", Align::Right),
        ("times its steps", Align::Right),
        ("loss difference", Align::Right),
        ("finding", Align::Left),
    ]);
    let mut any = false;
    for arm in &experiment.arms {
        let Ending::Compute { of } = &arm.ending else {
            continue;
        };
        any = true;
        table.row(vec![
            text(&arm.name),
            text(of),
            arm.wall.as_ref().map_or_else(dash, seconds_over),
            arm.steps
                .map_or_else(dash, |steps| format!("{:.0}", steps.mean)),
            arm.steps_ratio.as_ref().map_or_else(dash, ratio),
            arm.loss_difference
                .as_ref()
                .map_or_else(dash, |of| plain(of, 4)),
            arm.loss_difference.as_ref().map_or_else(dash, |of| {
                word(of.claim, "higher loss", "lower loss").to_owned()
            }),
        ]);
    }
    if any {
        let _ = writeln!(
            out,
            "### The same compute\n\n{table}\nEach training goes on until the other arm's wall time of the same seed is spent; a probe's time is not counted in.\n"
        );
    }
}

/// Arms that train to a target: every seed a row.
fn targets(out: &mut String, experiment: &Experiment) {
    let mut table = Table::new(&[
        ("arm", Align::Left),
        ("seed", Align::Right),
        ("target", Align::Right),
        ("time to it", Align::Right),
        ("steps", Align::Right),
        ("energy", Align::Right),
    ]);
    let mut any = false;
    for arm in &experiment.arms {
        let Ending::Target(target) = &arm.ending else {
            continue;
        };
        any = true;
        for run in &arm.runs {
            let time = match (run.is_whole(), run.reached(), run.seconds) {
                (_, true, Some(spent)) => seconds(spent.wall),
                (true, false, Some(spent)) => format!("not reached in {}", seconds(spent.wall)),
                _ => run.state().to_owned(),
            };
            table.row(vec![
                text(&arm.name),
                run.seed.to_string(),
                target.value.to_string(),
                time,
                run.steps.to_string(),
                run.joules()
                    .map_or_else(dash, |joules| format!("{joules:.0} J")),
            ]);
        }
    }
    if any {
        let _ = writeln!(out, "### To a target\n\n{table}");
    }
}

/// Every training, also those that failed.
pub(super) fn runs(out: &mut String, experiment: &Experiment) {
    let mut table = Table::new(&[
        ("training", Align::Left),
        ("state", Align::Left),
        ("steps", Align::Right),
        ("wall", Align::Right),
        ("CPU", Align::Right),
        ("median step", Align::Right),
        ("tokens", Align::Right),
        ("loss, last 10", Align::Right),
        ("problem", Align::Left),
    ]);
    for run in experiment.arms.iter().flat_map(|arm| &arm.runs) {
        table.row(row(run));
    }
    let _ = writeln!(
        out,
        "## Runs\n\n{table}\nThe interval of a median step is of that run's steps alone (95 %, from their order).\n"
    );
}

fn row(run: &RunResult) -> Vec<String> {
    let step = run.step_seconds.map_or_else(dash, |median| {
        let interval = run.step_interval.map_or_else(String::new, |range| {
            format!(" [{}, {}]", seconds(range.low), seconds(range.high))
        });
        format!("{}{interval}", seconds(median))
    });
    vec![
        text(&run.variant),
        run.state().to_owned(),
        run.steps.to_string(),
        run.seconds.map_or_else(dash, |spent| seconds(spent.wall)),
        run.seconds.map_or_else(dash, |spent| seconds(spent.cpu)),
        step,
        count_of(run.tokens),
        run.loss
            .map_or_else(dash, |loss| format!("{:.4}", loss.mean_last_10)),
        run.problem.as_deref().map_or_else(String::new, text),
    ]
}
