//! The variants of a run: the base, the base with each adapter, and fully fine-tuned checkpoints.

use super::{adapters::OpenedAdapter, model::OpenedModel};
use crate::{
    failure::{Failure, OrFail as _, Outcome},
    flags::Apply,
    settings::{BASE, Effort, RunSettings},
};
use evalh_adapter::AdapterUpdate;
use evalh_engine::{ModelEngine, Variant};
use evalh_model::{HeadChoice, LoraId, return_freed_memory};
use evalh_record::{AdapterFindings, CheckpointSettings, Held, VariantSettings};
use evalh_task::ModelKind;

/// The engine at work, and what to select for each variant.
///
/// One checkpoint is in memory at a time: first the base, which all adapters share, then each fully fine-tuned one. The
/// base and the adapters beside its weights are answered side by side, every other variant by itself.
pub struct Variants {
    models: Vec<OpenedModel>,
    parts: Vec<Part>,
    /// The engine and the place of its checkpoint in `models`.
    engine: Option<(usize, Box<dyn ModelEngine>)>,
    /// The classification heads of the checkpoints, where they are encoders.
    heads: Vec<Option<HeadChoice>>,
    run: RunSettings,
    effort: Effort,
    /// The record's description of the checkpoints, the base's first.
    pub checkpoints: Vec<CheckpointSettings>,
    /// The record's description of the variants, the base first.
    pub settings: Vec<VariantSettings>,
    /// What was found out about the adapters.
    pub findings: Vec<AdapterFindings>,
    /// The kernels at work.
    pub kernel: String,
    /// The number types of the base's weights as they are held.
    pub dtype: String,
}

/// What makes a variant of a checkpoint.
enum Part {
    /// The checkpoint of this place, as it is.
    Whole(usize),
    /// The base with an adapter added to its weights.
    Merged(AdapterUpdate),
    /// The base with an adapter beside its weights, in the engine that is loaded first.
    Unmerged(LoraId),
}

/// The base's place among the checkpoints.
const BASE_MODEL: usize = 0;

impl Variants {
    /// Reads the base's weights and matches all adapters, so that a wrong one is known before anything is answered.
    /// `others` are the fully fine-tuned checkpoints with the names of their variants.
    ///
    /// # Errors
    /// When the weights do not fit the checkpoint's description, the device is not there, or an adapter does not fit.
    pub fn load(
        base: OpenedModel,
        adapters: &[OpenedAdapter],
        others: Vec<(String, OpenedModel)>,
        run: &RunSettings,
        effort: &Effort,
    ) -> Outcome<Variants> {
        let head = base.head(adapters)?;
        let mut engine = base.engine(run, effort, head)?;
        let (kernel, dtype) = (engine.kernel().to_string(), engine.footprint().dtype);
        let layout = engine.layout();

        // An encoder's adapters bring heads of their own, so its variants share no pass, and merging costs nothing.
        let apply = run.apply.unwrap_or(match base.kind {
            ModelKind::Decoder => Apply::Unmerged,
            ModelKind::Encoder => Apply::Merged,
        });
        let (mut parts, mut settings) = (Vec::new(), Vec::new());
        let mut findings = Vec::new();
        // A base whose head comes with its adapters cannot answer by itself.
        if matches!(head, None | Some(HeadChoice::Stored)) {
            parts.push(Part::Whole(BASE_MODEL));
            settings.push(VariantSettings {
                name: BASE.to_owned(),
                checkpoint: base.name.clone(),
                adapter: None,
            });
        }
        for opened in adapters {
            let update = opened.resolve(&layout)?;
            settings.push(VariantSettings {
                name: opened.name.clone(),
                checkpoint: base.name.clone(),
                adapter: Some(opened.settings(&update, layout.layers, &apply.to_string())),
            });
            findings.push(opened.findings(&update)?);
            parts.push(match apply {
                Apply::Merged => Part::Merged(update),
                // The engine holds what it needs of it.
                Apply::Unmerged => Part::Unmerged(engine.attach(&update).or_fail()?),
            });
        }
        return_freed_memory();
        let (mut models, mut heads) = (vec![base], vec![head]);
        for (name, mut model) in others {
            heads.push(model.head(&[])?);
            model.name = unused(&model.name, &models);
            settings.push(VariantSettings {
                name,
                checkpoint: model.name.clone(),
                adapter: None,
            });
            parts.push(Part::Whole(models.len()));
            models.push(model);
        }
        Ok(Variants {
            checkpoints: models.iter().map(|model| model.settings(run)).collect(),
            models,
            heads,
            parts,
            engine: Some((BASE_MODEL, engine)),
            run: run.clone(),
            effort: *effort,
            settings,
            findings,
            kernel,
            dtype,
        })
    }

