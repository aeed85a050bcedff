//! Comparing configs in meaning.

use serde_json::{Map, Value, json};

/// Keys that change no output, or are the tokenizer's.
const NO_MATTER: &[&str] = &[
    "architectures",
    "attention_dropout",
    "attn_pdrop",
    "bos_token_id",
    "classifier_dropout",
    "dtype",
    "embd_pdrop",
    "eos_token_id",
    "hidden_dropout",
    "initializer_range",
    "is_decoder",
    "add_cross_attention",
    "output_router_logits",
    "pad_token_id",
    "pretraining_tp",
    "resid_pdrop",
    "router_aux_loss_coef",
    "router_jitter_noise",
    "summary_activation",
    "summary_first_dropout",
    "summary_proj_to_labels",
    "summary_type",
    "summary_use_proj",
    "transformers_version",
    "use_cache",
    "_sliding_window_pattern",
    "sliding_window_pattern",
    // Of a window that `use_sliding_window: false` turns off.
    "max_window_layers",
    "n_ctx",
];

/// A config in the style of transformers v4: what v5 gathers under `rope_parameters` in keys of their own.
pub fn v4(config: &Value) -> Value {
    let mut config = config.clone();
    let keys = config.as_object_mut().expect("a config is an object");
    let Some(Value::Object(mut rope)) = keys.remove("rope_parameters") else {
        return config;
    };
    if let Some(local) = rope.remove("sliding_attention") {
        keys.insert(
            "rope_local_base_freq".to_owned(),
            local["rope_theta"].clone(),
        );
        let Some(Value::Object(full)) = rope.remove("full_attention") else {
            panic!("there are two kinds of layers");
        };
        rope = full;
    }
    let is_neox = keys["model_type"] == "gpt_neox";
    let mut take = |name: &str, neox: &str| {
        if let Some(value) = rope.remove(name) {
            let name = if is_neox { neox } else { name };
            keys.insert(name.to_owned(), value);
        }
    };
    take("rope_theta", "rotary_emb_base");
    take("partial_rotary_factor", "rotary_pct");
    if rope.get("rope_type").is_none_or(|kind| kind == "default") {
        keys.insert("rope_scaling".to_owned(), Value::Null);
        if let Some(original) = rope.remove("original_max_position_embeddings") {
            keys.insert("original_max_position_embeddings".to_owned(), original);
        }
    } else {
        if rope["rope_type"] == "longrope" {
            // Phi-3 has it beside the scaling.
            rope.remove("original_max_position_embeddings");
        }
        keys.insert("rope_scaling".to_owned(), Value::Object(rope));
    }
    config
}

/// What a key that a config leaves out or null stands for.
fn default(config: &Map<String, Value>, key: &str) -> Value {
    let number = |key: &str| config[key].as_u64().expect("a config has sizes");
    match key {
        "head_dim" => json!(number("hidden_size") / number("num_attention_heads")),
        "n_inner" => json!(4 * number("n_embd")),
        "hidden_activation" => json!("gelu_pytorch_tanh"),
        "partial_rotary_factor" | "rotary_pct" => json!(1.0),
        "attention_bias" | "mlp_bias" | "use_bidirectional_attention" => json!(false),
        "max_position_embeddings" => config.get("n_positions").cloned().unwrap_or_default(),
        "layer_types" => {
            let layers = number("num_hidden_layers") as usize;
            json!(vec!["full_attention"; layers])
        }
        _ => Value::Null,
    }
}

/// Panics unless both configs say the same, whichever of the keys that matter either has.
pub fn check_config(name: &str, read: &Value, expected: &Value) {
    let (read, expected) = (read.as_object().unwrap(), expected.as_object().unwrap());
    for key in read.keys().chain(expected.keys()) {
        if NO_MATTER.contains(&key.as_str()) {
            continue;
        }
        let of = |config: &Map<String, Value>| match config.get(key) {
            None | Some(Value::Null) => default(config, key),
            Some(value) => value.clone(),
        };
        let (read, expected) = (of(read), of(expected));
        // llama.cpp writes Mistral's models as Llama's.
        let is_alias =
            key == "model_type" && (&read, &expected) == (&json!("llama"), &json!("mistral"));
        assert!(
            is_alias || same(&read, &expected),
            "{name}: {key} is {read}, not {expected}"
        );
    }
}

/// Numbers may be written as whole or not, and the file has single precision.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= 1e-6 * b.abs()
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        _ => a == b,
    }
}
