//! A safetensors file: its header, and every tensor that the header lists.

#![no_main]

use evalh_checkpoint::TensorFile;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let Ok(file) = TensorFile::from_bytes(Path::new("model.safetensors"), bytes.to_vec()) else {
        return;
    };
    for name in file.names() {
        let info = file.info(name).expect("a listed tensor is there");
        if let Ok(values) = file.read_f32(name) {
            assert_eq!(values.len(), info.elements());
            // Two bytes a value at least: nothing is read that the file does not hold.
            assert!(values.len() <= bytes.len());
        }
    }
});
