//! The document around the sections.

use super::{
    PageInput, assets, browser, data::Data, efficiency, foreign::shown, forgetting, replicated,
    scores, sections, verdict,
};
use crate::{compare::Comparison, number::count_of};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// A balance, drawn: no file is fetched for it.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M8 2v12M4 14h8M2 5h12M2 5l-1 5h4L4 5M12 5l-1 5h4l-1-5' fill='none' stroke='%23777' stroke-width='1.4'/%3E%3C/svg%3E";

/// The whole page.
pub(super) fn document(input: &PageInput<'_>, data: &Data) -> Markup {
    let comparison = input.comparison;
    let figures = input.figures.iter();
    let styles: Vec<_> = std::iter::once(assets::STYLES)
        .chain(figures.flat_map(|figure| assets::styles_of(&figure.svg)))
        .collect();
    let title = title(comparison);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(assets::policy(styles));
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { (title) " \u{b7} evalh" }
                link rel="icon" href=(ICON);
                style { (PreEscaped(assets::STYLES)) }
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                header.top {
                    div.names { h1 { (title) } p { (suites(comparison)) } }
                    nav aria-label="Views" {
                        a #to-report href="#view=report" aria-current="page" { "Report" }
                        a #to-samples href="#view=samples" { "Samples " span.count { (count_of(data.items as u64)) } }
                        button #theme type="button" aria-keyshortcuts="t" { "Theme" }
                        button #keys type="button" aria-label="Keys" aria-keyshortcuts="?" { "?" }
                    }
                }
                main #main tabindex="-1" {
                    div #report { (report(input)) }
                    (browser::view(data, input.texts))
                }
                noscript { p.note.noscript { "The samples need JavaScript; the report does not." } }
                (browser::help())
                (packed("index", &data.index))
                (packed("heads", &data.heads))
                @for (place, chunk) in data.chunks.iter().enumerate() { (packed(&format!("chunk-{place}"), chunk)) }
                script { (PreEscaped(assets::SCRIPTS)) }
            }
        }
    }
}

/// A block of data: no script type that a browser would run, and base64 within.
fn packed(id: &str, base64: &str) -> Markup {
    html! { script type="text/plain" id=(id) { (PreEscaped(base64)) } "\n" }
}

fn report(input: &PageInput<'_>) -> Markup {
    let comparison = input.comparison;
    html! {
        nav.contents aria-label="Sections" {
            @for (id, title) in contents(input) { a href={ "#" (id) } { (title) } }
        }
        (verdict::section(comparison))
        (scores::section(comparison, input.texts))
        (forgetting::section(comparison))
        (efficiency::section(comparison))
        (replicated::section(comparison))
        (sections::warnings(comparison))
        (sections::figures(input.figures))
        (sections::provenance(comparison))
    }
}

/// The sections that there are.
fn contents(input: &PageInput<'_>) -> Vec<(&'static str, &'static str)> {
    let comparison = input.comparison;
    let sections = [
        ("scores", "Scores", true),
        ("forgetting", "Forgetting", forgetting::is_told(comparison)),
        ("efficiency", "Efficiency", efficiency::is_told(comparison)),
        (
            "replicated",
            "Over models and seeds",
            !comparison.replicated.is_empty(),
        ),
        ("warnings", "Warnings", !comparison.warnings.is_empty()),
        ("figures", "Figures", !input.figures.is_empty()),
        ("provenance", "Provenance", true),
    ];
    let told = sections.into_iter().filter(|(.., is_told)| *is_told);
    told.map(|(id, title, _)| (id, title)).collect()
}

/// What is compared: `tuned_a and tuned_b against smollm`.
fn title(comparison: &Comparison) -> String {
    let (bases, others): (Vec<_>, Vec<_>) = comparison
        .variants
        .iter()
        .partition(|variant| variant.base.is_none());
    let names = |variants: &[&crate::compare::Variant]| match variants {
        [] => "no variant".to_owned(),
        [one] => shown(&one.name),
        [one, other] => format!("{} and {}", shown(&one.name), shown(&other.name)),
        [first, rest @ ..] => format!("{} and {} others", shown(&first.name), rest.len()),
    };
    if others.is_empty() {
        names(&bases)
    } else {
        format!("{} against {}", names(&others), names(&bases))
    }
}

fn suites(comparison: &Comparison) -> String {
    let names: Vec<_> = comparison
        .suites
        .iter()
        .map(|suite| shown(&suite.name))
        .collect();
    names.join(", ")
}
