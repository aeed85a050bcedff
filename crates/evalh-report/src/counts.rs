//! How answers ended, counted.

use evalh_record::{Answer, Finish, Sample};

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
