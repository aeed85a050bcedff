//! GGUF files, versions 2 and 3, as llama.cpp writes them.
//!
//! The format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>. Everything little-endian: magic, version,
//! two counts, metadata (typed key-value pairs), tensor directory, aligned tensor data. A model may be in parts, each
//! of them such a file.

mod blocks;
mod coded;
mod config;
mod entry;
mod facts;
mod family;
mod header;
mod layout;
mod model;
mod reader;
mod rope;
mod tokenizer;
mod value;

pub(crate) use blocks::BlockType;
pub(crate) use model::is_later_part;

use crate::{
    ChatTemplate, CheckpointError, CodedTensor, GenerationSettings, TensorInfo, TextTokenizer,
    error::FETCH_AGAIN, template::SpecialTokenTexts,
};
use facts::Facts;
use layout::Layout;
use model::Model;
use std::{collections::HashMap, path::Path};

/// A fault found while reading; becomes a [`CheckpointError`] once the file's name is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FormatError {
    field: String,
    problem: String,
    /// What would work, where the file is sound but asks for something that is not honoured.
    supported: Option<String>,
}

impl FormatError {
    fn new(field: &str, problem: String) -> Self {
        Self {
            field: field.to_owned(),
            problem,
            supported: None,
        }
    }

    fn unsupported(field: &str, found: String, supported: String) -> Self {
        Self {
            field: field.to_owned(),
            problem: found,
            supported: Some(supported),
        }
    }

    fn missing(key: &str) -> Self {
        Self::new(key, "is missing from the metadata".to_owned())
    }

    /// Names the file.
    pub(crate) fn at(self, path: &Path) -> CheckpointError {
        let Self {
            field,
            problem,
            supported,
        } = self;
        let path = path.to_owned();
        match supported {
            Some(supported) => CheckpointError::Unsupported {
                path,
                field,
                found: problem,
                supported,
            },
            None => CheckpointError::Malformed {
                path,
                field,
                problem,
                remedy: FETCH_AGAIN,
            },
        }
    }
}

/// An opened model: a GGUF file, or all parts of one.
#[derive(Debug)]
pub(crate) struct GgufFile {
    model: Model,
    config: serde_json::Value,
    generation: GenerationSettings,
    /// Tensors by Hugging Face name, in the file's order.
    tensors: Vec<(String, Layout)>,
    by_name: HashMap<String, usize>,
}

impl GgufFile {
    pub(crate) fn open(path: &Path) -> Result<Self, CheckpointError> {
        Self::translate(Model::open(path)?).map_err(|e| e.at(path))
    }

    fn translate(model: Model) -> Result<Self, FormatError> {
        let family = family::of(&model.header)?;
        let facts = Facts::of(&model, family.architecture)?;
        let config = config::hugging_face(&facts, family)?;
        let generation = config::generation(&facts)?;
        let tensors = entry::all(&facts, family)?;
        let by_name = tensors
            .iter()
            .enumerate()
            .map(|(i, (name, _))| (name.clone(), i))
            .collect();
        Ok(Self {
            model,
            config,
            generation,
            tensors,
            by_name,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        self.model.path()
    }

    /// The file, or all parts in order.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.model.paths()
    }

    pub(crate) fn config(&self) -> &serde_json::Value {
        &self.config
    }

    pub(crate) fn generation(&self) -> &GenerationSettings {
        &self.generation
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.iter().map(|(name, _)| name.as_str())
    }

    /// A tensor's shape and type, and the bytes it takes up in the file.
    pub(crate) fn tensor(&self, name: &str) -> Option<(TensorInfo, usize)> {
        self.layout(name)
            .map(|layout| (layout.info(), layout.byte_len()))
    }

    pub(crate) fn read_f32(&self, name: &str) -> Option<Vec<f32>> {
        self.layout(name).map(|layout| layout.read(&self.model))
    }

    /// A tensor's codes, `None` where there is no such tensor or its values are not kept as codes in rows.
    pub(crate) fn read_codes(&self, name: &str) -> Option<CodedTensor> {
        self.layout(name)?.read_codes(&self.model)
    }

    fn layout(&self, name: &str) -> Option<&Layout> {
        self.by_name.get(name).map(|&i| &self.tensors[i].1)
    }

    pub(crate) fn tokenizer(&self) -> Result<TextTokenizer, CheckpointError> {
        let inner = tokenizer::build(&self.model.header, self.model.metadata())
            .map_err(|e| e.at(self.path()))?;
        TextTokenizer::new(inner, self.path())
    }

    pub(crate) fn chat_template(&self) -> Result<Option<ChatTemplate>, CheckpointError> {
        let Some(source) = self
            .model
            .header
            .string("tokenizer.chat_template")
            .map_err(|e| e.at(self.path()))?
        else {
            return Ok(None);
        };
        let texts = tokenizer::special_texts(&self.model.header, self.model.metadata())
            .map_err(|e| e.at(self.path()))?;
        let name = format!("tokenizer.chat_template of {}", self.path().display());
        ChatTemplate::new(name, source.to_owned(), SpecialTokenTexts(texts)).map(Some)
    }
}
