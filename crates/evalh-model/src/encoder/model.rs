//! An encoder's weights and the adapters on them.

use super::build;
use super::config::{EncoderConfig, EncoderTask};
use super::convolution::ConvolutionLayer;
use super::embeddings::Embeddings;
use super::family;
use super::head::Head;
use super::head_choice::HeadChoice;
use super::layer::{Layer, RelativeEmbeddings};
use super::load::Loader;
use super::part::Part;
use crate::config::Keys;
use crate::device::{self, DeviceChoice};
use crate::part::{Target, Updates};
use crate::{Footprint, LoadOptions, LoraId, ModelError};
use evalh_adapter::{AdapterUpdate, ModelLayout};
use evalh_checkpoint::WeightSource;
use evalh_kernel::{Compute, ComputeSet};
use rayon::prelude::*;
use std::borrow::Cow;

/// An encoder ready to run.
#[derive(Debug)]
pub struct Encoder {
    pub(super) config: EncoderConfig,
    pub(super) compute: Compute,
    pub(super) embeddings: Embeddings,
    pub(super) relative: Option<RelativeEmbeddings>,
    pub(super) convolution: Option<ConvolutionLayer>,
    pub(super) layers: Vec<Layer>,
    pub(super) head: Head,
    layout: ModelLayout,
    attached: usize,
}

impl Encoder {
    /// Builds the encoder that `weights` describes, with the head that it has.
    ///
    /// # Errors
    /// When the family or a setting is not supported, a tensor is missing, unknown, of the wrong shape or not finite,
    /// or the device is not there.
    pub fn load(
        weights: &dyn WeightSource,
        device: DeviceChoice,
        options: LoadOptions,
    ) -> Result<Self, ModelError> {
        Self::load_with_head(weights, device, options, HeadChoice::Stored)
    }

    /// Builds the encoder with the given head: a classifier on a masked-language model, for one, whose weights an
    /// adapter brings.
    ///
    /// # Errors
    /// As [`Encoder::load`].
    pub fn load_with_head(
        weights: &dyn WeightSource,
        device: DeviceChoice,
        options: LoadOptions,
        head: HeadChoice,
    ) -> Result<Self, ModelError> {
        let family = family::find(weights.config())?;
        let names = &family.names;
        let mut config = (family.config)(&Keys::new(weights.config()), family.model_type)?;
        config.task = build::task(family, weights, head)?;
        if let HeadChoice::Classification { labels } = head {
            config.set_labels(labels);
        }
        let compute = device::compute(device, options.kernel, options.precision)?;
        let mut loader = Loader::new(weights, compute, &config, names, options.quantize);
        loader.public_prefix = config.task != EncoderTask::Hidden;
        // The embedding is as large as many layers, so it loads beside them.
        let (outer, layers) = rayon::join(
            || -> Result<_, ModelError> {
                let embeddings = build::embeddings(&loader)?;
                let required = head == HeadChoice::Stored;
                let head = build::head(&loader, names, &embeddings.word, required)?;
                let relative = build::relative(&loader)?;
                Ok((embeddings, relative, build::convolution(&loader)?, head))
            },
            || {
                (0..config.layers)
                    .into_par_iter()
                    .map(|i| build::layer(&loader, names, i))
                    .collect::<Result<Vec<_>, _>>()
            },
        );
        let ((embeddings, relative, convolution, head), layers) = (outer?, layers?);
        let compute = loader.compute.clone();
        let tensors = loader.finish()?;
        let mut model = Self {
            layout: ModelLayout {
                modules: Vec::new(),
                tensors,
                output_head: build::output_head(&config, names, &head),
                layers: config.layers,
            },
            config,
            compute,
            embeddings,
            relative,
            convolution,
            layers,
            head,
            attached: 0,
        };
        let parts = model.parts();
        let mut modules: Vec<_> = parts.iter().flat_map(|part| part.modules()).collect();
        // The reference reads the table of relative positions past PEFT's module: an update of it would do nothing.
        let table = model
            .relative
            .as_ref()
            .map(|relative| relative.table.module());
        modules.retain(|module| Some(module) != table.as_ref());
        model.layout.modules = modules;
        Ok(model)
    }

    /// The settings.
    pub fn config(&self) -> &EncoderConfig {
        &self.config
    }

