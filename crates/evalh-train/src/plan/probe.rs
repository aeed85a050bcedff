//! `probe = { ... }` of an arm: how its layers are chosen.

use super::super::select::Amount;
use super::{PlanResult, value::Value};
use evalh_record::training::ProbeMethod;
use serde::{Serialize, Serializer};

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
    #[serde(serialize_with = "as_written")]
    pub top: Amount,
    /// Batches of a method of gradients; `None` for others.
    pub batches: Option<u64>,
    /// Examples of a method of activations; `None` for others.
    pub samples: Option<u64>,
    /// Seed of the examples drawn, and of a random choice, where it is not the training's.
    pub seed: u64,
    /// Whether each seed of the experiment has a probe of its own, with that seed.
    pub per_seed: bool,
}

impl ProbePlan {
    pub(super) fn read(value: &Value<'_, '_>) -> PlanResult<ProbePlan> {
        let table = value.table(&KEYS)?;
        let names = ProbeMethod::ALL.map(|method| (method.name(), method));
        let method = table.required("method", "method = \"gradient\"", |value| {
            value.one_of(&names)
        })?;
        let top = table.required("top", "top = \"50%\" or top = 6", amount)?;
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

fn amount(value: &Value<'_, '_>) -> PlanResult<Amount> {
    value.word()?.parse().map_err(|_| {
        value.wrong(
            "says neither a share nor a number of layers",
            "write a share above 0 and up to all, such as \"50%\" or 0.5, or a number of layers, such as 6",
        )
    })
}

fn as_written<S: Serializer>(amount: &Amount, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(amount)
}
