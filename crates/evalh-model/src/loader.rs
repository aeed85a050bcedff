//! Reads and checks a checkpoint's tensors under the names that a family gives them.

mod read;

use crate::ModelError;
use crate::config::{HeadNorms, Norms};
use crate::part::{HeadNorm, Linear, Norm, Rows, Values, transpose};
use evalh_adapter::ModuleKind;
use evalh_checkpoint::{CodedTensor, Quantization, WeightSource};
use evalh_kernel::Compute;
pub(crate) use read::read_checked;
use read::read_codes;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Reads tensors by name, and remembers which.
pub(crate) struct Loader<'a> {
    weights: &'a dyn WeightSource,
    compute: &'a Compute,
    /// Beginnings of names, and what the checkpoint has in their place.
    renames: Vec<(&'static str, &'static str)>,
    /// What the weights of linears are rounded to.
    quantize: Option<Quantization>,
    read: Mutex<BTreeSet<String>>,
}

/// What a linear is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinearShape {
    pub inputs: usize,
    pub bias: bool,
    pub kind: ModuleKind,
    /// Whether the weight is rounded where the model is quantised: heads and routers are not.
    pub rounded: bool,
}

impl<'a> Loader<'a> {
    pub(crate) fn new(
        weights: &'a dyn WeightSource,
        compute: &'a Compute,
        renames: Vec<(&'static str, &'static str)>,
        quantize: Option<Quantization>,
    ) -> Self {
        Self {
            weights,
            compute,
            renames,
            quantize,
            read: Mutex::default(),
        }
    }

    /// A module's name in the checkpoint.
    pub(crate) fn name(&self, module: &str) -> String {
        self.renames
            .iter()
            .find_map(|(from, to)| module.strip_prefix(from).map(|rest| format!("{to}{rest}")))
            .unwrap_or_else(|| module.to_owned())
    }

    /// Counts a tensor as read that is not needed.
    pub(crate) fn pass_over(&self, tensor: String) {
        self.remember(tensor);
    }

