//! What an artifact is called, what it is, and where its bytes are.

mod source;
mod validate;

pub use source::{
    Compression, FileSpec, GitSource, HubRepoType, HubSource, PackageFormat, PackageSource,
    PythonToolSource, Source, SourceKind,
};

use crate::ArtifactError;
use serde::Deserialize;
use std::fmt;

/// What an artifact is for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, serde::Serialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A checkpoint.
    Model,
    /// The data of a suite.
    Suite,
    /// What the sandbox runs programs with.
    Runtime,
}

impl Kind {
    /// The cache's folder for the kind.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Model => "models",
            Self::Suite => "suites",
            Self::Runtime => "runtimes",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Model => "model",
            Self::Suite => "suite",
            Self::Runtime => "runtime",
        })
    }
}

/// Files of a folder that no source gives in this form, but that users have and a suite can read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    /// The files, each by its path in the user's folder.
    #[serde(rename = "file")]
    pub files: Vec<FileSpec>,
}

/// An artifact's manifest, a TOML file in which no unknown field is accepted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// What the artifact is called: lower-case letters, digits, `.`, `_`, `-`.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// One sentence for lists.
    pub description: String,
    /// The licence of the bytes, as an SPDX expression.
    pub licence: String,
    /// The page of those who made it.
    pub upstream: String,
    /// The split that the files hold; suites only.
    pub split: Option<String>,
    /// How many items (rows) the files hold; suites only.
    pub items: Option<u64>,
    /// Who has the bytes, in the order to try.
    #[serde(rename = "source")]
    pub sources: Vec<Source>,
    /// Other files that a folder of the user's may hold; suites only.
    #[serde(default, rename = "layout")]
    pub layouts: Vec<Layout>,
}

impl Manifest {
    /// The files of every source and layout.
    pub(crate) fn files(&self) -> impl Iterator<Item = &FileSpec> {
        let layouts = self.layouts.iter().flat_map(|layout| &layout.files);
        self.sources.iter().flat_map(Source::files).chain(layouts)
    }
}

impl Manifest {
    /// Reads a manifest; `file` is what errors call it.
    ///
    /// # Errors
    /// When the text is not TOML, a field is missing, unknown or of another type, or a name, path, version, revision
    /// or URL has a form that is not accepted.
    pub fn parse(text: &str, file: &str) -> Result<Self, ArtifactError> {
        let fail = |reason: String| ArtifactError::Manifest {
            file: file.to_owned(),
            reason,
        };
        let manifest: Self =
            toml::from_str(text).map_err(|e| fail(e.to_string().trim_end().to_owned()))?;
        validate::manifest(&manifest).map_err(fail)?;
        Ok(manifest)
    }
}

pub(crate) use validate::looks_like_path;
