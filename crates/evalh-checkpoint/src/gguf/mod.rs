//! GGUF files, versions 2 and 3, as llama.cpp writes them.
//!
//! The format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>. Everything little-endian: magic, version,
//! two counts, metadata (typed key-value pairs), tensor directory, aligned tensor data.

mod blocks;
mod config;
mod family;
mod header;
mod layout;
mod reader;
mod rope;
mod tokenizer;
mod value;

pub(crate) use blocks::BlockType;
pub(crate) use header::Header;

use crate::{
    ChatTemplate, CheckpointError, GenerationSettings, TensorInfo, TextTokenizer,
    error::FETCH_AGAIN, map::MappedFile, template::SpecialTokenTexts,
};
use layout::Layout;
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

/// An opened GGUF file.
#[derive(Debug)]
pub(crate) struct GgufFile {
    file: MappedFile,
    header: Header,
    config: serde_json::Value,
    generation: GenerationSettings,
    /// Tensors by Hugging Face name, in the file's order.
    tensors: Vec<(String, Layout)>,
    by_name: HashMap<String, usize>,
}

impl GgufFile {
    pub(crate) fn open(path: &Path) -> Result<Self, CheckpointError> {
        let file = MappedFile::open(path)?;
        Self::parse(file).map_err(|e| e.at(path))
    }

    fn parse(file: MappedFile) -> Result<Self, FormatError> {
        let bytes = file.bytes();
        let header = Header::parse(bytes)?;
        let family = family::of(&header)?;
        let config = config::hugging_face(&header, bytes, family)?;
        let generation = config::generation(&header, bytes, &config)?;
        let tensors = layout::all(&header, family, &config)?;
        let by_name = tensors
            .iter()
            .enumerate()
            .map(|(i, (name, _))| (name.clone(), i))
            .collect();
        Ok(Self {
            file,
            header,
            config,
            generation,
            tensors,
            by_name,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        self.file.path()
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
        self.layout(name)
            .map(|layout| layout.read(self.file.bytes()))
    }

    fn layout(&self, name: &str) -> Option<&Layout> {
        self.by_name.get(name).map(|&i| &self.tensors[i].1)
    }

    pub(crate) fn tokenizer(&self) -> Result<TextTokenizer, CheckpointError> {
        let inner =
            tokenizer::build(&self.header, self.file.bytes()).map_err(|e| e.at(self.path()))?;
        TextTokenizer::new(inner, self.path())
    }

    pub(crate) fn chat_template(&self) -> Result<Option<ChatTemplate>, CheckpointError> {
        let Some(source) = self
            .header
            .string("tokenizer.chat_template")
            .map_err(|e| e.at(self.path()))?
        else {
            return Ok(None);
        };
        let texts = tokenizer::special_texts(&self.header, self.file.bytes())
            .map_err(|e| e.at(self.path()))?;
        let name = format!("tokenizer.chat_template of {}", self.path().display());
        ChatTemplate::new(name, source.to_owned(), SpecialTokenTexts(texts)).map(Some)
    }
}
