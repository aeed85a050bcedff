//! Folders that are part of the program: the small adapters of the default run, and the demo's models.

use crate::failure::{OrFail as _, Outcome};
use evalh_record::sha256_bytes;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A folder that is part of the program.
pub struct OwnFolder {
    /// Its name, and its variant's.
    pub name: &'static str,
    files: &'static [(&'static str, &'static [u8])],
}

macro_rules! own_folder {
    ($group:literal, $name:literal: $($file:literal),+) => {
        OwnFolder {
            name: $name,
            files: &[$((
                $file,
                include_bytes!(concat!("../../../datasets/", $group, "/", $name, "/", $file)),
            )),+],
        }
    };
}

/// The adapters, in the order in which the default run compares them.
pub const ADAPTERS: [OwnFolder; 2] = [
    own_folder!("adapters", "small-standard": "adapter_config.json", "adapter_model.safetensors"),
    own_folder!("adapters", "small-selective": "adapter_config.json", "adapter_model.safetensors"),
];

/// The demo's checkpoint and its two adapters.
pub const DEMO: [OwnFolder; 3] = [
    own_folder!(
        "demo", "base":
        "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"
    ),
    own_folder!("demo", "standard": "adapter_config.json", "adapter_model.safetensors"),
    own_folder!("demo", "selective": "adapter_config.json", "adapter_model.safetensors"),
];

impl OwnFolder {
    /// The adapter of that name.
    pub fn adapter(name: &str) -> Option<OwnFolder> {
        ADAPTERS.into_iter().find(|adapter| adapter.name == name)
    }

    /// The folder below `cache`, in a folder named after its content.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn unpack(&self, cache: &Path) -> Outcome<PathBuf> {
        let contents: Vec<&[u8]> = self.files.iter().map(|(_, content)| *content).collect();
        let hash = sha256_bytes(&contents.concat());
        let dir = cache.join("own").join(&hash.as_str()[..16]).join(self.name);
        let write = |(name, content): &(&str, &[u8])| -> std::io::Result<()> {
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
        self.files
            .iter()
            .try_for_each(write)
            .or_fail_to(|| format!("unpack `{}` into {}", self.name, dir.display()))
            .map_err(|failure| failure.help("set EVALH_CACHE to a folder that you may write"))?;
        Ok(dir)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use evalh_adapter::Adapter;
    use evalh_checkpoint::Checkpoint;

    #[test]
    fn every_adapter_unpacks_to_a_folder_that_opens_and_mends_itself() {
        let cache = tempfile::tempdir().unwrap();
        for adapter in ADAPTERS.into_iter().chain(DEMO.into_iter().skip(1)) {
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
        assert!(OwnFolder::adapter("small-standard").is_some());
        assert!(OwnFolder::adapter("standard").is_none());
    }

    #[test]
    fn the_demo_s_checkpoint_is_a_small_one_with_a_tokenizer() {
        let cache = tempfile::tempdir().unwrap();
        let base = DEMO[0].unpack(cache.path()).unwrap();
        let checkpoint = Checkpoint::open(&base).unwrap();
        assert!((1_000_000..3_000_000).contains(&checkpoint.parameters()));
        checkpoint.tokenizer().unwrap();
    }
}
