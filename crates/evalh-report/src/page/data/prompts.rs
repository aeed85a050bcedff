//! What was asked, with what all items of a task share told once.

use super::{
    rows::Row,
    shared::{Shared, blocks, own_shots},
};
use crate::page::PageInput;
use evalh_record::{ItemText, Message, Prompt, Role};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// Characters of what was asked that the list of samples shows.
const SNIPPET: usize = 110;

/// A passage of a prompt and who says it; nobody, where the prompt is one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Passage<'a>(pub(super) &'static str, pub(super) &'a str);

/// A prompt in passages: first the beginning that it shares with all items of its task, then its own solved examples, then
/// what it asks.
#[derive(Debug, Serialize)]
pub(super) struct Asked<'a> {
    /// The place of the shared beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<usize>,
    /// Solved examples of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    shots: Vec<Passage<'a>>,
    /// The rest.
    prompt: Vec<Passage<'a>>,
    /// How many solved examples there are.
    of_shots: usize,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    choices: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
}

/// The prompts of all rows.
pub(super) struct Prompts<'a> {
    heads: Vec<Vec<Passage<'a>>>,
    rows: Vec<Option<(&'a ItemText, Split<'a>)>>,
}

#[derive(Clone)]
struct Split<'a> {
    head: Option<usize>,
    shots: Vec<Passage<'a>>,
    own: Vec<Passage<'a>>,
    of_shots: usize,
}

impl<'a> Prompts<'a> {
    /// The prompts of the rows; none where texts stay out of the page.
    pub(super) fn new(input: &PageInput<'a>, rows: &[Row<'_>]) -> Prompts<'a> {
        // Where several runs tell what an item asked, the first one is shown.
        let mut items = HashMap::new();
        for item in input.items.iter().filter(|_| input.texts) {
            let key = (item.suite.as_str(), item.item.as_str());
            items.entry(key).or_insert(item);
        }
        let of_rows: Vec<_> = rows
            .iter()
            .map(|row| {
                let suite = input.comparison.suites[row.suite].name.as_str();
                items.get(&(suite, row.item)).copied()
            })
            .collect();
        let mut tasks: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (place, row) in rows.iter().enumerate() {
            tasks.entry((row.suite, row.task)).or_default().push(place);
        }
        let mut prompts = Prompts {
            heads: Vec::new(),
            rows: Vec::new(),
        };
        prompts.rows.resize_with(rows.len(), || None);
        for places in tasks.into_values() {
            let of_task: Vec<_> = places
                .into_iter()
                .filter_map(|place| {
                    let item = of_rows[place]?;
                    let shots = rows[place].samples().next().map_or(0, |s| s.shots.len());
                    Some((place, item, passages(&item.prompt), shots))
                })
                .collect();
            let all: Vec<&[Passage<'_>]> = of_task
                .iter()
                .map(|(_, _, all, _)| all.as_slice())
                .collect();
            let shared = Shared::of(&all);
            let head = shared.head(&all).map(|head| {
                prompts.heads.push(head);
                prompts.heads.len() - 1
            });
            for (place, item, all, of_shots) in of_task {
                let rest = if head.is_some() {
                    shared.rest(&all)
                } else {
                    all
                };
                let in_head = head.map_or(0, |head| blocks(&prompts.heads[head]));
                let (shots, own) = own_shots(rest, of_shots, in_head);
                let split = Split {
                    head,
                    shots,
                    own,
                    of_shots,
                };
                prompts.rows[place] = Some((item, split));
            }
        }
        prompts
    }

    /// The shared beginnings.
    pub(super) fn heads(&self) -> &[Vec<Passage<'a>>] {
        &self.heads
    }

    /// What a row's item asked, where that is known.
    pub(super) fn asked(&self, row: usize) -> Option<Asked<'a>> {
        let (item, split) = self.rows[row].as_ref()?;
        Some(Asked {
            head: split.head,
            shots: split.shots.clone(),
            prompt: split.own.clone(),
            of_shots: split.of_shots,
            choices: &item.choices,
            reference: item.reference.as_deref(),
        })
    }

    /// The first words of what a row's item asked.
    pub(super) fn snippet(&self, row: usize) -> String {
        let Some((_, split)) = &self.rows[row] else {
            return String::new();
        };
        let mut out = String::new();
        let mut length = 0;
        for word in split.own.iter().flat_map(|part| part.1.split_whitespace()) {
            if !out.is_empty() {
                out.push(' ');
            }
            let room = SNIPPET.saturating_sub(length);
            out.extend(word.chars().take(room));
            length += word.chars().count() + 1;
            if length > SNIPPET {
                out.push('\u{2026}');
                break;
            }
        }
        out
    }
}

fn passages(prompt: &Prompt) -> Vec<Passage<'_>> {
    match prompt {
        Prompt::Text(text) => vec![Passage("", text)],
        Prompt::Pair { first, second } => vec![Passage("first", first), Passage("second", second)],
        Prompt::Chat { messages, prefill } => {
            let name = |message: &Message| match message.role {
                Role::System => "system",
                Role::User => "user",
                Role::Assistant => "assistant",
            };
            let turns = messages.iter().map(|m| Passage(name(m), &m.content));
            let begun = prefill.iter().map(|text| Passage("assistant begins", text));
            turns.chain(begun).collect()
        }
    }
}
