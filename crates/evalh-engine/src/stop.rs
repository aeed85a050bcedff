//! Where a completion ends.

/// The stop strings of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopStrings {
    stops: Vec<String>,
    longest: usize,
}

/// The place of a stop string in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StopMatch {
    /// Byte at which it begins: the completion ends before it.
    pub at: usize,
    /// Which stop string, by its place in the list.
    pub stop: usize,
}

impl StopStrings {
    /// Stop strings, none of them empty.
    pub fn new(stops: Vec<String>) -> Self {
        debug_assert!(stops.iter().all(|stop| !stop.is_empty()));
        let longest = stops.iter().map(String::len).max().unwrap_or(0);
        Self { stops, longest }
    }

    /// The strings, in order.
    pub fn strings(&self) -> &[String] {
        &self.stops
    }

    /// The stop string that begins first in `text`, the first listed where several begin there.
    ///
    /// The first `searched` bytes have been searched before without success, so only places that reach beyond them are
    /// looked at. (lm-eval cuts at each stop string in the order of the list; that is the same cut unless two stop
    /// strings overlap in the text.)
    pub fn find(&self, text: &str, searched: usize) -> Option<StopMatch> {
        let mut from = searched
            .min(text.len())
            .saturating_sub(self.longest.saturating_sub(1));
        while !text.is_char_boundary(from) {
            from -= 1;
        }
        let tail = &text[from..];
        let places = self.stops.iter().enumerate();
        places
            .filter_map(|(stop, string)| {
                tail.find(string.as_str()).map(|at| StopMatch {
                    at: from + at,
                    stop,
                })
            })
            .min_by_key(|found| (found.at, found.stop))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stops(list: &[&str]) -> StopStrings {
        StopStrings::new(list.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_earliest_stop_wins_and_the_first_listed_on_ties() {
        let two = stops(&["\ndef", "\n#", "\n"]);
        assert_eq!(
            two.find("a\n# b\ndef", 0),
            Some(StopMatch { at: 1, stop: 1 })
        );
        assert_eq!(two.find("abc", 0), None);
        assert_eq!(stops(&[]).find("abc", 0), None);
        assert_eq!(two.find("\n", 0), Some(StopMatch { at: 0, stop: 2 }));
    }

    #[test]
    fn a_window_that_begins_inside_a_character_is_widened() {
        assert_eq!(
            stops(&["éx"]).find("aééx", 5),
            Some(StopMatch { at: 3, stop: 0 })
        );
    }

    proptest! {
        #[test]
        fn searching_piece_by_piece_finds_what_the_first_sufficient_prefix_holds(
            pieces in prop::collection::vec("[abé]{0,3}", 0..12),
            list in prop::collection::vec("[abé]{1,4}", 1..4),
        ) {
            let stops = StopStrings::new(list.clone());
            let mut text = String::new();
            for piece in pieces {
                let searched = text.len();
                text.push_str(&piece);
                let found = stops.find(&text, searched);
                let expected = list.iter().enumerate().filter_map(|(i, s)| Some((text.find(s.as_str())?, i))).min();
                prop_assert_eq!(found.map(|f| (f.at, f.stop)), expected);
                if found.is_some() {
                    break;
                }
            }
        }
    }
}
