//! An experiment for further work with other tools.

use super::{Claim, Experiment, Paired, Purpose};
use crate::export::cell::{Cell, table};

/// The experiment as CSV: names of files and their text.
pub fn csv_files(experiment: &Experiment) -> [(&'static str, String); 4] {
    [
        ("runs.csv", runs(experiment)),
        ("arms.csv", arms(experiment)),
        ("arm-scores.csv", scores(experiment)),
        ("layers.csv", layers(experiment)),
    ]
}

/// The whole experiment as JSON, indented and in the order of its fields.
pub fn json(experiment: &Experiment) -> String {
    match serde_json::to_string_pretty(experiment) {
        Ok(text) => text + "\n",
        // Serialising fails for maps whose keys are no strings only, and an experiment holds no such map.
        Err(error) => unreachable!("{error}"),
    }
}

/// A row a training.
fn runs(experiment: &Experiment) -> String {
    let header = [
        "arm",
        "variant",
        "seed",
        "state",
        "steps",
        "wall_seconds",
        "cpu_seconds",
        "step_seconds_median",
        "step_seconds_low",
        "step_seconds_high",
        "loss_first",
        "loss_last",
        "loss_mean_last_10",
        "tokens",
        "trainable_parameters",
        "peak_rss_bytes",
        "joules",
        "sessions",
        "problem",
    ];
    let rows = experiment.arms.iter().flat_map(|arm| {
        arm.runs.iter().map(move |run| {
            [
                arm.name.as_str().into(),
                run.variant.as_str().into(),
                run.seed.into(),
                run.state().into(),
                run.steps.into(),
                run.seconds.map(|spent| spent.wall).into(),
                run.seconds.map(|spent| spent.cpu).into(),
                run.step_seconds.into(),
                run.step_interval.map(|range| range.low).into(),
                run.step_interval.map(|range| range.high).into(),
                run.loss.map(|loss| loss.first).into(),
                run.loss.map(|loss| loss.last).into(),
                run.loss.map(|loss| loss.mean_last_10).into(),
                run.tokens.into(),
                run.trainable_parameters.into(),
                run.peak_rss_bytes.into(),
                run.joules().into(),
                u64::from(run.sessions).into(),
                run.problem.as_deref().into(),
            ]
        })
    });
    table(header, rows)
}

const PAIRED: [&str; 8] = [
    "value",
    "interval_low",
    "interval_high",
    "t",
    "p",
    "p_holm",
    "seeds",
    "claim",
];

fn paired(of: Option<&Paired>) -> [Cell; PAIRED.len()] {
    [
        of.map(|of| of.value).into(),
        of.and_then(|of| of.interval).map(|range| range.low).into(),
        of.and_then(|of| of.interval).map(|range| range.high).into(),
        of.and_then(|of| of.t).into(),
        of.and_then(|of| of.p).into(),
        of.and_then(|of| of.p_holm).into(),
        of.map(|of| of.each.len()).into(),
        of.map(|of| claim(of.claim)).into(),
    ]
}

/// A row for each number by which an arm is held against another.
fn arms(experiment: &Experiment) -> String {
    let header = [
        "arm", "against", "what", "is_ratio", PAIRED[0], PAIRED[1], PAIRED[2], PAIRED[3],
        PAIRED[4], PAIRED[5], PAIRED[6], PAIRED[7],
    ];
    let rows = experiment.arms.iter().flat_map(|arm| {
        let against = arm.reference.map(|at| experiment.arms[at].name.as_str());
        let all = [
            ("speed_wall", &arm.speed),
            ("speed_wall_with_probe", &arm.speed_with_probe),
            ("speed_cpu", &arm.speed_cpu),
            ("speed_step", &arm.speed_step),
            ("energy", &arm.energy_ratio),
            ("steps", &arm.steps_ratio),
            ("loss", &arm.loss_difference),
        ];
        let there = all
            .into_iter()
            .filter_map(|(what, of)| Some((what, of.as_ref()?)));
        there.map(move |(what, of)| {
            let [value, low, high, t, p, p_holm, seeds, claim] = paired(Some(of));
            let (name, what) = (arm.name.as_str().into(), what.into());
            [
                name,
                against.into(),
                what,
                of.is_ratio.into(),
                value,
                low,
                high,
                t,
                p,
                p_holm,
                seeds,
                claim,
            ]
        })
    });
    table(header, rows)
}

/// A row for each suite and arm.
fn scores(experiment: &Experiment) -> String {
    let header = [
        "suite",
        "metric",
        "purpose",
        "lower_is_better",
        "is_share",
        "items",
        "base",
        "arm",
        "score",
        "score_sd",
        "delta",
        "delta_low",
        "delta_high",
        "delta_items_low",
        "delta_items_high",
        "delta_p_holm",
        "delta_claim",
        "extra",
        "extra_low",
        "extra_high",
        "extra_items_low",
        "extra_items_high",
        "extra_p_holm",
        "extra_claim",
        "gain_per_million_parameters",
        "gain_per_minute",
    ];
    let rows = experiment.scores.iter().flat_map(|suite| {
        suite.arms.iter().map(move |of| {
            let [delta, delta_low, delta_high, _, _, delta_p, _, delta_claim] =
                paired(Some(&of.delta));
            let [extra, extra_low, extra_high, _, _, extra_p, _, extra_claim] =
                paired(of.extra.as_ref());
            [
                suite.suite.as_str().into(),
                suite.metric.as_str().into(),
                match suite.purpose {
                    Purpose::Target => "target",
                    Purpose::Guard => "guard",
                    Purpose::Other => "other",
                }
                .into(),
                suite.lower_is_better.into(),
                suite.is_share.into(),
                suite.items.into(),
                suite.base.into(),
                experiment.arms[of.arm].name.as_str().into(),
                of.score.mean.into(),
                of.score.sd.into(),
                delta,
                delta_low,
                delta_high,
                of.delta_items.map(|range| range.low).into(),
                of.delta_items.map(|range| range.high).into(),
                delta_p,
                delta_claim,
                extra,
                extra_low,
                extra_high,
                of.extra_items.map(|range| range.low).into(),
                of.extra_items.map(|range| range.high).into(),
                extra_p,
                extra_claim,
                of.gain_per_million.into(),
                of.gain_per_minute.map(|gain| gain.mean).into(),
            ]
        })
    });
    table(header, rows)
}

/// A row a layer of each probe.
fn layers(experiment: &Experiment) -> String {
    let rows = experiment.probes.iter().flat_map(|probe| {
        let found = &probe.selection;
        found
            .scores
            .iter()
            .zip(&found.ranks)
            .enumerate()
            .map(move |(layer, (score, rank))| {
                [
                    probe.name.as_str().into(),
                    found.method.name().into(),
                    layer.into(),
                    (*score).into(),
                    (*rank).into(),
                    found.layers_to_transform.contains(&layer).into(),
                ]
            })
    });
    table(
        ["probe", "method", "layer", "score", "rank", "selected"],
        rows,
    )
}

fn claim(claim: Claim) -> &'static str {
    match claim {
        Claim::Higher => "higher",
        Claim::Lower => "lower",
        Claim::Inconclusive => "inconclusive",
        Claim::TooFewSeeds => "too_few_seeds",
        Claim::Untested => "untested",
    }
}
