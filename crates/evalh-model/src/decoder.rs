//! A decoder's weights and the adapters on them.

mod attached;
mod layer;
mod load;
mod mlp;
mod training;

use crate::config::Positions;
use crate::device::{DeviceChoice, KernelChoice, PrecisionChoice};
use crate::part::{Embedding, Held, Linear, Norm, Target, Updates};
use crate::session::Session;
use crate::{DecoderConfig, Footprint, ModelError};
use attached::AttachedAdapter;
use evalh_adapter::{AdapterUpdate, ModelLayout};
use evalh_checkpoint::{Quantization, WeightSource};
use evalh_kernel::{CacheShape, Compute, ComputeSet, Weight};
pub(crate) use layer::{Layer, Pass, Sight, Stream, Wanted};
use rayon::prelude::*;
pub use training::{Start, TrainingRow};

/// How to load a model.
#[derive(Debug, Clone, Copy, Default)]
pub struct LoadOptions {
    /// Which primitives compute.
    pub kernel: KernelChoice,
    /// In what arithmetic products with weights are computed.
    pub precision: PrecisionChoice,
    /// What the weights of linears are rounded to, as bitsandbytes would at load: all of them but the head and a
    /// mixture's routers. On the CPU 4-bit codes are held where rows are whole blocks, else the rounded values.
    pub quantize: Option<Quantization>,
}

/// A decoder ready to run.
#[derive(Debug)]
pub struct Decoder {
    pub(crate) config: DecoderConfig,
    pub(crate) compute: Compute,
    pub(crate) embedding: Embedding,
    pub(crate) positions: Option<Embedding>,
    pub(crate) layers: Vec<Layer>,
    pub(crate) final_norm: Norm,
    pub(crate) head: Linear,
    attached: Vec<AttachedAdapter>,
    note: Option<&'static str>,
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
        load::load(weights, device, options)
    }

    /// The settings.
    pub fn config(&self) -> &DecoderConfig {
        &self.config
    }

    /// What of the checkpoint is left out, where the decoder is a part of a larger model.
    pub fn left_out(&self) -> Option<&str> {
        self.note
    }

    /// The set of primitives that computes.
    pub fn kernel(&self) -> ComputeSet {
        self.compute.set()
    }

    /// What adapters can attach to.
    pub fn layout(&self) -> ModelLayout {
        let tables = || std::iter::once(&self.embedding).chain(&self.positions);
        let layers = self.layers.iter();
        ModelLayout {
            modules: tables()
                .map(Embedding::module)
                .chain(layers.clone().flat_map(Layer::modules))
                .chain(self.head.modules())
                .collect(),
            tensors: tables()
                .map(Embedding::tensor)
                .chain(layers.flat_map(Layer::tensors))
                .chain(self.final_norm.tensors())
                .chain(self.head.tensors())
                .collect(),
            output_head: self.head.modules().next().map(|head| head.name),
            layers: self.config.layers,
        }
    }

    /// Merges an adapter into the weights: `W' = W + scale * B A` in f32, and its own tensors in place of the model's.
    /// Takes the place of an earlier merge; the base is kept aside.
    ///
    /// An update of the embedding leaves a tied head as it is, as the adapter was trained; PEFT's own merge changes
    /// both, since it has them in one tensor.
    ///
    /// # Errors
    /// When an update fits nothing in the model; the decoder is then at its base.
    pub fn merge(&mut self, update: &AdapterUpdate) -> Result<(), ModelError> {
        self.restore();
        self.apply(Target::Merged, update)
    }

    /// The base weights again, bit for bit.
    pub fn restore(&mut self) {
        self.held_mut().into_iter().for_each(Held::restore);
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
        let linears = || {
            let layers = self.layers.iter().flat_map(Layer::linears);
            layers.chain([&self.head])
        };
        let tables = || std::iter::once(&self.embedding).chain(&self.positions);
        let weights: Vec<&Weight> = tables()
            .map(|table| table.base().as_ref())
            .chain(linears().filter_map(Linear::base))
            .collect();
        let norms = self.layers.iter().flat_map(Layer::norms);
        let norms = norms.chain([&self.final_norm]).map(Norm::parameters);
        let heads = self.layers.iter().flat_map(Layer::head_norms);
        let vectors = norms
            .chain(heads.map(crate::part::HeadNorm::parameters))
            .chain(linears().map(Linear::biases))
            .sum();
        let extra = self.held().iter().map(|part| part.extra_bytes()).sum();
        Footprint::of(&weights, vectors, extra)
    }

    /// Which rotation each layer uses.
    pub(crate) fn rotation_of(&self) -> &[usize] {
        match &self.config.positions {
            Positions::Rotary { layers, .. } => layers,
            Positions::Learned => &[],
        }
    }

    pub(crate) fn cache_shape(&self) -> CacheShape {
        CacheShape {
            layers: self.config.layers,
            heads: self.config.attention.kv_heads,
            head_dim: self.config.attention.head_dim,
            precision: self.compute.precision(),
        }
    }

    fn apply(&mut self, target: Target, update: &AdapterUpdate) -> Result<(), ModelError> {
        let layout = self.layout();
        let updates = Updates::new(update, &layout)?;
        let compute = self.compute.clone();
        for table in std::iter::once(&mut self.embedding).chain(&mut self.positions) {
            table.apply(&compute, target, &updates);
        }
        self.layers
            .par_iter_mut()
            .for_each(|layer| layer.apply(&compute, target, &updates));
        self.final_norm.apply(&compute, target, &updates);
        self.head.apply(&compute, target, &updates);
        Ok(())
    }

    fn held(&self) -> Vec<&dyn Held> {
        let mut held: Vec<&dyn Held> = vec![&self.embedding, &self.final_norm, &self.head];
        held.extend(self.positions.iter().map(|table| table as &dyn Held));
        held.extend(self.layers.iter().flat_map(Layer::held));
        held
    }

    fn held_mut(&mut self) -> Vec<&mut dyn Held> {
        let mut held: Vec<&mut dyn Held> =
            vec![&mut self.embedding, &mut self.final_norm, &mut self.head];
        held.extend(
            self.positions
                .iter_mut()
                .map(|table| table as &mut dyn Held),
        );
        held.extend(self.layers.iter_mut().flat_map(Layer::held_mut));
        held
    }
}
