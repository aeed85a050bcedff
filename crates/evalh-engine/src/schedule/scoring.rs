//! Continuations being scored.

use crate::{LogSoftmax, prepare::PreparedContext};
use evalh_record::ContinuationScore;

/// Continuations being scored, one branch after another.
pub struct Scoring<'e> {
    /// What is scored.
    pub context: &'e PreparedContext,
    branch: usize,
    sums: Vec<f64>,
    greedy: Vec<bool>,
}

impl<'e> Scoring<'e> {
    /// Nothing scored yet.
    pub fn new(context: &'e PreparedContext) -> Self {
        let members = context.members.len();
        Self {
            context,
            branch: 0,
            sums: vec![0.0; members],
            greedy: vec![true; members],
        }
    }

    /// The logits after the context are for every continuation's first token, those within a branch for its members.
    pub fn take(&mut self, position: usize, softmax: LogSoftmax, logits: &[f32]) {
        let token = position + 1 - self.context.context.len();
        let everyone;
        let members = if token == 0 {
            everyone = (0..self.sums.len()).collect::<Vec<_>>();
            &everyone
        } else {
            &self.context.branches[self.branch].members
        };
        for &member in members {
            let target = self.context.members[member].1[token];
            self.sums[member] += softmax.log_prob(logits[target as usize]);
            self.greedy[member] &= target == softmax.argmax;
        }
    }

    /// What is to be read after the context next, if anything is.
    pub fn next_branch(&mut self) -> Option<&'e [u32]> {
        self.branch += 1;
        self.context
            .branches
            .get(self.branch)
            .map(|branch| branch.tail.as_slice())
    }

    /// Place in the request and score of each continuation.
    pub fn scores(&self) -> Vec<(usize, ContinuationScore)> {
        let sums = self.sums.iter().zip(&self.greedy);
        let members = self.context.members.iter().zip(sums);
        members
            .map(|((place, ids), (&log_prob, &is_greedy))| {
                (
                    *place,
                    ContinuationScore {
                        log_prob,
                        tokens: ids.len(),
                        is_greedy,
                    },
                )
            })
            .collect()
    }
}
