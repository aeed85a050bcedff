//! Checkpoints and adapters as they were asked for.

use super::{join, usage};
use crate::{
    failure::Outcome,
    flags::{AdapterFlag, NamedAdapter, NamedPath, RunFlags},
    own_folders::ADAPTERS,
};
use evalh_adapter::MixPart;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A checkpoint by name or path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelChoice {
    /// An artifact.
    Name(String),
    /// A folder or file.
    Path(PathBuf),
}

impl ModelChoice {
    /// A name is a name of the catalog unless it looks like a path or there is such a file; a relative path is taken from
    /// `here`.
    pub fn of(named: &str, here: &Path) -> ModelChoice {
        let path = join(here, named);
        let looks_like_a_path = named.contains(['/', '\\'])
            || named.starts_with('.')
            || path
                .extension()
                .is_some_and(|end| end.eq_ignore_ascii_case("gguf"));
        if looks_like_a_path || path.exists() {
            ModelChoice::Path(path)
        } else {
            ModelChoice::Name(named.to_owned())
        }
    }
}

/// An adapter and the variant it makes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdapterChoice {
    /// The variant's name.
    pub name: String,
    /// What it is.
    pub source: AdapterSource,
}

/// Where an adapter comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdapterSource {
    /// The adapter of the variant's name that is part of evalh.
    Own,
    /// A folder.
    Folder(PathBuf),
    /// A weighted sum of folders.
    Mix(Vec<WeightedFolder>),
}

/// An adapter of a mix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeightedFolder {
    /// The folder.
    pub folder: PathBuf,
    /// What its updates are multiplied by.
    pub weight: f64,
}

/// A fully fine-tuned checkpoint and the variant it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantChoice {
    /// The variant's name.
    pub name: String,
    /// The checkpoint.
    pub model: ModelChoice,
}

/// The adapters of a run; those that are part of evalh where it names no model of its own.
pub fn adapters(flags: &RunFlags, here: &Path) -> Outcome<Vec<AdapterChoice>> {
    if flags.adapter.is_empty() && flags.model.is_none() && flags.variant.is_empty() {
        let own = ADAPTERS;
        return Ok(own
            .iter()
            .map(|adapter| AdapterChoice {
                name: adapter.name.to_owned(),
                source: AdapterSource::Own,
            })
            .collect());
    }
    if flags.adapter.is_empty() && flags.apply.is_some() {
        return Err(usage("--apply has no effect without an adapter")
            .help("add --adapter NAME=PATH, or leave --apply out"));
    }
    let choice = |adapter: &NamedAdapter| -> Outcome<AdapterChoice> {
        let source = match &adapter.source {
            AdapterFlag::Folder(path) => AdapterSource::Folder(join(here, path)),
            AdapterFlag::Mix(parts) => {
                let parts = parts
                    .iter()
                    .map(|part| mixed(flags, here, &adapter.name, part));
                AdapterSource::Mix(parts.collect::<Outcome<Vec<_>>>()?)
            }
        };
        Ok(AdapterChoice {
            name: adapter.name.clone(),
            source,
        })
    };
    flags.adapter.iter().map(choice).collect()
}

/// A part of a mix: another adapter of the command line by its name, else a folder.
fn mixed(flags: &RunFlags, here: &Path, mix: &str, part: &MixPart) -> Outcome<WeightedFolder> {
    let named = flags
        .adapter
        .iter()
        .find(|other| other.name == part.adapter);
    let folder = match named.map(|other| &other.source) {
        Some(AdapterFlag::Folder(path)) => join(here, path),
        Some(AdapterFlag::Mix(_)) => {
            return Err(usage(format!(
                "`{}` in the mix `{mix}` is a mix itself",
                part.adapter
            ))
            .help("name the adapters that it is made of, each with its own weight"));
        }
        None => join(here, &part.adapter),
    };
    Ok(WeightedFolder {
        folder,
        weight: part.weight,
    })
}

/// The fully fine-tuned checkpoints of a run.
pub fn variants(flags: &RunFlags, here: &Path) -> Vec<VariantChoice> {
    let choice = |variant: &NamedPath| VariantChoice {
        name: variant.name.clone(),
        model: ModelChoice::of(&variant.path.to_string_lossy(), here),
    };
    flags.variant.iter().map(choice).collect()
}
