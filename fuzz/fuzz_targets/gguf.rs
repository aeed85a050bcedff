//! Any bytes as a GGUF file: opened, every tensor read, tokenizer and template built, a text encoded.
//!
//! Seeds: `crates/evalh-checkpoint/tests/data/families`.
#![no_main]

use evalh_checkpoint::{Checkpoint, SpecialTokens, WeightSource as _, count_non_finite};
use libfuzzer_sys::fuzz_target;
use std::{path::PathBuf, sync::LazyLock};

static FILE: LazyLock<(tempfile::TempDir, PathBuf)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("model.gguf");
    (folder, path)
});

fuzz_target!(|bytes: &[u8]| {
    let path = &FILE.1;
    std::fs::write(path, bytes).expect("a temporary file can be written");
    let Ok(checkpoint) = Checkpoint::open(path) else {
        return;
    };
    for name in checkpoint.tensor_names() {
        let info = checkpoint.tensor(&name).expect("a listed tensor is there");
        let values = checkpoint.read_f32(&name).expect("a listed tensor is read");
        assert_eq!(values.len(), info.elements());
        // The densest type has 8 values in 21 bits.
        assert!(values.len() <= 4 * bytes.len());
        if let Some(coded) = checkpoint
            .read_codes(&name)
            .expect("a listed tensor is read")
        {
            assert_eq!([coded.rows, coded.columns], info.shape[..]);
            assert_eq!(coded.count_non_finite(), count_non_finite(&values));
        }
    }
    let _ = checkpoint.chat_template();
    if let Ok(tokenizer) = checkpoint.tokenizer() {
        let _ = tokenizer.encode("abcd it's 12 \u{2581}", SpecialTokens::AsPostProcessor);
    }
});
