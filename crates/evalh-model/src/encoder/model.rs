//! An encoder's weights and the adapters on them.

use super::adapt::{Changes, Part};
use super::build;
use super::config::{EncoderConfig, EncoderTask};
use super::convolution::ConvolutionLayer;
use super::embeddings::Embeddings;
use super::family;
use super::head::{Head, HeadChoice};
use super::layer::{Layer, RelativeEmbeddings};
use super::load::Loader;
use super::slot::Place;
use crate::config::Keys;
use crate::device::{self, DeviceChoice};
use crate::{Footprint, LoadOptions, LoraId, ModelError};
use evalh_adapter::{AdapterUpdate, ModelLayout};
use evalh_checkpoint::WeightSource;
use evalh_kernel::{Compute, ComputeSet};
use rayon::prelude::*;
use std::collections::BTreeSet;

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
        let compute = device::compute(device, options.kernel)?;
        let mut loader = Loader::new(weights, compute, &config, names);
        loader.public_prefix = config.task != EncoderTask::Hidden;
        // The embedding is as large as many layers, so it loads beside them.
        let (outer, layers) = rayon::join(
            || -> Result<_, ModelError> {
                Ok((
                    build::embeddings(&loader)?,
                    build::relative(&loader)?,
                    build::convolution(&loader)?,
                    build::head(&loader, names, head == HeadChoice::Stored)?,
                ))
            },
            || {
                (0..config.layers)
                    .into_par_iter()
                    .map(|i| build::layer(&loader, names, i))
                    .collect::<Result<Vec<_>, _>>()
            },
        );
        let ((embeddings, relative, convolution, head), layers) = (outer?, layers?);
        let output_head = match config.task {
            EncoderTask::Classification => Some(names.classifier.to_owned()),
            EncoderTask::MaskedLm | EncoderTask::Hidden => None,
        };
        let compute = loader.compute.clone();
        let tensors = loader.finish()?;
        let mut model = Self {
            layout: ModelLayout {
                modules: Vec::new(),
                tensors,
                output_head,
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
        model.layout.modules = model
            .parts()
            .iter()
            .flat_map(|part| part.modules())
            .collect();
        Ok(model)
    }

    /// The settings.
    pub fn config(&self) -> &EncoderConfig {
        &self.config
    }

    /// The set of primitives that computes.
    pub fn kernel(&self) -> ComputeSet {
        self.compute.set()
    }

    /// What adapters can name.
    pub fn layout(&self) -> ModelLayout {
        self.layout.clone()
    }

    /// Merges an adapter into the weights, in f32. Takes the place of an earlier merge; the base is kept aside.
    ///
    /// # Errors
    /// When the update fits no module or tensor; the encoder is then at its base.
    pub fn merge(&mut self, update: &AdapterUpdate) -> Result<(), ModelError> {
        self.restore();
        let merged = self.apply(Place::Merged, update);
        if merged.is_err() {
            self.restore();
        }
        merged
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
    /// When the update fits no module or tensor; nothing is then attached.
    pub fn attach(&mut self, update: &AdapterUpdate) -> Result<LoraId, ModelError> {
        let id = LoraId(self.attached);
        self.apply(Place::Attached(id), update)?;
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
        let sizes: Vec<_> = self.parts().iter().map(|part| part.size()).collect();
        let types: BTreeSet<&str> = sizes.iter().filter_map(|size| size.dtype).collect();
        Footprint {
            parameters: sizes.iter().map(|size| size.parameters).sum(),
            bytes: sizes.iter().map(|size| size.bytes).sum(),
            adapter_bytes: sizes.iter().map(|size| size.adapter_bytes).sum(),
            dtype: types.into_iter().collect::<Vec<_>>().join(", "),
        }
    }

    fn apply(&mut self, place: Place, update: &AdapterUpdate) -> Result<(), ModelError> {
        let compute = self.compute.clone();
        let changes = Changes::new(update, &self.layout)?;
        self.parts_mut()
            .into_par_iter()
            .try_for_each(|part| part.apply(&compute, place, &changes))
    }

    fn parts(&self) -> Vec<&dyn Part> {
        let mut parts = self.embeddings.parts();
        if let Some(relative) = &self.relative {
            parts.push(&relative.table);
            parts.extend(relative.norm.iter().map(|norm| norm as &dyn Part));
        }
        if let Some(convolution) = &self.convolution {
            parts.extend([convolution as &dyn Part, &convolution.norm]);
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
        parts.extend(
            self.convolution
                .iter_mut()
                .map(|part| part as &mut dyn Part),
        );
        parts.extend(self.layers.iter_mut().flat_map(Layer::parts_mut));
        parts.extend(self.head.parts_mut());
        parts
    }
}
