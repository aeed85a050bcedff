//! An adapter folder, and its match with a model.

mod check;
mod resolve;

use crate::{
    AdapterError, AdapterUpdate, LoraConfig, SavedTensor,
    file::{self, Contents, Factors},
    spelling::is_vision,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A low-rank adapter, read and checked in itself, not yet matched with a model.
#[derive(Debug, Clone)]
pub struct Adapter {
    dir: PathBuf,
    files: Vec<PathBuf>,
    config: LoraConfig,
    contents: Contents,
}

impl Adapter {
    /// Reads and checks the folder `dir`, as PEFT's `save_pretrained` writes it.
    ///
    /// # Errors
    /// When a file is missing or damaged, a field of the configuration is not honoured, a tensor is unknown, not finite,
    /// without its counterpart or of another rank than configured, or is that of a module the configuration leaves out.
    pub fn open(dir: &Path) -> Result<Adapter, AdapterError> {
        let config_path = dir.join("adapter_config.json");
        let json = fs::read(&config_path).map_err(|source| AdapterError::Read {
            path: config_path.clone(),
            source,
            remedy: config_remedy(dir),
        })?;
        let config = LoraConfig::from_json(&config_path, &json)?;
        let weights = file::weights_file(dir)?;
        let contents = Contents::of(&weights, &config, file::read_file(&weights)?)?;
        let adapter = Adapter {
            dir: dir.to_owned(),
            files: vec![config_path, weights],
            config,
            contents,
        };
        adapter.check_against_config()?;
        Ok(adapter)
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The settings of `adapter_config.json`.
    pub fn config(&self) -> &LoraConfig {
        &self.config
    }

    /// Every file whose bytes can change a score.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Names of the modules that the adapter has updates for, sorted, as the adapter spells them.
    pub fn modules(&self) -> impl ExactSizeIterator<Item = &str> {
        self.contents.factors.keys().map(String::as_str)
    }

    /// Tensors of the model that the adapter replaces, sorted by name, as the adapter spells them: heads, norms,
    /// embeddings, biases. A model without a head takes the shape of its head from here.
    pub fn saved(&self) -> impl ExactSizeIterator<Item = &SavedTensor> {
        self.contents.saved.values()
    }

    /// Names of the modules whose updates have no effect on text, and are left out: those of a vision tower.
    pub fn left_out(&self) -> impl Iterator<Item = &str> {
        self.modules().filter(|name| is_vision(name))
    }

    /// Parameters of all updates together: factors, magnitudes and biases.
    pub fn parameters(&self) -> usize {
        self.contents
            .factors
            .values()
            .map(Factors::parameters)
            .sum()
    }

    /// Parameters of the tensors that the adapter replaces.
    pub fn saved_parameters(&self) -> usize {
        self.saved().map(|tensor| tensor.values.len()).sum()
    }

    /// The updates by the adapter's own names of modules, matched with no model: to look at, not to apply.
    pub fn unresolved(&self) -> AdapterUpdate {
        let factors = &self.contents.factors;
        AdapterUpdate {
            lora: factors
                .iter()
                .map(|(module, factors)| factors.update(module, self.config.scale_of(module)))
                .collect(),
            saved: self.saved().cloned().collect(),
        }
    }

    fn module_error(&self, module: &str, problem: String) -> AdapterError {
        AdapterError::Module {
            adapter: self.dir.clone(),
            module: module.to_owned(),
            problem,
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

fn config_remedy(dir: &Path) -> String {
    if dir.is_dir() {
        "give the folder that PEFT's save_pretrained wrote, with adapter_config.json and adapter_model.safetensors or \
         adapter_model.bin"
            .into()
    } else {
        format!(
            "{} is not a folder: give the adapter's folder, not a file in it",
            dir.display()
        )
    }
}
