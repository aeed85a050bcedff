//! What was asked, with what all items of a task share told once.

use super::rows::Row;
use crate::page::PageInput;
use evalh_record::{ItemText, Message, Prompt, Role};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// Characters of what was asked that the list of samples shows.
const SNIPPET: usize = 110;

/// A shared beginning shorter than this, in bytes, is not worth a fold.
const WORTH_A_FOLD: usize = 80;

/// A passage of a prompt and who says it; nobody, where the prompt is one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Passage<'a>(&'static str, &'a str);

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
        let items = input.items.iter().filter(|_| input.texts);
        let items: HashMap<_, _> = items
            .map(|item| ((item.suite.as_str(), item.item.as_str()), item))
            .collect();
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

/// How far the prompts of a task begin alike: so many whole passages, then so many bytes of the next one.
#[derive(Clone, Copy)]
struct Shared {
    passages: usize,
    bytes: usize,
}

impl Shared {
    fn of(all: &[&[Passage<'_>]]) -> Shared {
        let nothing = Shared {
            passages: 0,
            bytes: 0,
        };
        let [first, others @ ..] = all else {
            return nothing;
        };
        if others.is_empty() {
            return nothing;
        }
        // At least one passage stays outside of the fold.
        let shortest = all.iter().map(|parts| parts.len()).min().unwrap_or(0);
        let mut passages = shortest.saturating_sub(1);
        let mut bytes = first.get(passages).map_or(0, |part| part.1.len());
        for parts in others {
            let same = parts.iter().zip(*first).take_while(|(a, b)| a == b).count();
            if same < passages {
                passages = same;
                bytes = first[same].1.len();
            }
            let (Some(a), Some(b)) = (parts.get(passages), first.get(passages)) else {
                return nothing;
            };
            if a.0 != b.0 {
                bytes = 0;
            }
            let alike = a.1.bytes().zip(b.1.bytes()).take_while(|(a, b)| a == b);
            // Nobody's passage is folded away whole.
            bytes = bytes.min(alike.count()).min(a.1.len().saturating_sub(1));
        }
        let text = first.get(passages).map_or("", |part| part.1);
        bytes = bytes.min(text.len().saturating_sub(1));
        bytes = text.as_bytes()[..bytes]
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |at| at + 1);
        if passages == 0 && bytes < WORTH_A_FOLD {
            return nothing;
        }
        Shared { passages, bytes }
    }

    /// What is shared, where something is.
    fn head<'a>(self, all: &[&[Passage<'a>]]) -> Option<Vec<Passage<'a>>> {
        let first = all.first()?;
        let mut head = first[..self.passages].to_vec();
        if self.bytes > 0 {
            let part = first[self.passages];
            head.push(Passage(part.0, &part.1[..self.bytes]));
        }
        (!head.is_empty()).then_some(head)
    }

    /// What follows it in one prompt.
    fn rest<'a>(self, parts: &[Passage<'a>]) -> Vec<Passage<'a>> {
        let mut rest = parts[self.passages..].to_vec();
        if let Some(first) = rest.first_mut() {
            first.1 = &first.1[self.bytes..];
        }
        rest
    }
}

/// Blocks of text with an empty line after them.
fn blocks(parts: &[Passage<'_>]) -> usize {
    let ends = parts.iter().map(|part| part.1.matches("\n\n").count() + 1);
    ends.sum()
}

/// Parts the solved examples of an item's own from what it asks: turns before the last one of the user, or blocks apart by
/// empty lines where there are as many as examples. Where neither is so, nothing is folded.
fn own_shots<'a>(
    rest: Vec<Passage<'a>>,
    shots: usize,
    in_head: usize,
) -> (Vec<Passage<'a>>, Vec<Passage<'a>>) {
    if shots == 0 || in_head > shots {
        return (Vec::new(), rest);
    }
    if let Some(last) = rest.iter().rposition(|part| part.0 == "user")
        && last >= shots
    {
        let mut rest = rest;
        let own = rest.split_off(last);
        return (rest, own);
    }
    if let [Passage(who, text)] = rest[..]
        && text.matches("\n\n").count() == shots
        && let Some(at) = text.rfind("\n\n")
    {
        let (before, own) = text.split_at(at + 2);
        return (vec![Passage(who, before)], vec![Passage(who, own)]);
    }
    (Vec::new(), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split<'a>(texts: &[&'a str]) -> (Option<Vec<Passage<'a>>>, Vec<Vec<Passage<'a>>>) {
        let parts: Vec<_> = texts.iter().map(|text| vec![Passage("", text)]).collect();
        let all: Vec<_> = parts.iter().map(Vec::as_slice).collect();
        let shared = Shared::of(&all);
        let rest = all.iter().map(|parts| shared.rest(parts)).collect();
        (shared.head(&all), rest)
    }

    #[test]
    fn shots_that_all_items_share_are_told_once() {
        let head = "The following are questions about \u{e9}tudes of a certain kind.\n\nQ: a much longer one?\nA: B\n\n";
        let [a, b] = ["Q: one?\nA:", "Q: two?\nA:"].map(|own| head.to_owned() + own);
        let (shared, rest) = split(&[&a, &b]);
        assert_eq!(shared.unwrap(), [Passage("", head)]);
        assert_eq!(rest[0], [Passage("", "Q: one?\nA:")]);
        assert_eq!(rest[1], [Passage("", "Q: two?\nA:")]);
    }

    #[test]
    fn what_differs_early_or_stands_alone_or_is_the_same_stays_whole() {
        for texts in [
            &["abc", "abd"][..],
            &["abc"],
            &["x\n", "x\n"],
            &["", "a"],
            &[],
        ] {
            let (shared, rest) = split(texts);
            assert!(shared.is_none());
            let whole: Vec<_> = texts.iter().map(|text| vec![Passage("", text)]).collect();
            assert_eq!(rest, whole);
        }
    }

    #[test]
    fn shared_turns_are_told_once() {
        let chat = |last| vec![Passage("system", "s"), Passage("user", last)];
        let (a, b) = (chat("one"), chat("two"));
        let all = [a.as_slice(), b.as_slice()];
        let shared = Shared::of(&all);
        assert_eq!(shared.head(&all).unwrap(), [Passage("system", "s")]);
        assert_eq!(shared.rest(&b), [Passage("user", "two")]);
    }

    #[test]
    fn examples_drawn_for_one_item_are_folded() {
        let text = vec![Passage("", "Q: a\nA: 1\n\nQ: b\nA: 2\n\nQ: c\nA:")];
        let (shots, own) = own_shots(text.clone(), 2, 0);
        assert_eq!(shots, [Passage("", "Q: a\nA: 1\n\nQ: b\nA: 2\n\n")]);
        assert_eq!(own, [Passage("", "Q: c\nA:")]);
        assert_eq!(own_shots(text.clone(), 0, 0).1, text);
        assert_eq!(own_shots(text.clone(), 5, 0).1, text);
    }
}
