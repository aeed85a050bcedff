//! The updates of several adapters, each times its weight, as one.

use crate::{AdapterError, AdapterUpdate, LoraUpdate, SavedTensor};
use std::collections::BTreeSet;

/// Adds up the updates of several adapters, each times its weight; `name` serves the messages.
///
/// For plain low-rank updates this is PEFT's `add_weighted_adapter` with `combination_type = "cat"`, and the stack of
/// active adapters whose scales were multiplied (`set_adapter`, `set_scale`): the sum of `weight * scale * B A` and of the
/// biases of `lora_bias`. (PEFT's `cat` scales the whole sum by the square root of the new rank when the first adapter is
/// rank-stabilised, because it copies that setting; the sum here is that of the updates as trained.)
///
/// # Errors
/// When there is no adapter, or the sum is not defined: a module with a magnitude (`DoRA`) that another adapter changes as
/// well or whose weight is not 1, and a tensor that more than one adapter changes and one of them replaces.
pub fn combine(
    name: &str,
    parts: Vec<(AdapterUpdate, f64)>,
) -> Result<AdapterUpdate, AdapterError> {
    let refuse = |problem: String, remedy: &str| AdapterError::Mix {
        text: name.to_owned(),
        problem,
        remedy: remedy.to_owned(),
    };
    if parts.is_empty() {
        return Err(refuse("it has no adapter".into(), "name one or more"));
    }
    for (at, (update, weight)) in parts.iter().enumerate() {
        let others = || {
            parts
                .iter()
                .enumerate()
                .filter(move |(other, _)| *other != at)
                .map(|(_, (update, _))| update)
        };
        for lora in update.lora.iter().filter(|lora| lora.magnitude.is_some()) {
            let weight_tensor = format!("{}.weight", lora.module);
            if (*weight).to_bits() != 1f64.to_bits()
                || others().any(|other| other.changes(&weight_tensor))
            {
                return Err(refuse(
                    format!(
                        "module `{}` has the magnitude of a DoRA adapter, which has no weighted sum",
                        lora.module
                    ),
                    "mix plain LoRA adapters, or merge the DoRA adapter into the base first",
                ));
            }
        }
        for saved in &update.saved {
            if others().any(|other| other.changes(&saved.name)) {
                return Err(refuse(
                    format!(
                        "tensor `{}` is replaced by one adapter and changed by another, which has no weighted sum",
                        saved.name
                    ),
                    "mix adapters of which one at most saves each module",
                ));
            }
        }
    }
    let mut seen = BTreeSet::new();
    let mut saved: Vec<SavedTensor> = Vec::new();
    let mut lora: Vec<LoraUpdate> = Vec::new();
    for (update, weight) in parts {
        lora.extend(
            update
                .lora
                .into_iter()
                .map(|update| weighted(update, weight)),
        );
        saved.extend(
            update
                .saved
                .into_iter()
                .filter(|tensor| seen.insert(tensor.name.clone())),
        );
    }
    Ok(AdapterUpdate { lora, saved })
}

fn weighted(mut update: LoraUpdate, weight: f64) -> LoraUpdate {
    update.scale = (f64::from(update.scale) * weight) as f32;
    if let Some(bias) = &mut update.bias {
        for value in bias {
            *value = (f64::from(*value) * weight) as f32;
        }
    }
    update
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(module: &str, magnitude: bool, saved: &[&str]) -> AdapterUpdate {
        AdapterUpdate {
            lora: vec![LoraUpdate {
                module: module.into(),
                rank: 1,
                scale: 2.0,
                a: vec![1.0, 2.0],
                b: vec![1.0],
                magnitude: magnitude.then(|| vec![1.0]),
                bias: Some(vec![8.0]),
            }],
            saved: saved
                .iter()
                .map(|name| SavedTensor {
                    name: (*name).into(),
                    shape: vec![1],
                    values: vec![1.0],
                })
                .collect(),
        }
    }

    #[test]
    fn scales_and_biases_are_weighted() {
        let mix = combine(
            "mix",
            vec![
                (update("q", false, &["norm.weight"]), 0.5),
                (update("q", false, &[]), -0.25),
            ],
        )
        .unwrap();
        let scales: Vec<f32> = mix.lora.iter().map(|update| update.scale).collect();
        assert_eq!(scales, [1.0, -0.5]);
        assert_eq!(mix.lora[1].bias, Some(vec![-2.0]));
        assert_eq!(mix.saved.len(), 1);
    }

    #[test]
    fn what_has_no_sum_is_refused_by_name() {
        let plain = || update("q", false, &[]);
        let cases = [
            (
                vec![(update("q", true, &[]), 1.0), (plain(), 1.0)],
                "module `q`",
            ),
            (vec![(update("q", true, &[]), 0.5)], "module `q`"),
            (
                vec![
                    (update("k", false, &["h.weight"]), 0.5),
                    (update("q", false, &["h.weight"]), 0.5),
                ],
                "tensor `h.weight`",
            ),
            (
                vec![(update("k", false, &["q.weight"]), 0.5), (plain(), 0.5)],
                "tensor `q.weight`",
            ),
            (
                vec![(update("k", false, &["q.bias"]), 0.5), (plain(), 0.5)],
                "tensor `q.bias`",
            ),
            (vec![], "no adapter"),
        ];
        for (parts, problem) in cases {
            let error = combine("mix", parts).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
        let apart = combine(
            "mix",
            vec![
                (update("q", true, &[]), 1.0),
                (update("k", false, &[]), 0.5),
            ],
        );
        assert_eq!(apart.unwrap().lora.len(), 2);
    }
}
