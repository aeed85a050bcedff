//! A checkpoint of random weights.

use crate::failure::{Failure, OrFail as _, Outcome};
use evalh_model::DecoderConfig;
use evalh_train::scratch::random_weights;
use std::{fs, path::Path};

/// Copies a folder with a config and a tokenizer, and adds random weights to it.
///
/// # Errors
/// When the config is none of a decoder, or the folders cannot be read or written.
pub fn from_scratch(from: &Path, seed: u64, out: &Path) -> Outcome<usize> {
    let path = from.join("config.json");
    let text = fs::read(&path).or_fail_to(|| format!("read {}", path.display()))?;
    let config: serde_json::Value =
        serde_json::from_slice(&text).or_fail_to(|| format!("read {}", path.display()))?;
    DecoderConfig::read(&config).or_fail()?;
    let weights = random_weights(&config, seed).or_fail()?;
    let what = || format!("make the folder {}", out.display());
    fs::create_dir_all(out).or_fail_to(what)?;
    if fs::read_dir(out).or_fail_to(what)?.next().is_some() {
        return Err(Failure::new(what())
            .cause("it holds other things")
            .help("give --out a new folder"));
    }
    for entry in fs::read_dir(from).or_fail_to(|| format!("read {}", from.display()))? {
        let entry = entry.or_fail_to(|| format!("read {}", from.display()))?;
        let name = entry.file_name();
        let is_weights = Path::new(&name)
            .extension()
            .is_some_and(|end| end == "safetensors");
        if entry.path().is_file() && !is_weights {
            fs::copy(entry.path(), out.join(&name))
                .or_fail_to(|| format!("copy {}", entry.path().display()))?;
        }
    }
    let file = out.join("model.safetensors");
    fs::write(&file, &weights.file).or_fail_to(|| format!("write {}", file.display()))?;
    Ok(weights.parameters)
}
