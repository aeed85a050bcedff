//! What the trained variants answered.

use super::{confidence, dash, differences::word, text};
use crate::{
    compare::Range,
    experiment::{ArmScore, Experiment, Paired, Purpose, SuiteScores},
    markdown::{Align, Table},
    number::{count_of, difference, p_value, percent, range, score},
};
use std::fmt::Write as _;

/// Scores, forgetting and efficiency, where something was asked.
pub(super) fn section(out: &mut String, experiment: &Experiment) {
    let headings = [
        (Purpose::Target, "What was trained for"),
        (Purpose::Guard, "Forgetting"),
        (Purpose::Other, "Other suites"),
    ];
    for (purpose, heading) in headings {
        let suites: Vec<&SuiteScores> = experiment
            .scores
            .iter()
            .filter(|of| of.purpose == purpose)
            .collect();
        if !suites.is_empty() {
            let _ = writeln!(out, "## {heading}\n");
            scores(out, experiment, &suites);
        }
    }
    efficiency(out, experiment);
}

fn scores(out: &mut String, experiment: &Experiment, suites: &[&SuiteScores]) {
    let mut table = Table::new(&[
        ("suite", Align::Left),
        ("arm", Align::Left),
        ("score", Align::Right),
        ("\u{394} base", Align::Right),
        ("over items", Align::Right),
        ("p", Align::Right),
        ("finding", Align::Left),
        ("against", Align::Left),
        ("extra", Align::Right),
        ("over items", Align::Right),
        ("p", Align::Right),
        ("finding", Align::Left),
    ]);
    for suite in suites {
        let name = name(suite);
        let mut base = vec![
            format!("{} {}", text(&suite.suite), text(name)),
            "base".to_owned(),
            suite
                .base
                .map_or_else(dash, |value| score(name, value, None)),
        ];
        base.resize(12, String::new());
        table.row(base);
        for of in &suite.arms {
            table.row(row(experiment, suite, of));
        }
    }
    let _ = writeln!(out, "{table}");
    for suite in suites {
        if let Some(detectable) = suite.detectable {
            let unit = if suite.is_share { " points" } else { "" };
            let _ = writeln!(
                out,
                "{} items of {} show a difference of one adapter from the base of {}{unit} or more.",
                count_of(suite.items as u64),
                text(&suite.suite),
                difference(name(suite), detectable).trim_start_matches('+')
            );
        }
    }
    let _ = writeln!(
        out,
        "\n\u{394} base: the arm minus the base; extra: the arm minus the one that it is held against, both paired by seed, with {} intervals over seeds on these items (p corrected for all differences of all suites). Over items: an interval of the same mean over items like these, as wide as one seed's, since seeds share their items. A finding needs both to leave 0 out.\n",
        confidence(experiment)
    );
}

fn row(experiment: &Experiment, suite: &SuiteScores, of: &ArmScore) -> Vec<String> {
    let name = name(suite);
    let arm = &experiment.arms[of.arm];
    let mut cells = vec![
        String::new(),
        text(&arm.name),
        score(name, of.score.mean, of.score.sd),
    ];
    cells.extend(paired(suite, Some(&of.delta), of.delta_items));
    let reference = of.extra.as_ref().and(arm.reference);
    cells.push(reference.map_or_else(dash, |at| text(&experiment.arms[at].name)));
    cells.extend(paired(suite, of.extra.as_ref(), of.extra_items));
    cells
}

fn paired(suite: &SuiteScores, of: Option<&Paired>, items: Option<Range>) -> [String; 4] {
    let Some(of) = of else {
        return [dash(), dash(), dash(), dash()];
    };
    let name = name(suite);
    let over_seeds = of.interval.map_or_else(String::new, |seeds| {
        format!(" {}", range(name, seeds, true))
    });
    let (higher, lower) = if suite.lower_is_better {
        ("worse", "better")
    } else {
        ("better", "worse")
    };
    [
        format!("{}{over_seeds}", difference(name, of.value)),
        items.map_or_else(dash, |items| range(name, items, true)),
        of.p_holm.map_or_else(dash, p_value),
        word(of.claim, higher, lower).to_owned(),
    ]
}

/// Gains for what they cost.
fn efficiency(out: &mut String, experiment: &Experiment) {
    let mut table = Table::new(&[
        ("suite", Align::Left),
        ("arm", Align::Left),
        ("trained", Align::Right),
        ("of all", Align::Right),
        ("gain", Align::Right),
        ("for a million parameters", Align::Right),
        ("for a minute of training", Align::Right),
    ]);
    let mut any = false;
    for suite in experiment
        .scores
        .iter()
        .filter(|of| of.purpose == Purpose::Target)
    {
        for of in &suite.arms {
            any = true;
            let arm = &experiment.arms[of.arm];
            let name = name(suite);
            let sign = if suite.lower_is_better { -1.0 } else { 1.0 };
            let share = arm.trainable_parameters.zip(arm.total_parameters);
            table.row(vec![
                text(&suite.suite),
                text(&arm.name),
                arm.trainable_parameters.map_or_else(dash, count_of),
                share.map_or_else(dash, |(trained, all)| {
                    format!("{} %", percent(trained as f64 / all.max(1) as f64))
                }),
                difference(name, sign * of.delta.value),
                of.gain_per_million
                    .map_or_else(dash, |gain| difference(name, gain)),
                of.gain_per_minute.map_or_else(dash, |gain| {
                    let over = gain.interval.map_or_else(String::new, |seeds| {
                        format!(" {}", range(name, seeds, true))
                    });
                    format!("{}{over}", difference(name, gain.mean))
                }),
            ]);
        }
    }
    if any {
        let _ = writeln!(
            out,
            "## Efficiency\n\n{table}\nGain: the difference from the base, positive where it is better, in the suite's unit; shares of items in points. A gain that the table above does not show beyond chance is none that efficiency could be told of.\n"
        );
    }
}

fn name(suite: &SuiteScores) -> &str {
    suite.metric.split(',').next().unwrap_or(&suite.metric)
}
