//! A whole PyTorch file: zip directory, pickle and tensors.

#![no_main]

use evalh_checkpoint::TensorFile;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let Ok(file) = TensorFile::from_bytes(Path::new("pytorch_model.bin"), bytes.to_vec()) else {
        return;
    };
    for name in file.names() {
        let info = file.info(name).expect("a listed tensor is there");
        if let Ok(values) = file.read_f32(name) {
            assert_eq!(values.len(), info.elements());
            assert!(values.len() <= bytes.len());
        }
    }
});
