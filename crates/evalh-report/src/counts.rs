//! How answers ended, counted.

use evalh_record::{Answer, Finish, Outcome, Sample};
use std::collections::BTreeMap;

/// How a set of generations ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Finishes {
    /// By a stop string.
    pub stop: usize,
    /// By an end-of-sequence token.
    pub eos: usize,
    /// By the limit of tokens.
    pub length: usize,
}

impl Finishes {
    /// Counts the generated answers among the samples.
    pub(crate) fn of<'s>(samples: impl IntoIterator<Item = &'s Sample>) -> Finishes {
        let mut counts = Finishes::default();
        for sample in samples {
            if let Answer::Generated(generation) = &sample.answer {
                match generation.finish {
                    Finish::Stop(_) => counts.stop += 1,
                    Finish::Eos(_) => counts.eos += 1,
                    Finish::Length => counts.length += 1,
                }
            }
        }
        counts
    }

    /// All generations.
    pub(crate) fn total(self) -> usize {
        self.stop + self.eos + self.length
    }
}

/// Programs by the kind of their outcome, in the order of [`Outcome::KINDS`].
pub(crate) fn outcomes<'s>(
    samples: impl IntoIterator<Item = &'s Sample>,
) -> [usize; Outcome::KINDS.len()] {
    let mut counts = [0; Outcome::KINDS.len()];
    for outcome in samples
        .into_iter()
        .filter_map(|sample| sample.outcome.as_ref())
    {
        for (count, kind) in counts.iter_mut().zip(Outcome::KINDS) {
            *count += usize::from(outcome.kind() == kind);
        }
    }
    counts
}

/// Exception classes by how often they occurred, the most frequent first.
pub(crate) fn error_classes<'s>(
    samples: impl IntoIterator<Item = &'s Sample>,
) -> Vec<(&'s str, usize)> {
    let mut counts = BTreeMap::new();
    for sample in samples {
        if let Some(Outcome::Error { class, .. }) = &sample.outcome {
            *counts.entry(class.as_str()).or_insert(0) += 1;
        }
    }
    let mut sorted: Vec<_> = counts.into_iter().collect();
    sorted.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    sorted
}
