//! Builds the parts of an encoder from a checkpoint.

use super::config::{EncoderConfig, EncoderTask, PositionKind, PositionProjections};
use super::convolution::ConvolutionLayer;
use super::embeddings::Embeddings;
use super::family::EncoderFamily;
use super::head::{Decoder, Head};
use super::head_choice::HeadChoice;
use super::layer::{Layer, RelativeEmbeddings};
use super::load::Loader;
use super::names::{MaskedHead, Names};
use crate::ModelError;
use crate::config::Keys;
use crate::part::{Embedding, Linear, Rows};
use evalh_adapter::ModuleKind;
use evalh_checkpoint::WeightSource;
use serde_json::Value;

/// What the checkpoint is to answer with.
///
/// # Errors
/// When it was made for something that is not supported.
pub(super) fn task(
    family: &EncoderFamily,
    weights: &dyn WeightSource,
    choice: HeadChoice,
) -> Result<EncoderTask, ModelError> {
    match choice {
        HeadChoice::Classification { .. } => return Ok(EncoderTask::Classification),
        HeadChoice::MaskedLm => return Ok(EncoderTask::MaskedLm),
        HeadChoice::Hidden => return Ok(EncoderTask::Hidden),
        HeadChoice::Stored => {}
    }
    let architecture = weights
        .config()
        .get("architectures")
        .and_then(|list| list.get(0));
    let Some(name) = architecture.and_then(Value::as_str) else {
        let names = &family.names;
        let has = |module: &str| weights.tensor(&format!("{module}.weight")).is_some();
        return Ok(if has(names.classifier) {
            EncoderTask::Classification
        } else if names.masked.iter().any(|head| has(head.dense)) {
            EncoderTask::MaskedLm
        } else {
            EncoderTask::Hidden
        });
    };
    if name.ends_with("ForSequenceClassification") {
        Ok(EncoderTask::Classification)
    } else if name.ends_with("ForMaskedLM") || name.ends_with("ForPreTraining") {
        Ok(EncoderTask::MaskedLm)
    } else if name.ends_with("Model") {
        Ok(EncoderTask::Hidden)
    } else {
        let supported = "supported: models for sequence classification and masked tokens, and those without a head";
        Err(Keys::new(weights.config()).unsupported("architectures", &name.into(), supported))
    }
}

pub(super) fn embeddings(loader: &Loader<'_>) -> Result<Embeddings, ModelError> {
    let config = loader.config;
    let (width, hidden) = (config.embedding_size, config.hidden_size);
    let table = |name: &str, rows: usize| -> Result<_, ModelError> {
        let name = loader.base(&format!("embeddings.{name}"));
        loader.table(&name, [rows, width])
    };
    Ok(Embeddings {
        word: table("word_embeddings", config.vocab_size)?,
        position: match config.positions {
            PositionKind::None => None,
            _ => Some(table("position_embeddings", config.max_positions)?),
        },
        token_type: match config.token_types {
            0 => None,
            rows => Some(table("token_type_embeddings", rows)?),
        },
        projection: if width == hidden {
            None
        } else {
            let name = loader.base("embeddings.embed_proj");
            Some(loader.linear(&[(&name, hidden)], width, false)?)
        },
        norm: loader.norm(&loader.base("embeddings.LayerNorm"), hidden)?,
    })
}

pub(super) fn relative(loader: &Loader<'_>) -> Result<Option<RelativeEmbeddings>, ModelError> {
    let config = loader.config;
    let Some(relative) = config.relative else {
        return Ok(None);
    };
    let shape = [2 * relative.span, config.hidden_size];
    let norm = relative.normed;
    Ok(Some(RelativeEmbeddings {
        table: loader.table(&loader.base("encoder.rel_embeddings"), shape)?,
        norm: norm
            .then(|| loader.norm(&loader.base("encoder.LayerNorm"), config.hidden_size))
            .transpose()?,
    }))
}

pub(super) fn convolution(loader: &Loader<'_>) -> Result<Option<ConvolutionLayer>, ModelError> {
    let Some(config) = loader.config.convolution else {
        return Ok(None);
    };
    let (name, channels) = (loader.base("encoder.conv.conv"), loader.config.hidden_size);
    let shape = [channels, channels / config.groups, config.size];
    let weight = loader.tensor(&format!("{name}.weight"), &shape)?;
    let bias = loader.tensor(&format!("{name}.bias"), &[channels])?;
    let norm = loader.norm(&loader.base("encoder.conv.LayerNorm"), channels)?;
    let public = loader.public(&name);
    let values = [weight, bias];
    Ok(Some(ConvolutionLayer::new(
        &loader.compute,
        public,
        config,
        values,
        norm,
    )))
}

pub(super) fn layer(loader: &Loader<'_>, names: &Names, index: usize) -> Result<Layer, ModelError> {
    let config = loader.config;
    let (hidden, inner) = (config.hidden_size, config.intermediate_size);
    let name = |module: &str| loader.base(&format!("encoder.layer.{index}.{module}"));
    let linear = |module: &str, outputs: usize, inputs: usize| {
        loader.linear(&[(&name(module), outputs)], inputs, true)
    };
    let qkv = [names.query, names.key, names.value].map(name);
    let qkv: Vec<(&str, usize)> = qkv.iter().map(|name| (name.as_str(), hidden)).collect();
    let own = config
        .relative
        .filter(|relative| relative.projections == PositionProjections::Own);
    let position =
        |wanted: bool, module: &str| wanted.then(|| linear(module, hidden, hidden)).transpose();
    Ok(Layer {
        qkv: loader.linear(&qkv, hidden, true)?,
        attention_output: linear("attention.output.dense", hidden, hidden)?,
        attention_norm: loader.norm(&name("attention.output.LayerNorm"), hidden)?,
        intermediate: linear("intermediate.dense", inner, hidden)?,
        output: linear("output.dense", hidden, inner)?,
        output_norm: loader.norm(&name("output.LayerNorm"), hidden)?,
        position_key: position(
            own.is_some_and(|own| own.to_position),
            "attention.self.pos_key_proj",
        )?,
        position_query: position(
            own.is_some_and(|own| own.from_position),
            "attention.self.pos_query_proj",
        )?,
    })
}

