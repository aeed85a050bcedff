//! The checkpoint and its adapters, opened and put into an engine.

use crate::{
    artifacts::Artifacts,
    failure::{Failure, OrFail as _, Outcome},
    flags::{Apply, Kernel},
    identity,
    own_adapters::OwnAdapter,
    settings::{AdapterChoice, BASE, Effort, ModelChoice, RunSettings},
};
use evalh_adapter::{Adapter, AdapterUpdate};
use evalh_checkpoint::{ChatTemplate, Checkpoint};
use evalh_engine::{EngineError, EngineOptions, LocalEngine, MemoryBudget, Variant};
use evalh_model::{Decoder, DeviceChoice, KernelChoice, LoadOptions, LoraId};
use evalh_record::{
    AdapterSettings, CheckpointSettings, FileIdentity, FileOrigin, VariantSettings, sha256_bytes,
};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// An opened checkpoint, before its weights are read.
pub struct OpenedModel {
    /// Its name in the record.
    pub name: String,
    checkpoint: Checkpoint,
    template: Option<ChatTemplate>,
    files: Vec<FileIdentity>,
    /// Where its files came from.
    pub origins: Vec<FileOrigin>,
    /// How long that took, without fetching.
    pub opening: Duration,
}

impl OpenedModel {
    /// Finds or fetches the checkpoint and opens it. `moment` is what a chat template that asks for the time is told;
    /// `None` is now.
    ///
    /// # Errors
    /// When there is no such checkpoint, or it is damaged or not supported.
    pub fn open(
        choice: &ModelChoice,
        artifacts: &Artifacts<'_>,
        moment: Option<i64>,
    ) -> Outcome<OpenedModel> {
        let (name, path, pulled) = match choice {
            ModelChoice::Path(path) if !path.exists() => {
                let what = format!(
                    "open the checkpoint {}: there is no such file or folder",
                    path.display()
                );
                return Err(Failure::new(what).help(
                    "give a Hugging Face folder or a .gguf file with --model, or a name of `evalh list models`",
                ));
            }
            ModelChoice::Path(path) => (file_stem(path), path.clone(), None),
            ModelChoice::Name(name) => {
                let pulled = artifacts.pull(name, None, "--model")?;
                (name.clone(), pulled.entry().to_owned(), Some(pulled))
            }
        };
        let began = Instant::now();
        let checkpoint = Checkpoint::open(&path).or_fail()?;
        let template = checkpoint.chat_template().or_fail()?;
        let template = match (template, moment) {
            (Some(template), Some(moment)) => Some(template.at(moment).or_fail()?),
            (template, _) => template,
        };
        let mut files = Vec::new();
        let mut origins = Vec::new();
        for file in checkpoint.files() {
            let known = pulled
                .iter()
                .flat_map(|pulled| &pulled.files)
                .find(|known| known.path == *file);
            let (identity, origin) = match (known, &pulled) {
                (Some(known), Some(pulled)) => identity::of_pulled(pulled, known)?,
                _ => identity::of_path(file)?,
            };
            files.push(identity);
            origins.extend(origin);
        }
        Ok(OpenedModel {
            name,
            checkpoint,
            template,
            files,
            origins,
            opening: began.elapsed(),
        })
    }

    /// Whether it can be asked in chat form.
    pub fn has_chat_template(&self) -> bool {
        self.template.is_some()
    }

    /// Settings of its generation that are not honoured, for a warning.
    pub fn unhonoured(&self) -> Vec<String> {
        let generation = self.checkpoint.generation();
        let mut found = generation.unhonoured.clone();
        if let Some(penalty) = generation
            .repetition_penalty
            .filter(|penalty| (penalty - 1.0).abs() > f32::EPSILON)
        {
            found.push(format!("repetition_penalty {penalty}"));
        }
        found
    }

    fn settings(&self) -> CheckpointSettings {
        let stored: Vec<_> = self
            .checkpoint
            .dtype_summary()
            .iter()
            .map(|(dtype, _)| dtype.to_string())
            .collect();
        CheckpointSettings {
            name: self.name.clone(),
            files: self.files.clone(),
            stored: stored.join(", "),
            parameters: self.checkpoint.parameters(),
            chat_template_sha256: self
                .template
                .as_ref()
                .map(|template| sha256_bytes(template.source().as_bytes())),
            chat_template_moment: self.template.as_ref().and_then(ChatTemplate::moment),
        }
    }
}

/// An adapter, opened and checked in itself.
pub struct OpenedAdapter {
    name: String,
    adapter: Adapter,
    files: Vec<FileIdentity>,
}

