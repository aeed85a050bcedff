//! What the prompts of a task have in common: instructions, solved examples.

use super::prompts::Passage;

/// A shared beginning shorter than this, in bytes, is not worth a fold.
const WORTH_A_FOLD: usize = 80;

/// How far the prompts of a task begin alike: so many whole passages, then so many bytes of the next one.
#[derive(Clone, Copy)]
pub(super) struct Shared {
    passages: usize,
    bytes: usize,
}

impl Shared {
    pub(super) fn of(all: &[&[Passage<'_>]]) -> Shared {
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
    pub(super) fn head<'a>(self, all: &[&[Passage<'a>]]) -> Option<Vec<Passage<'a>>> {
        let first = all.first()?;
        let mut head = first[..self.passages].to_vec();
        if self.bytes > 0 {
            let part = first[self.passages];
            head.push(Passage(part.0, &part.1[..self.bytes]));
        }
        (!head.is_empty()).then_some(head)
    }

    /// What follows it in one prompt.
    pub(super) fn rest<'a>(self, parts: &[Passage<'a>]) -> Vec<Passage<'a>> {
        let mut rest = parts[self.passages..].to_vec();
        if let Some(first) = rest.first_mut() {
            first.1 = &first.1[self.bytes..];
        }
        rest
    }
}

/// Blocks of text with an empty line after them.
pub(super) fn blocks(parts: &[Passage<'_>]) -> usize {
    let ends = parts.iter().map(|part| part.1.matches("\n\n").count() + 1);
    ends.sum()
}

/// Parts the solved examples of an item's own from what it asks: turns before the last one of the user, or blocks apart by
/// empty lines where there are as many as examples. Where neither is so, nothing is folded.
pub(super) fn own_shots(
    rest: Vec<Passage<'_>>,
    shots: usize,
    in_head: usize,
) -> (Vec<Passage<'_>>, Vec<Passage<'_>>) {
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
