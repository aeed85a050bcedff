//! A run folder while it is written.

use crate::{
    ItemText, Manifest, Provenance, RecordError, RecordResult, ResultRow, Sample, SampleKey,
    Settings, Timings, atomic,
    error::is_full,
    lock::{self, LOCK, LockError},
    parse_samples,
    samples_file::{Appender, to_line},
};
use std::{
    collections::{HashMap, HashSet},
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

pub(crate) const MANIFEST: &str = "manifest.json";
pub(crate) const SAMPLES: &str = "samples.jsonl";
pub(crate) const ITEMS: &str = "items.jsonl";
pub(crate) const RESULTS: &str = "results.json";
pub(crate) const TIMINGS: &str = "timings.json";
/// Room set aside for answers that are computed but not yet written when the disk fills up.
const RESERVE: &str = ".reserve";
const RESERVE_BYTES: usize = 1 << 20;

/// A new run's folder: made, writable and locked, before anything expensive begins.
pub struct ClaimedFolder {
    dir: PathBuf,
    lock: File,
    /// Whether the folder was there before.
    found: bool,
}

/// An existing run's folder, locked, before it is known whether the settings still agree.
pub struct ResumableRun {
    dir: PathBuf,
    lock: File,
    manifest: Manifest,
}

/// A run folder that takes samples.
pub struct RunFolder {
    dir: PathBuf,
    // Held as long as the folder is written; the system lets go of it however the process ends.
    _lock: File,
    manifest: Manifest,
    samples: Appender<File>,
    done: HashSet<SampleKey>,
    earlier: Timings,
}

impl RunFolder {
    /// Makes `dir` and its parents, locks it and proves that it can be written. A folder that holds anything else is
    /// refused.
    ///
    /// # Errors
    /// When the folder cannot be made or written, is in use, or holds other things or a run.
    pub fn claim(dir: &Path) -> RecordResult<ClaimedFolder> {
        let write = |source| RecordError::write(dir, dir, source);
        let found = dir.exists();
        fs::create_dir_all(dir).map_err(write)?;
        if dir.join(MANIFEST).exists() {
            return Err(RecordError::AlreadyARun {
                dir: dir.to_owned(),
            });
        }
        for entry in fs::read_dir(dir).map_err(|source| RecordError::Read {
            path: dir.to_owned(),
            source,
        })? {
            // A run that was killed before its manifest was there leaves nothing but names of ours.
            let name = entry.map_err(write)?.file_name();
            if ![LOCK, RESERVE, ".manifest.json.partial"]
                .iter()
                .any(|ours| name == *ours)
            {
                return Err(RecordError::NotEmpty {
                    dir: dir.to_owned(),
                });
            }
        }
        let lock = lock(dir)?;
        reserve(dir)?;
        Ok(ClaimedFolder {
            dir: dir.to_owned(),
            lock,
            found,
        })
    }

    /// Opens and locks an existing run.
    ///
    /// # Errors
    /// When there is no run, its manifest is damaged, it is in use, or the folder cannot be written.
    pub fn open(dir: &Path) -> RecordResult<ResumableRun> {
        let manifest = read_manifest(dir)?;
        let lock = lock(dir)?;
        Ok(ResumableRun {
            dir: dir.to_owned(),
            lock,
            manifest,
        })
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The run's manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The samples that the folder holds.
    pub fn done(&self) -> &HashSet<SampleKey> {
        &self.done
    }

    /// What the run's earlier sessions cost.
    pub fn earlier_timings(&self) -> &Timings {
        &self.earlier
    }

    /// Whether the disk filled up. What is computed can still be appended for a while; nothing new should be begun.
    pub fn disk_full(&self) -> bool {
        self.samples.disk_full()
    }

    /// Appends a sample with one write. After a kill at any moment it is there whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written; the file then ends where it ended before.
    pub fn append(&mut self, sample: &Sample) -> RecordResult<()> {
        self.samples.append(&to_line(sample)?)?;
        self.done.insert(sample.key());
        Ok(())
    }

    /// Writes `items.jsonl`, for people to read the samples by.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_items(&self, items: impl IntoIterator<Item = ItemText>) -> RecordResult<()> {
        let mut lines = Vec::new();
        for item in items {
            serde_json::to_writer(&mut lines, &item)
                .map_err(|source| RecordError::Serialize { source })?;
            lines.push(b'\n');
        }
        atomic::write(&self.dir, ITEMS, &lines)
    }

    /// Replaces `timings.json` by the earlier sessions' figures and this session's.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_timings(&self, session: &Timings) -> RecordResult<Timings> {
        let mut sum = self.earlier.clone();
        sum.add(session);
        atomic::write(&self.dir, TIMINGS, &json(&sum)?)?;
        Ok(sum)
    }

    /// Puts the samples into canonical order (suite and variant as in the manifest, position, sample), so that the file
    /// has the same bytes however often the run was interrupted.
    ///
    /// # Errors
    /// When the file cannot be read or written, or a sample is there twice or of no variant of the manifest.
    pub fn complete(&mut self) -> RecordResult<Vec<Sample>> {
        let path = self.dir.join(SAMPLES);
        let bytes = read(&path)?;
        let mut samples = checked(&path, &self.manifest, &bytes)?.samples;
        let rank = Ranks::new(&self.manifest);
        samples.sort_by_cached_key(|sample| rank.of(sample));
        let mut canonical = Vec::with_capacity(bytes.len());
        for sample in &samples {
            canonical.extend(to_line(sample)?);
        }
        if canonical != bytes {
            let _ = fs::remove_file(self.dir.join(RESERVE));
            atomic::write(&self.dir, SAMPLES, &canonical)?;
        }
        Ok(samples)
    }

    /// Writes what a complete run ends with and gives up the room set aside.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn finish(self, results: &[ResultRow]) -> RecordResult<()> {
        let _ = fs::remove_file(self.dir.join(RESERVE));
        atomic::write(&self.dir, RESULTS, &json(&results)?)
    }

    fn start(
        dir: PathBuf,
        lock: File,
        manifest: Manifest,
        done: HashSet<SampleKey>,
        earlier: Timings,
    ) -> RecordResult<Self> {
        reserve(&dir)?;
        let path = dir.join(SAMPLES);
        let write = |source| RecordError::write(&dir, &path, source);
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(write)?;
        let length = file.metadata().map_err(write)?.len();
        let room = dir.join(RESERVE);
        let samples = Appender::new(&dir, &path, file, length, move || fs::remove_file(room));
        Ok(RunFolder {
            dir,
            _lock: lock,
            manifest,
            samples,
            done,
            earlier,
        })
    }
}

