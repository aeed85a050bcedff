//! The frame of the sample browser. The script fills it.

use super::data::Data;
use crate::number::counted;
use maud::{Markup, html};

/// The filters: their name in the address, their label.
const FILTERS: [(&str, &str); 6] = [
    ("suite", "Suite"),
    ("task", "Task"),
    ("variant", "Variant"),
    ("outcome", "Outcome"),
    ("flip", "Against base"),
    ("score", "Score"),
];

/// The view of samples.
pub(super) fn view(data: &Data, texts: bool) -> Markup {
    html! {
        div #samples hidden {
            h2.visually-hidden { "Samples" }
            form #filters role="search" aria-label="Filter samples" {
                div.search {
                    label.visually-hidden for="q" { "Search" }
                    input #q type="search" autocomplete="off" spellcheck="false" placeholder=(placeholder(texts)) aria-keyshortcuts="/";
                    kbd aria-hidden="true" { "/" }
                }
                div.selects {
                    @for (name, label) in FILTERS {
                        label { span { (label) } select id={ "filter-" (name) } name=(name) {} }
                    }
                    button #clear type="button" { "Clear" }
                }
            }
            p #status role="status" { (counted(data.items, "item")) ", " (counted(data.answers, "answer")) }
            @if !texts {
                p.note.without-texts {
                    "This page was made without texts: prompts, completions, references and messages of programs are left out."
                }
            }
            div.panes {
                div.list {
                    div #columns aria-hidden="true" {}
                    div #rows role="listbox" aria-label="Items" tabindex="0" { div #runway role="presentation" {} }
                }
                article #sample tabindex="-1" aria-live="off" aria-label="Sample" hidden {}
            }
        }
    }
}

fn placeholder(texts: bool) -> &'static str {
    if texts {
        "Search item, prompt, completion"
    } else {
        "Search item"
    }
}

/// The keys, told by `?`.
pub(super) fn help() -> Markup {
    let keys: [(&[&str], &str); 10] = [
        (&["/"], "search"),
        (&["j", "\u{2193}"], "next item"),
        (&["k", "\u{2191}"], "previous item"),
        (&["Enter"], "open the item"),
        (&["Esc"], "close it, leave the search"),
        (&["d"], "next text to diff against"),
        (&["s"], "samples"),
        (&["r"], "report"),
        (&["t"], "theme"),
        (&["?"], "these keys"),
    ];
    html! {
        dialog #help aria-labelledby="help-title" {
            h2 #help-title { "Keys" }
            dl { @for (names, what) in keys {
                div { dt { @for name in names { kbd { (name) } " " } } dd { (what) } }
            } }
            form method="dialog" { button { "Close" } }
        }
    }
}
