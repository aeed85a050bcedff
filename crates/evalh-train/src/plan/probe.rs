//! `probe = { ... }` of an arm: how its layers are chosen.

use super::{PlanResult, value::Value};
use evalh_record::training::ProbeMethod;
use serde::Serialize;

const KEYS: [&str; 6] = ["method", "top", "batches", "samples", "seed", "per_seed"];
/// Batches of a gradient probe, as in Aletheia.
const BATCHES: u64 = 5;
/// Examples of a CKA probe, as the layer-wise selection has it.
const SAMPLES: u64 = 128;

/// How layers are scored and selected.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProbePlan {
    /// What the scores are.
    pub method: ProbeMethod,
    /// How many layers are selected.
    pub top: Top,
    /// Batches of a method of gradients; `None` for others.
    pub batches: Option<u64>,
    /// Examples of a method of activations; `None` for others.
    pub samples: Option<u64>,
    /// Seed of the examples drawn, and of a random choice, where it is not the training's.
    pub seed: u64,
    /// Whether each seed of the experiment has a probe of its own, with that seed.
    pub per_seed: bool,
}

/// How many layers are selected.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Top {
    /// A share of all, above 0 and at most 1.
    Share(f64),
    /// So many.
    Count(usize),
}

impl Top {
    /// The layers of a model of `layers` layers: of a share rounded down, at least 1, and not more than there are.
    pub fn of(self, layers: usize) -> usize {
        let count = match self {
            // A hair of room, since 0.29 * 100 is 28.999999999999996.
            Top::Share(share) => (share * layers as f64 + 1e-9).floor() as usize,
            Top::Count(count) => count,
        };
        count.clamp(1, layers.max(1))
    }

    /// As in a folder's name: `50`, `6-layers`.
    pub(super) fn label(self) -> String {
        match self {
            Top::Share(share) => format!("{}", (share * 1e6).round() / 1e4),
            Top::Count(count) => format!("{count}-layers"),
        }
    }
}

impl ProbePlan {
    pub(super) fn read(value: &Value<'_, '_>) -> PlanResult<ProbePlan> {
        let table = value.table(&KEYS)?;
        let names = ProbeMethod::ALL.map(|method| (method.name(), method));
        let method = table.required("method", "method = \"gradient\"", |value| {
            value.one_of(&names)
        })?;
        let top = table.required("top", "top = \"50%\" or top = 6", |value| {
            if value.toml.is_str() {
                value.share().map(Top::Share)
            } else {
                value.size().map(Top::Count)
            }
        })?;
        let batches = table.optional("batches", Value::count)?;
        let samples = table.optional("samples", Value::count)?;
        let of_gradients = matches!(method, ProbeMethod::Gradient | ProbeMethod::Fisher);
        let of_activations = method == ProbeMethod::Cka;
        let per_seed = table.optional("per_seed", Value::flag)?;
        let seed = table.optional("seed", Value::whole)?;
        let looks = of_gradients || of_activations;
        for (key, given, has_effect) in [
            ("batches", batches.is_some(), of_gradients),
            ("samples", samples.is_some(), of_activations),
            (
                "per_seed",
                per_seed.is_some(),
                looks || method == ProbeMethod::Random,
            ),
            (
                "seed",
                seed.is_some(),
                looks || method == ProbeMethod::Random,
            ),
        ] {
            if given && !has_effect {
                return Err(table.wrong(
                    key,
                    format!("has no effect on the method {method}"),
                    "leave it out",
                ));
            }
        }
        // A random choice that all seeds share would be one draw and not a sample of draws.
        let per_seed = per_seed.unwrap_or(method == ProbeMethod::Random);
        if per_seed && seed.is_some() {
            return Err(table.wrong(
                "seed",
                "has no effect where each seed of the experiment has a probe of its own",
                "leave it out, or write per_seed = false",
            ));
        }
        Ok(ProbePlan {
            method,
            top,
            batches: of_gradients.then(|| batches.unwrap_or(BATCHES)),
            samples: of_activations.then(|| samples.unwrap_or(SAMPLES)),
            seed: seed.unwrap_or(0),
            per_seed,
        })
    }
}
