//! A decoder's weights and the adapters on them.

use crate::config::Keys;
use crate::device::{self, DeviceChoice, KernelChoice};
use crate::family::{self, Names};
use crate::linear::Linear;
use crate::session::Session;
use crate::{DecoderConfig, ModelError};
use evalh_adapter::{LoraUpdate, TargetModule};
use evalh_checkpoint::{WeightSource, count_non_finite};
use evalh_kernel::{AttentionShape, CacheShape, Compute, ComputeSet, Vector, Weight};
use rayon::prelude::*;
use std::collections::{BTreeSet, HashMap};

/// How to load a decoder.
#[derive(Debug, Clone, Copy, Default)]
pub struct LoadOptions {
    /// Which primitives compute.
    pub kernel: KernelChoice,
}

/// An adapter attached to a [`Decoder`] beside its weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LoraId(pub(crate) usize);

/// What a loaded decoder takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footprint {
    /// Values of all weights, the tied head counted once.
    pub parameters: usize,
    /// Bytes held for the base weights.
    pub bytes: usize,
    /// Bytes held for merged or attached adapters.
    pub adapter_bytes: usize,
    /// The types the weights are held in, e.g. `bf16, f32`.
    pub dtype: String,
}

/// A decoder ready to run.
#[derive(Debug)]
pub struct Decoder {
    pub(crate) config: DecoderConfig,
    pub(crate) compute: Compute,
    embedding: Weight,
    pub(crate) layers: Vec<Layer>,
    pub(crate) final_norm: Vector,
    /// `None` where the embedding is the head.
    head: Option<Linear>,
    attached: usize,
}

/// One layer: attention and gated MLP, each behind a norm.
#[derive(Debug)]
pub(crate) struct Layer {
    pub attention_norm: Vector,
    pub qkv: Linear,
    pub attention_output: Linear,
    pub mlp_norm: Vector,
    pub gate_up: Linear,
    pub down: Linear,
}

impl Layer {
    fn linears(&self) -> [&Linear; 4] {
        [&self.qkv, &self.attention_output, &self.gate_up, &self.down]
    }
}

impl Decoder {
    /// Builds the decoder that `weights` describes.
    ///
    /// # Errors
    /// When the family or a setting is not supported, a tensor is missing, unknown, of the wrong shape or not finite,
    /// or the device is not there.
    pub fn load(
        weights: &dyn WeightSource,
        device: DeviceChoice,
        options: LoadOptions,
    ) -> Result<Self, ModelError> {
        let family = family::find(weights.config())?;
        let config = (family.config)(&Keys::new(weights.config()))?;
        let loader = Loader {
            weights,
            compute: device::compute(device, options.kernel)?,
            names: family.names,
            config: &config,
        };
        loader.refuse_unknown_tensors()?;
        let (vocab, hidden) = (config.vocab_size, config.hidden_size);
        // The embedding is as large as many layers, so it loads beside them.
        let (outer, layers) = rayon::join(
            || -> Result<_, ModelError> {
                let embedding = loader.tensor(
                    &format!("{}.weight", family.names.embedding),
                    &[vocab, hidden],
                )?;
                let embedding = loader.compute.weight(embedding, vocab, hidden);
                let head = if config.tied_embeddings {
                    None
                } else {
                    Some(loader.linear(&[(family.names.head.to_owned(), vocab)], hidden, false)?)
                };
                Ok((embedding, head))
            },
            || {
                (0..config.layers)
                    .into_par_iter()
                    .map(|i| loader.layer(i))
                    .collect::<Result<Vec<_>, _>>()
            },
        );
        let ((embedding, head), layers) = (outer?, layers?);
        let final_norm = loader.norm(family.names.final_norm)?;
        let compute = loader.compute;
        Ok(Self {
            config,
            compute,
            embedding,
            layers,
            final_norm,
            head,
            attached: 0,
        })
    }

    /// The settings.
    pub fn config(&self) -> &DecoderConfig {
        &self.config
    }

    /// The set of primitives that computes.
    pub fn kernel(&self) -> ComputeSet {
        self.compute.set()
    }

    /// What adapters can attach to.
    pub fn modules(&self) -> Vec<TargetModule> {
        self.linears().flat_map(Linear::modules).collect()
    }

    /// Merges an adapter into the weights: `W' = W + scale * B A` in f32. Takes the place of an earlier merge; the base
    /// is kept aside.
    ///
    /// # Errors
    /// When an update fits no module; the decoder is then at its base.
    pub fn merge(&mut self, updates: &[LoraUpdate]) -> Result<(), ModelError> {
        self.restore();
        let updates = self.by_module(updates)?;
        let compute = self.compute.clone();
        let merged = self.linears_mut().into_par_iter().try_for_each(|linear| {
            let own: Vec<&LoraUpdate> = updates_of(linear, &updates);
            linear.merge(&compute, &own)
        });
        if merged.is_err() {
            self.restore();
        }
        merged
    }

