//! A checkpoint of a run, opened, and its engine.

use crate::{
    artifacts::Artifacts,
    checkpoints::{self, Located},
    failure::{OrFail as _, Outcome},
    flags::Quantize,
    identity,
    settings::{Effort, ModelChoice, RunSettings},
};
use evalh_checkpoint::{ChatTemplate, Checkpoint};
use evalh_engine::{EngineOptions, LocalEngine, LocalTokenizer, MemoryBudget};
use evalh_model::{Decoder, DecoderConfig, DeviceChoice, LoadOptions};
use evalh_record::{CheckpointSettings, FileIdentity, FileOrigin, sha256_bytes};
use std::time::{Duration, Instant};

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
    /// Finds or fetches the checkpoint, opens it, and makes sure that its family and settings are supported. `moment` is
    /// what a chat template that asks for the time is told; `None` is now. The user names the checkpoint by `flag`.
    ///
    /// # Errors
    /// When there is no such checkpoint, or it is damaged or not supported.
    pub fn open(
        choice: &ModelChoice,
        artifacts: &Artifacts<'_>,
        moment: Option<i64>,
        flag: &str,
    ) -> Outcome<OpenedModel> {
        let Located { name, path, pulled } = checkpoints::locate(choice, artifacts, flag)?;
        let began = Instant::now();
        let checkpoint = Checkpoint::open(&path).or_fail()?;
        DecoderConfig::read(evalh_checkpoint::WeightSource::config(&checkpoint)).or_fail()?;
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

    /// What its chat template is told as now, where it asks.
    pub fn moment(&self) -> Option<i64> {
        self.template.as_ref().and_then(ChatTemplate::moment)
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

    /// Its tokenizer, chat template and limits, without its weights.
    ///
    /// # Errors
    /// When the tokenizer does not fit the checkpoint.
    pub fn tokenizer(&self) -> Outcome<LocalTokenizer> {
        let config = evalh_checkpoint::WeightSource::config(&self.checkpoint);
        LocalTokenizer::new(
            &DecoderConfig::read(config).or_fail()?,
            self.checkpoint.tokenizer().or_fail()?,
            self.template.clone(),
            self.checkpoint.generation(),
        )
        .or_fail()
    }

    /// Reads the weights.
    ///
    /// # Errors
    /// When they do not fit the checkpoint's description, or the device is not there.
    pub fn engine(&self, run: &RunSettings, effort: &Effort) -> Outcome<LocalEngine> {
        let device: DeviceChoice = run.device.parse().or_fail()?;
        let options = LoadOptions {
            kernel: run.kernel.choice(),
            quantize: run.quantize.map(Quantize::choice),
        };
        let tokenizer = self.checkpoint.tokenizer().or_fail()?;
        let decoder = Decoder::load(&self.checkpoint, device, options).or_fail()?;
        LocalEngine::new(
            decoder,
            tokenizer,
            self.template.clone(),
            self.checkpoint.generation(),
            engine_options(effort),
        )
        .or_fail()
    }

    /// The record's description.
    pub fn settings(&self, run: &RunSettings) -> CheckpointSettings {
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
            quantized: run.quantize.map(|to| to.to_string()),
            chat_template_sha256: self
                .template
                .as_ref()
                .map(|template| sha256_bytes(template.source().as_bytes())),
            chat_template_moment: self.moment(),
        }
    }
}

fn engine_options(effort: &Effort) -> EngineOptions {
    let mut options = EngineOptions::default();
    if let Some(bytes) = effort.memory {
        options.memory = MemoryBudget::Bytes(bytes);
    }
    if let Some(rows) = effort.batch {
        options.max_rows = rows;
    }
    options
}
