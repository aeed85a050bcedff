//! Losses: a sum over all texts, over another.

use crate::compare::answers::Items;
use evalh_record::{Answer, TextScore};
use std::f64::consts::LN_2;

/// Which loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::compare) enum Kind {
    NatsPerToken,
    BitsPerByte,
}

impl Kind {
    pub fn of(metric: &str) -> Option<Kind> {
        match metric {
            "nats_per_token" => Some(Kind::NatsPerToken),
            "bits_per_byte" => Some(Kind::BitsPerByte),
            _ => None,
        }
    }
}

/// Each item's part of both sums.
pub(in crate::compare) struct Totals {
    parts: Vec<(f64, f64)>,
}

impl Totals {
    pub fn of(kind: Kind, items: &Items<'_>) -> Option<Totals> {
        let part = |text: &TextScore| match kind {
            Kind::NatsPerToken => (-text.log_prob, text.tokens as f64),
            Kind::BitsPerByte => (-text.log_prob / LN_2, text.bytes as f64),
        };
        let parts = items.values().map(|samples| {
            let mut sums = (0.0, 0.0);
            for sample in samples {
                let Answer::Loss(text) = &sample.answer else {
                    return None;
                };
                let (above, below) = part(text);
                sums = (sums.0 + above, sums.1 + below);
            }
            Some(sums)
        });
        let parts = parts.collect::<Option<Vec<_>>>()?;
        Some(Totals { parts })
    }

    pub fn items(&self) -> usize {
        self.parts.len()
    }

    pub fn value(&self, drawn: &[usize]) -> Option<f64> {
        let (mut above, mut below) = (0.0, 0.0);
        for &place in drawn {
            let part = self.parts[place];
            above += part.0;
            below += part.1;
        }
        (below > 0.0).then(|| above / below)
    }
}
