//! What is known of each metric.

use super::{
    effective::Kind,
    form::{Form, Metric, Sampler, Shots},
};

impl Metric {
    /// All, in the order in which messages name them.
    pub(super) const ALL: [Metric; 12] = [
        Metric::Acc,
        Metric::AccNorm,
        Metric::AccBytes,
        Metric::F1,
        Metric::Precision,
        Metric::Recall,
        Metric::BalancedAcc,
        Metric::Mcc,
        Metric::ExactMatch,
        Metric::NatsPerToken,
        Metric::BitsPerByte,
        Metric::WordPerplexity,
    ];

    /// Its name in definitions and results.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Acc => "acc",
            Metric::AccNorm => "acc_norm",
            Metric::AccBytes => "acc_bytes",
            Metric::F1 => "f1",
            Metric::Precision => "precision",
            Metric::Recall => "recall",
            Metric::BalancedAcc => "balanced_acc",
            Metric::Mcc => "mcc",
            Metric::ExactMatch => "exact_match",
            Metric::NatsPerToken => "nats_per_token",
            Metric::BitsPerByte => "bits_per_byte",
            Metric::WordPerplexity => "word_perplexity",
        }
    }

    /// The kind of question that it scores.
    pub(super) fn kind(self) -> Kind {
        match self {
            Metric::ExactMatch => Kind::Generate,
            Metric::NatsPerToken | Metric::BitsPerByte | Metric::WordPerplexity => Kind::Loss,
            _ => Kind::Choices,
        }
    }

    /// Whether it is the mean of a score that each item has by itself.
    pub(super) fn is_mean(self) -> bool {
        matches!(
            self,
            Metric::Acc | Metric::AccNorm | Metric::AccBytes | Metric::ExactMatch
        )
    }
}

impl Form {
    /// Whether a metric counts one label as positive.
    pub(super) fn has_positive(&self) -> bool {
        let of_label = [Metric::F1, Metric::Precision, Metric::Recall];
        self.metrics()
            .iter()
            .any(|metric| of_label.contains(metric))
    }
}

impl Shots {
    /// Whether they are drawn.
    pub(super) fn is_random(&self) -> bool {
        self.sampler == Sampler::Random
    }

    /// The seed of the draw, lm-eval's where none is set.
    pub(super) fn seed(&self) -> u64 {
        self.seed.unwrap_or(1234)
    }
}