impl ClaimedFolder {
    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes the manifest: from here on the run can be resumed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(self, manifest: Manifest) -> RecordResult<RunFolder> {
        atomic::write(&self.dir, MANIFEST, &json(&manifest)?)?;
        RunFolder::start(
            self.dir,
            self.lock,
            manifest,
            HashSet::new(),
            Timings::default(),
        )
    }

    /// Leaves the folder as it was found, for a run that fails before its manifest is known.
    pub fn abandon(self) {
        for name in [RESERVE, LOCK] {
            let _ = fs::remove_file(self.dir.join(name));
        }
        if !self.found {
            // Goes only where it is empty.
            let _ = fs::remove_dir(&self.dir);
        }
    }
}

impl ResumableRun {
    /// The manifest that the run began with.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Goes on with the run if everything that can change a score is still the same. A torn last line is dropped.
    ///
    /// # Errors
    /// When a setting differs, which is named; when the samples are damaged or cannot be read or written.
    pub fn resume(self, current: &Settings) -> RecordResult<RunFolder> {
        let ResumableRun {
            dir,
            lock,
            manifest,
        } = self;
        let differences = manifest.settings.differences(current);
        if !differences.is_empty() {
            return Err(RecordError::Changed { dir, differences });
        }
        let path = dir.join(SAMPLES);
        let mut done = HashSet::new();
        if path.exists() {
            let bytes = read(&path)?;
            let parsed = checked(&path, &manifest, &bytes)?;
            if parsed.whole_bytes < bytes.len() {
                OpenOptions::new()
                    .write(true)
                    .open(&path)
                    .and_then(|file| file.set_len(parsed.whole_bytes as u64))
                    .map_err(|source| RecordError::write(&dir, &path, source))?;
            }
            done.extend(parsed.samples.iter().map(Sample::key));
        }
        let earlier = read_timings(&dir)?.unwrap_or_default();
        RunFolder::start(dir, lock, manifest, done, earlier)
    }

