//! Checkpoints that bitsandbytes quantised: the fixtures of the reference implementation, and damaged ones.

use evalh_checkpoint::{Checkpoint, Quantization, StoredDtype, WeightSource as _};
use half::{bf16, f16};
use safetensors::{
    Dtype, SafeTensors,
    tensor::{TensorView, serialize_to_file},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// The fixtures beside the repository, or `None` with a word on standard error.
fn shared(test: &str) -> Option<PathBuf> {
    let path = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/fixtures"
    ));
    if !path.is_dir() {
        eprintln!("skipped {test}: ../shared is absent");
        return None;
    }
    Some(path.to_owned())
}

type Tensors = BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>;

fn write(folder: &Path, config: &Value, tensors: &Tensors) {
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let views = tensors.iter().map(|(name, (dtype, shape, data))| {
        (name, TensorView::new(*dtype, shape.clone(), data).unwrap())
    });
    serialize_to_file(views, None, &folder.join("model.safetensors")).unwrap();
}

fn read(path: &Path) -> Tensors {
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    file.iter()
        .map(|(name, view)| {
            (
                name.to_owned(),
                (view.dtype(), view.shape().to_vec(), view.data().to_vec()),
            )
        })
        .collect()
}

fn four_bit() -> Value {
    json!({"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": true}})
}

fn eight_bit() -> Value {
    json!({"quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": true}})
}

/// f32 values as bytes of a type.
fn cast(values: &[f32], dtype: Dtype) -> Vec<u8> {
    match dtype {
        Dtype::F32 => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Dtype::F16 => values
            .iter()
            .flat_map(|x| f16::from_f32(*x).to_le_bytes())
            .collect(),
        Dtype::BF16 => values
            .iter()
            .flat_map(|x| bf16::from_f32(*x).to_le_bytes())
            .collect(),
        other => panic!("{other:?} is no float type"),
    }
}

#[test]
fn every_case_has_the_bits_of_the_reference() {
    let Some(fixtures) = shared("every_case_has_the_bits_of_the_reference") else {
        return;
    };
    let cases = read(&fixtures.join("bnb/quant_cases.safetensors"));
    let names: Vec<_> = cases
        .keys()
        .filter_map(|name| name.strip_suffix(".dequant"))
        .collect();
    assert_eq!(names.len(), 8);
    for case in names {
        let tensors: Tensors = cases
            .iter()
            .filter_map(|(name, tensor)| {
                let part = name.strip_prefix(case)?.strip_prefix('.')?;
                (part != "orig" && part != "dequant").then(|| (part.to_owned(), tensor.clone()))
            })
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let config = if case.starts_with("int8") {
            eight_bit()
        } else {
            four_bit()
        };
        // The int8 case's scale is beside its weight, as in a module.
        let module = tensors
            .into_iter()
            .map(|(name, tensor)| (format!("layer.{name}"), tensor))
            .collect();
        write(folder.path(), &config, &module);
        let checkpoint = Checkpoint::open(folder.path()).unwrap();
        assert_eq!(checkpoint.tensor_names(), ["layer.weight"], "{case}");
        let (dtype, shape, expected) = &cases[&format!("{case}.dequant")];
        let info = checkpoint.tensor("layer.weight").unwrap();
        assert_eq!(info.shape, *shape, "{case}");
        let values = checkpoint.read_f32("layer.weight").unwrap();
        assert!(cast(&values, *dtype) == *expected, "{case}");
        // What is read is what bitsandbytes hands on: rounded to the weight's type already.
        assert_eq!(checkpoint.parameters() as usize, values.len(), "{case}");
        let stored: usize = module_bytes(&cases, case);
        assert_eq!(checkpoint.bytes() as usize, stored, "{case}");
        assert_eq!(
            checkpoint.dtype_summary(),
            [(info.dtype, values.len() as u64)]
        );

        // The same weight quantised at load.
        let (dtype, shape, original) = &cases[&format!("{case}.orig")];
        let quantization = match info.dtype {
            StoredDtype::Nf4 if !case.contains("bs128") => Quantization::Nf4,
            StoredDtype::Nf4Double => Quantization::Nf4Double,
            StoredDtype::Fp4 => Quantization::Fp4,
            StoredDtype::Int8 => Quantization::Int8,
            _ => continue,
        };
        let mut values = from_bytes(original, *dtype);
        quantization.round_trip(&mut values, shape[0], shape[1]);
        let (dtype, _, _) = &cases[&format!("{case}.dequant")];
        assert!(
            cast(&values, *dtype) == *expected,
            "{case} quantised at load"
        );
    }
}

