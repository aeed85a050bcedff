//! A llama checkpoint of a few thousand parameters and adapters for it, written by the tests.

use super::Tensors;
use serde_json::{Map, Value, json};
use std::{fs, path::Path};

const HIDDEN: usize = 64;
const INNER: usize = 96;
const LAYERS: usize = 2;
const HEADS: usize = 4;
const KEY_VALUE_HEADS: usize = 2;
const KEY_VALUE: usize = HIDDEN / HEADS * KEY_VALUE_HEADS;
/// A token a byte, and the three special ones.
const VOCABULARY: usize = 259;

/// The checkpoint's parts, to be spoiled before they are written.
pub struct TinyModel {
    /// `config.json`.
    pub config: Value,
    /// `tokenizer.json`.
    pub tokenizer: Value,
    /// `tokenizer_config.json`, with the chat template.
    pub tokenizer_config: Value,
    /// `model.safetensors`.
    pub tensors: Tensors,
}

impl TinyModel {
    /// A whole checkpoint.
    pub fn new() -> TinyModel {
        TinyModel {
            config: json!({
                "architectures": ["LlamaForCausalLM"],
                "model_type": "llama",
                "attention_bias": false,
                "bos_token_id": 256,
                "eos_token_id": 257,
                "hidden_act": "silu",
                "hidden_size": HIDDEN,
                "intermediate_size": INNER,
                "max_position_embeddings": 2048,
                "mlp_bias": false,
                "num_attention_heads": HEADS,
                "num_hidden_layers": LAYERS,
                "num_key_value_heads": KEY_VALUE_HEADS,
                "rms_norm_eps": 1e-5,
                "rope_scaling": null,
                "rope_theta": 10000.0,
                "tie_word_embeddings": true,
                "torch_dtype": "float32",
                "vocab_size": VOCABULARY,
            }),
            tokenizer: tokenizer(),
            tokenizer_config: json!({
                "bos_token": "<|begin|>",
                "eos_token": "<|end|>",
                "tokenizer_class": "PreTrainedTokenizerFast",
                "chat_template": "{% for message in messages %}<|turn|>{{ message.role }}\n{{ message.content }}<|end|>\n{% endfor %}{% if add_generation_prompt %}<|turn|>assistant\n{% endif %}",
            }),
            tensors: tensors(&[]),
        }
    }

    /// A checkpoint in which a tensor has another shape, `[]` for none at all.
    pub fn with_tensor(name: &str, shape: &[usize]) -> TinyModel {
        TinyModel {
            tensors: tensors(&[(name, shape)]),
            ..TinyModel::new()
        }
    }

    /// Writes the checkpoint's folder.
    pub fn write(&self, dir: &Path) {
        fs::create_dir_all(dir).unwrap();
        for (name, value) in [
            ("config.json", &self.config),
            ("tokenizer.json", &self.tokenizer),
            ("tokenizer_config.json", &self.tokenizer_config),
        ] {
            fs::write(dir.join(name), serde_json::to_vec_pretty(value).unwrap()).unwrap();
        }
        self.tensors.write(&dir.join("model.safetensors"));
    }
}

/// The linear modules of one layer with their output and input sizes.
fn linears() -> [(&'static str, usize, usize); 7] {
    [
        ("self_attn.q_proj", HIDDEN, HIDDEN),
        ("self_attn.k_proj", KEY_VALUE, HIDDEN),
        ("self_attn.v_proj", KEY_VALUE, HIDDEN),
        ("self_attn.o_proj", HIDDEN, HIDDEN),
        ("mlp.gate_proj", INNER, HIDDEN),
        ("mlp.up_proj", INNER, HIDDEN),
        ("mlp.down_proj", HIDDEN, INNER),
    ]
}

fn tensors(replaced: &[(&str, &[usize])]) -> Tensors {
    let mut tensors = Tensors::default();
    let mut add = |name: &str, shape: &[usize], middle: f32, spread: f32| {
        let shape = replaced
            .iter()
            .find(|(of, _)| *of == name)
            .map_or(shape, |(_, shape)| shape);
        if !shape.is_empty() {
            tensors.add(name, shape, middle, spread, 1);
        }
    };
    add("model.embed_tokens.weight", &[VOCABULARY, HIDDEN], 0.0, 0.6);
    for layer in 0..LAYERS {
        for (module, out, input) in linears() {
            add(
                &format!("model.layers.{layer}.{module}.weight"),
                &[out, input],
                0.0,
                0.25,
            );
        }
        for norm in ["input_layernorm", "post_attention_layernorm"] {
            add(
                &format!("model.layers.{layer}.{norm}.weight"),
                &[HIDDEN],
                1.0,
                0.1,
            );
        }
    }
    add("model.norm.weight", &[HIDDEN], 1.0, 0.1);
    tensors
}

/// Writes a PEFT LoRA folder for [`TinyModel`], of rank 2 on the query and value projections whose inputs are `hidden` wide
/// (64 fits). Adapters of different seeds have different weights.
pub fn write_adapter(dir: &Path, seed: u64, hidden: usize) {
    fs::create_dir_all(dir).unwrap();
    let config = json!({
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "r": 2,
        "lora_alpha": 4,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": ["q_proj", "v_proj"],
        "inference_mode": true,
    });
    fs::write(
        dir.join("adapter_config.json"),
        serde_json::to_vec_pretty(&config).unwrap(),
    )
    .unwrap();
    let mut tensors = Tensors::default();
    for layer in 0..LAYERS {
        for (module, out) in [
            ("self_attn.q_proj", HIDDEN),
            ("self_attn.v_proj", KEY_VALUE),
        ] {
            let name = format!("base_model.model.model.layers.{layer}.{module}");
            tensors.add(
                &format!("{name}.lora_A.weight"),
                &[2, hidden],
                0.0,
                0.5,
                seed,
            );
            tensors.add(&format!("{name}.lora_B.weight"), &[out, 2], 0.0, 0.5, seed);
        }
    }
    tensors.write(&dir.join("adapter_model.safetensors"));
}

/// A byte-level tokenizer without merges: every byte is a token.
fn tokenizer() -> Value {
    let mut vocabulary = Map::new();
    for (id, character) in byte_characters().into_iter().enumerate() {
        vocabulary.insert(character.to_string(), id.into());
    }
    let special = |id: usize, content: &str| {
        json!({
            "id": id, "content": content, "special": true,
            "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
        })
    };
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [special(256, "<|begin|>"), special(257, "<|end|>"), special(258, "<|turn|>")],
        "normalizer": null,
        "pre_tokenizer": { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true },
        "post_processor": null,
        "decoder": { "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true },
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
            "vocab": vocabulary, "merges": [],
        },
    })
}

/// The characters that byte-level tokenizers write for bytes (GPT-2's `bytes_to_unicode`): printable ones for themselves,
/// the others from U+0100 on.
fn byte_characters() -> Vec<char> {
    let printable = |byte: u32| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    let mut next = 0x100;
    (0..256u32)
        .map(|byte| {
            let code = if printable(byte) {
                byte
            } else {
                next += 1;
                next - 1
            };
            char::from_u32(code).unwrap()
        })
        .collect()
}
