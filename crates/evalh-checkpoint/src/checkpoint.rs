//! A checkpoint of either format.

use crate::{
    ChatTemplate, CheckpointError, CodedTensor, GenerationSettings, StoredDtype, TensorInfo,
    TextTokenizer, WeightSource, count_non_finite,
    folder::Folder,
    gguf::{GgufFile, is_later_part},
    map::list,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// An opened checkpoint: a Hugging Face folder or a GGUF file, memory-mapped.
#[derive(Debug)]
pub struct Checkpoint {
    format: Format,
    files: Vec<PathBuf>,
}

#[derive(Debug)]
enum Format {
    Folder(Box<Folder>),
    Gguf(Box<GgufFile>),
}

impl Checkpoint {
    /// Opens a folder with `config.json`, or a `.gguf` file (or a folder that holds just one).
    ///
    /// Headers, index and metadata are checked against the files; no weights are read.
    ///
    /// # Errors
    /// When files are missing, damaged, contradictory or of a kind that is not supported.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        let metadata = std::fs::metadata(path).map_err(|source| CheckpointError::Io {
            path: path.to_owned(),
            source,
        })?;
        if metadata.is_file() {
            return Self::open_file(path);
        }
        if path.join("config.json").is_file() {
            let folder = Folder::open(path)?;
            return Ok(Self {
                files: folder.files().to_vec(),
                format: Format::Folder(Box::new(folder)),
            });
        }
        match gguf_files(path)?.as_slice() {
            [single] => Self::open_file(single),
            [] if path.join("adapter_config.json").is_file() => Err(not_a_checkpoint(
                path,
                "it is a PEFT adapter, which goes with its base model".to_owned(),
            )),
            [] => Err(not_a_checkpoint(
                path,
                "the folder has neither config.json nor a .gguf file".to_owned(),
            )),
            several => {
                let names: Vec<_> = several
                    .iter()
                    .filter_map(|file| file.file_name())
                    .map(|name| name.to_string_lossy())
                    .collect();
                Err(not_a_checkpoint(
                    path,
                    format!(
                        "the folder has several models, {}; name one",
                        names.join(", ")
                    ),
                ))
            }
        }
    }

    fn open_file(path: &Path) -> Result<Self, CheckpointError> {
        if path
            .extension()
            .is_none_or(|extension| !extension.eq_ignore_ascii_case("gguf"))
        {
            return Err(not_a_checkpoint(
                path,
                "the file's name does not end in .gguf".to_owned(),
            ));
        }
        let file = GgufFile::open(path)?;
        Ok(Self {
            files: file.paths().map(Path::to_owned).collect(),
            format: Format::Gguf(Box::new(file)),
        })
    }

    /// The checkpoint's tokenizer.
    ///
    /// # Errors
    /// When there is none, it is damaged or unsupported, or its ids exceed the model's vocabulary.
    pub fn tokenizer(&self) -> Result<TextTokenizer, CheckpointError> {
        let tokenizer = match &self.format {
            Format::Folder(folder) => folder.tokenizer(),
            Format::Gguf(file) => file.tokenizer(),
        }?;
        tokenizer.fitting(self.vocabulary()?)
    }

    fn vocabulary(&self) -> Result<usize, CheckpointError> {
        const KEY: &str = "vocab_size";
        let config = self.config();
        [&config[KEY], &config["text_config"][KEY]]
            .into_iter()
            .find_map(|value| value.as_u64().and_then(|n| usize::try_from(n).ok()))
            .ok_or_else(|| CheckpointError::Malformed {
                path: self.path().join("config.json"),
                field: KEY.to_owned(),
                problem: "is missing, so the tokenizer cannot be checked against the model"
                    .to_owned(),
                remedy: "add the number of rows of the model's embedding",
            })
    }

    /// The checkpoint's chat template, or `None` where it has none.
    ///
    /// # Errors
    /// When the template does not parse.
    pub fn chat_template(&self) -> Result<Option<ChatTemplate>, CheckpointError> {
        match &self.format {
            Format::Folder(folder) => folder.chat_template(),
            Format::Gguf(file) => file.chat_template(),
        }
    }

    /// What the checkpoint says about how to generate with it.
    pub fn generation(&self) -> &GenerationSettings {
        match &self.format {
            Format::Folder(folder) => folder.generation(),
            Format::Gguf(file) => file.generation(),
        }
    }

    /// The folder or file that was opened.
    pub fn path(&self) -> &Path {
        match &self.format {
            Format::Folder(folder) => folder.path(),
            Format::Gguf(file) => file.path(),
        }
    }

    /// Every file whose bytes can change a score, for hashing.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The number of values stored in each type, most values first.
    pub fn dtype_summary(&self) -> Vec<(StoredDtype, u64)> {
        let mut counts = BTreeMap::new();
        for (info, _) in self.stored() {
            *counts.entry(info.dtype).or_insert(0) += info.elements() as u64;
        }
        let mut summary: Vec<_> = counts.into_iter().collect();
        summary.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        summary
    }

    /// The number of stored values. A tied output head is not stored, or stored once under two names, and not counted.
    pub fn parameters(&self) -> u64 {
        self.stored().map(|(info, _)| info.elements() as u64).sum()
    }

    /// The bytes that the stored values take up.
    pub fn bytes(&self) -> u64 {
        self.stored().map(|(_, bytes)| bytes as u64).sum()
    }

    /// Reads every tensor and names those with values that are NaN or infinite, with their number. Integers, which some
    /// checkpoints hold beside the weights, are passed over.
    ///
    /// # Errors
    /// When a tensor cannot be read.
    pub fn non_finite(&self) -> Result<Vec<(String, usize)>, CheckpointError> {
        let mut found = Vec::new();
        for name in self.tensor_names() {
            if self
                .tensor(&name)
                .is_some_and(|info| info.dtype.is_integer())
            {
                continue;
            }
            let count = count_non_finite(&self.read_f32(&name)?);
            if count > 0 {
                found.push((name, count));
            }
        }
        Ok(found)
    }

    fn names(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match &self.format {
            Format::Folder(folder) => Box::new(folder.names()),
            Format::Gguf(file) => Box::new(file.names()),
        }
    }

    /// Shape, type and bytes of everything that is stored.
    fn stored(&self) -> Box<dyn Iterator<Item = (TensorInfo, usize)> + '_> {
        match &self.format {
            Format::Folder(folder) => Box::new(folder.stored()),
            Format::Gguf(file) => Box::new(file.names().filter_map(|name| file.tensor(name))),
        }
    }
}