fn module_bytes(cases: &Tensors, case: &str) -> usize {
    cases
        .iter()
        .filter(|(name, _)| {
            name.strip_prefix(case)
                .is_some_and(|part| part.starts_with('.') && part != ".orig" && part != ".dequant")
        })
        .map(|(_, (_, _, data))| data.len())
        .sum()
}

fn from_bytes(bytes: &[u8], dtype: Dtype) -> Vec<f32> {
    let halves = || bytes.as_chunks::<2>().0.iter();
    match dtype {
        Dtype::F32 => bytes
            .as_chunks()
            .0
            .iter()
            .map(|x| f32::from_le_bytes(*x))
            .collect(),
        Dtype::F16 => halves().map(|x| f16::from_le_bytes(*x).to_f32()).collect(),
        Dtype::BF16 => halves().map(|x| bf16::from_le_bytes(*x).to_f32()).collect(),
        other => panic!("{other:?} is no float type"),
    }
}

#[test]
fn whole_models_have_the_linears_of_the_reference() {
    let Some(fixtures) = shared("whole_models_have_the_linears_of_the_reference") else {
        return;
    };
    for (name, dtype, quantization) in [
        ("llama_nf4", StoredDtype::Nf4, Quantization::Nf4),
        (
            "llama_nf4_dq",
            StoredDtype::Nf4Double,
            Quantization::Nf4Double,
        ),
    ] {
        let folder = fixtures.join("bnb").join(name);
        let checkpoint = Checkpoint::open(&folder).unwrap();
        let linears = read(&folder.join("dequantised_linears.safetensors"));
        assert_eq!(linears.len(), 21);
        let plain = Checkpoint::open(&fixtures.join("llama_gqa_rope3")).unwrap();
        let mut names = checkpoint.tensor_names();
        let mut expected = plain.tensor_names();
        names.sort();
        expected.sort();
        assert_eq!(names, expected, "parts of quantised weights are hidden");
        assert_eq!(checkpoint.parameters(), plain.parameters());
        for name in &names {
            let info = checkpoint.tensor(name).unwrap();
            assert_eq!(info.shape, plain.tensor(name).unwrap().shape, "{name}");
            let values = checkpoint.read_f32(name).unwrap();
            let linear = linears
                .get(name)
                .or_else(|| linears.get(name.trim_end_matches(".weight")));
            if let Some((_, _, bytes)) = linear {
                assert_eq!(info.dtype, dtype, "{name}");
                assert!(cast(&values, Dtype::F32) == *bytes, "{name}");
                let mut quantised = plain.read_f32(name).unwrap();
                quantization.round_trip(&mut quantised, info.shape[0], info.shape[1]);
                assert_eq!(values, quantised, "{name} quantised at load");
            } else {
                assert_eq!(values, plain.read_f32(name).unwrap(), "{name}");
            }
        }
        let quantised: u64 = checkpoint
            .dtype_summary()
            .iter()
            .filter(|(found, _)| *found == dtype)
            .map(|(_, count)| count)
            .sum();
        let weights: usize = linears.values().map(|(_, _, data)| data.len() / 4).sum();
        assert_eq!(quantised as usize, weights);
        assert!(checkpoint.non_finite().unwrap().is_empty());
    }
}

/// A 4-bit weight of two rows of 48 values, and an int8 weight of the same shape.
fn small(double: bool) -> Tensors {
    let map: Vec<f32> = NF4.to_vec();
    let state = if double {
        r#"{"quant_type": "nf4", "blocksize": 64, "dtype": "float32", "shape": [2, 48], "nested_blocksize": 256, "nested_dtype": "float32", "nested_offset": 0.5}"#
    } else {
        r#"{"quant_type": "nf4", "blocksize": 64, "dtype": "float32", "shape": [2, 48]}"#
    };
    let mut tensors = Tensors::from([
        (
            "a.weight".to_owned(),
            (Dtype::U8, vec![48, 1], vec![0xf7; 48]),
        ),
        (
            "a.weight.quant_map".to_owned(),
            (Dtype::F32, vec![16], cast(&map, Dtype::F32)),
        ),
        (
            "a.weight.quant_state.bitsandbytes__nf4".to_owned(),
            (Dtype::U8, vec![state.len()], state.as_bytes().to_vec()),
        ),
    ]);
    if double {
        let scales: Vec<f32> = (0..256u16).map(|i| f32::from(i) / 256.0).collect();
        tensors.extend([
            (
                "a.weight.absmax".to_owned(),
                (Dtype::U8, vec![2], vec![128, 64]),
            ),
            (
                "a.weight.nested_absmax".to_owned(),
                (Dtype::F32, vec![1], cast(&[2.0], Dtype::F32)),
            ),
            (
                "a.weight.nested_quant_map".to_owned(),
                (Dtype::F32, vec![256], cast(&scales, Dtype::F32)),
            ),
        ]);
    } else {
        tensors.insert(
            "a.weight.absmax".to_owned(),
            (Dtype::F32, vec![2], cast(&[2.0, 4.0], Dtype::F32)),
        );
    }
    tensors
}