    /// Makes sure that there is a head to answer with, whether the checkpoint's, a merged adapter's or this attached one's.
    ///
    /// # Errors
    /// When a module of the head has no weights.
    pub fn check_head(&self, adapter: Option<LoraId>) -> Result<(), ModelError> {
        match self.head.missing(adapter) {
            Some(module) => Err(ModelError::Headless {
                module: module.to_owned(),
            }),
            None => Ok(()),
        }
    }

    /// The set of primitives that computes.
    pub fn kernel(&self) -> ComputeSet {
        self.compute.set()
    }

    /// What adapters can name.
    pub fn layout(&self) -> ModelLayout {
        self.layout.clone()
    }

    /// Merges an adapter into the weights, in f32, and its own tensors in place of the model's. Takes the place of an
    /// earlier merge; the base is kept aside.
    ///
    /// An update of the word embedding leaves a tied head as it is, as the adapter was trained.
    ///
    /// # Errors
    /// When the update fits nothing in the model; the encoder is then at its base.
    pub fn merge(&mut self, update: &AdapterUpdate) -> Result<(), ModelError> {
        self.restore();
        self.apply(Target::Merged, update)
    }

    /// The base weights again, bit for bit.
    pub fn restore(&mut self) {
        for part in self.parts_mut() {
            part.restore();
        }
    }

    /// Attaches an adapter beside the weights, to be chosen for each call of [`Encoder::forward`].
    ///
    /// # Errors
    /// When the update fits nothing in the model; nothing is then attached.
    pub fn attach(&mut self, update: &AdapterUpdate) -> Result<LoraId, ModelError> {
        let id = LoraId(self.attached);
        self.apply(Target::Attached(id), update)?;
        self.attached += 1;
        Ok(id)
    }

    /// Forgets every attached adapter.
    pub fn detach_all(&mut self) {
        for part in self.parts_mut() {
            part.detach();
        }
        self.attached = 0;
    }

    /// What the encoder takes.
    pub fn footprint(&self) -> Footprint {
        let parts = self.parts();
        let weights: Vec<_> = parts.iter().filter_map(|part| part.weight()).collect();
        let vectors = parts.iter().map(|part| part.vectors()).sum();
        let extra = parts.iter().map(|part| part.extra_bytes()).sum();
        Footprint::of(&weights, vectors, extra)
    }

    fn apply(&mut self, target: Target, update: &AdapterUpdate) -> Result<(), ModelError> {
        let compute = self.compute.clone();
        let mut update = Cow::Borrowed(update);
        if let Head::Masked { decoder, .. } = &self.head {
            let [alias, own] = &decoder.bias_names;
            let named = |name: &String| update.saved.iter().any(|tensor| tensor.name == *name);
            if named(alias) && !named(own) {
                let tensors = update.to_mut().saved.iter_mut();
                for tensor in tensors.filter(|tensor| tensor.name == *alias) {
                    tensor.name.clone_from(own);
                }
            }
        }
        let updates = Updates::new(&update, &self.layout)?;
        self.parts_mut()
            .into_par_iter()
            .for_each(|part| part.apply(&compute, target, &updates));
        Ok(())
    }

    fn parts(&self) -> Vec<&dyn Part> {
        let mut parts = self.embeddings.parts();
        if let Some(relative) = &self.relative {
            parts.push(&relative.table);
            parts.extend(relative.norm.iter().map(|norm| norm as &dyn Part));
        }
        if let Some(convolution) = &self.convolution {
            parts.extend(convolution.parts());
        }
        parts.extend(self.layers.iter().flat_map(Layer::parts));
        parts.extend(self.head.parts());
        parts
    }

    fn parts_mut(&mut self) -> Vec<&mut dyn Part> {
        let mut parts = self.embeddings.parts_mut();
        if let Some(relative) = &mut self.relative {
            parts.push(&mut relative.table);
            parts.extend(relative.norm.iter_mut().map(|norm| norm as &mut dyn Part));
        }
        if let Some(convolution) = &mut self.convolution {
            parts.extend(convolution.parts_mut());
        }
        parts.extend(self.layers.iter_mut().flat_map(Layer::parts_mut));
        parts.extend(self.head.parts_mut());
        parts
    }
}
