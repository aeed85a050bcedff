//! The two small adapters that are part of the program, so that its default run works anywhere.

use crate::failure::{OrFail as _, Outcome};
use evalh_record::sha256_bytes;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// An adapter that is part of the program.
pub struct OwnAdapter {
    /// Its name, and its variant's.
    pub name: &'static str,
    config: &'static [u8],
    tensors: &'static [u8],
}

macro_rules! own_adapter {
    ($name:literal) => {
        OwnAdapter {
            name: $name,
            config: include_bytes!(concat!(
                "../../../datasets/adapters/",
                $name,
                "/adapter_config.json"
            )),
            tensors: include_bytes!(concat!(
                "../../../datasets/adapters/",
                $name,
                "/adapter_model.safetensors"
            )),
        }
    };
}

impl OwnAdapter {
    /// All of them, in the order in which the default run compares them.
    pub const ALL: [OwnAdapter; 2] = [
        own_adapter!("small-standard"),
        own_adapter!("small-selective"),
    ];

    /// The adapter of that name.
    pub fn named(name: &str) -> Option<OwnAdapter> {
        Self::ALL.into_iter().find(|adapter| adapter.name == name)
    }

    /// The adapter as a folder below `cache`, named after its content.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn unpack(&self, cache: &Path) -> Outcome<PathBuf> {
        let hash = sha256_bytes(&[self.config, self.tensors].concat());
        let dir = cache
            .join("adapters")
            .join(format!("{}-{}", self.name, &hash.as_str()[..16]));
        let write = |name: &str, content: &[u8]| -> std::io::Result<()> {
            let path = dir.join(name);
            if fs::metadata(&path).is_ok_and(|file| file.len() == content.len() as u64) {
                return Ok(());
            }
            fs::create_dir_all(&dir)?;
            // Two processes may do this at once: each renames a whole file of its own.
            let partial = dir.join(format!(".{name}.{}", std::process::id()));
            fs::write(&partial, content)?;
            fs::rename(&partial, &path)
        };
        write("adapter_config.json", self.config)
            .and_then(|()| write("adapter_model.safetensors", self.tensors))
            .or_fail_to(|| format!("unpack the adapter `{}` into {}", self.name, dir.display()))
            .map_err(|failure| failure.help("set EVALH_CACHE to a folder that you may write"))?;
        Ok(dir)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use evalh_adapter::Adapter;

    #[test]
    fn every_adapter_unpacks_to_a_folder_that_opens_and_mends_itself() {
        let cache = tempfile::tempdir().unwrap();
        for adapter in OwnAdapter::ALL {
            let dir = adapter.unpack(cache.path()).unwrap();
            assert!(Adapter::open(&dir).unwrap().parameters() > 0);
            fs::write(dir.join("adapter_config.json"), "{").unwrap();
            assert_eq!(adapter.unpack(cache.path()).unwrap(), dir);
            assert!(Adapter::open(&dir).is_ok());
            assert_eq!(
                fs::read_dir(&dir).unwrap().count(),
                2,
                "nothing partial is left"
            );
        }
        assert!(OwnAdapter::named("small-standard").is_some());
        assert!(OwnAdapter::named("standard").is_none());
    }
}
