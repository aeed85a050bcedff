//! A model whose weights are held as codes gives the logits of the values that the codes stand for, bit for bit.

use evalh_checkpoint::{
    Checkpoint, CheckpointError, CodedTensor, CodedValues, GroupFactors, Quantization, StoredDtype,
    TensorInfo, WeightSource,
};
use evalh_model::{Decoder, DeviceChoice, KernelChoice, LoadOptions, ModelError, Row};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// A source without codes: the same values, inflated.
struct Inflated<'a>(&'a dyn WeightSource);

impl WeightSource for Inflated<'_> {
    fn config(&self) -> &Value {
        self.0.config()
    }
    fn tensor_names(&self) -> Vec<String> {
        self.0.tensor_names()
    }
    fn tensor(&self, name: &str) -> Option<TensorInfo> {
        self.0.tensor(name)
    }
    fn read_f32(&self, name: &str) -> Result<Vec<f32>, CheckpointError> {
        self.0.read_f32(name)
    }
}

/// A type of codes: name, bits, group, whether scales are half-precision, whether there are minimums.
type Kind = (&'static str, u8, usize, bool, bool);

const Q4_1: Kind = ("q4_1", 4, 32, true, true);
const Q8_0: Kind = ("q8_0", 8, 32, true, false);
const Q4_K: Kind = ("q4_k", 4, 32, false, true);
const Q6_K: Kind = ("q6_k", 8, 16, false, false);

/// A llama of two layers, made of codes.
struct Made {
    config: Value,
    vectors: BTreeMap<String, usize>,
    matrices: BTreeMap<String, CodedTensor>,
}

const HIDDEN: usize = 64;
const WIDE: usize = 96;
const VOCABULARY: usize = 77;

impl Made {
    /// Matrices of one kind, except for value projections and the embedding.
    fn new(kind: Kind, values: Kind, embedding: Kind) -> Self {
        let mut made = Self {
            config: json!({
                "model_type": "llama", "architectures": ["LlamaForCausalLM"],
                "vocab_size": VOCABULARY, "hidden_size": HIDDEN, "intermediate_size": WIDE,
                "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
                "head_dim": 16, "hidden_act": "silu", "max_position_embeddings": 64,
                "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": true,
                "attention_bias": false, "mlp_bias": false,
            }),
            vectors: BTreeMap::from([("model.norm.weight".to_owned(), HIDDEN)]),
            matrices: BTreeMap::new(),
        };
        made.add("model.embed_tokens", embedding, VOCABULARY, HIDDEN);
        for layer in ["model.layers.0", "model.layers.1"] {
            for norm in ["input_layernorm", "post_attention_layernorm"] {
                made.vectors
                    .insert(format!("{layer}.{norm}.weight"), HIDDEN);
            }
            for (name, kind, rows, columns) in [
                ("self_attn.q_proj", kind, 64, HIDDEN),
                ("self_attn.k_proj", kind, 32, HIDDEN),
                ("self_attn.v_proj", values, 32, HIDDEN),
                ("self_attn.o_proj", kind, HIDDEN, 64),
                ("mlp.gate_proj", kind, WIDE, HIDDEN),
                ("mlp.up_proj", kind, WIDE, HIDDEN),
                ("mlp.down_proj", kind, HIDDEN, WIDE),
            ] {
                made.add(&format!("{layer}.{name}"), kind, rows, columns);
            }
        }
        made
    }

    fn add(&mut self, module: &str, kind: Kind, rows: usize, columns: usize) {
        let (name, bits, group, halves, minimums) = kind;
        let mut state = self.matrices.len() as u32 * 977 + 1;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 12
        };
        let (values, groups) = (rows * columns, rows * columns / group);
        let codes = match bits {
            4 => CodedValues::Four {
                codes: (0..values / 2).map(|_| next() as u8).collect(),
                table: std::array::from_fn(|i| i as f32),
            },
            _ => CodedValues::Eight((0..values).map(|_| next() as u8).collect()),
        };
        // Half-precision numbers of 2^-9 to 2^-8 and their like.
        let mut factors = |sign: f32| {
            if halves {
                let sign = if sign < 0.0 { 0x8000 } else { 0 };
                let bits = (0..groups).map(|_| 0x1800 | next() as u16 & 0x3FF | sign);
                GroupFactors::F16(bits.collect())
            } else {
                let values = (0..groups).map(|_| sign * (next() & 0xFFFF) as f32 * 6.1e-8);
                GroupFactors::F32(values.collect())
            }
        };
        let coded = CodedTensor {
            name,
            rows,
            columns,
            group,
            codes,
            scales: factors(1.0),
            minimums: minimums.then(|| factors(-1.0)),
        };
        self.matrices.insert(format!("{module}.weight"), coded);
    }

    fn factor(factors: &GroupFactors, index: usize) -> f32 {
        match factors {
            GroupFactors::F16(bits) => {
                let magnitude = f32::from(1024 | bits[index] & 0x3FF) * 2f32.powi(-19);
                if bits[index] >> 15 == 1 {
                    -magnitude
                } else {
                    magnitude
                }
            }
            GroupFactors::F32(values) => values[index],
        }
    }
}

