//! Quantisation at load against bitsandbytes (`tools/quant_reference.py`), and its own properties.

use evalh_checkpoint::{CodedValues, FloatType, GroupFactors, Quantization};
use evalh_record::sha256_bytes;
use half::{bf16, f16};
use proptest::prelude::*;
use serde_json::Value;

const ALL: [Quantization; 4] = [
    Quantization::Nf4,
    Quantization::Nf4Double,
    Quantization::Fp4,
    Quantization::Int8,
];

/// The generator of the reference script.
fn uniform(count: usize, seed: usize) -> Vec<f32> {
    let mut state = seed as u32;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 * (-24f32).exp2() - 0.5
        })
        .collect()
}

/// The weights of the reference script.
fn weight(rows: usize, columns: usize) -> Vec<f32> {
    let draws = uniform(4 * rows * columns, rows * 1000 + columns);
    let mut values: Vec<f32> = draws
        .as_chunks::<4>()
        .0
        .iter()
        .enumerate()
        .map(|(i, [a, b, c, d])| {
            let scale = [0.5, 1.0, 2.0][i / columns % 3] * 0.0625;
            (a + b + c + d) * scale
        })
        .collect();
    if rows > 4 {
        values[2 * columns..3 * columns].fill(0.0);
        for value in &mut values[3 * columns..4 * columns] {
            *value *= (-120f32).exp2();
        }
        values[4 * columns + columns / 2] = 64.0;
    }
    values
}

#[test]
fn codes_stand_for_the_values_of_the_round_trip() {
    for quantization in ALL {
        for (rows, columns) in [(7, 128), (300, 64)] {
            let mut values = weight(rows, columns);
            let coded = quantization.codes(&values, rows, columns);
            assert_eq!(coded.is_some(), quantization != Quantization::Int8);
            assert_eq!(coded.is_some(), quantization.has_codes(columns));
            let Some(coded) = coded else { continue };
            let CodedValues::Four { codes, table } = &coded.codes else {
                panic!("codes of 4 bits")
            };
            let GroupFactors::F32(scales) = &coded.scales else {
                panic!("scales of single precision")
            };
            assert_eq!((coded.name, &coded.minimums), (quantization.name(), &None));
            quantization.round_trip(&mut values, rows, columns);
            for (i, value) in values.iter().enumerate() {
                let code = codes[i / 2] >> (4 * (i % 2)) & 15;
                let own = table[usize::from(code)] * scales[i / coded.group];
                assert_eq!(own.to_bits(), value.to_bits(), "{} {i}", coded.name);
            }
        }
        assert_eq!(quantization.codes(&weight(6, 96), 6, 96), None);
        assert!(!quantization.has_codes(96));
    }
}

fn hash(values: &[f32]) -> String {
    // Zeros lose their sign.
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|x| (x + 0.0).to_le_bytes())
        .collect();
    sha256_bytes(&bytes).as_str().to_owned()
}

fn cast(values: &mut [f32], dtype: FloatType) {
    for value in values {
        *value = match dtype {
            FloatType::F32 => *value,
            FloatType::F16 => f16::from_f32(*value).to_f32(),
            FloatType::BF16 => bf16::from_f32(*value).to_f32(),
        };
    }
}

