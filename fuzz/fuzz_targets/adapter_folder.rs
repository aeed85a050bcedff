//! Any adapter folder: opened, matched with a small model, merged and mixed.
//!
//! Seeds: none; the tensors are made from the input, under keys that PEFT writes.
#![no_main]

use arbitrary::Arbitrary;
use evalh_adapter::{Adapter, ModelLayout, ModuleKind, TargetModule, combine, non_finite};
use libfuzzer_sys::fuzz_target;
use safetensors::{Dtype, tensor::TensorView};
use std::{collections::BTreeMap, fs, path::Path, sync::LazyLock};

static FOLDER: LazyLock<tempfile::TempDir> =
    LazyLock::new(|| tempfile::tempdir().expect("a temporary folder can be made"));

const MODULES: [(&str, usize, usize, ModuleKind); 6] = [
    ("model.layers.0.self_attn.q_proj", 3, 2, ModuleKind::Linear),
    ("model.layers.1.self_attn.q_proj", 3, 2, ModuleKind::Linear),
    ("model.layers.0.mlp.c_fc", 4, 2, ModuleKind::Conv1d),
    ("model.embed_tokens", 2, 5, ModuleKind::Embedding),
    ("lm_head", 5, 2, ModuleKind::Linear),
    ("classifier", 2, 2, ModuleKind::Linear),
];

const ENDS: [&str; 14] = [
    "lora_A.weight",
    "lora_B.weight",
    "lora_A.default.weight",
    "lora_B.bias",
    "lora_embedding_A",
    "lora_embedding_B",
    "lora_magnitude_vector",
    "lora_magnitude_vector.weight",
    "weight",
    "bias",
    "base_layer.weight",
    "modules_to_save.default.weight",
    "original_module.bias",
    "lora_velora_embed",
];

const FIELDS: [(&str, &[&str]); 11] = [
    (
        "target_modules",
        &[
            "[\"q_proj\"]",
            "\"all-linear\"",
            "\".*(proj|fc|tokens)\"",
            "[\"lm_head\", \"embed_tokens\"]",
        ],
    ),
    ("use_dora", &["false", "true"]),
    ("lora_bias", &["false", "true"]),
    ("use_rslora", &["false", "true"]),
    ("bias", &["\"none\"", "\"all\"", "\"lora_only\""]),
    (
        "modules_to_save",
        &[
            "null",
            "[\"lm_head\"]",
            "[\"classifier\"]",
            "[\"1.self_attn\"]",
        ],
    ),
    ("task_type", &["null", "\"SEQ_CLS\"", "\"CAUSAL_LM\""]),
    ("layers_to_transform", &["null", "[0]", "1"]),
    (
        "rank_pattern",
        &["{}", "{\"lm_head\": 2}", "{\"layers.0.*\": 2}"],
    ),
    ("ensure_weight_tying", &["false", "true"]),
    ("velora_config", &["null", "{\"num_groups\": 2}"]),
];

#[derive(Debug, Arbitrary)]
struct Tensor<'a> {
    module: u8,
    end: u8,
    strange_key: Option<&'a str>,
    shape: [u8; 2],
    one_dimension: bool,
    half: bool,
    values: &'a [u8],
}

#[derive(Debug, Arbitrary)]
enum Weights<'a> {
    Tensors(Vec<Tensor<'a>>),
    /// The factors of every module, in the right shapes, and some more.
    Whole(u8, &'a [u8], Vec<Tensor<'a>>),
    Bytes(&'a [u8]),
}

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    fields: [u8; 11],
    rank: u8,
    alpha: f32,
    weights: Weights<'a>,
}

type Stored = BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>;

