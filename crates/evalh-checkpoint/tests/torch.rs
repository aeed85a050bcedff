//! Files that `torch.save` wrote, against torch's own values of them.

use evalh_checkpoint::TensorFile;
use serde_json::Value;
use std::path::PathBuf;

fn data(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/torch")).join(name)
}

fn bits(values: &Value) -> Vec<u32> {
    values
        .as_array()
        .expect("bits are a list")
        .iter()
        .map(|bits| bits.as_i64().expect("bits are integers") as u32)
        .collect()
}

#[test]
fn every_tensor_of_a_state_dict_has_the_bits_that_torch_gives() {
    let file = TensorFile::open(&data("state_dict.bin")).unwrap();
    let expected: serde_json::Map<String, Value> =
        serde_json::from_slice(&std::fs::read(data("state_dict.json")).unwrap()).unwrap();
    let names: Vec<_> = file.names().collect();
    assert_eq!(names, expected.keys().collect::<Vec<_>>());
    for (name, expected) in &expected {
        let info = file.info(name).unwrap();
        assert_eq!(serde_json::json!(info.shape), expected["shape"], "{name}");
        if expected["bits"].is_null() {
            let error = file.read_f32(name).unwrap_err().to_string();
            assert!(
                error.contains(name.as_str()) && error.contains("F32, F16 and BF16 are"),
                "{error}"
            );
            continue;
        }
        let found: Vec<u32> = file
            .read_f32(name)
            .unwrap()
            .iter()
            .map(|x| x.to_bits())
            .collect();
        assert_eq!(found.len(), info.elements(), "{name}");
        match &expected["bits"] {
            Value::Object(ends) => {
                assert_eq!(found[..8], bits(&ends["first"]), "{name}");
                assert_eq!(found[found.len() - 8..], bits(&ends["last"]), "{name}");
            }
            all => assert_eq!(found, bits(all), "{name}"),
        }
    }
}

#[test]
fn a_trainers_wrapping_is_taken_off() {
    let file = TensorFile::open(&data("wrapped.pt")).unwrap();
    assert_eq!(file.names().collect::<Vec<_>>(), ["weight", "bias"]);
    let plain = TensorFile::open(&data("state_dict.bin")).unwrap();
    assert_eq!(
        file.read_f32("weight").unwrap(),
        plain.read_f32("plain").unwrap()
    );
    assert_eq!(
        file.read_f32("bias").unwrap(),
        plain.read_f32("column").unwrap()
    );
}

#[test]
fn what_is_not_read_is_refused_with_a_remedy() {
    for (name, words) in [
        (
            "legacy.bin",
            "a bare pickle, PyTorch's format of before version 1.6",
        ),
        (
            "executes.bin",
            "data.pkl is a pickle that uses posix.system",
        ),
    ] {
        let error = TensorFile::open(&data(name)).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(words), "{error}");
        assert!(error.contains("save model.state_dict() anew"), "{error}");
    }
}

#[test]
fn a_missing_tensor_is_named() {
    let file = TensorFile::open(&data("wrapped.pt")).unwrap();
    assert!(file.info("gone").is_none());
    let error = file.read_f32("gone").unwrap_err().to_string();
    assert!(
        error.contains("gone") && error.contains("wrapped.pt"),
        "{error}"
    );
}

#[test]
fn bytes_in_memory_are_read_as_a_file_is() {
    let bytes = std::fs::read(data("wrapped.pt")).unwrap();
    let file = TensorFile::from_bytes(&data("memory"), bytes).unwrap();
    assert_eq!(file.read_f32("bias").unwrap().len(), 4);
    let error = TensorFile::from_bytes(&data("memory"), b"<html>".to_vec()).unwrap_err();
    assert!(error.to_string().contains("memory: header: "), "{error}");
}
