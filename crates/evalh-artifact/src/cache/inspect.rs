//! What of a source's files is in the cache, and whether it is still what it was.

use super::{Cache, Origin, Receipt, ReceiptFile, modified_ns};
use crate::{ArtifactError, FileSpec, Manifest, Sha256, Source, digest::hash_file};
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

/// What the cache holds of an artifact, for lists: judged by receipts, sizes and times, without hashing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheState {
    /// Nothing.
    Absent,
    /// All files of a source.
    Cached {
        /// Where they came from.
        origin: Origin,
        /// Their folder.
        dir: PathBuf,
        /// Their length together.
        bytes: u64,
    },
    /// Files that are incomplete or changed since they were verified; the next pull looks closer.
    Unverified {
        /// Their folder.
        dir: PathBuf,
    },
}

/// A source's place in the cache.
pub(crate) struct Slot<'a> {
    pub(crate) source: &'a Source,
    pub(crate) dir: PathBuf,
    pub(crate) receipt_path: PathBuf,
    pub(crate) receipt: Option<Receipt>,
}

/// What a [`Slot`] holds.
pub(crate) enum SlotState {
    /// Nothing.
    Absent,
    /// Every file, valid. `stale` says that the receipt is to be written anew; `adopted` names the files that were
    /// seen for the first time, without a hash to compare with.
    Valid {
        receipt: Receipt,
        stale: bool,
        adopted: BTreeSet<String>,
    },
    /// Some files are missing or not what they should be; each with what is wrong.
    Damaged(Vec<(String, String)>),
}

impl<'a> Slot<'a> {
    pub(crate) fn open(
        cache: &Cache,
        manifest: &Manifest,
        source: &'a Source,
    ) -> Result<Self, ArtifactError> {
        let receipt_path = cache.receipt(manifest, source);
        let receipt = Receipt::load(&receipt_path)?;
        Ok(Self {
            source,
            dir: cache.dir(manifest, source),
            receipt_path,
            receipt,
        })
    }

    /// The hash that a file must have: the manifest's, else the one recorded on first use.
    pub(crate) fn expected<'s>(&'s self, spec: &'s FileSpec) -> Option<&'s Sha256> {
        let recorded = || {
            self.receipt
                .as_ref()?
                .files
                .get(&spec.path)
                .map(|file| &file.sha256)
        };
        spec.sha256.as_ref().or_else(recorded)
    }

    /// Looks at every file. Those whose length and time are as recorded are taken at their word, unless `rehash`.
    pub(crate) fn inspect(&self, rehash: bool) -> Result<SlotState, ArtifactError> {
        if !self.dir.is_dir() {
            return Ok(SlotState::Absent);
        }
        if matches!(self.source, Source::PythonTool(_)) {
            return self.inspect_tree(rehash);
        }
        let specs = self.source.files();
        let mut receipt = self.fresh_receipt();
        let (mut stale, mut adopted, mut damage) =
            (self.receipt.is_none(), BTreeSet::new(), Vec::new());
        for spec in specs {
            let recorded = self.receipt.as_ref().and_then(|r| r.files.get(&spec.path));
            let expected = self.expected(spec);
            match judge(
                &self.dir.join(&spec.path),
                spec.bytes,
                expected,
                recorded,
                rehash,
            )? {
                Judgement::Good(file) => {
                    stale |= recorded != Some(&file);
                    if expected.is_none() {
                        adopted.insert(spec.path.clone());
                    }
                    receipt.files.insert(spec.path.clone(), file);
                }
                Judgement::Bad(reason) => damage.push((spec.path.clone(), reason)),
            }
        }
        if damage.len() == specs.len() && self.receipt.is_none() && !any_file(&self.dir, specs) {
            return Ok(SlotState::Absent);
        }
        Ok(if damage.is_empty() {
            SlotState::Valid {
                receipt,
                stale,
                adopted,
            }
        } else {
            SlotState::Damaged(damage)
        })
    }

