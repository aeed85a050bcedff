//! What the coming pass reads.

use super::{Batch, MOST_LOGIT_BYTES};
use crate::{Forward, Text};
use std::ops::Range;

/// Tokens of one row.
pub struct Span {
    /// The row's place among the active ones.
    pub row: usize,
    /// Places in its feed.
    pub tokens: Range<usize>,
    /// Whether it is decode.
    pub decode: bool,
}

impl<F: Forward, T: Text> Batch<'_, F, T> {
    /// Every decode row with its drafts, and prefill in the order of admission up to the step's tokens; a variant's after each other, so that
    /// its updates act on one stretch of tokens.
    pub(super) fn choose_spans(&mut self) {
        self.spans.clear();
        let step = self.options.step_tokens.get();
        let mut decode = self.active.iter().filter(|row| row.is_decoding()).count();
        // Each asks for a row of logits, which takes memory that one variant alone does not.
        let mut most_drafts = step / 8;
        for (i, row) in self.active.iter_mut().enumerate() {
            if !row.is_decoding() {
                continue;
            }
            if let Some(drafting) = &self.drafting {
                let drafts = row.draft(drafting, decode, most_drafts);
                most_drafts -= drafts;
                decode += drafts;
            }
            self.spans.push(Span {
                row: i,
                tokens: row.unread(),
                decode: true,
            });
        }
        let mut budget = step.saturating_sub(decode).max(step.div_ceil(8));
        let row_bytes = self.vocabulary.size * size_of::<f32>();
        let mut logits = (MOST_LOGIT_BYTES / row_bytes.max(1)).max(1);
        let (active, common, drafting) = (&self.active, &self.beside, self.drafting.as_ref());
        let prefill: Vec<usize> = (0..active.len())
            .filter(|row| !active[*row].is_decoding())
            .collect();
        // Those that run beside each other stay at the same place.
        let beside = |a: &usize, b: &usize| {
            let (a, b) = (&active[*a], &active[*b]);
            a.unit == b.unit && a.unread() == b.unread() && common.together(a.unit, drafting)
        };
        for rows in prefill.chunk_by(beside) {
            // One token each where there is nothing else to do, and otherwise all of them or none.
            if budget < rows.len() && !self.spans.is_empty() {
                break;
            }
            let (each, each_logits) = ((budget / rows.len()).max(1), logits / rows.len());
            for row in rows {
                let reader = &active[*row];
                let unread = reader.unread();
                let end = unread.end.min(unread.start + each);
                let tokens = unread.start..reader.end_of(&(unread.start..end), each_logits);
                if tokens.is_empty() {
                    continue;
                }
                budget = budget.saturating_sub(tokens.len());
                logits -= reader.logits_of(&tokens);
                self.spans.push(Span {
                    row: *row,
                    decode: false,
                    tokens,
                });
            }
        }
        self.spans.sort_by_key(|span| active[span.row].variant);
    }
}