#[allow(
    clippy::excessive_precision,
    clippy::unreadable_literal,
    reason = "the digits are those of bitsandbytes, to compare"
)]
const NF4: [f32; 16] = [
    -1.0,
    -0.6961928009986877,
    -0.5250730514526367,
    -0.39491748809814453,
    -0.28444138169288635,
    -0.18477343022823334,
    -0.09105003625154495,
    0.0,
    0.07958029955625534,
    0.16093020141124725,
    0.24611230194568634,
    0.33791524171829224,
    0.44070982933044434,
    0.5626170039176941,
    0.7229568362236023,
    1.0,
];

fn opened(config: &Value, tensors: &Tensors) -> Result<Checkpoint, String> {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), config, tensors);
    Checkpoint::open(folder.path()).map_err(|e| e.to_string())
}

#[test]
fn blocks_straddle_rows() {
    // Codes 15 and 7 take turns: 1 and 0 times the scale, which changes after 64 values, in the middle of row 1.
    let pairs = |scales: [f32; 2]| -> Vec<f32> {
        (0..48)
            .flat_map(|pair| [scales[usize::from(pair >= 32)], 0.0])
            .collect()
    };
    let plain = opened(&four_bit(), &small(false)).unwrap();
    assert_eq!(plain.read_f32("a.weight").unwrap(), pairs([2.0, 4.0]));
    assert_eq!(plain.tensor("a.weight").unwrap().dtype, StoredDtype::Nf4);
    assert!(plain.tensor("a.weight.absmax").is_none());
    assert!(plain.read_f32("a.weight.absmax").is_err());
    let double = opened(&four_bit(), &small(true)).unwrap();
    assert_eq!(double.read_f32("a.weight").unwrap(), pairs([1.5, 1.0]));
    assert_eq!(
        double.tensor("a.weight").unwrap().dtype,
        StoredDtype::Nf4Double
    );
}

#[test]
fn packed_bytes_may_be_stored_as_another_type() {
    let mut tensors = small(false);
    let (dtype, shape, _) = tensors.get_mut("a.weight").unwrap();
    (*dtype, *shape) = (Dtype::BF16, vec![24, 1]);
    let checkpoint = opened(&four_bit(), &tensors).unwrap();
    assert_eq!(checkpoint.read_f32("a.weight").unwrap()[..2], [2.0, 0.0]);
}

#[test]
fn parts_that_do_not_fit_are_named() {
    type Edit = fn(&mut Tensors);
    let cases: [(&str, bool, Edit); 12] = [
        (
            "a.weight: is missing, but a.weight is quantised",
            false,
            |t| {
                t.remove("a.weight");
            },
        ),
        ("a.weight.absmax: is missing", false, |t| {
            t.remove("a.weight.absmax");
        }),
        ("a.weight.nested_quant_map: is missing", true, |t| {
            t.remove("a.weight.nested_quant_map");
        }),
        (
            "a.weight: has 47 bytes, but 48 pack the shape [2, 48]",
            false,
            |t| {
                t.insert("a.weight".into(), (Dtype::U8, vec![47], vec![0; 47]));
            },
        ),
        ("a.weight.absmax: has 1 values instead of 2", false, |t| {
            t.insert("a.weight.absmax".into(), (Dtype::F32, vec![1], vec![0; 4]));
        }),
        (
            "a.weight.absmax: has the type F32 instead of U8",
            true,
            |t| {
                t.insert("a.weight.absmax".into(), (Dtype::F32, vec![2], vec![0; 8]));
            },
        ),
        (
            "a.weight.nested_absmax: has 2 values instead of 1",
            true,
            |t| {
                t.insert(
                    "a.weight.nested_absmax".into(),
                    (Dtype::F32, vec![2], vec![0; 8]),
                );
            },
        ),
        (
            "a.weight.quant_map: is not the code book of nf4",
            false,
            |t| {
                t.get_mut("a.weight.quant_map").unwrap().2[3] ^= 0x80;
            },
        ),
        (
            "a.weight.quant_map: is not the code book of nf4",
            false,
            |t| {
                t.get_mut("a.weight.quant_map").unwrap().2[..4]
                    .copy_from_slice(&f32::NAN.to_le_bytes());
            },
        ),
        (
            "bitsandbytes__fp4: has the quant_type \"nf4\"",
            false,
            |t| {
                let state = t.remove("a.weight.quant_state.bitsandbytes__nf4").unwrap();
                t.insert("a.weight.quant_state.bitsandbytes__fp4".into(), state);
            },
        ),
        (
            "a.weight.quant_state.bitsandbytes__nf4: EOF while parsing",
            false,
            |t| {
                t.insert(
                    "a.weight.quant_state.bitsandbytes__nf4".into(),
                    (Dtype::U8, vec![1], b"{".to_vec()),
                );
            },
        ),
        (
            "bitsandbytes__nf4: has the type I8 instead of U8",
            false,
            |t| {
                t.insert(
                    "a.weight.quant_state.bitsandbytes__nf4".into(),
                    (Dtype::I8, vec![1], b"{".to_vec()),
                );
            },
        ),
    ];
    for (words, double, edit) in cases {
        let mut tensors = small(double);
        edit(&mut tensors);
        let error = opened(&four_bit(), &tensors).unwrap_err();
        assert!(error.contains(words), "{words} in {error}");
    }
}