impl WeightSource for Made {
    fn config(&self) -> &Value {
        &self.config
    }
    fn tensor_names(&self) -> Vec<String> {
        self.vectors
            .keys()
            .chain(self.matrices.keys())
            .cloned()
            .collect()
    }
    fn tensor(&self, name: &str) -> Option<TensorInfo> {
        let shape = match (self.vectors.get(name), self.matrices.get(name)) {
            (Some(len), _) => vec![*len],
            (None, Some(coded)) => vec![coded.rows, coded.columns],
            (None, None) => return None,
        };
        let dtype = StoredDtype::F32;
        Some(TensorInfo { shape, dtype })
    }
    fn read_f32(&self, name: &str) -> Result<Vec<f32>, CheckpointError> {
        let Some(coded) = self.matrices.get(name) else {
            return Ok(vec![1.0; self.vectors[name]]);
        };
        let value = |i: usize| {
            let number = match &coded.codes {
                CodedValues::Four { codes, table } => {
                    table[usize::from(codes[i / 2] >> (4 * (i % 2)) & 15)]
                }
                CodedValues::Eight(codes) => f32::from(codes[i].cast_signed()),
            };
            let scale = Self::factor(&coded.scales, i / coded.group);
            match &coded.minimums {
                Some(minimums) => number.mul_add(scale, Self::factor(minimums, i / coded.group)),
                None => number * scale,
            }
        };
        Ok((0..coded.rows * coded.columns).map(value).collect())
    }
    fn read_codes(&self, name: &str) -> Result<Option<CodedTensor>, CheckpointError> {
        Ok(self.matrices.get(name).cloned())
    }
}

fn load(source: &dyn WeightSource, kernel: KernelChoice) -> Decoder {
    let options = LoadOptions {
        kernel,
        ..LoadOptions::default()
    };
    Decoder::load(source, DeviceChoice::Cpu, options).unwrap()
}

/// Logits of a prompt that takes the path of many rows, and of the single tokens after it.
fn logits(model: &Decoder) -> Vec<u32> {
    let vocabulary = model.config().vocab_size as u32;
    let mut session = model.session(64).unwrap();
    let seq = session.open(None);
    let prompt: Vec<u32> = (0..21).map(|i| i * 31 % vocabulary).collect();
    let mut bits = Vec::new();
    for tokens in [&prompt[..17], &prompt[17..18], &prompt[18..]] {
        let row = Row {
            seq,
            tokens,
            logits: 0..tokens.len(),
            twin: None,
        };
        let logits = session.forward(&[row]).unwrap();
        for place in 0..logits.len() {
            bits.extend(logits.row(place).iter().map(|x| x.to_bits()));
        }
    }
    bits
}

#[test]
fn codes_of_each_kind_give_the_logits_of_their_values() {
    for kind in [Q4_1, Q8_0, Q4_K, Q6_K] {
        let made = Made::new(kind, kind, Q8_0);
        let (coded, plain) = (
            load(&made, KernelChoice::Auto),
            load(&Inflated(&made), KernelChoice::Auto),
        );
        let (coded_logits, plain_logits) = (logits(&coded), logits(&plain));
        assert_eq!(coded_logits, plain_logits, "{}", kind.0);
        assert!(coded_logits.iter().any(|x| *x != coded_logits[0]));
        let (held, inflated) = (coded.footprint(), plain.footprint());
        assert_eq!(held.parameters, inflated.parameters);
        assert_eq!(inflated.dtype, "f32");
        if coded.kernel().to_string() != "burn" {
            assert!(held.bytes * 2 < inflated.bytes, "{held:?}");
            assert!(held.dtype.contains(kind.0), "{held:?}");
        }
    }
}

