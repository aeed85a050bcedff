//! Matches an adapter with a model by PEFT's rules.

use super::Adapter;
use crate::{
    AdapterError, AdapterUpdate, LoraUpdate, ModelLayout, ModuleKind, SavedTensor, TargetModule,
    TrainedBias,
    file::Factors,
    spelling::{Spelling, is_vision},
};
use std::collections::{BTreeMap, BTreeSet};

impl Adapter {
    /// Matches the adapter with a model's `layout` and gives its updates in the order of the modules.
    ///
    /// Modules that only images reach ([`Adapter::left_out`]) have no update.
    ///
    /// # Errors
    /// When nothing matches, shapes or kinds differ, the adapter has weights for a module or a tensor that the model
    /// lacks, or the configuration names a module or a tensor of the model that the adapter has no weights for.
    pub fn resolve(&self, layout: &ModelLayout) -> Result<AdapterUpdate, AdapterError> {
        Match::new(self, layout)?.update()
    }
}

struct Match<'a> {
    adapter: &'a Adapter,
    layout: &'a ModelLayout,
    spelling: Spelling,
    /// By their names in the model.
    factors: BTreeMap<String, (&'a str, &'a Factors)>,
    /// By their names in the model.
    saved: BTreeMap<String, &'a SavedTensor>,
}

impl<'a> Match<'a> {
    fn new(adapter: &'a Adapter, layout: &'a ModelLayout) -> Result<Self, AdapterError> {
        let names: BTreeSet<&str> = layout.modules.iter().map(|m| m.name.as_str()).collect();
        let seen = |name: &&str| !is_vision(name);
        let contents = &adapter.contents;
        let own: Vec<&str> = adapter.modules().filter(seen).collect();
        let spelling = Spelling::find(&own, |name| names.contains(name));
        let factors: BTreeMap<_, _> = contents
            .factors
            .iter()
            .filter(|(name, _)| seen(&name.as_str()))
            .map(|(name, factors)| (spelling.in_model(name), (name.as_str(), factors)))
            .collect();
        let saved: BTreeMap<_, _> = contents
            .saved
            .values()
            .filter(|tensor| seen(&tensor.name.as_str()))
            .map(|tensor| (spelling.in_model(&tensor.name), tensor))
            .collect();
        let any = factors.keys().any(|name| names.contains(name.as_str()))
            || (contents.factors.is_empty()
                && saved.keys().any(|name| layout.tensors.contains_key(name)));
        if !any {
            return Err(adapter.no_match(&layout.modules));
        }
        if let Some(stranger) = factors.keys().find(|name| !names.contains(name.as_str())) {
            return Err(adapter.module_error(
                stranger,
                format!(
                    "has weights in the adapter, but the model has no such module that can be adapted ({})",
                    nearest(stranger, &layout.modules)
                ),
            ));
        }
        Ok(Match {
            adapter,
            layout,
            spelling,
            factors,
            saved,
        })
    }

    fn update(&self) -> Result<AdapterUpdate, AdapterError> {
        let mut lora = Vec::with_capacity(self.factors.len());
        for module in &self.layout.modules {
            if let Some((name, factors)) = self.factors.get(&module.name) {
                lora.push(self.lora(module, name, factors)?);
                continue;
            }
            let name = self.spelling.in_adapter(&module.name);
            if self.adapter.config.selects_in(self.layout, module, &name) {
                return Err(self.adapter.module_error(
                    &module.name,
                    "is selected by the adapter's configuration, but the adapter has no weights for it".into(),
                ));
            }
        }
        let saved = self
            .saved
            .iter()
            .filter(|(name, tensor)| !self.is_tied_copy(name, tensor))
            .map(|(name, tensor)| self.replacement(name, tensor))
            .collect::<Result<_, _>>()?;
        self.check_complete()?;
        Ok(AdapterUpdate { lora, saved })
    }

