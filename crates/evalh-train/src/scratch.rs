//! Random weights for a config, to pretrain from.

use super::random::Draws;
use evalh_model::{DecoderConfig, ModelError, Positions};
use safetensors::tensor::{Dtype, TensorView};
use serde_json::Value;

/// A checkpoint's weights.
#[derive(Debug)]
pub struct RandomWeights {
    /// `model.safetensors`, in the config's type.
    pub file: Vec<u8>,
    /// Values of all tensors.
    pub parameters: usize,
}

/// Why there are no random weights for a config.
#[derive(Debug, thiserror::Error)]
pub enum ScratchError {
    /// The config is not honoured.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A family whose tensors are not known here.
    #[error(
        "draw weights for the family `{0}`: only `llama` is begun from nothing; write a llama config, or begin with a checkpoint"
    )]
    Family(&'static str),
    /// A type of tensors that is not written here.
    #[error("draw weights in `{0}`: write \"float32\" or \"bfloat16\" as dtype in config.json")]
    Type(String),
    /// The file cannot be made.
    #[error("write the weights as safetensors: {0}")]
    File(#[from] safetensors::SafeTensorError),
}

/// The weights that transformers would draw for a llama config: norms of one, all else normal with the config's
/// `initializer_range` (0.02 where it has none) around zero. Each tensor is a function of seed and name.
///
/// # Errors
/// When the config is none of a llama.
pub fn random_weights(config: &Value, seed: u64) -> Result<RandomWeights, ScratchError> {
    let settings = DecoderConfig::read(config)?;
    let plain = matches!(settings.positions, Positions::Rotary { .. })
        && !settings.attention.qkv_bias
        && !settings.mlp.bias;
    if settings.family != "llama" || !plain {
        return Err(ScratchError::Family(settings.family));
    }
    let dtype = config.get("dtype").or_else(|| config.get("torch_dtype"));
    let dtype = match dtype.and_then(Value::as_str).unwrap_or("float32") {
        "float32" => Dtype::F32,
        "bfloat16" => Dtype::BF16,
        other => return Err(ScratchError::Type(other.to_owned())),
    };
    let range = config["initializer_range"].as_f64().unwrap_or(0.02);
    let mut tensors = Vec::new();
    let mut parameters = 0;
    for (name, shape) in shapes(&settings) {
        let count = shape.iter().product();
        let values = if shape.len() == 1 {
            vec![1.0; count]
        } else {
            normal(seed, &name, count, range)
        };
        parameters += values.len();
        let bytes: Vec<u8> = match dtype {
            Dtype::BF16 => values
                .into_iter()
                .flat_map(|value| half::bf16::from_f32(value).to_le_bytes())
                .collect(),
            _ => values.into_iter().flat_map(f32::to_le_bytes).collect(),
        };
        tensors.push((name, shape, bytes));
    }
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(dtype, shape.clone(), bytes)?)));
    let views = views.collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    let about = [("format".to_owned(), "pt".to_owned())].into();
    Ok(RandomWeights {
        file: safetensors::serialize(views, Some(about))?,
        parameters,
    })
}

/// The tensors of a llama.
fn shapes(config: &DecoderConfig) -> Vec<(String, Vec<usize>)> {
    let (hidden, inner, attention) = (config.hidden_size, config.mlp.width, &config.attention);
    let queries = attention.heads * attention.head_dim;
    let keys = attention.kv_heads * attention.head_dim;
    let mut all = vec![(
        "model.embed_tokens.weight".to_owned(),
        vec![config.vocab_size, hidden],
    )];
    for layer in 0..config.layers {
        let mut add = |name: &str, shape: &[usize]| {
            all.push((
                format!("model.layers.{layer}.{name}.weight"),
                shape.to_vec(),
            ));
        };
        add("input_layernorm", &[hidden]);
        add("self_attn.q_proj", &[queries, hidden]);
        add("self_attn.k_proj", &[keys, hidden]);
        add("self_attn.v_proj", &[keys, hidden]);
        add("self_attn.o_proj", &[hidden, queries]);
        add("post_attention_layernorm", &[hidden]);
        add("mlp.gate_proj", &[inner, hidden]);
        add("mlp.up_proj", &[inner, hidden]);
        add("mlp.down_proj", &[hidden, inner]);
    }
    all.push(("model.norm.weight".to_owned(), vec![hidden]));
    if !config.tied_embeddings {
        all.push(("lm_head.weight".to_owned(), vec![config.vocab_size, hidden]));
    }
    all
}

/// The first weight of a linear that a checkpoint lacks, as transformers draws it: normal with the config's
/// `initializer_range` (0.02 where it has none) around zero, a function of seed, module and shape, `[outputs, inputs]`.
pub fn random_weight(config: &Value, seed: u64, module: &str, shape: [usize; 2]) -> Vec<f32> {
    let range = config["initializer_range"].as_f64().unwrap_or(0.02);
    normal(
        seed,
        &format!("{module}.weight"),
        shape[0] * shape[1],
        range,
    )
}

/// Normal values around zero (Box and Muller).
fn normal(seed: u64, name: &str, count: usize, deviation: f64) -> Vec<f32> {
    let mut draws = Draws::new("weights", seed, &[name.as_bytes()]);
    let mut values = Vec::with_capacity(count + 1);
    while values.len() < count {
        // Never zero, whose logarithm there is none of.
        let length = (-2.0 * (1.0 - f64::from(draws.share())).ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * f64::from(draws.share())).sin_cos();
        values.push((deviation * length * cos) as f32);
        values.push((deviation * length * sin) as f32);
    }
    values.truncate(count);
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn config() -> Value {
        json!({
            "model_type": "llama", "vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 2,
            "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 24, "rms_norm_eps": 1e-5,
            "max_position_embeddings": 64, "tie_word_embeddings": true, "hidden_act": "silu",
        })
    }

    #[test]
    fn a_seed_means_the_same_weights_of_the_asked_spread() {
        let first = random_weights(&config(), 7).unwrap();
        assert_eq!(first.file, random_weights(&config(), 7).unwrap().file);
        assert_ne!(first.file, random_weights(&config(), 8).unwrap().file);
        let layer = 16 * 16 + 2 * 8 * 16 + 16 * 16 + 3 * 24 * 16 + 2 * 16;
        assert_eq!(first.parameters, 50 * 16 + 2 * layer + 16);
        let values = normal(1, "w", 100_000, 0.02);
        let squares: f64 = values.iter().map(|v| f64::from(*v).powi(2)).sum();
        let deviation = (squares / values.len() as f64).sqrt();
        assert!((deviation - 0.02).abs() < 3e-4, "{deviation}");
    }

    #[test]
    fn other_families_are_refused_by_name() {
        let mut config = config();
        config["model_type"] = json!("qwen2");
        let error = random_weights(&config, 0).unwrap_err().to_string();
        assert!(error.contains("`qwen2`"), "{error}");
    }
}
