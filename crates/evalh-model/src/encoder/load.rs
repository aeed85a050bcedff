//! Reads and checks the tensors of an encoder, and notes what there is for adapters.

use super::config::EncoderConfig;
use super::dense::Dense;
use super::names::Names;
use super::stored::StoredNames;
use crate::ModelError;
use crate::config::Norms;
use crate::loader::{join, read_checked};
use crate::part::{Embedding, Linear, Norm, Rows, Values};
use evalh_adapter::ModuleKind;
use evalh_checkpoint::{Quantization, WeightSource};
use evalh_kernel::Compute;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// Reads tensors by their names in a model with a head, whatever the checkpoint calls them.
pub(super) struct Loader<'a> {
    pub weights: &'a dyn WeightSource,
    pub compute: Compute,
    pub config: &'a EncoderConfig,
    names: &'a Names,
    stored: StoredNames<'a>,
    /// Whether the model does.
    pub public_prefix: bool,
    /// How the weights of linears are rounded.
    quantize: Option<Quantization>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// The model's tensors, by their public names.
    tensors: BTreeMap<String, Vec<usize>>,
    /// Names in the checkpoint of all that was read.
    stored: BTreeSet<String>,
}

impl<'a> Loader<'a> {
    pub(super) fn new(
        weights: &'a dyn WeightSource,
        compute: Compute,
        config: &'a EncoderConfig,
        names: &'a Names,
        quantize: Option<Quantization>,
    ) -> Self {
        Self {
            weights,
            compute,
            config,
            names,
            stored: StoredNames::new(weights, names.prefix),
            public_prefix: true,
            quantize,
            seen: Mutex::default(),
        }
    }

    /// The name of a module of the base model in a model with a head.
    pub(super) fn base(&self, module: &str) -> String {
        format!("{}.{module}", self.names.prefix)
    }

    /// The name in the model as it is loaded: a model without a head is the base model, which has no prefix.
    pub(super) fn public(&self, name: &str) -> String {
        self.stored.stripped(name, self.public_prefix)
    }

    /// The checkpoint's name of a tensor that it has.
    pub(super) fn stored(&self, name: &str) -> Option<String> {
        self.stored.find(name)
    }