    /// The base weights again, bit for bit.
    pub fn restore(&mut self) {
        self.linears_mut().into_iter().for_each(Linear::restore);
    }

    /// Attaches an adapter beside the weights, to be chosen for each sequence of a [`Session`].
    ///
    /// # Errors
    /// When an update fits no module; nothing is then attached.
    pub fn attach(&mut self, updates: &[LoraUpdate]) -> Result<LoraId, ModelError> {
        let updates = self.by_module(updates)?;
        let (id, compute) = (LoraId(self.attached), self.compute.clone());
        for linear in self.linears_mut() {
            let own = updates_of(linear, &updates);
            linear.attach(&compute, id, &own)?;
        }
        self.attached += 1;
        Ok(id)
    }

    /// Forgets every attached adapter.
    pub fn detach_all(&mut self) {
        self.linears_mut().into_iter().for_each(Linear::detach);
        self.attached = 0;
    }

    /// Bytes that a token of a sequence takes in the cache.
    pub fn kv_bytes_per_token(&self) -> usize {
        self.cache_shape().bytes_per_token()
    }

    /// Starts a session with room for `capacity_tokens` tokens of all its sequences together.
    ///
    /// # Errors
    /// When the memory cannot be had.
    pub fn session(&self, capacity_tokens: usize) -> Result<Session<'_>, ModelError> {
        Session::new(self, capacity_tokens)
    }

    /// What the decoder takes.
    pub fn footprint(&self) -> Footprint {
        let weights: Vec<&Weight> = std::iter::once(&self.embedding)
            .chain(self.linears().map(Linear::base))
            .collect();
        let types: BTreeSet<&str> = weights.iter().map(|w| w.dtype()).collect();
        Footprint {
            parameters: weights
                .iter()
                .map(|w| w.outputs() * w.inputs())
                .sum::<usize>()
                + (2 * self.config.layers + 1) * self.config.hidden_size,
            bytes: weights.iter().map(|w| w.bytes()).sum(),
            adapter_bytes: self.linears().map(Linear::extra_bytes).sum(),
            dtype: types.into_iter().collect::<Vec<_>>().join(", "),
        }
    }

    pub(crate) fn embedding(&self) -> &Weight {
        &self.embedding
    }

    pub(crate) fn head(&self) -> Option<&Linear> {
        self.head.as_ref()
    }

    pub(crate) fn cache_shape(&self) -> CacheShape {
        let DecoderConfig {
            layers,
            kv_heads,
            head_dim,
            ..
        } = self.config;
        CacheShape {
            layers,
            heads: kv_heads,
            head_dim,
        }
    }

    pub(crate) fn attention_shape(&self) -> AttentionShape {
        let DecoderConfig {
            heads,
            kv_heads,
            head_dim,
            ..
        } = self.config;
        AttentionShape {
            heads,
            kv_heads,
            head_dim,
            scale: 1.0 / (head_dim as f32).sqrt(),
            soft_cap: None,
            window: None,
            layout: evalh_kernel::QkvLayout::Concatenated,
        }
    }

    fn linears(&self) -> impl Iterator<Item = &Linear> {
        self.layers
            .iter()
            .flat_map(Layer::linears)
            .chain(&self.head)
    }

    fn linears_mut(&mut self) -> Vec<&mut Linear> {
        let layers = self.layers.iter_mut().flat_map(|layer| {
            [
                &mut layer.qkv,
                &mut layer.attention_output,
                &mut layer.gate_up,
                &mut layer.down,
            ]
        });
        layers.chain(&mut self.head).collect()
    }

    /// Updates by the name of their module, each of which must be one of the model's.
    fn by_module<'a>(
        &self,
        updates: &'a [LoraUpdate],
    ) -> Result<HashMap<&'a str, Vec<&'a LoraUpdate>>, ModelError> {
        let known: BTreeSet<String> = self
            .modules()
            .into_iter()
            .map(|module| module.name)
            .collect();
        let mut by_module = HashMap::<_, Vec<_>>::new();
        for update in updates {
            if !known.contains(&update.module) {
                let problem = "the model has no such module".to_owned();
                return Err(ModelError::Update {
                    module: update.module.clone(),
                    problem,
                });
            }
            by_module
                .entry(update.module.as_str())
                .or_default()
                .push(update);
        }
        Ok(by_module)
    }
}

