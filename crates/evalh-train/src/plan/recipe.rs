//! How an arm trains: the keys of `[train]`, which every `[[arm]]` may override.

use super::super::optimizer::WarmUp;
use evalh_record::training::{Length, Precision, Schedule};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// How an arm trains.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recipe {
    /// Rank of the adapter.
    pub rank: usize,
    /// Alpha of the adapter.
    pub alpha: f64,
    /// Rank-stabilised scaling.
    pub rslora: bool,
    /// Dropout before `A`.
    pub dropout: f64,
    /// The linear modules that get factors.
    pub targets: Targets,
    /// Ranks of modules that have another one, by PEFT's pattern.
    pub rank_pattern: BTreeMap<String, usize>,
    /// Alphas of modules that have another one, by PEFT's pattern.
    pub alpha_pattern: BTreeMap<String, f64>,
    /// How the learning rate goes on after the warm-up.
    pub schedule: Schedule,
    /// Over how many steps the learning rate rises.
    #[serde(serialize_with = "as_written")]
    pub warmup: WarmUp,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// `AdamW`'s decay rates.
    pub betas: [f64; 2],
    /// `AdamW`'s epsilon.
    pub epsilon: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// The L2 norm that gradients are clipped to; `None` leaves them.
    pub clip: Option<f64>,
    /// Rows of a forward pass.
    pub batch_size: usize,
    /// Forward passes of a step.
    pub accumulation: usize,
    /// How long it trains; of an arm with a budget or a target, how long its schedule is without it.
    pub length: Length,
    /// The type of trained weights and activations.
    pub precision: Precision,
    /// Whether a forward pass takes as many whole examples as fit into the tokens of its rows, each seeing itself only.
    pub packing: bool,
    /// Steps between two checkpoints; `None` writes none before the end.
    pub checkpoint_every: Option<u64>,
}

/// Which linear modules get factors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Targets {
    /// Every linear of a layer.
    AllLinear,
    /// Those of these names.
    Named(Vec<String>),
}

fn as_written<S: Serializer>(warmup: &WarmUp, serializer: S) -> Result<S::Ok, S::Error> {
    match warmup {
        WarmUp::Steps(steps) => serializer.serialize_u64(*steps),
        WarmUp::Ratio(share) => serializer.collect_str(&format_args!("{share} of all steps")),
    }
}