    /// The variants that are answered side by side, by their places in [`Variants::settings`]; all of them in order.
    pub fn sittings(&self) -> Vec<Vec<usize>> {
        let mut sittings: Vec<Vec<usize>> = Vec::new();
        for (place, part) in self.parts.iter().enumerate() {
            let joins = !self.effort.one_by_one
                && matches!(part, Part::Unmerged(..))
                && place.checked_sub(1).is_some_and(|before| {
                    matches!(
                        self.parts[before],
                        Part::Whole(BASE_MODEL) | Part::Unmerged(..)
                    )
                });
            match sittings.last_mut().filter(|_| joins) {
                Some(sitting) => sitting.push(place),
                None => sittings.push(vec![place]),
            }
        }
        sittings
    }

    /// Makes the engine answer for the variants of a sitting; the adapter that each of them is answered with.
    ///
    /// # Errors
    /// When another checkpoint's weights do not fit its description, or an update does not fit.
    pub fn select(
        &mut self,
        sitting: &[usize],
    ) -> Outcome<(&mut dyn ModelEngine, Vec<Option<LoraId>>)> {
        let model = match sitting.first().map(|place| &self.parts[*place]) {
            Some(Part::Whole(model)) => *model,
            _ => BASE_MODEL,
        };
        if self.engine.as_ref().is_none_or(|(at, _)| *at != model) {
            // Sittings with attached adapters come first, those of other checkpoints after them.
            if sitting
                .iter()
                .any(|place| matches!(self.parts[*place], Part::Unmerged(_)))
            {
                return Err(Failure::new(
                    "load the base again: its adapters were given up with it",
                ));
            }
            // The old weights go first: memory holds one checkpoint.
            self.engine = None;
            let engine = self.models[model].engine(&self.run, &self.effort, self.heads[model])?;
            return_freed_memory();
            self.engine = Some((model, engine));
        }
        let Some((_, engine)) = &mut self.engine else {
            return Err(Failure::new("load the variant: no checkpoint is in memory"));
        };
        let parts = sitting.iter().map(|place| &self.parts[*place]);
        let adapters: Vec<_> = parts
            .clone()
            .map(|part| match part {
                Part::Unmerged(id) => Some(*id),
                Part::Whole(_) | Part::Merged(_) => None,
            })
            .collect();
        let mut merged = parts.filter_map(|part| match part {
            Part::Merged(update) => Some(update),
            Part::Whole(_) | Part::Unmerged(..) => None,
        });
        let choice = match (merged.next(), adapters.first()) {
            (Some(update), _) => Variant::Merged(update),
            (None, Some(Some(id))) => Variant::Attached(*id),
            (None, _) => Variant::Base,
        };
        engine.select(choice).or_fail()?;
        Ok((&mut **engine, adapters))
    }
}

/// What an engine's model takes.
pub fn held(engine: &dyn ModelEngine) -> Held {
    let footprint = engine.footprint();
    Held {
        parameters: footprint.parameters as u64,
        bytes: footprint.bytes as u64,
        adapter_bytes: footprint.adapter_bytes as u64,
        dtype: footprint.dtype,
    }
}

/// The name, with a number where another checkpoint has it.
fn unused(name: &str, models: &[OpenedModel]) -> String {
    let taken = |name: &str| models.iter().any(|model| model.name == name);
    if !taken(name) {
        return name.to_owned();
    }
    let mut number = 2;
    loop {
        let numbered = format!("{name}-{number}");
        if !taken(&numbered) {
            return numbered;
        }
        number += 1;
    }
}
