//! From a checkpoint's tensors to a decoder.

use super::layer::{Block, Layer};
use super::mlp::{Experts, Mlp};
use super::{Decoder, LoadOptions};
use crate::config::{DecoderConfig, Positions, Residual};
use crate::device::{self, DeviceChoice};
use crate::family::{self, Names, Wrapper};
use crate::loader::{LinearShape, Loader};
use crate::part::{Embedding, Linear};
use crate::{ModelError, family::Found};
use evalh_adapter::ModuleKind;
use evalh_checkpoint::WeightSource;
use evalh_kernel::Compute;
use rayon::prelude::*;
use std::borrow::Cow;

/// Builds the decoder that `weights` describes.
pub(super) fn load(
    weights: &dyn WeightSource,
    device: DeviceChoice,
    options: LoadOptions,
) -> Result<Decoder, ModelError> {
    let Found {
        family,
        config,
        wrapper,
    } = family::read(weights.config())?;
    let compute = device::compute(device, options.kernel, options.precision)?;
    let renames = spelling(weights, &family.names, wrapper);
    let loader = Loader::new(weights, &compute, renames, options.quantize);
    let build = Build {
        loader: &loader,
        compute: &compute,
        names: &family.names,
        config: &config,
    };
    // The embedding is as large as many layers, so it loads beside them.
    let (outer, layers) = rayon::join(
        || build.outer(),
        || {
            (0..config.layers)
                .into_par_iter()
                .map(|index| build.layer(index))
                .collect::<Result<Vec<_>, _>>()
        },
    );
    let ((embedding, positions, head), layers) = (outer?, layers?);
    let final_norm = build.norm(family.names.final_norm)?;
    let left_out = wrapper.map_or(&[][..], |wrapper| wrapper.left_out);
    loader.refuse_unread(config.family, family.names.unused, left_out)?;
    drop(loader);
    Ok(Decoder {
        config,
        compute,
        embedding,
        positions,
        layers,
        final_norm,
        head,
        attached: Vec::new(),
        note: wrapper.map(|wrapper| wrapper.note),
    })
}

/// What the checkpoint has in place of the family's names: models are saved with and without their head, and within
/// others.
fn spelling(
    weights: &dyn WeightSource,
    names: &Names,
    wrapper: Option<&Wrapper>,
) -> Vec<(&'static str, &'static str)> {
    let own = [(names.prefix, names.head), ("", names.head)];
    let candidates = wrapper.map_or(&own[..], |wrapper| wrapper.spellings);
    let rest = names
        .embedding
        .strip_prefix(names.prefix)
        .unwrap_or_default();
    candidates
        .iter()
        .find(|(prefix, _)| weights.tensor(&format!("{prefix}{rest}.weight")).is_some())
        .map(|(prefix, head)| vec![(names.head, *head), (names.prefix, *prefix)])
        .unwrap_or_default()
}

struct Build<'a> {
    loader: &'a Loader<'a>,
    compute: &'a Compute,
    names: &'a Names,
    config: &'a DecoderConfig,
}