    fn lora(
        &self,
        module: &TargetModule,
        name: &str,
        factors: &Factors,
    ) -> Result<LoraUpdate, AdapterError> {
        let refuse = |problem| Err(self.adapter.module_error(&module.name, problem));
        if factors.embedding != (module.kind == ModuleKind::Embedding) {
            let kind = |embedding| if embedding { "an embedding" } else { "linear" };
            return refuse(format!(
                "is {} in the model, but {} in the adapter",
                kind(module.kind == ModuleKind::Embedding),
                kind(factors.embedding)
            ));
        }
        if (factors.b.rows, factors.a.columns) != (module.out_features, module.in_features) {
            return refuse(format!(
                "has shape [{}, {}] in the model, but the adapter's update has shape [{}, {}]",
                module.out_features, module.in_features, factors.b.rows, factors.a.columns
            ));
        }
        Ok(factors.update(&module.name, self.adapter.config.scale_of(name)))
    }

    /// A second name of a tensor that the model has under one: the head of a masked language model holds its bias twice.
    fn is_tied_copy(&self, name: &str, tensor: &SavedTensor) -> bool {
        let first = name.replacen(".decoder.", ".", 1);
        !self.layout.tensors.contains_key(name)
            && self.layout.tensors.contains_key(&first)
            && self
                .saved
                .get(&first)
                .is_some_and(|other| other.values == tensor.values)
    }

    fn replacement(&self, name: &str, tensor: &SavedTensor) -> Result<SavedTensor, AdapterError> {
        match self.layout.tensors.get(name) {
            None => Err(self.adapter.tensor_error(
                name,
                "has values in the adapter, but the model has no such tensor".into(),
            )),
            Some(shape) if *shape != tensor.shape => Err(self.adapter.tensor_error(
                name,
                format!(
                    "has shape {shape:?} in the model, but {:?} in the adapter",
                    tensor.shape
                ),
            )),
            Some(shape) => Ok(SavedTensor {
                name: name.to_owned(),
                shape: shape.clone(),
                values: tensor.values.clone(),
            }),
        }
    }

    /// Refuses an adapter that lacks a tensor of the model which its configuration says was trained.
    fn check_complete(&self) -> Result<(), AdapterError> {
        let config = &self.adapter.config;
        for (tensor, shape) in &self.layout.tensors {
            if self.saved.contains_key(tensor) {
                continue;
            }
            let name = self.spelling.in_adapter(tensor);
            let field = if within(&name).any(|module| config.saves(module)) {
                "modules_to_save"
            } else if shape.len() == 1 && self.has_trained_bias(tensor) {
                "bias"
            } else {
                continue;
            };
            return Err(self.adapter.tensor_error(
                tensor,
                format!(
                    "was trained by `{field}` of the adapter's configuration, but the adapter has no values for it"
                ),
            ));
        }
        Ok(())
    }

    fn has_trained_bias(&self, tensor: &str) -> bool {
        tensor
            .strip_suffix(".bias")
            .is_some_and(|module| match self.adapter.config.bias {
                TrainedBias::None => false,
                TrainedBias::All => true,
                TrainedBias::LoraOnly => self.factors.contains_key(module),
            })
    }
}

impl Adapter {
    fn no_match(&self, modules: &[TargetModule]) -> AdapterError {
        let wanted = self.modules().next().unwrap_or_default();
        let found = modules
            .first()
            .map_or("no such module", |module| module.name.as_str());
        AdapterError::NoMatch {
            adapter: self.dir.clone(),
            problem: format!(
                "the adapter has weights for {} modules, the first is `{wanted}`; the model has {}, the first is `{found}`",
                self.contents.factors.len(),
                modules.len()
            ),
            remedy: self.base_remedy(),
        }
    }

    fn tensor_error(&self, tensor: &str, problem: String) -> AdapterError {
        AdapterError::ModelTensor {
            adapter: self.dir.clone(),
            tensor: tensor.to_owned(),
            problem,
            remedy: self.base_remedy(),
        }
    }
}

/// The modules that a tensor lies in, from the outermost.
fn within(tensor: &str) -> impl Iterator<Item = &str> {
    tensor.match_indices('.').map(|(at, _)| &tensor[..at])
}

/// The model's module with the same last part, or the first of all, as a hint.
fn nearest(name: &str, modules: &[TargetModule]) -> String {
    let last = |name: &str| name.rsplit('.').next().map(str::to_owned);
    let like = modules
        .iter()
        .rev()
        .find(|module| last(&module.name) == last(name));
    match like.or(modules.first()) {
        Some(module) => format!("it has, for example, `{}`", module.name),
        None => "it has none at all".into(),
    }
}