    /// A tool's files are those that its installation left, so that only a receipt can tell them.
    fn inspect_tree(&self, rehash: bool) -> Result<SlotState, ArtifactError> {
        let Some(old) = &self.receipt else {
            let whole = ("the folder".to_owned(), "has no receipt".to_owned());
            return Ok(SlotState::Damaged(vec![whole]));
        };
        let mut receipt = self.fresh_receipt();
        let mut damage = Vec::new();
        for (path, recorded) in &old.files {
            match judge(
                &self.dir.join(path),
                None,
                Some(&recorded.sha256),
                Some(recorded),
                rehash,
            )? {
                Judgement::Good(file) => {
                    receipt.files.insert(path.clone(), file);
                }
                Judgement::Bad(reason) => damage.push((path.clone(), reason)),
            }
        }
        let stale = receipt != *old;
        Ok(if damage.is_empty() {
            SlotState::Valid {
                receipt,
                stale,
                adopted: BTreeSet::new(),
            }
        } else {
            SlotState::Damaged(damage)
        })
    }

    /// The state for lists.
    pub(crate) fn state(&self) -> CacheState {
        let unchanged = |receipt: &Receipt| {
            receipt.files.iter().all(|(path, file)| {
                fs::metadata(self.dir.join(path)).is_ok_and(|m| m.is_file() && file.unchanged(&m))
            }) && self.source.files().iter().all(|spec| {
                let recorded = receipt.files.get(&spec.path);
                recorded.is_some_and(|file| {
                    spec.sha256
                        .as_ref()
                        .is_none_or(|sha256| *sha256 == file.sha256)
                })
            })
        };
        match &self.receipt {
            Some(receipt) if unchanged(receipt) => CacheState::Cached {
                origin: receipt.origin.clone(),
                dir: self.dir.clone(),
                bytes: receipt.files.values().map(|file| file.bytes).sum(),
            },
            _ if self.dir.is_dir() => CacheState::Unverified {
                dir: self.dir.clone(),
            },
            _ => CacheState::Absent,
        }
    }

    /// An empty receipt with the recorded origin; files without a receipt were put there by hand.
    fn fresh_receipt(&self) -> Receipt {
        Receipt::new(self.receipt.as_ref().map_or_else(
            || Origin {
                kind: self.source.kind(),
                label: format!("{} (placed by hand)", self.source.label()),
                commit: None,
                archive: None,
            },
            |receipt| receipt.origin.clone(),
        ))
    }
}

fn any_file(dir: &Path, specs: &[FileSpec]) -> bool {
    specs.iter().any(|spec| dir.join(&spec.path).exists())
}

enum Judgement {
    Good(ReceiptFile),
    Bad(String),
}

/// Compares a file with what is known of it.
fn judge(
    path: &Path,
    bytes: Option<u64>,
    expected: Option<&Sha256>,
    recorded: Option<&ReceiptFile>,
    rehash: bool,
) -> Result<Judgement, ArtifactError> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => metadata,
        Ok(_) => return Ok(Judgement::Bad("is not a file".to_owned())),
        Err(e)
            if matches!(
                e.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(Judgement::Bad("is missing".to_owned()));
        }
        Err(e) => return Err(ArtifactError::io("read", path, e)),
    };
    if let Some(bytes) = bytes.filter(|bytes| *bytes != metadata.len()) {
        return Ok(Judgement::Bad(format!(
            "has {} bytes instead of {bytes}",
            metadata.len()
        )));
    }
    if let Some(file) = recorded
        .filter(|file| !rehash && file.unchanged(&metadata) && Some(&file.sha256) == expected)
    {
        return Ok(Judgement::Good(file.clone()));
    }
    let (sha256, bytes) = hash_file(path).map_err(|e| ArtifactError::io("read", path, e))?;
    match expected {
        Some(expected) if *expected != sha256 => Ok(Judgement::Bad(format!(
            "has the sha256 {sha256} instead of {expected}"
        ))),
        _ => Ok(Judgement::Good(ReceiptFile {
            sha256,
            bytes,
            modified_ns: modified_ns(&metadata),
        })),
    }
}
