//! An adapter folder, and its match with a model.

use crate::tensors::Pair;
use crate::{
    AdapterError, AdapterUpdate, LoraConfig, LoraUpdate, ModelLayout, TargetModule, tensors,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// A low-rank adapter, read and checked in itself, not yet matched with a model.
#[derive(Debug, Clone)]
pub struct Adapter {
    dir: PathBuf,
    files: Vec<PathBuf>,
    config: LoraConfig,
    pairs: BTreeMap<String, Pair>,
}

impl Adapter {
    /// Reads and checks the folder `dir`, as PEFT's `save_pretrained` writes it.
    ///
    /// # Errors
    /// When a file is missing or damaged, a field of the configuration is not honoured, a tensor is unknown, not finite,
    /// without its counterpart or of another rank than configured, or is that of a module the configuration leaves out.
    pub fn open(dir: &Path) -> Result<Adapter, AdapterError> {
        let config_path = dir.join("adapter_config.json");
        let weights_path = dir.join("adapter_model.safetensors");
        let config = LoraConfig::from_json(&config_path, &read(&config_path, config_remedy(dir))?)?;
        let pairs = tensors::read_pairs(&weights_path, &read(&weights_path, weights_remedy(dir))?)?;
        let adapter = Adapter {
            dir: dir.to_owned(),
            files: vec![config_path, weights_path],
            config,
            pairs,
        };
        adapter.check_against_config()?;
        Ok(adapter)
    }

    /// The settings of `adapter_config.json`.
    pub fn config(&self) -> &LoraConfig {
        &self.config
    }

    /// Every file whose bytes can change a score.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Names of the modules that the adapter has weights for, sorted.
    pub fn modules(&self) -> impl ExactSizeIterator<Item = &str> {
        self.pairs.keys().map(String::as_str)
    }

    /// Parameters of all updates together.
    pub fn parameters(&self) -> usize {
        self.pairs
            .values()
            .map(|pair| pair.a.values.len() + pair.b.values.len())
            .sum()
    }

    /// Matches the adapter with a model's `layout` and gives its updates in the order of the modules.
    ///
    /// # Errors
    /// When no module matches, shapes differ, the adapter has weights for a module that the model lacks, or the
    /// configuration selects a module of the model that the adapter has no weights for.
    pub fn resolve(&self, layout: &ModelLayout) -> Result<AdapterUpdate, AdapterError> {
        let modules = &layout.modules;
        let names: BTreeSet<&str> = modules.iter().map(|module| module.name.as_str()).collect();
        if !self.pairs.keys().any(|name| names.contains(name.as_str())) {
            return Err(self.no_match(modules));
        }
        if let Some(stranger) = self
            .pairs
            .keys()
            .find(|name| !names.contains(name.as_str()))
        {
            return Err(self.module_error(
                stranger,
                format!(
                    "has weights in the adapter, but the model has no such linear module ({})",
                    nearest(stranger, modules)
                ),
            ));
        }
        let mut updates = Vec::with_capacity(self.pairs.len());
        for module in modules {
            match self.pairs.get(&module.name) {
                Some(pair) => updates.push(self.update(module, pair)?),
                None if self.config.selects(&module.name) => {
                    return Err(self.module_error(
                        &module.name,
                        "is selected by the adapter's configuration, but the adapter has no weights for it".into(),
                    ));
                }
                None => {}
            }
        }
        Ok(AdapterUpdate {
            lora: updates,
            saved: Vec::new(),
        })
    }

    fn update(&self, module: &TargetModule, pair: &Pair) -> Result<LoraUpdate, AdapterError> {
        if (pair.b.rows, pair.a.columns) != (module.out_features, module.in_features) {
            return Err(self.module_error(
                &module.name,
                format!(
                    "has shape [{}, {}] in the model, but the adapter's update has shape [{}, {}]",
                    module.out_features, module.in_features, pair.b.rows, pair.a.columns
                ),
            ));
        }
        Ok(LoraUpdate {
            module: module.name.clone(),
            rank: pair.a.rows,
            scale: self.config.scale_of(&module.name),
            a: pair.a.values.clone(),
            b: pair.b.values.clone(),
            magnitude: None,
            bias: None,
        })
    }

    fn check_against_config(&self) -> Result<(), AdapterError> {
        for (module, pair) in &self.pairs {
            if !self.config.selects(module) {
                return Err(AdapterError::Module {
                    adapter: self.dir.clone(),
                    module: module.clone(),
                    problem:
                        "has weights in the adapter, but adapter_config.json does not select it"
                            .into(),
                    remedy: "the two files are not of one adapter: copy both from the same save"
                        .into(),
                });
            }
            let configured = self.config.rank_of(module);
            if pair.a.rows != configured {
                return Err(AdapterError::Module {
                    adapter: self.dir.clone(),
                    module: module.clone(),
                    problem: format!(
                        "has rank {} in the weights (lora_A of shape [{}, {}]), but rank {configured} in adapter_config.json",
                        pair.a.rows, pair.a.rows, pair.a.columns
                    ),
                    remedy: "the two files are not of one adapter: copy both from the same save"
                        .into(),
                });
            }
        }
        Ok(())
    }

    fn module_error(&self, module: &str, problem: String) -> AdapterError {
        AdapterError::Module {
            adapter: self.dir.clone(),
            module: module.to_owned(),
            problem,
            remedy: self.base_remedy(),
        }
    }

    fn no_match(&self, modules: &[TargetModule]) -> AdapterError {
        let wanted = self.pairs.keys().next().map_or("", String::as_str);
        let found = modules
            .first()
            .map_or("no linear module", |module| module.name.as_str());
        AdapterError::NoMatch {
            adapter: self.dir.clone(),
            problem: format!(
                "the adapter has weights for {} modules, the first is `{wanted}`; the model has {}, the first is `{found}`",
                self.pairs.len(),
                modules.len()
            ),
            remedy: self.base_remedy(),
        }
    }

    fn base_remedy(&self) -> String {
        match self.config.base_model() {
            Some(base) => format!(
                "apply it to the model it was trained on, which its configuration names `{base}`"
            ),
            None => {
                "apply it to the model it was trained on, which its configuration does not name"
                    .into()
            }
        }
    }
}

fn read(path: &Path, remedy: String) -> Result<Vec<u8>, AdapterError> {
    fs::read(path).map_err(|source| AdapterError::Read {
        path: path.to_owned(),
        source,
        remedy,
    })
}

fn config_remedy(dir: &Path) -> String {
    if dir.is_dir() {
        "give the folder that PEFT's save_pretrained wrote, with adapter_config.json and adapter_model.safetensors".into()
    } else {
        format!(
            "{} is not a folder: give the adapter's folder, not a file in it",
            dir.display()
        )
    }
}

fn weights_remedy(dir: &Path) -> String {
    if dir.join("adapter_model.bin").exists() {
        "adapter_model.bin is not read: save the adapter again with safe_serialization=True".into()
    } else {
        "give the folder that PEFT's save_pretrained wrote, with adapter_config.json and adapter_model.safetensors".into()
    }
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