/// The head; `required` where the checkpoint must have all of it.
pub(super) fn head(
    loader: &Loader<'_>,
    names: &Names,
    word: &Embedding,
    required: bool,
) -> Result<Head, ModelError> {
    let config = loader.config;
    match config.task {
        EncoderTask::Hidden => Ok(Head::Hidden),
        EncoderTask::Classification => {
            let hidden = config.hidden_size;
            let pooler = if names.pooler.in_base {
                loader.base(names.pooler.module)
            } else {
                names.pooler.module.to_owned()
            };
            let shape = [config.labels.len(), hidden];
            Ok(Head::Classification {
                pooler: loader.dense(&pooler, [hidden, hidden], required)?,
                classifier: loader.dense(names.classifier, shape, required)?,
            })
        }
        EncoderTask::MaskedLm => masked(loader, names, word),
    }
}

/// The module that `all-linear` leaves out: the classifier, or what the reference says its output embeddings are.
pub(super) fn output_head(config: &EncoderConfig, names: &Names, head: &Head) -> Option<String> {
    match (config.task, head) {
        (EncoderTask::Classification, _) => Some(names.classifier.to_owned()),
        (_, Head::Masked { decoder, .. }) => {
            let module = decoder.bias_names[1].trim_end_matches(".bias");
            // Without a module for the product, the reference names the one before it.
            let dense = if decoder.is_module { "" } else { ".dense" };
            Some(format!("{module}{dense}"))
        }
        _ => None,
    }
}

fn masked(loader: &Loader<'_>, names: &Names, word: &Embedding) -> Result<Head, ModelError> {
    let config = loader.config;
    let names = masked_head(loader, names, config);
    let width = if names.reduces {
        config.embedding_size
    } else {
        config.hidden_size
    };
    if width != config.embedding_size {
        let keys = Keys::new(loader.weights.config());
        let supported = "it must be hidden_size for this head for masked tokens";
        return Err(keys.unsupported("embedding_size", &config.embedding_size.into(), supported));
    }
    Ok(Head::Masked {
        dense: match names.decoder {
            Some(_) => loader.linear(&[(names.dense, width)], config.hidden_size, true)?,
            None => loader.exact_linear(names.dense, [width, config.hidden_size])?,
        },
        activation: names.activation.unwrap_or(config.activation),
        norm: loader.norm(names.norm, width)?,
        decoder: decoder(loader, &names, word)?,
    })
}

/// The linear to the vocabulary. Its bias has two names, which are one tensor where the weight is tied.
fn decoder(
    loader: &Loader<'_>,
    names: &MaskedHead,
    word: &Embedding,
) -> Result<Decoder, ModelError> {
    let config = loader.config;
    let vocab = config.vocab_size;
    let alias = names.bias.to_owned();
    let Some(module) = names.decoder else {
        let name = alias.trim_end_matches(".bias").to_owned();
        let bias = loader.tensor(&alias, &[vocab])?;
        let weight = word.base().clone();
        return Ok(Decoder {
            linear: Linear::sharing(&loader.compute, name, weight, Some(bias)),
            is_module: false,
            bias_names: [alias.clone(), alias],
        });
    };
    let own = format!("{module}.bias");
    let found = [&own, &alias].map(|name| loader.optional(name, &[vocab]));
    let [own_bias, alias_bias] = found;
    let (own_bias, alias_bias) = (own_bias?, alias_bias?);
    let bias = if config.tied_embeddings {
        alias_bias.or(own_bias)
    } else {
        own_bias.or(alias_bias)
    };
    let bias = bias.ok_or_else(|| ModelError::MissingTensor {
        name: alias.clone(),
    })?;
    let (name, shape) = (format!("{module}.weight"), [vocab, config.embedding_size]);
    let linear = if config.tied_embeddings {
        // It may be stored all the same, and is then the embedding again.
        loader.note(&name, &shape);
        let weight = word.base().clone();
        Linear::sharing(&loader.compute, module.to_owned(), weight, Some(bias))
    } else {
        let rows = Rows {
            values: loader.tensor(&name, &shape)?.into(),
            bias: Some(bias),
            inputs: config.embedding_size,
        };
        let modules = vec![(module.to_owned(), vocab)];
        Linear::new(&loader.compute, modules, ModuleKind::Linear, rows)
    };
    Ok(Decoder {
        linear,
        is_module: true,
        bias_names: [alias, own],
    })
}

/// The head that the config names, or else the first one whose tensors are there.
fn masked_head(loader: &Loader<'_>, names: &Names, config: &EncoderConfig) -> MaskedHead {
    let stored = |head: &&MaskedHead| loader.stored(&format!("{}.weight", head.dense)).is_some();
    let chosen = match config.legacy_head {
        Some(legacy) => names.masked.iter().find(|head| head.legacy == legacy),
        None => names.masked.iter().find(stored),
    };
    *chosen.unwrap_or(&names.masked[0])
}