    /// A tensor's values, under its name in the checkpoint.
    pub(crate) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let values = read_checked(self.weights, name, shape)?;
        self.remember(name.to_owned());
        Ok(values)
    }

    /// A matrix that is looked up or multiplied by, under its name in the checkpoint.
    pub(crate) fn table(&self, name: &str, shape: [usize; 2]) -> Result<Values, ModelError> {
        match self.codes(name, shape)? {
            Some(coded) => Ok(Values::Coded(vec![coded])),
            None => self.tensor(name, &shape).map(Values::Plain),
        }
    }

    /// A matrix's codes, where it is stored as such and computed with as such.
    fn codes(&self, name: &str, shape: [usize; 2]) -> Result<Option<CodedTensor>, ModelError> {
        if !self.compute.holds_codes() {
            return Ok(None);
        }
        let coded = read_codes(self.weights, name, shape)?;
        if coded.is_some() {
            self.remember(name.to_owned());
        }
        Ok(coded)
    }

    fn remember(&self, name: String) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.insert(name);
    }

    /// One linear of the given modules (names in the family, and outputs), which read the same inputs.
    pub(crate) fn linear(
        &self,
        modules: &[(Cow<'_, str>, usize)],
        shape: LinearShape,
    ) -> Result<Linear, ModelError> {
        let modules: Vec<(String, usize)> = modules
            .iter()
            .map(|(module, outputs)| (self.name(module), *outputs))
            .collect();
        let values = match self.joined_codes(&modules, shape)? {
            Some(coded) => Values::Coded(coded),
            None => Values::Plain(self.joined_rows(&modules, shape)?),
        };
        let bias = shape.bias.then(|| {
            let biases = modules
                .iter()
                .map(|(name, outputs)| self.tensor(&format!("{name}.bias"), &[*outputs]));
            biases.collect::<Result<Vec<_>, _>>()
        });
        let rows = Rows {
            values,
            bias: bias.transpose()?.map(|biases| biases.concat()),
            inputs: shape.inputs,
        };
        Ok(Linear::new(self.compute, modules, shape.kind, rows))
    }

    /// The codes of all modules, those of one type together: of weights that are multiplied by as they
    /// are stored, or as codes that they are rounded to.
    fn joined_codes(
        &self,
        modules: &[(String, usize)],
        shape: LinearShape,
    ) -> Result<Option<Vec<CodedTensor>>, ModelError> {
        let quantize = self.quantize.filter(|_| shape.rounded);
        let has_codes = match quantize {
            None => shape.kind != ModuleKind::Conv1d,
            Some(quantize) => quantize.has_codes(shape.inputs),
        };
        if !has_codes || !self.compute.holds_codes() {
            return Ok(None);
        }
        let mut joined: Vec<CodedTensor> = Vec::new();
        for (name, outputs) in modules {
            let (outputs, inputs) = (*outputs, shape.inputs);
            let coded = match quantize {
                None => self.codes(&format!("{name}.weight"), [outputs, inputs])?,
                Some(quantize) => {
                    let rows = self.rows(name, outputs, inputs, shape.kind)?;
                    quantize.codes(&rows, outputs, inputs)
                }
            };
            let Some(coded) = coded else {
                return Ok(None);
            };
            join(&mut joined, coded);
        }
        Ok(Some(joined))
    }

    /// The values of all modules together.
    fn joined_rows(
        &self,
        modules: &[(String, usize)],
        shape: LinearShape,
    ) -> Result<Vec<f32>, ModelError> {
        let inputs = shape.inputs;
        let total: usize = modules.iter().map(|(_, outputs)| outputs).sum();
        let mut values = Vec::new();
        for (name, outputs) in modules {
            let mut part = self.rows(name, *outputs, inputs, shape.kind)?;
            if let Some(quantization) = self.quantize.filter(|_| shape.rounded) {
                quantization.round_trip(&mut part, *outputs, inputs);
            }
            if modules.len() == 1 {
                return Ok(part);
            }
            values.reserve_exact(total * inputs - values.len());
            values.extend_from_slice(&part);
        }
        Ok(values)
    }

    /// The weight of a module as `y = W x` has it.
    fn rows(
        &self,
        name: &str,
        outputs: usize,
        inputs: usize,
        kind: ModuleKind,
    ) -> Result<Vec<f32>, ModelError> {
        let name = format!("{name}.weight");
        if kind != ModuleKind::Conv1d {
            return self.tensor(&name, &[outputs, inputs]);
        }
        let stored = self.tensor(&name, &[inputs, outputs])?;
        let mut rows = vec![0.0; stored.len()];
        transpose(&stored, outputs, &mut rows);
        Ok(rows)
    }

    /// A norm over so many values.
    pub(crate) fn norm(
        &self,
        module: &str,
        kind: Norms,
        eps: f32,
        width: usize,
    ) -> Result<Norm, ModelError> {
        let name = self.name(module);
        let tensor = |there: bool, part: &str| {
            there
                .then(|| self.tensor(&format!("{name}.{part}"), &[width]))
                .transpose()
        };
        let weight = tensor(kind != Norms::LayerPlain, "weight")?;
        let bias = tensor(kind == Norms::Layer, "bias")?;
        Ok(Norm::new(self.compute, name, kind, eps, weight, bias))
    }

    /// The norm of so many heads of queries or keys.
    pub(crate) fn head_norm(
        &self,
        module: &str,
        kind: HeadNorms,
        eps: f32,
        (heads, dim): (usize, usize),
    ) -> Result<HeadNorm, ModelError> {
        match kind {
            HeadNorms::Shared(kind) => Ok(HeadNorm::shared(self.norm(module, kind, eps, dim)?)),
            HeadNorms::Whole => {
                let norm = self.norm(module, Norms::Rms, eps, heads * dim)?;
                Ok(HeadNorm::shared(norm))
            }
            HeadNorms::Own => {
                let norms = (0..heads)
                    .map(|head| {
                        let name = self.name(&module.replace("{h}", &head.to_string()));
                        let weight = self.tensor(&format!("{name}.weight"), &[dim])?;
                        let own = Some(weight.clone());
                        let norm = Norm::new(self.compute, name, Norms::Layer, eps, own, None);
                        Ok((norm, weight))
                    })
                    .collect::<Result<_, ModelError>>()?;
                Ok(HeadNorm::own(self.compute, norms))
            }
        }
    }

    /// Every tensor of the checkpoint must have had a place in the model: one that is ignored would change the output.
    ///
    /// # Errors
    /// Names the first that has none, unless its name ends as one of `unused` or begins as one of `left_out`.
    pub(crate) fn refuse_unread(
        &self,
        family: &'static str,
        unused: &[&str],
        left_out: &[&str],
    ) -> Result<(), ModelError> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let unknown = |name: &String| {
            !read.contains(name)
                && !unused.iter().any(|end| name.ends_with(end))
                && !left_out.iter().any(|start| name.starts_with(start))
        };
        match self.weights.tensor_names().into_iter().find(unknown) {
            Some(name) => Err(ModelError::UnknownTensor { name, family }),
            None => Ok(()),
        }
    }
}

/// Puts the rows of another matrix behind those of the last, in one where both are of one type.
pub(crate) fn join(joined: &mut Vec<CodedTensor>, next: CodedTensor) {
    match joined.last_mut() {
        Some(last) if last.joins(&next) => last.append(next),
        _ => joined.push(next),
    }
}
