//! The artifacts there are.

use crate::{
    ArtifactError, CacheState, Kind, Manifest, Progress, PullOptions, Pulled, builtin,
    cache::{Cache, Slot},
    manifest::looks_like_path,
    pull,
};
use std::{fs, path::Path};

/// The least likeness of a name that is suggested for an unknown one.
const LIKENESS: f64 = 0.7;

/// Manifests by name: those of the binary and those of folders.
#[derive(Debug, Clone)]
pub struct Catalog {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    manifest: Manifest,
    /// The manifest's file.
    file: String,
}

impl Catalog {
    /// The manifests that are part of the binary.
    ///
    /// # Errors
    /// When one of them is not valid, which the crate's tests rule out.
    pub fn builtin() -> Result<Self, ArtifactError> {
        let mut catalog = Self {
            entries: Vec::new(),
        };
        for (file, text) in builtin::MANIFESTS {
            catalog.add(text, file)?;
        }
        Ok(catalog)
    }

    /// Adds the manifests `*.toml` of a folder, not of its subfolders, and returns how many they are.
    ///
    /// # Errors
    /// When the folder or a file cannot be read, a manifest is not valid, or a name is already taken.
    pub fn load_dir(&mut self, dir: &Path) -> Result<usize, ArtifactError> {
        let fail = |e| ArtifactError::io("read", dir, e);
        let mut files = Vec::new();
        for entry in fs::read_dir(dir).map_err(fail)? {
            let path = entry.map_err(fail)?.path();
            if path.extension().is_some_and(|e| e == "toml") {
                files.push(path);
            }
        }
        files.sort();
        for path in &files {
            let text = fs::read_to_string(path).map_err(|e| ArtifactError::io("read", path, e))?;
            self.add(&text, &path.display().to_string())?;
        }
        Ok(files.len())
    }

    /// Adds one manifest; `file` is what errors call it.
    ///
    /// # Errors
    /// When the manifest is not valid or its name is already taken.
    pub fn add(&mut self, text: &str, file: &str) -> Result<(), ArtifactError> {
        let manifest = Manifest::parse(text, file)?;
        if let Some(first) = self
            .entries
            .iter()
            .find(|entry| entry.manifest.name == manifest.name)
        {
            return Err(ArtifactError::Duplicate {
                name: manifest.name,
                first: first.file.clone(),
                second: file.to_owned(),
            });
        }
        self.entries.push(Entry {
            manifest,
            file: file.to_owned(),
        });
        self.entries.sort_by(|a, b| {
            (a.manifest.kind, &a.manifest.name).cmp(&(b.manifest.kind, &b.manifest.name))
        });
        Ok(())
    }

    /// The manifests, of one kind or all, ordered by kind and name.
    pub fn iter(&self, kind: Option<Kind>) -> impl Iterator<Item = &Manifest> {
        self.entries
            .iter()
            .map(|entry| &entry.manifest)
            .filter(move |m| kind.is_none_or(|kind| m.kind == kind))
    }

    /// The manifest of a name.
    ///
    /// # Errors
    /// When there is none; the error suggests a near name, or says that a path was given where a name belongs.
    pub fn get(&self, name: &str) -> Result<&Manifest, ArtifactError> {
        self.find(name, "--path PATH")
    }

    fn find(&self, name: &str, path_flag: &str) -> Result<&Manifest, ArtifactError> {
        if let Some(manifest) = self.iter(None).find(|manifest| manifest.name == name) {
            return Ok(manifest);
        }
        let names: Vec<&str> = self
            .iter(None)
            .map(|manifest| manifest.name.as_str())
            .collect();
        let known = names.join(", ");
        if looks_like_path(name) {
            let remedy =
                format!("to use a file or folder of your own as one of them, add {path_flag}");
            return Err(ArtifactError::PathLikeName {
                name: name.to_owned(),
                known,
                remedy,
            });
        }
        let near = names
            .iter()
            .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
            .filter(|(likeness, _)| *likeness >= LIKENESS)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let suggestion = near.map_or(String::new(), |(_, near)| {
            format!("; did you mean `{near}`?")
        });
        Err(ArtifactError::UnknownName {
            name: name.to_owned(),
            suggestion,
            known,
        })
    }

    /// What the cache holds of an artifact, judged without hashing: the first source that has something.
    ///
    /// # Errors
    /// When there is no such artifact or the cache cannot be read.
    pub fn state(&self, name: &str, cache_dir: &Path) -> Result<CacheState, ArtifactError> {
        let manifest = self.get(name)?;
        let cache = Cache::new(cache_dir);
        for source in &manifest.sources {
            let state = Slot::open(&cache, manifest, source)?.state();
            if state != CacheState::Absent {
                return Ok(state);
            }
        }
        Ok(CacheState::Absent)
    }

    /// Brings an artifact's files to this machine, or finds them there, verified.
    ///
    /// # Errors
    /// When there is no such artifact, a local path does not hold it, the cache cannot be written, or no source gives
    /// it; the last error lists what was tried and how to supply the files by hand.
    pub fn pull(
        &self,
        name: &str,
        options: &PullOptions,
        progress: &dyn Progress,
    ) -> Result<Pulled, ArtifactError> {
        pull::pull(self.find(name, &options.path_flag)?, options, progress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_get_a_hint() {
        let catalog = Catalog::builtin().unwrap();
        let error = catalog.get("humanevall").unwrap_err().to_string();
        assert_eq!(
            error,
            "find `humanevall`: no such artifact; did you mean `humaneval`? \
             (known: smollm2-135m-instruct, glue, gsm8k, humaneval, mmlu, quixbugs, python)"
        );
        let error = catalog.get("./model.gguf").unwrap_err().to_string();
        assert!(
            error.contains("looks like a path") && error.contains("--path PATH"),
            "{error}"
        );
        assert!(
            !catalog
                .get("zzz")
                .unwrap_err()
                .to_string()
                .contains("did you mean")
        );
    }

    #[test]
    fn names_are_listed_by_kind() {
        let catalog = Catalog::builtin().unwrap();
        let names = |kind| {
            catalog
                .iter(kind)
                .map(|m| m.name.as_str())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            names(Some(Kind::Suite)),
            ["glue", "gsm8k", "humaneval", "mmlu", "quixbugs"]
        );
        assert_eq!(names(Some(Kind::Model)), ["smollm2-135m-instruct"]);
        assert_eq!(names(None).len(), 7);
    }

    #[test]
    fn a_folder_adds_manifests_and_may_not_redefine_them() {
        let folder = tempfile::tempdir().unwrap();
        let find = |(file, _): &&(&str, &str)| *file == "datasets/humaneval.toml";
        let (_, text) = builtin::MANIFESTS.iter().find(find).unwrap();
        std::fs::write(
            folder.path().join("mine.toml"),
            text.replace("name = \"humaneval\"", "name = \"mine\""),
        )
        .unwrap();
        std::fs::write(folder.path().join("notes.txt"), "not a manifest").unwrap();
        let mut catalog = Catalog::builtin().unwrap();
        assert_eq!(catalog.load_dir(folder.path()).unwrap(), 1);
        assert_eq!(catalog.get("mine").unwrap().items, Some(164));
        let error = catalog.load_dir(folder.path()).unwrap_err().to_string();
        assert!(error.contains("`mine` is already defined"), "{error}");
    }
}
