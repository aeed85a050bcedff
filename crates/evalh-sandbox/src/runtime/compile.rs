//! Compiling the component to machine code, and loading that from the cache.

use super::{PrepareEvent, cache::Cache};
use crate::SandboxError;
use evalh_record::{Sha256, sha256_bytes};
use std::{
    hash::{Hash, Hasher},
    path::Path,
    time::Instant,
};
use wasmtime::{Engine, component::Component};

/// Loads the machine code of a component, if the cache has it for this engine.
pub(super) fn find(
    engine: &Engine,
    cache: &Cache,
    component: &Sha256,
) -> Result<Option<Component>, SandboxError> {
    let name = entry_name(engine, component);
    // Code that wasmtime does not take is as good as none: it is compiled again.
    Ok(cache
        .verified(&name)?
        .and_then(|path| load(engine, &path).ok()))
}

/// Compiles a component and keeps the machine code. An error says what is wrong with the component, or with the cache.
pub(super) fn make(
    engine: &Engine,
    cache: &Cache,
    bytes: &[u8],
    sha256: &Sha256,
    progress: &dyn Fn(PrepareEvent),
) -> Result<Component, String> {
    progress(PrepareEvent::Compiling);
    let begin = Instant::now();
    let code = engine
        .precompile_component(bytes)
        .map_err(|error| format!("{error:#}"))?;
    let path = cache
        .put(&entry_name(engine, sha256), &code)
        .map_err(|error| error.to_string())?;
    let component = load(engine, &path).map_err(|error| format!("{error:#}"))?;
    progress(PrepareEvent::Compiled {
        took: begin.elapsed(),
    });
    Ok(component)
}

#[allow(unsafe_code)]
fn load(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file was written by `make`, through `Engine::precompile_component`, in a folder that only its owner
    // can write to, and its content has just been checked against the hash recorded when it was written.
    unsafe { Component::deserialize_file(engine, path) }
}

/// The key covers all that the machine code depends on: the component, wasmtime's release, its settings, and the
/// processor's features.
fn entry_name(engine: &Engine, component: &Sha256) -> String {
    let mut key = Bytes(component.as_str().as_bytes().to_vec());
    engine.precompile_compatibility_hash().hash(&mut key);
    format!("python-{}.cwasm", &sha256_bytes(&key.0).as_str()[..32])
}

/// Keeps what is hashed, for a hash that is the same in every process.
struct Bytes(Vec<u8>);

impl Hasher for Bytes {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use std::fs;
    use tempfile::TempDir;
    use wasmtime::Config;

    /// An empty component: its magic number and version.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn the_key_names_all_that_matters() {
        let engine = crate::engine::new(&Limits::default()).unwrap();
        let again = crate::engine::new(&Limits::default()).unwrap();
        let (a, b) = (sha256_bytes(b"a"), sha256_bytes(b"b"));
        assert_eq!(entry_name(&engine, &a), entry_name(&again, &a));
        assert_ne!(entry_name(&engine, &a), entry_name(&engine, &b));
        let without_fuel = Engine::new(Config::new().epoch_interruption(true)).unwrap();
        assert_ne!(entry_name(&engine, &a), entry_name(&without_fuel, &a));
    }

    #[test]
    fn damaged_code_is_compiled_again() {
        let dir = TempDir::new().unwrap();
        let cache = Cache::open(dir.path()).unwrap();
        let engine = crate::engine::new(&Limits::default()).unwrap();
        let sha256 = sha256_bytes(EMPTY);
        assert!(find(&engine, &cache, &sha256).unwrap().is_none());
        make(&engine, &cache, EMPTY, &sha256, &|_| {}).unwrap();
        let component = find(&engine, &cache, &sha256).unwrap().unwrap();
        assert_eq!(component.component_type().imports(&engine).len(), 0);

        let path = cache.path(&entry_name(&engine, &sha256));
        let mut code = fs::read(&path).unwrap();
        code[0] ^= 1;
        fs::write(&path, code).unwrap();
        assert!(find(&engine, &cache, &sha256).unwrap().is_none());
        // With a right hash, wasmtime itself refuses what is no machine code of its own.
        cache
            .put(&entry_name(&engine, &sha256), b"something else")
            .unwrap();
        assert!(find(&engine, &cache, &sha256).unwrap().is_none());
        make(&engine, &cache, EMPTY, &sha256, &|_| {}).unwrap();
        assert!(find(&engine, &cache, &sha256).unwrap().is_some());
    }

    #[test]
    fn what_is_no_component_is_refused() {
        let dir = TempDir::new().unwrap();
        let cache = Cache::open(dir.path()).unwrap();
        let engine = crate::engine::new(&Limits::default()).unwrap();
        for bytes in [&b"not wasm"[..], b"", b"\0asm\x01\0\0\0"] {
            assert!(make(&engine, &cache, bytes, &sha256_bytes(bytes), &|_| {}).is_err());
        }
    }
}
