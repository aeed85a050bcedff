//! The details of one suite.

use super::{
    capital,
    escape::text,
    scores::{differs, parts},
    table::{Align, Table},
};
use crate::{
    compare::{Against, ComparedSuite, Comparison, Finding, Flip, OutcomeCount},
    number::{count_of, counted, range},
    verdict::{name, power},
};
use std::fmt::Write as _;

/// Flips that are shown of a variant; the rest are counted.
const FLIPS: usize = 50;

/// Outcomes that have a column; the rest are summed.
const OUTCOMES: usize = 8;

/// How the names of those outcomes begin that tell what ended a generation.
const ENDED: &str = "ended by";

/// How the suite was asked, all of its metrics, what flipped, how answers ended.
pub(super) fn section(out: &mut String, comparison: &Comparison, suite: &ComparedSuite) {
    let _ = writeln!(
        out,
        "## {} ({})\n\n{}.\n",
        text(&suite.name),
        text(&suite.protocol),
        capital(&suite.asked)
    );
    let more = suite.parts.iter().filter(|part| !part.detail);
    let shown: Vec<_> = more.collect();
    let extra = shown.len() > 1 || shown.iter().any(|part| part.metrics.len() > 1);
    if extra {
        let _ = writeln!(out, "{}", parts(comparison, shown.into_iter()));
    }
    let details: Vec<_> = suite.parts.iter().filter(|part| part.detail).collect();
    if !details.is_empty() {
        let tasks = counted(details.len(), "task");
        let table = parts(comparison, details.into_iter());
        let _ = writeln!(
            out,
            "<details><summary>{tasks}</summary>\n\n{table}\n</details>\n"
        );
    }
    if differs(comparison) {
        what_items_show(out, comparison, suite);
        flips(out, comparison, suite);
    }
    outcomes(out, comparison, suite);
}

/// Power, and what is left of the intervals where whole tasks are drawn.
fn what_items_show(out: &mut String, comparison: &Comparison, suite: &ComparedSuite) {
    let Some(metric) = suite.headline() else {
        return;
    };
    let mut any = false;
    for contrast in &metric.contrasts {
        let against = match contrast.against {
            Against::Base => "the base".to_owned(),
            Against::Standard => text(&comparison.variants[contrast.other].name),
        };
        let power = power(suite, metric, contrast);
        let mut parts: Vec<String> = power
            .iter()
            .filter(|_| contrast.finding != Finding::Identical)
            .map(|power| text(power))
            .collect();
        if let Some(clustered) = contrast.clustered {
            parts.push(format!(
                "with whole tasks drawn, the interval is {}",
                range(name(metric), clustered, true)
            ));
        }
        parts.push(format!(
            "{} of {} answers are the same word for word",
            count_of(contrast.same_answers as u64),
            count_of(contrast.items as u64)
        ));
        any = true;
        let _ = writeln!(
            out,
            "- **{}** against {against}: {}.",
            text(&comparison.variants[contrast.variant].name),
            parts.join("; ")
        );
    }
    if any {
        let _ = writeln!(out);
    }
}

fn flips(out: &mut String, comparison: &Comparison, suite: &ComparedSuite) {
    if suite.flips.is_empty() {
        return;
    }
    let mut table = Table::new(&[
        ("variant", Align::Left),
        ("item", Align::Left),
        ("", Align::Left),
        ("base", Align::Left),
        ("variant's", Align::Left),
    ]);
    let mut left_out = Vec::new();
    for (variant, facts) in comparison.variants.iter().enumerate() {
        let own: Vec<&Flip> = suite
            .flips
            .iter()
            .filter(|flip| flip.variant == variant)
            .collect();
        for flip in own.iter().take(FLIPS) {
            table.row(vec![
                text(&facts.name),
                text(&flip.item),
                if flip.won { "won" } else { "lost" }.to_owned(),
                text(&flip.base),
                text(&flip.here),
            ]);
        }
        if own.len() > FLIPS {
            let more = count_of((own.len() - FLIPS) as u64);
            left_out.push(format!("{} {more} more", text(&facts.name)));
        }
    }
    let rest = if left_out.is_empty() {
        String::new()
    } else {
        format!("\nNot shown: {}.\n", left_out.join(", "))
    };
    let _ = writeln!(
        out,
        "<details><summary>Items won and lost: {}</summary>\n\n{table}{rest}\n</details>\n",
        count_of(suite.flips.len() as u64)
    );
}

fn outcomes(out: &mut String, comparison: &Comparison, suite: &ComparedSuite) {
    let is_end = |of: &&OutcomeCount| of.outcome.starts_with(ENDED);
    let (ends, programs): (Vec<_>, Vec<_>) = suite.outcomes.iter().partition(is_end);
    for (title, counts) in [("programs", programs), ("answers", ends)] {
        if !counts.is_empty() {
            let _ = writeln!(out, "{}", outcome_table(comparison, title, &counts));
        }
    }
}

fn outcome_table(comparison: &Comparison, title: &str, counts: &[&OutcomeCount]) -> Table {
    let mut names: Vec<(&str, usize)> = Vec::new();
    let mut variants: Vec<usize> = Vec::new();
    for of in counts {
        match names.iter_mut().find(|(name, _)| *name == of.outcome) {
            Some((_, count)) => *count += of.count,
            None => names.push((&of.outcome, of.count)),
        }
        if !variants.contains(&of.variant) {
            variants.push(of.variant);
        }
    }
    names.sort_by_key(|(name, count)| (*name != "passed", std::cmp::Reverse(*count)));
    let (columns, rest) = names.split_at(names.len().min(OUTCOMES));
    let shown: Vec<String> = columns.iter().map(|(name, _)| text(name)).collect();
    let mut titles = vec![(title, Align::Left)];
    titles.extend(shown.iter().map(|name| (name.as_str(), Align::Right)));
    if !rest.is_empty() {
        titles.push(("others", Align::Right));
    }
    let mut table = Table::new(&titles);
    for variant in variants {
        let count = |name: &str| {
            let mut own = counts.iter().filter(|of| of.variant == variant);
            own.find(|of| of.outcome == name).map_or(0, |of| of.count)
        };
        let mut cells = vec![text(&comparison.variants[variant].name)];
        cells.extend(columns.iter().map(|(name, _)| count_of(count(name) as u64)));
        if !rest.is_empty() {
            let sum: usize = rest.iter().map(|(name, _)| count(name)).sum();
            cells.push(count_of(sum as u64));
        }
        table.row(cells);
    }
    table
}
