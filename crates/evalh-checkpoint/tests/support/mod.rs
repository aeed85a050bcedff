//! What the tests share.
#![allow(dead_code, unused_imports, reason = "each test file uses a part of it")]

pub mod config;
mod gguf;

pub use gguf::{BLOCKS, Block, F32, Gguf, tiny_llama};

/// Writes bytes to a file that ends in `.gguf`, which lives as long as the folder returned.
pub fn on_disk(bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("model.gguf");
    std::fs::write(&path, bytes).expect("a temporary file can be written");
    (folder, path)
}