#[test]
fn projections_of_several_kinds_are_held_each_in_its_own() {
    let made = Made::new(Q4_K, Q6_K, Q6_K);
    let model = load(&made, KernelChoice::Auto);
    let plain = load(&Inflated(&made), KernelChoice::Auto);
    assert_eq!(logits(&model), logits(&plain));
    if model.kernel().to_string() != "burn" {
        assert_eq!(model.footprint().dtype, "q4_k, q6_k");
    }
}

/// `--quantize` of a model in full precision, against a source whose values were rounded before.
#[test]
fn rounding_to_codes_gives_the_logits_of_the_rounded_values() {
    struct Rounded<'a>(Inflated<'a>, Quantization);
    impl WeightSource for Rounded<'_> {
        fn config(&self) -> &Value {
            self.0.config()
        }
        fn tensor_names(&self) -> Vec<String> {
            self.0.tensor_names()
        }
        fn tensor(&self, name: &str) -> Option<TensorInfo> {
            self.0.tensor(name)
        }
        fn read_f32(&self, name: &str) -> Result<Vec<f32>, CheckpointError> {
            let mut values = self.0.read_f32(name)?;
            if name.ends_with("_proj.weight") {
                let shape = self.0.tensor(name).unwrap().shape;
                self.1.round_trip(&mut values, shape[0], shape[1]);
            }
            Ok(values)
        }
    }
    let made = Made::new(Q4_1, Q4_1, Q8_0);
    for quantize in [
        Quantization::Nf4,
        Quantization::Nf4Double,
        Quantization::Fp4,
        Quantization::Int8,
    ] {
        let options = LoadOptions {
            quantize: Some(quantize),
            ..LoadOptions::default()
        };
        let model = Decoder::load(&made, DeviceChoice::Cpu, options).unwrap();
        let plain = load(&Rounded(Inflated(&made), quantize), KernelChoice::Auto);
        assert!(logits(&model) == logits(&plain), "{}", quantize.name());
        if model.kernel().to_string() != "burn" {
            // The rows of the down projection are one and a half blocks.
            let held = match quantize {
                Quantization::Int8 => "f32, q8_0".to_owned(),
                quantize => format!("f32, {}, q8_0", quantize.name()),
            };
            assert_eq!(model.footprint().dtype, held);
        }
    }
}

#[test]
fn burn_computes_with_the_values_of_codes() {
    let made = Made::new(Q4_1, Q4_1, Q8_0);
    let model = load(&made, KernelChoice::Portable);
    assert_eq!(
        logits(&model),
        logits(&load(&Inflated(&made), KernelChoice::Portable))
    );
    assert_eq!(model.footprint().dtype, "f32");
}

#[test]
fn codes_with_scales_that_are_not_finite_are_refused() {
    let mut made = Made::new(Q4_1, Q4_1, Q8_0);
    let name = "model.layers.1.mlp.up_proj.weight";
    let coded = made.matrices.get_mut(name).unwrap();
    let GroupFactors::F16(scales) = &mut coded.scales else {
        unreachable!("q4_1 has half-precision scales")
    };
    scales[5] = 0x7C00;
    let error = Decoder::load(&made, DeviceChoice::Cpu, LoadOptions::default()).unwrap_err();
    assert!(
        matches!(&error, ModelError::NonFinite { name: found, count: 32 } if found == name),
        "{error}"
    );
}

#[test]
fn the_real_model_gives_the_logits_of_its_inflated_weights() {
    let Some(path) = std::env::var_os("EVALH_TEST_MODEL") else {
        eprintln!("skipped: EVALH_TEST_MODEL is not set");
        return;
    };
    let checkpoint = Checkpoint::open(Path::new(&path)).unwrap();
    let model = load(&checkpoint, KernelChoice::Auto);
    let plain = load(&Inflated(&checkpoint), KernelChoice::Auto);
    assert!(logits(&model) == logits(&plain), "the logits differ");
    if model.kernel().to_string() != "burn" {
        assert_eq!(model.footprint().dtype, "q4_1, q8_0");
        assert!(model.footprint().bytes * 5 < plain.footprint().bytes);
    }
}