impl Build<'_> {
    /// Embedding, learned positions and head.
    fn outer(&self) -> Result<(Embedding, Option<Embedding>, Linear), ModelError> {
        let (config, names) = (self.config, self.names);
        let embedding = self.embedding(names.embedding, config.vocab_size)?;
        let positions = match (&config.positions, names.positions) {
            (Positions::Learned, Some(name)) => Some(self.embedding(name, config.max_positions)?),
            _ => None,
        };
        let bias = config.head_bias;
        if !config.tied_embeddings {
            let head = (Cow::Borrowed(names.head), config.vocab_size);
            let shape = LinearShape {
                inputs: config.hidden_size,
                bias,
                kind: ModuleKind::Linear,
                rounded: false,
            };
            return Ok((embedding, positions, self.loader.linear(&[head], shape)?));
        }
        let name = self.loader.name(names.head);
        // It may be stored all the same, and is then the embedding again.
        self.loader.pass_over(format!("{name}.weight"));
        let bias = bias
            .then(|| {
                let bias = format!("{name}.bias");
                self.loader.tensor(&bias, &[config.vocab_size])
            })
            .transpose()?;
        let head = Linear::sharing(self.compute, name, embedding.base().clone(), bias);
        Ok((embedding, positions, head))
    }

    fn embedding(&self, module: &str, entries: usize) -> Result<Embedding, ModelError> {
        let name = self.loader.name(module);
        let shape = [entries, self.config.hidden_size];
        let [entries, width] = shape;
        let values = self.loader.table(&format!("{name}.weight"), shape)?;
        Ok(Embedding::new(
            name,
            values.weight(self.compute, entries, width),
        ))
    }

    fn layer(&self, index: usize) -> Result<Layer, ModelError> {
        let (config, names) = (self.config, self.names);
        let (attention, hidden) = (&config.attention, config.hidden_size);
        let name = |pattern: &'static str| -> String { pattern.replace("{}", &index.to_string()) };
        let optional = |pattern: Option<&'static str>| {
            pattern.map(|pattern| self.norm(&name(pattern))).transpose()
        };
        let queries = attention.heads * attention.head_dim;
        let keys = attention.kv_heads * attention.head_dim;
        let kind = if names.conv1d {
            ModuleKind::Conv1d
        } else {
            ModuleKind::Linear
        };
        let qkv = fused(names.qkv, &name, &[queries, keys, keys]);
        let qkv = self
            .loader
            .linear(&qkv, shape(hidden, attention.qkv_bias, kind))?;
        let head_norm = |pick: fn(&family::HeadNormNames) -> &'static str, heads: usize| {
            let both = attention.head_norm.zip(names.head_norms);
            both.map(|(kind, names)| {
                let module = name(pick(&names));
                let shape = (heads, attention.head_dim);
                self.loader.head_norm(&module, kind, config.norm_eps, shape)
            })
            .transpose()
        };
        let out = [(Cow::Owned(name(names.attention_output)), hidden)];
        let shared = config.residual == Residual::Parallel { shared_norm: true };
        Ok(Layer {
            index,
            attention_norm: optional(names.attention_norm)?,
            qkv,
            query_norm: head_norm(|names| names.query, attention.heads)?,
            key_norm: head_norm(|names| names.key, attention.kv_heads)?,
            attention_output: self
                .loader
                .linear(&out, shape(queries, attention.output_bias, kind))?,
            attention_post_norm: optional(names.attention_post_norm)?,
            mlp_norm: optional(names.mlp_norm.filter(|_| !shared))?,
            mlp: self.block(&name, kind)?,
            mlp_post_norm: optional(names.mlp_post_norm)?,
        })
    }

    fn block(
        &self,
        name: &dyn Fn(&'static str) -> String,
        kind: ModuleKind,
    ) -> Result<Block, ModelError> {
        let (config, names) = (self.config, self.names);
        let Some((experts, expert_names)) = config.mlp.experts.zip(names.experts) else {
            let outputs = vec![config.mlp.width; if config.mlp.gated { 2 } else { 1 }];
            let first = fused(names.gate_up, name, &outputs);
            let mlp = self.mlp(&first, Cow::Owned(name(names.down)), kind)?;
            return Ok(Block::Mlp(mlp));
        };
        let router = [(Cow::Owned(name(expert_names.router)), experts.count)];
        let shape = LinearShape {
            rounded: false,
            ..shape(config.hidden_size, false, kind)
        };
        let router = self.loader.linear(&router, shape)?;
        let each = (0..experts.count)
            .map(|expert| {
                let name = |pattern| name(pattern).replace("{e}", &expert.to_string());
                let width = config.mlp.width;
                let first = [
                    (Cow::Owned(name(expert_names.gate)), width),
                    (Cow::Owned(name(expert_names.up)), width),
                ];
                self.mlp(&first, Cow::Owned(name(expert_names.down)), kind)
            })
            .collect::<Result<_, _>>()?;
        Ok(Block::Experts(Experts {
            router,
            each,
            config: experts,
        }))
    }

    fn mlp(
        &self,
        first: &[(Cow<'_, str>, usize)],
        down: Cow<'_, str>,
        kind: ModuleKind,
    ) -> Result<Mlp, ModelError> {
        let (hidden, mlp) = (self.config.hidden_size, &self.config.mlp);
        let first = self.loader.linear(first, shape(hidden, mlp.bias, kind))?;
        let down = self
            .loader
            .linear(&[(down, hidden)], shape(mlp.width, mlp.bias, kind))?;
        Ok(Mlp {
            first,
            down,
            activation: mlp.activation,
            gated: mlp.gated,
        })
    }

    fn norm(&self, module: &str) -> Result<crate::part::Norm, ModelError> {
        let DecoderConfig {
            norm,
            norm_eps,
            hidden_size,
            ..
        } = *self.config;
        self.loader.norm(module, norm, norm_eps, hidden_size)
    }
}

/// Modules with their outputs; one module for all has all outputs.
fn fused(
    patterns: &'static [&'static str],
    name: &dyn Fn(&'static str) -> String,
    outputs: &[usize],
) -> Vec<(Cow<'static, str>, usize)> {
    if let [single] = patterns {
        return vec![(Cow::Owned(name(single)), outputs.iter().sum())];
    }
    let names = patterns.iter().map(|pattern| Cow::Owned(name(pattern)));
    names.zip(outputs.iter().copied()).collect()
}

fn shape(inputs: usize, bias: bool, kind: ModuleKind) -> LinearShape {
    LinearShape {
        inputs,
        bias,
        kind,
        rounded: true,
    }
}