impl WeightSource for Checkpoint {
    fn config(&self) -> &serde_json::Value {
        match &self.format {
            Format::Folder(folder) => folder.config(),
            Format::Gguf(file) => file.config(),
        }
    }

    fn tensor_names(&self) -> Vec<String> {
        self.names().map(str::to_owned).collect()
    }

    fn tensor(&self, name: &str) -> Option<TensorInfo> {
        match &self.format {
            Format::Folder(folder) => folder.tensor(name),
            Format::Gguf(file) => file.tensor(name).map(|(info, _)| info),
        }
    }

    fn read_f32(&self, name: &str) -> Result<Vec<f32>, CheckpointError> {
        let missing = || CheckpointError::MissingTensor {
            path: self.path().to_owned(),
            tensor: name.to_owned(),
        };
        match &self.format {
            Format::Folder(folder) => folder.read_f32(name).ok_or_else(missing)?,
            Format::Gguf(file) => file.read_f32(name).ok_or_else(missing),
        }
    }

    fn read_codes(&self, name: &str) -> Result<Option<CodedTensor>, CheckpointError> {
        if self.tensor(name).is_none() {
            return Err(CheckpointError::MissingTensor {
                path: self.path().to_owned(),
                tensor: name.to_owned(),
            });
        }
        match &self.format {
            Format::Folder(_) => Ok(None),
            Format::Gguf(file) => Ok(file.read_codes(name)),
        }
    }
}

fn gguf_files(folder: &Path) -> Result<Vec<PathBuf>, CheckpointError> {
    let mut files = list(folder)?;
    files.retain(|path| {
        let extension = path.extension();
        extension.is_some_and(|extension| extension.eq_ignore_ascii_case("gguf"))
            && !is_later_part(path)
    });
    Ok(files)
}

fn not_a_checkpoint(path: &Path, found: String) -> CheckpointError {
    CheckpointError::NotACheckpoint {
        path: path.to_owned(),
        found,
    }
}
