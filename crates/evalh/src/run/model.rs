//! A checkpoint of a run, opened, and its engine.

use super::adapters::OpenedAdapter;
use crate::{
    artifacts::Artifacts,
    checkpoints::{self, Located},
    failure::{OrFail as _, Outcome},
    flags::Quantize,
    identity,
    settings::{Effort, ModelChoice, RunSettings},
};
use evalh_checkpoint::{ChatTemplate, Checkpoint, WeightSource as _};
use evalh_engine::{
    EncoderEngine, EncoderTokenizer, EngineOptions, LocalEngine, LocalTokenizer, MemoryBudget,
    ModelEngine, RequestTokens,
};
use evalh_model::{
    Decoder, DecoderConfig, DeviceChoice, ENCODER_FAMILIES, Encoder, EncoderConfig, HeadChoice,
    LoadOptions,
};
use evalh_record::{CheckpointSettings, FileIdentity, FileOrigin, Request, sha256_bytes};
use evalh_task::ModelKind;
use std::time::{Duration, Instant};

/// An opened checkpoint, before its weights are read.
pub struct OpenedModel {
    /// Its name in the record.
    pub name: String,
    /// What kind of model it is.
    pub kind: ModelKind,
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
        let kind = kind(checkpoint.config());
        match kind {
            ModelKind::Decoder => DecoderConfig::read(checkpoint.config()).map(drop),
            ModelKind::Encoder => EncoderConfig::of(checkpoint.config()).map(drop),
        }
        .or_fail()?;
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
            kind,
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
    pub fn tokenizer(&self) -> Outcome<Tokenizer> {
        let config = self.checkpoint.config();
        let tokenizer = self.checkpoint.tokenizer().or_fail()?;
        Ok(match self.kind {
            ModelKind::Decoder => Tokenizer::Decoder(
                LocalTokenizer::new(
                    &DecoderConfig::read(config).or_fail()?,
                    tokenizer,
                    self.template.clone(),
                    self.checkpoint.generation(),
                )
                .or_fail()?,
            ),
            ModelKind::Encoder => {
                let config = EncoderConfig::of(config).or_fail()?;
                Tokenizer::Encoder(EncoderTokenizer::new(&config, tokenizer).or_fail()?)
            }
        })
    }

    /// The classification head that an encoder answers with: its own, or that of its adapters. `None` for a decoder.
    ///
    /// # Errors
    /// When none of them has one, or two of them have different numbers of labels.
    pub fn head(&self, adapters: &[OpenedAdapter]) -> Outcome<Option<HeadChoice>> {
        if self.kind == ModelKind::Decoder {
            return Ok(None);
        }
        let named: Vec<_> = adapters
            .iter()
            .flat_map(|opened| opened.parts().map(|part| (opened.name.as_str(), part)))
            .collect();
        HeadChoice::classifier(&self.checkpoint, &named)
            .or_fail()
            .map(Some)
    }

    /// Names of the labels that an encoder's head tells apart, in the order of its outputs; none for a decoder.
    ///
    /// # Errors
    /// When there is no head, or two have different numbers of labels.
    pub fn labels(&self, adapters: &[OpenedAdapter]) -> Outcome<Vec<String>> {
        let head = self.head(adapters)?;
        let labels = head.map(|head| head.labels(self.checkpoint.config()));
        Ok(labels.transpose().or_fail()?.unwrap_or_default())
    }

    /// Reads the weights; an encoder's with this classification head.
    ///
    /// # Errors
    /// When they do not fit the checkpoint's description, or the device is not there.
    pub fn engine(
        &self,
        run: &RunSettings,
        effort: &Effort,
        head: Option<HeadChoice>,
    ) -> Outcome<Box<dyn ModelEngine>> {
        let device: DeviceChoice = run.device.parse().or_fail()?;
        let options = LoadOptions {
            kernel: run.kernel.choice(),
            precision: run.precision.choice(),
            quantize: run.quantize.map(Quantize::choice),
        };
        let tokenizer = self.checkpoint.tokenizer().or_fail()?;
        if let Some(head) = head {
            let weights = &self.checkpoint;
            let encoder = Encoder::load_with_head(weights, device, options, head).or_fail()?;
            let engine = EncoderEngine::new(encoder, tokenizer, engine_options(effort));
            return Ok(Box::new(engine.or_fail()?));
        }
        let decoder = Decoder::load(&self.checkpoint, device, options).or_fail()?;
        let engine = LocalEngine::new(
            decoder,
            tokenizer,
            self.template.clone(),
            self.checkpoint.generation(),
            engine_options(effort),
        );
        Ok(Box::new(engine.or_fail()?))
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

/// A checkpoint's tokenizer, of either kind.
pub enum Tokenizer {
    /// With a chat template.
    Decoder(LocalTokenizer),
    /// Of texts and pairs of texts.
    Encoder(EncoderTokenizer),
}

impl Tokenizer {
    /// The token ids of every request, exactly those that the engine would run.
    ///
    /// # Errors
    /// The first request, in order, that could not be answered.
    pub fn tokens(&self, requests: &[Request]) -> Outcome<Vec<RequestTokens>> {
        match self {
            Tokenizer::Decoder(tokenizer) => tokenizer.tokens(requests).or_fail(),
            Tokenizer::Encoder(tokenizer) => tokenizer.tokens(requests).or_fail(),
        }
    }
}

/// What kind of model a config describes.
fn kind(config: &serde_json::Value) -> ModelKind {
    let family = config["model_type"].as_str();
    let mut encoders = ENCODER_FAMILIES.iter();
    if encoders.any(|encoder| Some(encoder.model_type) == family) {
        ModelKind::Encoder
    } else {
        ModelKind::Decoder
    }
}

fn engine_options(effort: &Effort) -> EngineOptions {
    let mut options = EngineOptions {
        drafts: effort.drafts,
        ..EngineOptions::default()
    };
    if let Some(bytes) = effort.memory {
        options.memory = MemoryBudget::Bytes(bytes);
    }
    if let Some(rows) = effort.batch {
        options.max_rows = rows;
    }
    options
}
