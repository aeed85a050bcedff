//! Hugging Face checkpoint folders.

mod generation;
mod index;
mod kind;
mod quantised;
mod quantization_config;
mod shards;
mod template;
mod weights;

use crate::{
    ChatTemplate, CheckpointError, GenerationSettings, TensorInfo, TextTokenizer, map::read_json,
    tokenizer::InputSettings,
};
use quantization_config::QuantizationConfig;
use serde_json::Value;
use std::path::{Path, PathBuf};
use weights::Weights;

/// Files other than weights whose bytes can change a score.
const SIDE_FILES: &[&str] = &[
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
];

/// An opened folder.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    config: Value,
    tokenizer_config: Value,
    generation: GenerationSettings,
    weights: Weights,
    files: Vec<PathBuf>,
}

impl Folder {
    pub(crate) fn open(path: &Path) -> Result<Self, CheckpointError> {
        let config_path = path.join("config.json");
        let config = read_json(&config_path)?;
        let quantization = QuantizationConfig::read(&config, &config_path)?;
        let weights = Weights::open(path, quantization.as_ref())?;
        let tokenizer_config = optional_json(&path.join("tokenizer_config.json"))?;
        let generation = generation::settings(path, &config, &tokenizer_config)?;
        let mut files: Vec<PathBuf> = SIDE_FILES
            .iter()
            .map(|name| path.join(name))
            .filter(|file| file.is_file())
            .collect();
        files.extend(weights.paths());
        Ok(Self {
            path: path.to_owned(),
            config,
            tokenizer_config,
            generation,
            weights,
            files,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn config(&self) -> &Value {
        &self.config
    }

    pub(crate) fn generation(&self) -> &GenerationSettings {
        &self.generation
    }

    pub(crate) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.weights.names()
    }

    pub(crate) fn tensor(&self, name: &str) -> Option<TensorInfo> {
        self.weights.tensor(name)
    }

    /// Shape, type and bytes of everything that is stored, values with several names once.
    pub(crate) fn stored(&self) -> impl Iterator<Item = (TensorInfo, usize)> {
        self.weights.stored()
    }

    pub(crate) fn read_f32(&self, name: &str) -> Option<Result<Vec<f32>, CheckpointError>> {
        self.weights.read_f32(name)
    }

    pub(crate) fn tokenizer(&self) -> Result<TextTokenizer, CheckpointError> {
        let path = self.path.join("tokenizer.json");
        if !path.is_file() {
            return Err(CheckpointError::MissingFile {
                path,
                needed_by: "the checkpoint has no tokenizer that can be read".to_owned(),
                remedy: "save the tokenizer with transformers' fast tokenizer, which writes tokenizer.json",
            });
        }
        let config_path = self.path.join("tokenizer_config.json");
        let input = InputSettings::read(&self.tokenizer_config, &config_path)?;
        Ok(TextTokenizer::from_json(&path)?.with_input(input))
    }

    pub(crate) fn chat_template(&self) -> Result<Option<ChatTemplate>, CheckpointError> {
        template::read(&self.path, &self.tokenizer_config)
    }
}

/// A JSON file's content, or null where there is no such file.
fn optional_json(path: &Path) -> Result<Value, CheckpointError> {
    if path.is_file() {
        read_json(path)
    } else {
        Ok(Value::Null)
    }
}