impl Input<'_> {
    fn config(&self) -> String {
        let fields: Vec<String> = FIELDS
            .iter()
            .zip(self.fields)
            .map(|((name, values), choice)| {
                format!("\"{name}\": {}", values[usize::from(choice) % values.len()])
            })
            .collect();
        let alpha = if self.alpha.is_finite() {
            self.alpha
        } else {
            1e30
        };
        let rank = self.rank % 4;
        format!(
            "{{\"peft_type\": \"LORA\", \"r\": {rank}, \"lora_alpha\": {alpha:?}, {}}}",
            fields.join(", ")
        )
    }

    fn weights(&self) -> Vec<u8> {
        let mut stored = Stored::new();
        match &self.weights {
            Weights::Bytes(bytes) => return bytes.to_vec(),
            Weights::Tensors(tensors) => tensors.iter().for_each(|tensor| tensor.put(&mut stored)),
            Weights::Whole(which, values, tensors) => {
                let rank = usize::from(self.rank % 4);
                for (at, (name, out, inputs, kind)) in MODULES.into_iter().enumerate() {
                    if which & (1 << at) == 0 {
                        continue;
                    }
                    let ends = if kind == ModuleKind::Embedding {
                        ["lora_embedding_A", "lora_embedding_B"]
                    } else {
                        ["lora_A.weight", "lora_B.weight"]
                    };
                    for (end, shape) in ends.into_iter().zip([[rank, inputs], [out, rank]]) {
                        put(
                            &mut stored,
                            format!("{name}.{end}"),
                            shape.to_vec(),
                            false,
                            values,
                        );
                    }
                }
                tensors.iter().for_each(|tensor| tensor.put(&mut stored));
            }
        }
        let views = stored.iter().map(|(key, (dtype, shape, bytes))| {
            let view = TensorView::new(*dtype, shape.clone(), bytes).expect("bytes of the shape");
            (format!("base_model.model.{key}"), view)
        });
        safetensors::serialize(views, None).expect("tensors serialise")
    }
}

impl Tensor<'_> {
    fn put(&self, stored: &mut Stored) {
        let module = MODULES[usize::from(self.module) % MODULES.len()].0;
        let key = match self.strange_key {
            Some(key) => key.to_owned(),
            None => format!("{module}.{}", ENDS[usize::from(self.end) % ENDS.len()]),
        };
        let mut shape: Vec<usize> = self
            .shape
            .iter()
            .map(|&extent| usize::from(extent % 6))
            .collect();
        shape.truncate(if self.one_dimension { 1 } else { 2 });
        put(stored, key, shape, self.half, self.values);
    }
}

fn put(stored: &mut Stored, key: String, shape: Vec<usize>, half: bool, values: &[u8]) {
    let (dtype, width) = if half {
        (Dtype::F16, 2)
    } else {
        (Dtype::F32, 4)
    };
    let length = width * shape.iter().product::<usize>();
    let bytes = if values.is_empty() {
        vec![0x3c; length]
    } else {
        values.iter().copied().cycle().take(length).collect()
    };
    stored.insert(key, (dtype, shape, bytes));
}

fn layout() -> ModelLayout {
    let modules: Vec<TargetModule> = MODULES
        .into_iter()
        .map(|(name, out_features, in_features, kind)| TargetModule {
            name: name.into(),
            out_features,
            in_features,
            kind,
        })
        .collect();
    let mut tensors: BTreeMap<String, Vec<usize>> = modules
        .iter()
        .map(|module| {
            (
                format!("{}.weight", module.name),
                module.stored_shape().to_vec(),
            )
        })
        .collect();
    tensors.insert("model.layers.0.self_attn.q_proj.bias".into(), vec![3]);
    ModelLayout {
        modules,
        tensors,
        output_head: Some("lm_head".into()),
        layers: 2,
    }
}

fn open(dir: &Path) -> Option<Adapter> {
    let _ = non_finite(dir);
    Adapter::open(dir).ok()
}

fuzz_target!(|input: Input<'_>| {
    let dir = FOLDER.path();
    fs::write(dir.join("adapter_config.json"), input.config()).expect("a file can be written");
    fs::write(dir.join("adapter_model.safetensors"), input.weights())
        .expect("a file can be written");
    let Some(adapter) = open(dir) else {
        return;
    };
    let layout = layout();
    let Ok(update) = adapter.resolve(&layout) else {
        return;
    };
    assert!(!update.lora.is_empty() || !update.saved.is_empty());
    for (name, shape) in &layout.tensors {
        let mut values = vec![0.5; shape.iter().product()];
        let changed = update.merge_tensor(&layout, name, &mut values);
        assert_eq!(changed, update.changes(name));
    }
    let _ = combine("mix", vec![(update.clone(), 0.5), (update, -1.0)]);
});