#[test]
fn every_case_has_the_bits_of_bitsandbytes() {
    let report: Value = serde_json::from_str(include_str!("data/quantization.json")).unwrap();
    for (shape, expected) in report["weights"].as_object().unwrap() {
        let (rows, columns) = shape.split_once('x').unwrap();
        let values = weight(rows.parse().unwrap(), columns.parse().unwrap());
        assert_eq!(
            hash(&values),
            expected.as_str().unwrap(),
            "the generators differ for {shape}"
        );
    }
    let cases = report["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 72);
    for case in cases {
        let size = |key: &str| case[key].as_u64().unwrap() as usize;
        let (rows, columns) = (size("rows"), size("columns"));
        let dtype = match case["dtype"].as_str().unwrap() {
            "F32" => FloatType::F32,
            "F16" => FloatType::F16,
            _ => FloatType::BF16,
        };
        let name = case["quantization"].as_str().unwrap();
        let quantization = ALL.into_iter().find(|q| q.name() == name).unwrap();
        let mut values = weight(rows, columns);
        quantization.round_trip_as(&mut values, rows, columns, dtype);
        let first: Vec<f64> = values.iter().take(4).map(|x| f64::from(*x)).collect();
        let label = format!(
            "{name} {rows}x{columns} {dtype:?}: {first:?} for {}",
            case["first"]
        );
        assert_eq!(hash(&values), case["sha256"].as_str().unwrap(), "{label}");
        // A weight that comes in half precision gives the same after the cast.
        let mut stored = weight(rows, columns);
        cast(&mut stored, dtype);
        quantization.round_trip(&mut stored, rows, columns);
        if quantization != Quantization::Int8 {
            cast(&mut stored, dtype);
        }
        assert_eq!(hash(&stored), hash(&values), "{label}");
    }
}

#[test]
#[should_panic(expected = "another number of values")]
fn a_shape_that_does_not_fit_is_refused() {
    Quantization::Nf4.round_trip(&mut [0.0; 6], 2, 2);
}

#[test]
fn an_empty_weight_stays_empty() {
    for quantization in ALL {
        quantization.round_trip(&mut [], 0, 5);
        quantization.round_trip(&mut [], 5, 0);
    }
}

#[test]
fn values_that_are_not_finite_stay_visible() {
    for quantization in ALL {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut values = vec![0.5; 256];
            values[70] = bad;
            quantization.round_trip(&mut values, 2, 128);
            assert!(
                values.iter().any(|x| !x.is_finite()),
                "{quantization:?} {bad}"
            );
        }
    }
}

fn block() -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(-2.0f32..2.0, 1..400)
}

/// The largest magnitude of each flat block.
fn absmax(values: &[f32]) -> Vec<f32> {
    values
        .chunks(64)
        .map(|block| block.iter().fold(0.0, |max, x| x.abs().max(max)))
        .collect()
}

proptest! {
    /// Values that stand for codes already keep them: 1 and -1 are codes, so a block keeps its scale. (int8 weights go
    /// through half precision, which moves them off their grid.)
    #[test]
    fn quantising_twice_changes_nothing(values in block()) {
        for quantization in [Quantization::Nf4, Quantization::Fp4] {
            let mut once = values.clone();
            quantization.round_trip(&mut once, 1, values.len());
            let mut twice = once.clone();
            quantization.round_trip(&mut twice, 1, values.len());
            prop_assert_eq!(once, twice);
        }
    }

    /// Half the widest gap between codes bounds the error: 0.152 of NF4's scale, 1/6 of FP4's; int8 half a step of 1/127
    /// and the rounding to half precision.
    #[test]
    fn errors_are_bounded(values in block()) {
        let scales = absmax(&values);
        for (quantization, bound) in [(Quantization::Nf4, 0.152), (Quantization::Fp4, 0.16667)] {
            let mut found = values.clone();
            quantization.round_trip(&mut found, 1, values.len());
            for (i, (x, y)) in values.iter().zip(&found).enumerate() {
                let limit = bound * scales[i / 64] * 1.00001 + 1e-37;
                prop_assert!((x - y).abs() <= limit, "{:?} {} {}", quantization, x, y);
            }
        }
        let largest = scales.iter().fold(0.0f32, |max, x| max.max(*x));
        let mut found = values.clone();
        Quantization::Int8.round_trip(&mut found, 1, values.len());
        for (x, y) in values.iter().zip(&found) {
            prop_assert!((x - y).abs() <= largest * (0.5 / 127.0 + 0.0015), "{} {}", x, y);
        }
    }

    /// Double quantisation moves a block's scale by at most 1/50 of the widest scale's distance from their mean.
    #[test]
    fn double_quantisation_stays_near(values in block()) {
        let (mut single, mut double) = (values.clone(), values.clone());
        Quantization::Nf4.round_trip(&mut single, 1, values.len());
        Quantization::Nf4Double.round_trip(&mut double, 1, values.len());
        let scales = absmax(&values);
        let widest = scales.iter().fold(0.0f32, |max, x| max.max(*x));
        for (x, y) in single.iter().zip(&double) {
            prop_assert!((x - y).abs() <= widest * 0.02 + 1e-6, "{} {}", x, y);
        }
    }

    #[test]
    fn any_bits_are_taken(bits in prop::collection::vec(any::<u32>(), 0..200)) {
        for quantization in ALL {
            for dtype in [FloatType::F32, FloatType::F16, FloatType::BF16] {
                let mut values: Vec<f32> = bits.iter().map(|b| f32::from_bits(*b)).collect();
                let columns = values.len();
                quantization.round_trip_as(&mut values, 1, columns, dtype);
            }
        }
    }
}
