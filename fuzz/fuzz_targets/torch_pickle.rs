//! The pickle of a PyTorch file, in a sound archive with two storages.

#![no_main]

use evalh_checkpoint::TensorFile;
use libfuzzer_sys::fuzz_target;
use rawzip::ZipArchiveWriter;
use std::{io::Write as _, path::Path};

fn archive(entries: &[(&str, &[u8])]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut zip = ZipArchiveWriter::new(&mut out);
    for (name, bytes) in entries {
        let (mut entry, config) = zip.new_file(name).start().ok()?;
        let mut writer = config.wrap(&mut entry);
        writer.write_all(bytes).ok()?;
        let (_, descriptor) = writer.finish().ok()?;
        entry.finish(descriptor).ok()?;
    }
    zip.finish().ok()?;
    Some(out)
}

fuzz_target!(|pickle: &[u8]| {
    let entries = [
        ("x/data.pkl", pickle),
        ("x/data/0", &[0x3c; 96][..]),
        ("x/data/1", &[0x7f; 48][..]),
    ];
    let bytes = archive(&entries).expect("an archive can be written to memory");
    let Ok(file) = TensorFile::from_bytes(Path::new("pytorch_model.bin"), bytes) else {
        return;
    };
    for name in file.names() {
        let info = file.info(name).expect("a listed tensor is there");
        if let Ok(values) = file.read_f32(name) {
            assert_eq!(values.len(), info.elements());
            // The larger storage has 96 bytes.
            assert!(values.len() <= 48);
        }
    }
});
