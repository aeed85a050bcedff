//! Sizes of a model by the many names that configs have for them.

use serde::Serialize;
use serde_json::Value;

/// Sizes as far as the config tells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Sizes {
    /// Layers.
    pub layers: Option<u64>,
    /// Width of the hidden states.
    pub hidden: Option<u64>,
    /// Width inside the MLP.
    pub inner: Option<u64>,
    /// Query heads.
    pub heads: Option<u64>,
    /// Key and value heads.
    pub key_value_heads: Option<u64>,
    /// Width of a head.
    pub head_dim: Option<u64>,
    /// Experts a layer, where it has more than one MLP.
    pub experts: Option<u64>,
    /// Experts that a token goes through.
    pub experts_per_token: Option<u64>,
    /// Rows of the embedding.
    pub vocabulary: Option<u64>,
    /// Most tokens of a sequence.
    pub positions: Option<u64>,
}

impl Sizes {
    /// Reads a config; that of an image model's text part is nested.
    pub fn of(config: &Value) -> Sizes {
        let text = &config["text_config"];
        let get = |names: &[&str]| {
            let at = |part: &Value| names.iter().find_map(|name| part[*name].as_u64());
            at(text).or_else(|| at(config))
        };
        let hidden = get(&["hidden_size", "n_embd", "d_model", "dim"]);
        let heads = get(&["num_attention_heads", "n_head", "n_heads"]);
        let per_head = || hidden?.checked_div(heads?);
        Sizes {
            layers: get(&["num_hidden_layers", "n_layer", "n_layers"]),
            hidden,
            inner: get(&[
                "intermediate_size",
                "n_inner",
                "ffn_dim",
                "d_ff",
                "hidden_dim",
            ]),
            heads,
            key_value_heads: get(&["num_key_value_heads"]).or(heads),
            head_dim: get(&["head_dim"]).or_else(per_head),
            experts: get(&["num_local_experts", "num_experts"]),
            experts_per_token: get(&["num_experts_per_tok"]),
            vocabulary: get(&["vocab_size"]),
            positions: get(&["max_position_embeddings", "n_positions"]),
        }
    }

    /// Bytes that evalh keeps of a token's keys and values, in f32.
    pub fn key_value_bytes(&self) -> Option<u64> {
        let a_side = self.layers?.checked_mul(self.key_value_heads?)?;
        a_side.checked_mul(self.head_dim?)?.checked_mul(2 * 4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_of_all_families_are_known() {
        let llama = json!({ "num_hidden_layers": 2, "hidden_size": 48, "num_attention_heads": 4,
            "num_key_value_heads": 2, "head_dim": 20, "intermediate_size": 72, "vocab_size": 9 });
        let sizes = Sizes::of(&llama);
        assert_eq!(sizes.key_value_bytes(), Some(2 * 2 * 20 * 8));
        let gpt2 = Sizes::of(&json!({ "n_layer": 3, "n_embd": 48, "n_head": 4, "n_inner": null }));
        assert_eq!((gpt2.head_dim, gpt2.key_value_heads), (Some(12), Some(4)));
        assert_eq!(gpt2.inner, None);
        assert_eq!(Sizes::of(&json!({ "text_config": llama })).hidden, Some(48));
        let lies = json!({ "n_layer": u64::MAX, "n_embd": 8, "n_head": 0 });
        assert_eq!(Sizes::of(&lies).key_value_bytes(), None);
    }
}
