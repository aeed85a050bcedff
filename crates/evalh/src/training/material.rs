//! The checkpoint of a training or a probe.

use super::{Choices, DataChoice, data::TrainingData, precision};
use crate::{
    artifacts::Artifacts,
    checkpoints::{self, Located},
    failure::{Failure, OrFail as _, Outcome},
    flags::Quantize,
    identity,
    output::Console,
    settings::ModelChoice,
};
use evalh_checkpoint::{ChatTemplate, Checkpoint, TextTokenizer, WeightSource as _};
use evalh_model::{Decoder, DecoderConfig, ENCODER_FAMILIES, EncoderConfig, LoadOptions};
use evalh_record::FileIdentity;
use evalh_train::data::{Encoder, read};

/// An opened checkpoint with its tokenizer.
pub struct Material {
    /// Its name in the record.
    pub name: String,
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// Its files.
    pub files: Vec<FileIdentity>,
    /// Its tokenizer.
    pub tokenizer: TextTokenizer,
    template: Option<ChatTemplate>,
}

/// Tokens at which samples are cut where nobody says.
const MAX_TOKENS: usize = 512;

impl Material {
    /// Finds or fetches a checkpoint.
    ///
    /// # Errors
    /// When there is none, or it is of no supported family.
    pub fn open(model: &str, offline: bool, console: &Console) -> Outcome<Material> {
        let here = std::env::current_dir().or_fail_to(|| "find the working folder".to_owned())?;
        let choice = ModelChoice::of(model, &here);
        let artifacts = Artifacts::new(console, offline)?;
        let Located { name, path, pulled } = checkpoints::locate(&choice, &artifacts, "--model")?;
        let checkpoint = Checkpoint::open(&path).or_fail()?;
        if is_encoder(&checkpoint) {
            EncoderConfig::of(checkpoint.config()).map(drop)
        } else {
            DecoderConfig::read(checkpoint.config()).map(drop)
        }
        .or_fail()?;
        let mut files = Vec::new();
        for file in checkpoint.files() {
            let mut known = pulled.iter().flat_map(|pulled| &pulled.files);
            let known = known.find(|known| known.path == *file);
            files.push(match (known, &pulled) {
                (Some(known), Some(pulled)) => identity::of_pulled(pulled, known)?.0,
                _ => identity::of_path(file)?.0,
            });
        }
        Ok(Material {
            tokenizer: checkpoint.tokenizer().or_fail()?,
            template: checkpoint.chat_template().or_fail()?,
            name,
            checkpoint,
            files,
        })
    }

    /// Whether it is an encoder, and no decoder.
    pub fn is_encoder(&self) -> bool {
        is_encoder(&self.checkpoint)
    }

    /// Layers of the model.
    ///
    /// # Errors
    /// When its config is not honoured.
    pub fn layers(&self) -> Outcome<usize> {
        let config = self.checkpoint.config();
        if self.is_encoder() {
            let config = EncoderConfig::of(config).or_fail()?;
            return Ok(config.layers);
        }
        Ok(DecoderConfig::read(config).or_fail()?.layers)
    }

    /// Refuses what is asked for that is done with decoders alone; `doing` reads after "failed to".
    ///
    /// # Errors
    /// When the first of an option's three says that it is given: the others are its name and what to do instead.
    pub fn refuse<'o>(
        &self,
        doing: &str,
        options: impl IntoIterator<Item = (bool, &'o str, &'o str)>,
    ) -> Outcome<()> {
        match options.into_iter().find(|(is_given, ..)| *is_given) {
            Some((_, flag, help)) => Err(Failure::new(format!("{doing} {}", self.name))
                .cause(format!("it is an encoder, and {flag} is for decoders"))
                .help(help)),
            None => Ok(()),
        }
    }

    /// Tokens at which samples are cut, within the model's positions.
    ///
    /// # Errors
    /// When more are asked for.
    pub fn max_tokens(&self, choice: &DataChoice, positions: usize) -> Outcome<usize> {
        let max_tokens = choice.max_tokens.unwrap_or(positions.min(MAX_TOKENS));
        if max_tokens <= positions {
            return Ok(max_tokens);
        }
        Err(Failure::new("cut samples")
            .cause(format!(
                "--max-tokens {max_tokens} is more than the {positions} positions of {}",
                self.name
            ))
            .help(format!("give --max-tokens {positions} or less")))
    }

    /// The data as tokens of a decoder.
    ///
    /// # Errors
    /// When it cannot be read, or does not fit the checkpoint.
    pub fn data(&self, choice: &DataChoice) -> Outcome<TrainingData> {
        let config = DecoderConfig::read(self.checkpoint.config()).or_fail()?;
        let max_tokens = self.max_tokens(choice, config.max_positions)?;
        let template = match (&self.template, choice.chat_template) {
            (_, false) => None,
            (Some(template), true) => Some(template),
            (None, true) => {
                return Err(Failure::new("write samples as conversations")
                    .cause(format!("{} has no chat template", self.name))
                    .help("leave --chat-template out"));
            }
        };
        let dataset = read(&choice.path).or_fail()?;
        let end = self.checkpoint.generation().eos_ids.first().copied();
        let encoder = Encoder {
            tokenizer: &self.tokenizer,
            template,
            end_of_text: end.filter(|_| choice.end_of_text),
            loss_on: choice.loss,
            max_tokens,
        };
        let encoded = encoder.encode_all(&dataset).or_fail()?;
        let lengths = encoded.examples.iter().map(|e| e.tokens.len()).collect();
        let truncation = encoded.truncation;
        TrainingData::new(choice, max_tokens, (encoded.examples, lengths), truncation)
    }

    /// The decoder that is trained.
    ///
    /// # Errors
    /// When its weights are damaged or the device is not there.
    pub fn decoder(&self, choices: &Choices) -> Outcome<Decoder> {
        let options = LoadOptions {
            kernel: choices.kernel,
            precision: precision(choices),
            quantize: choices.quantize.map(Quantize::choice),
        };
        Decoder::load(&self.checkpoint, choices.device, options).or_fail()
    }
}

fn is_encoder(checkpoint: &Checkpoint) -> bool {
    let family = checkpoint.config()["model_type"].as_str();
    let family = family.unwrap_or_default();
    ENCODER_FAMILIES.iter().any(|own| own.model_type == family)
}
