//! The smaller sections: warnings, figures, and what all of it rests on.

use super::foreign::shown;
use crate::{Figure, compare::Comparison, number::count_of};
use maud::{Markup, PreEscaped, html};

/// What a reader must know before believing a score.
pub(super) fn warnings(comparison: &Comparison) -> Markup {
    html! {
        @if !comparison.warnings.is_empty() {
            section #warnings aria-labelledby="warnings-title" {
                h2 #warnings-title { "Warnings" }
                ul.warnings { @for warning in &comparison.warnings {
                    li { strong { (shown(&warning.what)) } br; span.remedy { (shown(&warning.remedy)) } }
                } }
            }
        }
    }
}

/// The drawings. They are our own mark-up, not text.
pub(super) fn figures(figures: &[Figure]) -> Markup {
    html! {
        @if !figures.is_empty() {
            section #figures aria-labelledby="figures-title" {
                h2 #figures-title { "Figures" }
                div.figures { @for figure in figures {
                    figure {
                        h3 { (shown(&figure.title)) }
                        div.wide role="region" aria-label=(shown(&figure.title)) tabindex="0" { (PreEscaped(&figure.svg)) }
                        figcaption { (shown(&figure.caption)) }
                    }
                } }
            }
        }
    }
}

/// The runs, what differs between them, and how this was computed.
pub(super) fn provenance(comparison: &Comparison) -> Markup {
    let analysis = comparison.analysis;
    html! {
        section #provenance aria-labelledby="provenance-title" {
            h2 #provenance-title { "Provenance" }
            @for run in &comparison.runs {
                h3 { (shown(&run.name)) }
                pre.command { (shown(&run.command)) }
                p.note {
                    "evalh " (shown(&run.evalh)) ", device " (shown(&run.device)) ", kernel " (shown(&run.kernel))
                    ", weights held in " (shown(&run.dtype))
                    @if !run.machine.is_empty() { ", on " (shown(&run.machine)) } "."
                }
            }
            @if !comparison.forced.is_empty() {
                h3 { "Compared although it differs" }
                div.wide role="region" aria-label="Compared although it differs" tabindex="0" { table {
                    thead { tr { th scope="col" { "Run" } th scope="col" { "Setting" } th scope="col" { "First run" } th scope="col" { "This run" } } }
                    tbody { @for forced in &comparison.forced { tr {
                        th scope="row" { (shown(&forced.run)) }
                        td { code { (shown(&forced.field)) } }
                        td { code { (shown(&forced.first)) } }
                        td { code { (shown(&forced.here)) } }
                    } } }
                } }
            }
            p.note {
                "Intervals of " (format!("{:.0}", analysis.confidence * 100.0)) " %; bootstrap of "
                (count_of(analysis.resamples.into())) " resamples, seed " (analysis.seed) "."
            }
        }
    }
}
