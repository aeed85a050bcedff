//! `compare`: how the updates of two adapters relate.

use super::{Intruders, Spectrum, Subspaces, intruders};
use crate::{AdapterError, AdapterUpdate, BaseModel, LoraUpdate};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;

/// All that is found out about two adapters.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Modules that both adapt, in the order of the first adapter.
    pub modules: Vec<ModuleComparison>,
    /// Modules that the first alone adapts.
    pub only_first: Vec<String>,
    /// Modules that the second alone adapts.
    pub only_second: Vec<String>,
    /// Cosine of the two updates over all modules together; nothing where either is zero.
    pub cosine: Option<f64>,
}

/// One module that both adapt. Magnitudes (`DoRA`) are left out of all numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModuleComparison {
    /// Its name.
    pub module: String,
    /// `<U, V>_F / (||U||_F ||V||_F)` of the two updates; nothing where either is zero.
    pub cosine: Option<f64>,
    /// Frobenius norms of the two.
    pub norms: [f64; 2],
    /// The spaces that the two write to (columns of `B`).
    pub outputs: Subspaces,
    /// The spaces that the two read from (rows of `A`).
    pub inputs: Subspaces,
    /// Intruder dimensions of the first and of the second against the base; without a model nothing.
    pub intruders: Option<[Intruders; 2]>,
}

/// Compares two adapters, with the intruder dimensions of each where a model is given (two singular value decompositions
/// of each weight and adapter).
///
/// # Errors
/// When the adapters have a module of different shapes, a weight of the model cannot be read, or a decomposition does not
/// converge.
pub fn compare(
    first: &AdapterUpdate,
    second: &AdapterUpdate,
    base: Option<BaseModel<'_>>,
) -> Result<Comparison, AdapterError> {
    let (own, other) = (by_module(first), by_module(second));
    let mut names: Vec<&str> = Vec::new();
    for name in first.lora.iter().map(|update| update.module.as_str()) {
        if other.contains_key(name) && !names.contains(&name) {
            names.push(name);
        }
    }
    let compared = names
        .par_iter()
        .map(|name| module(name, &own[name], &other[name], base))
        .collect::<Result<Vec<_>, _>>()?;
    let inner: f64 = compared.iter().map(|(_, inner)| inner).sum();
    let modules: Vec<_> = compared.into_iter().map(|(module, _)| module).collect();
    let mut squares = [0, 1].map(|which| {
        let norms = modules.iter().map(|module| module.norms[which].powi(2));
        norms.sum::<f64>()
    });
    let alone = |these: &BTreeMap<&str, Vec<&LoraUpdate>>, those: &BTreeMap<&str, _>| {
        these
            .keys()
            .filter(|name| !those.contains_key(*name))
            .map(|name| (*name).to_owned())
            .collect::<Vec<String>>()
    };
    let (only_first, only_second) = (alone(&own, &other), alone(&other, &own));
    for (total, (these, only)) in squares
        .iter_mut()
        .zip([(&own, &only_first), (&other, &only_second)])
    {
        for name in only {
            *total += Spectrum::of(&these[name.as_str()])?.norm().powi(2);
        }
    }
    Ok(Comparison {
        modules,
        only_first,
        only_second,
        cosine: cosine(inner, squares.map(f64::sqrt)),
    })
}

fn by_module(update: &AdapterUpdate) -> BTreeMap<&str, Vec<&LoraUpdate>> {
    let mut modules: BTreeMap<&str, Vec<&LoraUpdate>> = BTreeMap::new();
    for update in &update.lora {
        modules.entry(&update.module).or_default().push(update);
    }
    modules
}

fn module(
    name: &str,
    first: &[&LoraUpdate],
    second: &[&LoraUpdate],
    base: Option<BaseModel<'_>>,
) -> Result<(ModuleComparison, f64), AdapterError> {
    let shape = |update: &LoraUpdate| [update.out_features(), update.in_features()];
    if shape(first[0]) != shape(second[0]) {
        return Err(AdapterError::Compare {
            module: name.to_owned(),
            first: shape(first[0]),
            second: shape(second[0]),
        });
    }
    let (one, two) = (Spectrum::of(first)?, Spectrum::of(second)?);
    let inner = one.inner(&two);
    let norms = [one.norm(), two.norm()];
    let intruders = match base.and_then(|base| Some((base, base.layout().module(name)?))) {
        Some((base, target)) => {
            let weight = base.weight(target)?;
            intruders(target.kind, &[first, second], &weight)?
                .try_into()
                .ok()
        }
        None => None,
    };
    let comparison = ModuleComparison {
        module: name.to_owned(),
        cosine: cosine(inner, norms),
        norms,
        outputs: Subspaces::of(name, one.left.as_ref(), two.left.as_ref())?,
        inputs: Subspaces::of(name, one.right.as_ref(), two.right.as_ref())?,
        intruders,
    };
    Ok((comparison, inner))
}

fn cosine(inner: f64, norms: [f64; 2]) -> Option<f64> {
    let product = norms[0] * norms[1];
    (product > 0.0).then(|| (inner / product).clamp(-1.0, 1.0))
}
