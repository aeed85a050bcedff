//! The repository's own parity fixtures, and copies of them to be spoiled.

use super::Evalh;
use safetensors::{Dtype, SafeTensors, serialize, tensor::TensorView};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// A tensor's type, shape and bytes.
pub type Stored = (Dtype, Vec<usize>, Vec<u8>);

/// The folder of all fixtures.
pub fn fixtures() -> PathBuf {
    // Real, so that messages name no `..`.
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures")
        .canonicalize()
        .unwrap()
}

/// Folders directly below one that hold a reference, sorted.
pub fn with_reference(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("reference.safetensors").is_file())
        .collect();
    found.sort();
    found
}

/// Copies a fixture with all its folders.
pub fn copy_fixture(name: &str, to: &Path) {
    copy(&fixtures().join(name), to);
}

/// A fixture's encoder in the folder `name`, with a tokenizer that knows words.
pub fn copy_encoder(evalh: &Evalh, name: &str) {
    copy_fixture(name, &evalh.path(name));
    for file in ["tokenizer.json", "tokenizer_config.json"] {
        let text = fs::read(encoder_data().join(name).join(file)).unwrap();
        evalh.write(&format!("{name}/{file}"), text);
    }
}

/// Tokenizers and adapters for the encoders among the fixtures.
pub fn encoder_data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../evalh-engine/tests/data/encoders")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Changes a safetensors file.
pub fn change_tensors(path: &Path, change: impl FnOnce(&mut BTreeMap<String, Stored>)) {
    let bytes = fs::read(path).unwrap();
    let mut all: BTreeMap<String, Stored> = SafeTensors::deserialize(&bytes)
        .unwrap()
        .tensors()
        .into_iter()
        .map(|(name, view)| {
            let stored = (view.dtype(), view.shape().to_vec(), view.data().to_vec());
            (name, stored)
        })
        .collect();
    change(&mut all);
    let views = all.iter().map(|(name, (dtype, shape, bytes))| {
        let view = TensorView::new(*dtype, shape.clone(), bytes).unwrap();
        (name.as_str(), view)
    });
    let bytes = serialize(views, None).unwrap();
    fs::write(path, bytes).unwrap();
}
