//! `inspect`: what an adapter holds, module by module, and in all.

use super::{
    Spectrum,
    layers::{LayerMap, layer_of},
};
use crate::{Adapter, AdapterError, BaseModel, LoraUpdate};
use rayon::prelude::*;
use serde::Serialize;

/// All that is found out about one adapter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// The adapted modules, in the model's order, or by name without a model.
    pub modules: Vec<ModuleInspection>,
    /// The tensors that the adapter replaces.
    pub saved: Vec<SavedInspection>,
    /// Which layers and modules are adapted.
    pub layers: LayerMap,
    /// Modules of a vision tower, which text never reaches.
    pub left_out: Vec<String>,
    /// Parameters.
    pub totals: Totals,
}

/// One adapted module.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModuleInspection {
    /// Its name.
    pub module: String,
    /// The layer it lies in.
    pub layer: Option<usize>,
    /// Rows of the weight, or the width of an embedding.
    pub out_features: usize,
    /// Columns of the weight, or the vocabulary of an embedding.
    pub in_features: usize,
    /// The rank of the factors.
    pub rank: usize,
    /// What their product is multiplied by.
    pub scale: f32,
    /// Trained parameters: both factors, the magnitude and the bias.
    pub parameters: usize,
    /// Whether there is a magnitude (`DoRA`). The numbers below are those of the low-rank part without it.
    pub magnitude: bool,
    /// Whether there is a bias (`lora_bias`).
    pub bias: bool,
    /// The Frobenius norm of `scale * B A`.
    pub norm: f64,
    /// The same over the norm of the base's weight; without a model, or for a weight of zeros, nothing.
    pub relative_norm: Option<f64>,
    /// Singular values of the update, largest first.
    pub singular_values: Vec<f64>,
    /// The exponential of the entropy of the singular values, see [`Spectrum::effective_rank`].
    pub effective_rank: f64,
    /// Distance of `A A'` from the identity after scaling; nothing for a factor of zeros. Exactly:
    /// `|| c G - I ||_F / sqrt(r)` with `c = r / trace G`, 0 for orthogonal rows of one length, at most `sqrt(r - 1)`.
    pub orthogonality_a: Option<f64>,
    /// The same of `B' B`.
    pub orthogonality_b: Option<f64>,
    /// Values of the base's weight that are NaN or infinite; without a model nothing.
    pub base_non_finite: Option<usize>,
}

/// One tensor that the adapter replaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SavedInspection {
    /// Its name.
    pub tensor: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its parameters.
    pub parameters: usize,
    /// Whether it belongs to a head.
    pub head: bool,
}

/// Sums of parameters.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Totals {
    /// Of the low-rank updates.
    pub adapter: usize,
    /// Of replaced heads.
    pub head: usize,
    /// Of all other replaced tensors.
    pub saved: usize,
    /// All three.
    pub trained: usize,
    /// Of the base model; without a model nothing.
    pub base: Option<usize>,
    /// `trained` over `base`.
    pub share_of_base: Option<f64>,
}

/// Names of the heads that PEFT saves with a classifier or a reader (`PeftModelForSequenceClassification` and others).
const HEADS: [&str; 3] = ["classifier", "score", "qa_outputs"];

/// Looks at an adapter, alone or against a model.
///
/// # Errors
/// When the adapter does not fit the model, a weight of the model cannot be read, or a decomposition does not converge.
pub fn inspect(adapter: &Adapter, base: Option<BaseModel<'_>>) -> Result<Inspection, AdapterError> {
    let update = match base {
        Some(base) => adapter.resolve(base.layout())?,
        None => adapter.unresolved(),
    };
    let modules = update
        .lora
        .par_iter()
        .map(|update| module(update, base))
        .collect::<Result<Vec<_>, _>>()?;
    let output_head = base.and_then(|base| base.layout().output_head.as_deref());
    let saved: Vec<SavedInspection> = update
        .saved
        .iter()
        .map(|tensor| SavedInspection {
            tensor: tensor.name.clone(),
            shape: tensor.shape.clone(),
            parameters: tensor.values.len(),
            head: HEADS.into_iter().chain(output_head).any(|head| {
                tensor
                    .name
                    .strip_prefix(head)
                    .is_some_and(|rest| rest.starts_with('.'))
            }),
        })
        .collect();
    let sum = |head| {
        saved
            .iter()
            .filter(|tensor| tensor.head == head)
            .map(|tensor| tensor.parameters)
            .sum()
    };
    let (in_head, elsewhere): (usize, usize) = (sum(true), sum(false));
    let in_updates = modules
        .iter()
        .map(|module| module.parameters)
        .sum::<usize>();
    let trained = in_updates + in_head + elsewhere;
    let base_parameters = base.map(|base| base.parameters());
    Ok(Inspection {
        layers: LayerMap::of(
            update.lora.iter().map(|update| update.module.as_str()),
            base.map_or(0, |base| base.layout().layers),
        ),
        modules,
        saved,
        left_out: adapter.left_out().map(str::to_owned).collect(),
        totals: Totals {
            adapter: in_updates,
            head: in_head,
            saved: elsewhere,
            trained,
            base: base_parameters,
            share_of_base: base_parameters
                .filter(|&base| base > 0)
                .map(|base| trained as f64 / base as f64),
        },
    })
}

fn module(
    update: &LoraUpdate,
    base: Option<BaseModel<'_>>,
) -> Result<ModuleInspection, AdapterError> {
    let spectrum = Spectrum::of(&[update])?;
    let weight = match base.and_then(|base| Some((base, base.layout().module(&update.module)?))) {
        Some((base, target)) => Some(base.weight(target)?),
        None => None,
    };
    let norm = spectrum.norm();
    let base_norm = weight.as_ref().map(|weight| {
        let squares: f64 = weight.iter().map(|&value| f64::from(value).powi(2)).sum();
        squares.sqrt()
    });
    Ok(ModuleInspection {
        module: update.module.clone(),
        layer: layer_of(&update.module).map(|(layer, _)| layer),
        out_features: update.out_features(),
        in_features: update.in_features(),
        rank: update.rank,
        scale: update.scale,
        parameters: update.parameters(),
        magnitude: update.magnitude.is_some(),
        bias: update.bias.is_some(),
        norm,
        relative_norm: base_norm
            .filter(|&base| base > 0.0 && base.is_finite())
            .map(|base| norm / base),
        effective_rank: spectrum.effective_rank(),
        orthogonality_a: spectrum.orthogonality_a(),
        orthogonality_b: spectrum.orthogonality_b(),
        base_non_finite: weight.map(|weight| evalh_checkpoint::count_non_finite(&weight)),
        singular_values: spectrum.values,
    })
}