fn updates_of<'a>(
    linear: &Linear,
    updates: &HashMap<&'a str, Vec<&'a LoraUpdate>>,
) -> Vec<&'a LoraUpdate> {
    linear
        .modules()
        .filter_map(|module| updates.get(module.name.as_str()))
        .flatten()
        .copied()
        .collect()
}

/// Reads and checks tensors.
struct Loader<'a> {
    weights: &'a dyn WeightSource,
    compute: Compute,
    names: Names,
    config: &'a DecoderConfig,
}

impl Loader<'_> {
    fn layer(&self, index: usize) -> Result<Layer, ModelError> {
        let config = self.config;
        let name = |pattern: &str| pattern.replace("{}", &index.to_string());
        let (hidden, attention) = (config.hidden_size, config.heads * config.head_dim);
        let (kv, mlp) = (config.kv_heads * config.head_dim, config.intermediate_size);
        let qkv = [
            (name(self.names.query), attention),
            (name(self.names.key), kv),
            (name(self.names.value), kv),
        ];
        let gate_up = [(name(self.names.gate), mlp), (name(self.names.up), mlp)];
        Ok(Layer {
            attention_norm: self.norm(&name(self.names.attention_norm))?,
            qkv: self.linear(&qkv, hidden, config.attention_bias)?,
            attention_output: self.linear(
                &[(name(self.names.attention_output), hidden)],
                attention,
                config.attention_bias,
            )?,
            mlp_norm: self.norm(&name(self.names.mlp_norm))?,
            gate_up: self.linear(&gate_up, hidden, config.mlp_bias)?,
            down: self.linear(&[(name(self.names.down), hidden)], mlp, config.mlp_bias)?,
        })
    }

    fn norm(&self, module: &str) -> Result<Vector, ModelError> {
        let weight = self.tensor(&format!("{module}.weight"), &[self.config.hidden_size])?;
        Ok(self.compute.vector(weight))
    }

    /// One linear of the given modules (name and outputs), which read the same `inputs`.
    fn linear(
        &self,
        modules: &[(String, usize)],
        inputs: usize,
        bias: bool,
    ) -> Result<Linear, ModelError> {
        let (mut rows, mut biases) = (Vec::new(), Vec::new());
        for (name, outputs) in modules {
            let part = self.tensor(&format!("{name}.weight"), &[*outputs, inputs])?;
            if rows.is_empty() {
                rows = part;
            } else {
                rows.extend_from_slice(&part);
            }
            if bias {
                biases.extend(self.tensor(&format!("{name}.bias"), &[*outputs])?);
            }
        }
        Ok(Linear::new(
            &self.compute,
            modules.to_vec(),
            inputs,
            rows,
            bias.then_some(biases),
        ))
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let info = self
            .weights
            .tensor(name)
            .ok_or_else(|| ModelError::MissingTensor {
                name: name.to_owned(),
            })?;
        if info.shape != shape {
            return Err(ModelError::Shape {
                name: name.to_owned(),
                found: info.shape,
                expected: shape.to_vec(),
            });
        }
        let values = self.weights.read_f32(name)?;
        match count_non_finite(&values) {
            0 => Ok(values),
            count => Err(ModelError::NonFinite {
                name: name.to_owned(),
                count,
            }),
        }
    }

    /// Every tensor of the checkpoint must have a place in the model: one that is ignored would change the output.
    fn refuse_unknown_tensors(&self) -> Result<(), ModelError> {
        let names = &self.names;
        let mut known: BTreeSet<String> = BTreeSet::new();
        let mut add = |module: &str, bias: bool| {
            known.insert(format!("{module}.weight"));
            if bias {
                known.insert(format!("{module}.bias"));
            }
        };
        // A tied head may be stored all the same; it is then the embedding again.
        for module in [names.embedding, names.final_norm, names.head] {
            add(module, false);
        }
        let (attention, mlp) = (self.config.attention_bias, self.config.mlp_bias);
        for layer in 0..self.config.layers {
            for (pattern, bias) in [
                (names.attention_norm, false),
                (names.query, attention),
                (names.key, attention),
                (names.value, attention),
                (names.attention_output, attention),
                (names.mlp_norm, false),
                (names.gate, mlp),
                (names.up, mlp),
                (names.down, mlp),
            ] {
                add(&pattern.replace("{}", &layer.to_string()), bias);
            }
        }
        let unknown = |name: &String| {
            !known.contains(name) && !names.unused.iter().any(|end| name.ends_with(end))
        };
        match self.weights.tensor_names().into_iter().find(unknown) {
            Some(name) => Err(ModelError::UnknownTensor {
                name,
                family: self.config.family,
            }),
            None => Ok(()),
        }
    }
}
