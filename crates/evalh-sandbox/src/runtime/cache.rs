//! A private folder of large files, each with a sidecar that holds its hash.

use crate::SandboxError;
use evalh_record::{Sha256, sha256_bytes, sha256_file};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};
use tempfile::{NamedTempFile, TempDir};

/// The folder's name inside the cache folder of evalh.
const FOLDER: &str = "sandbox";
/// Folders to build in begin so.
const SCRATCH_PREFIX: &str = "building-";
/// Files that are being written begin so.
const PARTIAL_PREFIX: &str = "partial-";
/// Entries of one kind that are kept, for several releases of evalh that share a cache.
const KEPT_ENTRIES: usize = 4;

/// A private folder of large files, each with a sidecar that holds its hash.
pub(super) struct Cache {
    folder: PathBuf,
}

/// What a sidecar says of its file. It is written after the file, so a file without one is unfinished.
#[derive(Serialize, Deserialize)]
struct Sidecar {
    sha256: Sha256,
    bytes: u64,
}

impl Cache {
    /// Opens the cache, making it if need be. Machine code is loaded from it, so only its owner may write there.
    pub(super) fn open(cache_dir: &Path) -> Result<Self, SandboxError> {
        let folder = cache_dir.join(FOLDER);
        fs::create_dir_all(&folder).map_err(SandboxError::io("make the cache folder", &folder))?;
        make_private(&folder).map_err(SandboxError::io(
            "make private (mode 0700) the cache folder",
            &folder,
        ))?;
        Ok(Self { folder })
    }

    /// Where an entry lies, or would lie.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The hash that an entry is recorded to have; its content is not read.
    pub(super) fn recorded(&self, name: &str) -> Result<Option<Sha256>, SandboxError> {
        let sidecar = self.sidecar_path(name);
        let text = match fs::read(&sidecar) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(SandboxError::io("read", &sidecar)(source)),
        };
        // A sidecar that cannot be read is as good as none: the entry is made again.
        let Ok(sidecar) = serde_json::from_slice::<Sidecar>(&text) else {
            return Ok(None);
        };
        let whole = fs::metadata(self.path(name)).is_ok_and(|file| file.len() == sidecar.bytes);
        Ok(whole.then_some(sidecar.sha256))
    }

    /// An entry's path, if its content has the recorded hash.
    pub(super) fn verified(&self, name: &str) -> Result<Option<PathBuf>, SandboxError> {
        let Some(sha256) = self.recorded(name)? else {
            return Ok(None);
        };
        let path = self.path(name);
        let found = sha256_file(&path).map_err(SandboxError::io("read", &path))?;
        Ok((found == sha256).then_some(path))
    }

    /// An entry's content, if it has the recorded hash.
    pub(super) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, SandboxError> {
        let Some(sha256) = self.recorded(name)? else {
            return Ok(None);
        };
        let path = self.path(name);
        let bytes = fs::read(&path).map_err(SandboxError::io("read", &path))?;
        Ok((sha256_bytes(&bytes) == sha256).then_some(bytes))
    }

    /// Writes an entry: the file, then its sidecar, each whole or not at all.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, SandboxError> {
        let sidecar = Sidecar {
            sha256: sha256_bytes(bytes),
            bytes: bytes.len() as u64,
        };
        let path = self.path(name);
        self.write(&path, bytes)?;
        let text = serde_json::to_vec(&sidecar)
            .map_err(|error| SandboxError::io("write", &path)(error.into()))?;
        self.write(&self.sidecar_path(name), &text)?;
        Ok(path)
    }

    /// A folder to build in, removed when dropped.
    pub(super) fn scratch(&self) -> Result<TempDir, SandboxError> {
        TempDir::with_prefix_in(SCRATCH_PREFIX, &self.folder)
            .map_err(SandboxError::io("make a folder in", &self.folder))
    }

    /// Keeps other processes from preparing a runtime while the result lives. `waiting` is called if one has to be
    /// waited for.
    pub(super) fn lock(&self, waiting: impl FnOnce()) -> Result<File, SandboxError> {
        let path = self.folder.join("lock");
        let lock = || -> io::Result<File> {
            let file = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    waiting();
                    file.lock()?;
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
            Ok(file)
        };
        lock().map_err(SandboxError::io("lock", &path))
    }

    /// Removes what killed processes left behind, and all but the newest entries of each kind. Only for the holder of the
    /// lock. What cannot be removed stays: it does no harm.
    pub(super) fn tidy(&self) {
        let Ok(found) = fs::read_dir(&self.folder) else {
            return;
        };
        let mut entries = BTreeMap::<_, Vec<_>>::new();
        for path in found.flatten().map(|found| found.path()) {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if name.starts_with(SCRATCH_PREFIX) {
                let _ = fs::remove_dir_all(path);
            } else if name.starts_with(PARTIAL_PREFIX) {
                let _ = fs::remove_file(path);
            } else if let Some(kind) = path.extension().filter(|kind| *kind != "json")
                && let Ok(written) = path.metadata().and_then(|file| file.modified())
            {
                entries
                    .entry(kind.to_owned())
                    .or_default()
                    .push((written, name));
            }
        }
        for mut entries in entries.into_values() {
            entries.sort();
            let surplus = entries.len().saturating_sub(KEPT_ENTRIES);
            for (_, name) in &entries[..surplus] {
                let _ = fs::remove_file(self.sidecar_path(name));
                let _ = fs::remove_file(self.path(name));
            }
        }
    }

    fn sidecar_path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.json"))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), SandboxError> {
        let write = || -> io::Result<()> {
            let mut file = NamedTempFile::with_prefix_in(PARTIAL_PREFIX, &self.folder)?;
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            file.persist(path)?;
            Ok(())
        };
        write().map_err(SandboxError::io("write", path))
    }
}