impl OpenedAdapter {
    /// Opens every adapter of the run.
    ///
    /// # Errors
    /// When a file is missing or damaged, or something in it would not be honoured.
    pub fn open_all(choices: &[AdapterChoice], cache: &Path) -> Outcome<Vec<OpenedAdapter>> {
        choices
            .iter()
            .map(|choice| Self::open(choice, cache))
            .collect()
    }

    fn open(choice: &AdapterChoice, cache: &Path) -> Outcome<OpenedAdapter> {
        let dir = match &choice.path {
            Some(path) => path.clone(),
            None => OwnAdapter::named(&choice.name)
                .ok_or_else(|| {
                    Failure::new(format!(
                        "find the adapter `{}`: it is not part of this evalh",
                        choice.name
                    ))
                })?
                .unpack(cache)?,
        };
        let adapter = Adapter::open(&dir).or_fail()?;
        Ok(OpenedAdapter {
            name: choice.name.clone(),
            files: identity::files(adapter.files())?,
            adapter,
        })
    }
}

/// The engine, and what to select for each variant.
pub struct Variants {
    engine: LocalEngine,
    parts: Vec<Part>,
    /// The record's description of the checkpoint.
    pub checkpoint: CheckpointSettings,
    /// The record's description of the variants, the base first.
    pub settings: Vec<VariantSettings>,
    /// The kernels at work.
    pub kernel: String,
    /// The number types of the weights as they are held.
    pub dtype: String,
}

/// What makes a variant of the base.
enum Part {
    Base,
    Merged(AdapterUpdate),
    Attached(LoraId),
}

impl Variants {
    /// Reads the weights and matches all adapters, so that a wrong one is known before anything is answered.
    ///
    /// # Errors
    /// When the weights do not fit the checkpoint's description, the device is not there, or an adapter does not fit.
    pub fn load(
        model: OpenedModel,
        adapters: Vec<OpenedAdapter>,
        run: &RunSettings,
        effort: &Effort,
    ) -> Outcome<Variants> {
        let device: DeviceChoice = run.device.parse().or_fail()?;
        let kernel = match run.kernel {
            Kernel::Auto => KernelChoice::Auto,
            Kernel::Portable => KernelChoice::Portable,
        };
        let checkpoint = model.settings();
        let tokenizer = model.checkpoint.tokenizer().or_fail()?;
        let decoder = Decoder::load(&model.checkpoint, device, LoadOptions { kernel, ..LoadOptions::default() }).or_fail()?;
        let (kernel, dtype) = (decoder.kernel().to_string(), decoder.footprint().dtype);
        let layout = decoder.layout();
        let generation = model.checkpoint.generation();
        let mut engine = LocalEngine::new(
            decoder,
            tokenizer,
            model.template,
            generation,
            options(effort),
        )
        .or_fail()?;

        let mut parts = vec![Part::Base];
        let mut settings = vec![VariantSettings {
            name: BASE.to_owned(),
            checkpoint: model.name.clone(),
            adapter: None,
        }];
        for opened in adapters {
            let updates = opened.adapter.resolve(&layout).or_fail()?;
            settings.push(VariantSettings {
                name: opened.name,
                checkpoint: model.name.clone(),
                adapter: Some(AdapterSettings {
                    apply: run.apply.to_string(),
                    files: opened.files,
                    modules: updates.lora.len(),
                    parameters: updates.parameters() as u64,
                }),
            });
            parts.push(match run.apply {
                Apply::Merged => Part::Merged(updates),
                Apply::Unmerged => Part::Attached(engine.attach(&updates).or_fail()?),
            });
        }
        Ok(Variants {
            engine,
            parts,
            checkpoint,
            settings,
            kernel,
            dtype,
        })
    }

    /// Makes the engine answer for a variant, by its place in [`Variants::settings`].
    ///
    /// # Errors
    /// When an update does not fit.
    pub fn select(&mut self, variant: usize) -> Result<&mut LocalEngine, EngineError> {
        let part = match &self.parts[variant] {
            Part::Base => Variant::Base,
            Part::Merged(updates) => Variant::Merged(updates),
            Part::Attached(adapter) => Variant::Attached(*adapter),
        };
        self.engine.select(part)?;
        Ok(&mut self.engine)
    }
}

fn options(effort: &Effort) -> EngineOptions {
    let mut options = EngineOptions::default();
    if let Some(bytes) = effort.memory {
        options.memory = MemoryBudget::Bytes(bytes);
    }
    if let Some(rows) = effort.batch {
        options.max_rows = rows;
    }
    options
}

fn file_stem(path: &Path) -> String {
    // `.` and `model/..` have a name only once they are resolved.
    let real: PathBuf = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = if real.is_dir() {
        real.file_name()
    } else {
        real.file_stem()
    };
    name.unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}
