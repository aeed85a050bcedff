//! What an import leaves behind, by key.

/// A key of the YAML file that is not in the definition.
struct Note {
    key: String,
    why: String,
    changes_scores: bool,
}

/// What was not carried over, in the order in which it was found.
#[derive(Default)]
pub(super) struct Notes(Vec<Note>);

impl Notes {
    /// A key without which the scores stay what they are.
    pub(super) fn lost(&mut self, key: impl Into<String>, why: impl Into<String>) {
        self.push(key.into(), why.into(), false);
    }

    /// A key without which the scores are others.
    pub(super) fn changes(&mut self, key: impl Into<String>, why: impl Into<String>) {
        self.push(key.into(), why.into(), true);
    }

    fn push(&mut self, key: String, why: String, changes_scores: bool) {
        self.0.push(Note {
            key,
            why,
            changes_scores,
        });
    }

    /// Those that change scores, as one text, or `None`.
    pub(super) fn changing(&self) -> Option<String> {
        let changing: Vec<String> = self
            .0
            .iter()
            .filter(|note| note.changes_scores)
            .map(|note| format!("`{}`: {}", note.key, note.why))
            .collect();
        (!changing.is_empty()).then(|| changing.join("; "))
    }

    /// Key and reason of each.
    pub(super) fn into_pairs(self) -> Vec<(String, String)> {
        self.0
            .into_iter()
            .map(|note| {
                let mark = if note.changes_scores {
                    " (without it scores differ)"
                } else {
                    ""
                };
                (note.key, note.why + mark)
            })
            .collect()
    }
}