#[cfg(unix)]
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn make_private(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    fn cache() -> (TempDir, Cache) {
        let dir = TempDir::new().unwrap();
        let cache = Cache::open(dir.path()).unwrap();
        (dir, cache)
    }

    #[test]
    fn an_entry_is_read_back() {
        let (_dir, cache) = cache();
        assert!(cache.read("a").unwrap().is_none());
        cache.put("a", b"content").unwrap();
        assert_eq!(cache.read("a").unwrap().unwrap(), b"content");
        assert_eq!(
            cache.recorded("a").unwrap().unwrap(),
            sha256_bytes(b"content")
        );
        assert_eq!(cache.verified("a").unwrap().unwrap(), cache.path("a"));
    }

    #[test]
    fn a_changed_entry_is_no_entry() {
        let (_dir, cache) = cache();
        let path = cache.put("a", b"content").unwrap();
        fs::write(&path, b"contend").unwrap();
        assert!(cache.verified("a").unwrap().is_none() && cache.read("a").unwrap().is_none());
        fs::write(&path, b"cont").unwrap();
        assert!(cache.recorded("a").unwrap().is_none());
        fs::remove_file(&path).unwrap();
        assert!(cache.recorded("a").unwrap().is_none());
        cache.put("a", b"again").unwrap();
        fs::write(cache.sidecar_path("a"), b"{\"sha256\":").unwrap();
        assert!(cache.recorded("a").unwrap().is_none());
    }

    #[test]
    fn leftovers_and_old_entries_are_removed() {
        let (_dir, cache) = cache();
        for number in 0..KEPT_ENTRIES + 2 {
            cache.put(&format!("{number}.wasm"), b"content").unwrap();
            let written = SystemTime::UNIX_EPOCH + Duration::from_secs(number as u64);
            for path in [
                cache.path(&format!("{number}.wasm")),
                cache.sidecar_path(&format!("{number}.wasm")),
            ] {
                File::options()
                    .write(true)
                    .open(path)
                    .unwrap()
                    .set_modified(written)
                    .unwrap();
            }
        }
        cache.put("0.cwasm", b"content").unwrap();
        fs::write(cache.path("partial-x"), b"").unwrap();
        fs::create_dir(cache.path("building-x")).unwrap();
        cache.tidy();
        for number in 0..KEPT_ENTRIES + 2 {
            assert_eq!(
                cache.read(&format!("{number}.wasm")).unwrap().is_some(),
                number >= 2,
                "{number}"
            );
        }
        assert!(cache.read("0.cwasm").unwrap().is_some());
        assert!(!cache.path("partial-x").exists() && !cache.path("building-x").exists());
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_gets_in() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_dir, cache) = cache();
        assert_eq!(
            fs::metadata(&cache.folder).unwrap().permissions().mode() & 0o777,
            0o700
        );
    }

    #[test]
    fn the_lock_is_held_by_one() {
        let (_dir, cache) = cache();
        let held = cache.lock(|| panic!("nobody else is there")).unwrap();
        let (told, heard) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| cache.lock(|| told.send(()).unwrap()).map(drop));
            heard.recv().unwrap();
            drop(held);
            waiter.join().unwrap().unwrap();
        });
    }
}
