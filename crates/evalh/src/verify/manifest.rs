//! `manifest.json` beside a reference: who wrote it, and where its adapters are.

use crate::failure::{Failure, OrFail as _, Outcome};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The manifest of a reference; a folder without one has adapters in `adapters/NAME`.
pub struct Manifest {
    folder: PathBuf,
    value: Value,
}

/// Where an adapter of a reference comes from.
pub enum Source {
    /// A folder.
    Folder(PathBuf),
    /// A weighted sum of other adapters of the reference.
    Mix(Vec<(String, f64)>),
}

impl Manifest {
    /// Reads the manifest of a folder.
    ///
    /// # Errors
    /// When there is one that is no JSON.
    pub fn open(folder: &Path) -> Outcome<Manifest> {
        let path = folder.join("manifest.json");
        let value = match std::fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).or_fail_to(|| format!("read {}", path.display()))?
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Value::Null,
            Err(error) => {
                return Err(Failure::new(format!("read {}", path.display())).because(&error));
            }
        };
        let folder = folder.to_owned();
        Ok(Manifest { folder, value })
    }

    /// The programs that computed the reference, and in which number type.
    pub fn written_by(&self) -> Option<String> {
        let versions: Vec<String> = ["torch", "transformers", "peft"]
            .iter()
            .filter_map(|name| Some(format!("{name} {}", self.value[name].as_str()?)))
            .collect();
        let dtype = self.value["dtype"].as_str();
        (!versions.is_empty()).then(|| {
            let dtype = dtype.map_or_else(String::new, |dtype| format!(", {dtype}"));
            format!("{}{dtype}", versions.join(", "))
        })
    }

    /// Where an adapter comes from.
    ///
    /// # Errors
    /// When the manifest says something that makes no sense of it.
    pub fn adapter(&self, name: &str) -> Outcome<Source> {
        let about = &self.value["adapters"][name];
        if let Some(parts) = about["mix"].as_array() {
            let part = |part: &Value| {
                let adapter = part["adapter"].as_str()?.to_owned();
                Some((adapter, part["weight"].as_f64()?))
            };
            let parts: Option<Vec<_>> = parts.iter().map(part).collect();
            return parts.map(Source::Mix).ok_or_else(|| {
                Failure::new(format!("read the mix `{name}` of the reference"))
                    .cause(format!(
                        "{} names no adapter and weight for a part of it",
                        self.folder.join("manifest.json").display()
                    ))
                    .help("write the reference with tools/write_reference.py")
            });
        }
        let path = match about["path"].as_str() {
            Some(path) => self.folder.join(path),
            None => self.folder.join("adapters").join(name),
        };
        Ok(Source::Folder(path))
    }
}
