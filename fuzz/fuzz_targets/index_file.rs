//! The index of a sharded checkpoint, beside two shards.

#![no_main]

use evalh_checkpoint::{Checkpoint, WeightSource as _};
use libfuzzer_sys::fuzz_target;
use safetensors::{
    Dtype,
    tensor::{TensorView, serialize_to_file},
};
use std::sync::LazyLock;

static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    std::fs::write(folder.path().join("config.json"), "{}").expect("it can be written to");
    for name in ["a", "b"] {
        let view = TensorView::new(Dtype::F32, vec![2], &[0; 8]).expect("the shape fits");
        let path = folder.path().join(format!("{name}.safetensors"));
        serialize_to_file([(name, view)], None, &path).expect("it can be written to");
    }
    folder
});

fuzz_target!(|index: &[u8]| {
    let path = FOLDER.path().join("model.safetensors.index.json");
    std::fs::write(path, index).expect("it can be written to");
    if let Ok(checkpoint) = Checkpoint::open(FOLDER.path()) {
        for name in checkpoint.tensor_names() {
            checkpoint
                .read_f32(&name)
                .expect("a listed tensor can be read");
        }
        for file in checkpoint.files() {
            assert_eq!(
                file.parent(),
                Some(FOLDER.path()),
                "a file out of the folder"
            );
        }
    }
});
