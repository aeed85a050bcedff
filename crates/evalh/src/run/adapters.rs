//! The adapters of a run, opened, and what they do to the base.

use crate::{
    failure::{Failure, OrFail as _, Outcome},
    identity,
    own_folders::OwnFolder,
    settings::{AdapterChoice, AdapterSource},
};
use evalh_adapter::{
    Adapter, AdapterUpdate, ModelLayout,
    analysis::{layer_of, orthogonality},
    combine,
};
use evalh_record::{AdapterFindings, AdapterPart, AdapterSettings};
use std::{collections::BTreeSet, path::Path};

/// An adapter or a weighted sum of several, opened and checked in itself.
pub struct OpenedAdapter {
    /// The variant's name.
    pub name: String,
    is_mix: bool,
    parts: Vec<(Adapter, AdapterPart)>,
}

impl OpenedAdapter {
    /// Opens every adapter of the run.
    ///
    /// # Errors
    /// When a file is missing or damaged, or something in it would not be honoured.
    pub fn open_all(choices: &[AdapterChoice], cache: &Path) -> Outcome<Vec<OpenedAdapter>> {
        choices
            .iter()
            .map(|choice| Self::open(choice, cache))
            .collect()
    }

    fn open(choice: &AdapterChoice, cache: &Path) -> Outcome<OpenedAdapter> {
        let parts = match &choice.source {
            AdapterSource::Own => {
                let own = OwnFolder::adapter(&choice.name).ok_or_else(|| {
                    Failure::new(format!(
                        "find the adapter `{}`: it is not part of this evalh",
                        choice.name
                    ))
                })?;
                vec![part(&own.unpack(cache)?, 1.0)?]
            }
            AdapterSource::Folder(folder) => vec![part(folder, 1.0)?],
            AdapterSource::Mix(parts) => parts
                .iter()
                .map(|of| part(&of.folder, of.weight))
                .collect::<Outcome<Vec<_>>>()?,
        };
        Ok(OpenedAdapter {
            name: choice.name.clone(),
            is_mix: matches!(choice.source, AdapterSource::Mix(_)),
            parts,
        })
    }

    /// The adapters that it is made of.
    pub fn parts(&self) -> impl Iterator<Item = &Adapter> {
        self.parts.iter().map(|(adapter, _)| adapter)
    }

    /// What it does to a model.
    ///
    /// # Errors
    /// When it does not fit the model, or the parts of a mix have no sum.
    pub fn resolve(&self, layout: &ModelLayout) -> Outcome<AdapterUpdate> {
        let mut updates = Vec::with_capacity(self.parts.len());
        for (adapter, part) in &self.parts {
            updates.push((adapter.resolve(layout).or_fail()?, part.weight));
        }
        if self.is_mix {
            return combine(&self.name, updates).or_fail();
        }
        let only = updates.pop().map(|(update, _)| update);
        only.ok_or_else(|| Failure::new(format!("open the adapter `{}`: it is empty", self.name)))
    }

    /// The record's description, given what it does to a checkpoint of so many layers.
    pub fn settings(
        &self,
        update: &AdapterUpdate,
        of_layers: usize,
        apply: &str,
    ) -> AdapterSettings {
        let modules = update.lora.iter().map(|update| update.module.as_str());
        let layers: BTreeSet<usize> = modules
            .filter_map(|module| layer_of(module).map(|(layer, _)| layer))
            .collect();
        AdapterSettings {
            apply: apply.to_owned(),
            parts: self.parts.iter().map(|(_, part)| part.clone()).collect(),
            modules: update.lora.len(),
            layers: layers.into_iter().collect(),
            of_layers,
            parameters: update.parameters() as u64,
        }
    }

    /// What its factors tell, for the record.
    ///
    /// # Errors
    /// When a decomposition does not converge.
    pub fn findings(&self, update: &AdapterUpdate) -> Outcome<AdapterFindings> {
        let found = orthogonality(&update.lora).or_fail()?;
        Ok(AdapterFindings {
            variant: self.name.clone(),
            orthogonality_a: found.a,
            orthogonality_b: found.b,
        })
    }
}

fn part(folder: &Path, weight: f64) -> Outcome<(Adapter, AdapterPart)> {
    let adapter = Adapter::open(folder).or_fail()?;
    let files = identity::files(adapter.files())?;
    Ok((adapter, AdapterPart { files, weight }))
}