fn int8() -> Tensors {
    Tensors::from([
        (
            "a.weight".to_owned(),
            (Dtype::I8, vec![2, 2], vec![127, 0x81, 1, 0]),
        ),
        (
            "a.SCB".to_owned(),
            (Dtype::F32, vec![2], cast(&[0.5, 254.0], Dtype::F32)),
        ),
        ("a.weight_format".to_owned(), (Dtype::U8, vec![], vec![0])),
    ])
}

#[test]
fn int8_weights_are_scaled_by_rows() {
    let checkpoint = opened(&eight_bit(), &int8()).unwrap();
    assert_eq!(checkpoint.tensor_names(), ["a.weight"]);
    assert_eq!(
        checkpoint.read_f32("a.weight").unwrap(),
        [0.5, -0.5, 2.0, 0.0]
    );
    assert_eq!((checkpoint.parameters(), checkpoint.bytes()), (4, 13));
    for (words, edit) in [
        (
            "a.weight_format is col_turing, which is not supported; row is",
            (|t| {
                t.insert("a.weight_format".into(), (Dtype::U8, vec![], vec![2]));
            }) as fn(&mut Tensors),
        ),
        ("a.SCB: has 3 values instead of 2", |t| {
            t.insert("a.SCB".into(), (Dtype::F32, vec![3], vec![0; 12]));
        }),
        ("a.weight: has the shape [4], no matrix", |t| {
            t.insert("a.weight".into(), (Dtype::I8, vec![4], vec![0; 4]));
        }),
        ("a.weight: has the type U8 instead of I8", |t| {
            t.insert("a.weight".into(), (Dtype::U8, vec![2, 2], vec![0; 4]));
        }),
    ] {
        let mut tensors = int8();
        edit(&mut tensors);
        let error = opened(&eight_bit(), &tensors).unwrap_err();
        assert!(error.contains(words), "{words} in {error}");
    }
}

#[test]
fn the_config_and_the_weights_must_agree() {
    let with = |field: &str, value: Value| {
        let mut config = four_bit();
        config["quantization_config"][field] = value;
        config
    };
    let plain = Tensors::from([("a.weight".to_owned(), (Dtype::F32, vec![1], vec![0; 4]))]);
    for (config, tensors, words) in [
        (
            eight_bit(),
            small(false),
            "load_in_4bit: is not true, but a.weight is NF4",
        ),
        (
            four_bit(),
            int8(),
            "load_in_8bit: is not true, but a.weight is INT8",
        ),
        (
            with("bnb_4bit_quant_type", json!("fp4")),
            small(false),
            "bnb_4bit_quant_type: is another, but a.weight is NF4",
        ),
        (
            with("bnb_4bit_use_double_quant", json!(true)),
            small(false),
            "bnb_4bit_use_double_quant: is another, but a.weight is NF4",
        ),
        (
            with("quant_method", json!("gptq")),
            small(false),
            "quantization_config.quant_method is gptq, which is not supported",
        ),
        (
            four_bit(),
            plain,
            "quant_method: is bitsandbytes, but no weight is quantised",
        ),
        (
            json!({}),
            small(false),
            "quantization_config: is missing, but a.weight is NF4",
        ),
    ] {
        let error = opened(&config, &tensors).unwrap_err();
        assert!(
            error.contains("config.json") && error.contains(words),
            "{words} in {error}"
        );
    }
}