    /// Where the run came from.
    pub fn provenance(&self) -> &Provenance {
        &self.manifest.provenance
    }
}

/// Samples that belong to the manifest, each once.
pub(crate) fn checked(
    path: &Path,
    manifest: &Manifest,
    bytes: &[u8],
) -> RecordResult<crate::ParsedSamples> {
    let parsed = parse_samples(path, bytes)?;
    let rank = Ranks::new(manifest);
    let mut seen = HashSet::new();
    for (i, sample) in parsed.samples.iter().enumerate() {
        let (path, line, key) = (path.to_owned(), i + 1, sample.key());
        if rank.suite(sample).is_none() || rank.variant(sample).is_none() {
            return Err(RecordError::StraySample { path, line, key });
        }
        if !seen.insert(key.clone()) {
            return Err(RecordError::DuplicateSample { path, line, key });
        }
    }
    Ok(parsed)
}

/// The manifest of a folder.
pub(crate) fn read_manifest(dir: &Path) -> RecordResult<Manifest> {
    let path = dir.join(MANIFEST);
    match fs::read(&path) {
        Ok(text) => Manifest::parse(&path, &text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(RecordError::NoRun {
            dir: dir.to_owned(),
        }),
        Err(source) => Err(RecordError::Read { path, source }),
    }
}

/// The timings of a folder, where a session has written some.
pub(crate) fn read_timings(dir: &Path) -> RecordResult<Option<Timings>> {
    read_json(&dir.join(TIMINGS))
}

/// A JSON file that may not be there.
pub(crate) fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> RecordResult<Option<T>> {
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text)
            .map(Some)
            .map_err(|source| RecordError::Parse {
                path: path.to_owned(),
                source,
            }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(RecordError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

/// A file's bytes.
pub(crate) fn read(path: &Path) -> RecordResult<Vec<u8>> {
    fs::read(path).map_err(|source| RecordError::Read {
        path: path.to_owned(),
        source,
    })
}

/// The canonical order of a record.
struct Ranks<'m> {
    suites: HashMap<&'m str, usize>,
    variants: HashMap<&'m str, usize>,
}

impl<'m> Ranks<'m> {
    fn new(manifest: &'m Manifest) -> Ranks<'m> {
        let settings = &manifest.settings;
        let suites = settings.suites.iter().map(|suite| suite.name.as_str());
        let variants = settings
            .variants
            .iter()
            .map(|variant| variant.name.as_str());
        Ranks {
            suites: suites.zip(0..).collect(),
            variants: variants.zip(0..).collect(),
        }
    }

    fn suite(&self, sample: &Sample) -> Option<usize> {
        self.suites.get(sample.suite.as_str()).copied()
    }

    fn variant(&self, sample: &Sample) -> Option<usize> {
        self.variants.get(sample.variant.as_str()).copied()
    }

    fn of(&self, sample: &Sample) -> (Option<usize>, Option<usize>, usize, String, usize) {
        let item = sample.item.clone();
        (
            self.suite(sample),
            self.variant(sample),
            sample.position,
            item,
            sample.sample,
        )
    }
}

fn lock(dir: &Path) -> RecordResult<File> {
    lock::lock(dir).map_err(|error| match error {
        LockError::InUse => RecordError::Locked {
            dir: dir.to_owned(),
        },
        LockError::Io { path, source } => RecordError::write(dir, &path, source),
    })
}

fn reserve(dir: &Path) -> RecordResult<()> {
    let path = dir.join(RESERVE);
    let written = File::create(&path).and_then(|mut file| {
        file.write_all(&vec![0; RESERVE_BYTES])?;
        file.sync_all()
    });
    written.map_err(|source| {
        if is_full(&source) {
            let _ = fs::remove_file(&path);
        }
        RecordError::write(dir, &path, source)
    })
}

pub(crate) fn json<T: serde::Serialize + ?Sized>(value: &T) -> RecordResult<Vec<u8>> {
    let mut text =
        serde_json::to_vec_pretty(value).map_err(|source| RecordError::Serialize { source })?;
    text.push(b'\n');
    Ok(text)
}