    /// A tensor that must be there.
    pub(super) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        self.optional(name, shape)?
            .ok_or_else(|| ModelError::MissingTensor {
                name: self.stored.expected(name),
            })
    }

    /// A tensor of the model that the checkpoint may lack.
    pub(super) fn optional(
        &self,
        name: &str,
        shape: &[usize],
    ) -> Result<Option<Vec<f32>>, ModelError> {
        self.note(name, shape);
        self.stored(name)
            .map(|name| read_checked(self.weights, &name, shape))
            .transpose()
    }

    /// Notes that the model has a tensor, whether or not the checkpoint stores it.
    pub(super) fn note(&self, name: &str, shape: &[usize]) {
        let stored = self.stored(name);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.tensors.insert(self.public(name), shape.to_vec());
        seen.stored.extend(stored);
    }

    /// One linear of the given modules (name and outputs), which read the same `inputs`; rounded where that is asked for.
    pub(super) fn linear(
        &self,
        modules: &[(&str, usize)],
        inputs: usize,
        bias: bool,
    ) -> Result<Linear, ModelError> {
        self.rounded_linear(modules, inputs, bias, self.quantize)
    }

    /// The linear that the reference takes for its output embeddings, which it never rounds.
    pub(super) fn exact_linear(
        &self,
        name: &str,
        [outputs, inputs]: [usize; 2],
    ) -> Result<Linear, ModelError> {
        self.rounded_linear(&[(name, outputs)], inputs, true, None)
    }

    fn rounded_linear(
        &self,
        modules: &[(&str, usize)],
        inputs: usize,
        bias: bool,
        quantize: Option<Quantization>,
    ) -> Result<Linear, ModelError> {
        let (mut parts, mut biases) = (Vec::new(), Vec::new());
        for (name, outputs) in modules {
            let part = self.tensor(&format!("{name}.weight"), &[*outputs, inputs])?;
            parts.push((part, *outputs));
            if bias {
                biases.extend(self.tensor(&format!("{name}.bias"), &[*outputs])?);
            }
        }
        let modules = modules
            .iter()
            .map(|(name, outputs)| (self.public(name), *outputs))
            .collect();
        let rows = Rows {
            values: self.values(parts, inputs, quantize),
            bias: bias.then_some(biases),
            inputs,
        };
        let kind = ModuleKind::Linear;
        Ok(Linear::new(&self.compute, modules, kind, rows))
    }

    /// Matrices of so many outputs as one, rounded where that is asked for: to codes where they are computed with as such.
    fn values(
        &self,
        mut parts: Vec<(Vec<f32>, usize)>,
        inputs: usize,
        quantize: Option<Quantization>,
    ) -> Values {
        if let Some(quantize) = quantize {
            if quantize.has_codes(inputs) && self.compute.holds_codes() {
                let coded = parts.iter();
                let coded = coded.map(|(part, outputs)| quantize.codes(part, *outputs, inputs));
                if let Some(coded) = coded.collect::<Option<Vec<_>>>() {
                    let mut joined = Vec::new();
                    for next in coded {
                        join(&mut joined, next);
                    }
                    return Values::Coded(joined);
                }
            }
            for (part, outputs) in &mut parts {
                quantize.round_trip(part, *outputs, inputs);
            }
        }
        let mut parts = parts.into_iter().map(|(part, _)| part);
        let mut values = parts.next().unwrap_or_default();
        parts.for_each(|part| values.extend_from_slice(&part));
        Values::Plain(values)
    }

    /// A linear of a classifier; where it is not `required`, an adapter may bring it.
    pub(super) fn dense(
        &self,
        name: &str,
        [outputs, inputs]: [usize; 2],
        required: bool,
    ) -> Result<Dense, ModelError> {
        let public = self.public(name);
        if required {
            let linear = self.linear(&[(name, outputs)], inputs, true)?;
            return Ok(Dense::new(public, linear, true));
        }
        let mut weight = self.optional(&format!("{name}.weight"), &[outputs, inputs])?;
        if let (Some(values), Some(quantization)) = (&mut weight, self.quantize) {
            quantization.round_trip(values, outputs, inputs);
        }
        let bias = self.optional(&format!("{name}.bias"), &[outputs])?;
        let known = weight.is_some() && bias.is_some();
        let rows = Rows {
            values: weight.unwrap_or_else(|| vec![0.0; outputs * inputs]).into(),
            bias: Some(bias.unwrap_or_else(|| vec![0.0; outputs])),
            inputs,
        };
        let modules = vec![(public.clone(), outputs)];
        let linear = Linear::new(&self.compute, modules, ModuleKind::Linear, rows);
        Ok(Dense::new(public, linear, known))
    }

    /// A layer norm.
    pub(super) fn norm(&self, name: &str, width: usize) -> Result<Norm, ModelError> {
        let weight = self.tensor(&format!("{name}.weight"), &[width])?;
        let bias = self.tensor(&format!("{name}.bias"), &[width])?;
        let (name, eps) = (self.public(name), self.config.norm_eps);
        Ok(Norm::new(
            &self.compute,
            name,
            Norms::Layer,
            eps,
            Some(weight),
            Some(bias),
        ))
    }

    /// An embedding.
    pub(super) fn table(&self, name: &str, shape: [usize; 2]) -> Result<Embedding, ModelError> {
        let values = self.tensor(&format!("{name}.weight"), &shape)?;
        let table = self.compute.weight(values, shape[0], shape[1]);
        Ok(Embedding::new(self.public(name), table))
    }

    /// Every tensor of the checkpoint must have a place in the model, or be known to be of no use to it: one that is
    /// ignored by mistake would change the output. Gives back the model's tensors.
    pub(super) fn finish(self) -> Result<BTreeMap<String, Vec<usize>>, ModelError> {
        let seen = self
            .seen
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let prefix = self.names.prefix;
        // Buffers of the embeddings, which the reference implementation saved for a while.
        let buffers = ["embeddings.position_ids", "embeddings.token_type_ids"];
        let no_positions = self.config.positions == super::config::PositionKind::None;
        let of_use = |name: &String| {
            let whole = self.stored.whole(name);
            let in_base = whole
                .strip_prefix(prefix)
                .map_or("", |rest| rest.trim_start_matches('.'));
            let unused = self
                .names
                .unused
                .iter()
                .any(|start| whole.starts_with(start))
                || buffers.contains(&in_base)
                || (no_positions && in_base == "embeddings.position_embeddings.weight")
                // Made with the model, but only relative positions pass through it.
                || (self.config.relative.is_none() && in_base.starts_with("encoder.LayerNorm."));
            !unused && !seen.stored.contains(name)
        };
        match self.weights.tensor_names().into_iter().find(of_use) {
            Some(name) => Err(ModelError::UnknownTensor {
                name,
                family: self.config.family,
            }),
            None => Ok(seen.tensors),
        }
    }
}
