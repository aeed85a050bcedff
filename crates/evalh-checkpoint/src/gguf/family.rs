//! What llama.cpp's architectures are called by Hugging Face. A family is a row of tables.

use super::{FormatError, header::Header};

/// One architecture's names.
#[derive(Debug)]
pub(super) struct Family {
    /// The value of `general.architecture`.
    pub(super) architecture: &'static str,
    /// `model_type` of its `config.json`.
    pub(super) model_type: &'static str,
    /// Its class in transformers.
    pub(super) class: &'static str,
    /// Whether the converter interleaved the rotary halves of each head's query and key rows.
    pub(super) interleaved_rotary: bool,
    /// Metadata keys under the architecture's prefix that this crate honours or that change no output.
    pub(super) known_keys: &'static [&'static str],
    /// Tensors outside the layers: llama.cpp's name, Hugging Face's.
    pub(super) outer_tensors: &'static [(&'static str, &'static str)],
    /// Modules of a layer: llama.cpp's name after `blk.N.`, Hugging Face's after `model.layers.N.`.
    pub(super) layer_modules: &'static [(&'static str, &'static str)],
}

const FAMILIES: &[Family] = &[Family {
    architecture: "llama",
    model_type: "llama",
    class: "LlamaForCausalLM",
    interleaved_rotary: true,
    known_keys: &[
        "vocab_size",
        "context_length",
        "embedding_length",
        "block_count",
        "feed_forward_length",
        "attention.head_count",
        "attention.head_count_kv",
        "attention.key_length",
        "attention.value_length",
        "attention.layer_norm_rms_epsilon",
        "rope.dimension_count",
        "rope.freq_base",
        "rope.scale_linear",
        "rope.scaling.type",
        "rope.scaling.factor",
        "rope.scaling.original_context_length",
        "rope.scaling.finetuned",
    ],
    outer_tensors: &[
        ("token_embd.weight", "model.embed_tokens.weight"),
        ("output_norm.weight", "model.norm.weight"),
        ("output.weight", "lm_head.weight"),
    ],
    layer_modules: &[
        ("attn_norm", "input_layernorm"),
        ("attn_q", "self_attn.q_proj"),
        ("attn_k", "self_attn.k_proj"),
        ("attn_v", "self_attn.v_proj"),
        ("attn_output", "self_attn.o_proj"),
        ("ffn_norm", "post_attention_layernorm"),
        ("ffn_gate", "mlp.gate_proj"),
        ("ffn_up", "mlp.up_proj"),
        ("ffn_down", "mlp.down_proj"),
    ],
}];

/// The family of a file, once nothing in its metadata would be ignored that changes the model's output.
pub(super) fn of(header: &Header) -> Result<&'static Family, FormatError> {
    const KEY: &str = "general.architecture";
    refuse_what_is_no_model(header)?;
    let architecture = header
        .string(KEY)?
        .ok_or_else(|| FormatError::missing(KEY))?;
    let family = FAMILIES
        .iter()
        .find(|family| family.architecture == architecture)
        .ok_or_else(|| {
            let known: Vec<_> = FAMILIES.iter().map(|family| family.architecture).collect();
            FormatError::unsupported(
                KEY,
                format!("{architecture:?}"),
                format!(
                    "{} is; other families load from a Hugging Face folder",
                    known.join(", ")
                ),
            )
        })?;
    let prefix = format!("{architecture}.");
    // The smallest unknown key is named, so that the message does not depend on the order of a hash map.
    let unknown = header
        .keys()
        .filter_map(|key| key.strip_prefix(&prefix))
        .filter(|key| !family.known_keys.contains(key))
        .min();
    match unknown {
        None => Ok(family),
        Some(key) => Err(FormatError::unsupported(
            &format!("{prefix}{key}"),
            "a setting".to_owned(),
            format!(
                "of {architecture} models these settings are: {}",
                family.known_keys.join(", ")
            ),
        )),
    }
}

/// Adapters, vision projectors and parts of split models are GGUF files too.
fn refuse_what_is_no_model(header: &Header) -> Result<(), FormatError> {
    if let Some(kind) = header
        .string("general.type")?
        .filter(|kind| *kind != "model")
    {
        return Err(FormatError::unsupported(
            "general.type",
            format!("{kind:?}"),
            "only \"model\" is; give an adapter as a PEFT folder".to_owned(),
        ));
    }
    if let Some(parts) = header.unsigned("split.count")?.filter(|parts| *parts > 1) {
        return Err(FormatError::unsupported(
            "split.count",
            format!("{parts} parts"),
            "one file is; join the parts with llama.cpp's llama-gguf-split --merge".to_owned(),
        ));
    }
    Ok(())
}

impl Family {
    /// The Hugging Face name of a tensor, or `None` where the family has no such tensor.
    pub(super) fn hugging_face_name(&self, name: &str) -> Option<String> {
        if let Some((_, known)) = self.outer_tensors.iter().find(|(ggml, _)| *ggml == name) {
            return Some((*known).to_owned());
        }
        let (layer, rest) = name.strip_prefix("blk.")?.split_once('.')?;
        let layer: u32 = layer.parse().ok()?;
        let (module, parameter) = rest.rsplit_once('.')?;
        let (_, known) = self
            .layer_modules
            .iter()
            .find(|(ggml, _)| *ggml == module)?;
        matches!(parameter, "weight" | "bias")
            .then(|| format!("model.layers.{layer}.{known}.{parameter}"))
    }
}
