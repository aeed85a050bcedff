//! What llama.cpp's architectures are called by Hugging Face. A family is a table: names, forms of storage, settings.
//!
//! Names and forms are those of llama.cpp's converter (`conversion/` beside `convert_hf_to_gguf.py`) and of the `gguf`
//! package's `TensorNameMap`; the tests read files that this converter wrote.

mod gemma;
mod gpt2;
mod gpt_neox;
mod llama;
mod olmo;
mod phi;
mod qwen;
mod stablelm;

use super::{FormatError, facts::Facts, header::Header};
use serde_json::Value;

/// One architecture's names.
#[derive(Debug)]
pub(super) struct Family {
    /// The value of `general.architecture`.
    pub(super) architecture: &'static str,
    /// Whether it is the mixture-of-experts model of an architecture that has plain ones too.
    experts: bool,
    /// `model_type` of its `config.json`.
    pub(super) model_type: &'static str,
    /// Its class in transformers.
    pub(super) class: &'static str,
    /// The keys of its `config.json` beyond those that all families share.
    pub(super) settings: fn(&Facts<'_>) -> Result<Value, FormatError>,
    /// Keys that all families share, with the names that this one has for them.
    pub(super) renamed: &'static [(&'static str, &'static str)],
    /// Modules outside the layers.
    pub(super) outer: &'static [Row],
    /// What Hugging Face's names of layers begin with, before the layer's number.
    pub(super) layers: &'static str,
    /// Modules of a layer: llama.cpp's names after `blk.N.`, Hugging Face's after the layer's number.
    pub(super) modules: &'static [&'static [Row]],
}

/// A module: llama.cpp's name, Hugging Face's, and how its values are stored. `{}` stands for a number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row(
    pub(super) &'static str,
    pub(super) &'static str,
    pub(super) Form,
);

/// What llama.cpp's converter did to a module's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Nothing.
    Plain,
    /// Interleaved the rotary halves of each query head's rows.
    Queries,
    /// Interleaved the rotary halves of each key head's rows.
    Keys,
    /// Sorted the rows of a fused projection by query, key and value first instead of by head.
    QueriesKeysValues,
    /// Transposed the weight, which Hugging Face stores as `[in, out]`.
    Conv1d,
    /// Added one to the weight, which the model adds to it.
    PlusOne,
    /// Stacked a row of each head; Hugging Face has a module a head.
    StackedHeads,
    /// Stacked a matrix of each expert; Hugging Face has a module an expert.
    StackedExperts,
}

/// All families; where two share an architecture, they differ in having experts.
const FAMILIES: &[&Family] = &[
    &llama::LLAMA,
    &llama::MIXTRAL,
    &qwen::QWEN2,
    &qwen::QWEN3,
    &gemma::GEMMA,
    &gemma::GEMMA2,
    &gemma::GEMMA3,
    &phi::PHI2,
    &phi::PHI3,
    &stablelm::STABLELM,
    &gpt_neox::GPT_NEOX,
    &gpt2::GPT2,
    &olmo::OLMO,
    &olmo::OLMO2,
];

/// Query, key and value projections whose rows are as Hugging Face has them.
const QKV: &[Row] = &[
    Row("attn_q", "self_attn.q_proj", Form::Plain),
    Row("attn_k", "self_attn.k_proj", Form::Plain),
    Row("attn_v", "self_attn.v_proj", Form::Plain),
];

/// The same where llama.cpp rotates neighbours, for which its converter reorders rows.
const INTERLEAVED_QKV: &[Row] = &[
    Row("attn_q", "self_attn.q_proj", Form::Queries),
    Row("attn_k", "self_attn.k_proj", Form::Keys),
    Row("attn_v", "self_attn.v_proj", Form::Plain),
];

/// The projection of the heads' outputs, and a gated feed-forward network.
const OUTPUT_AND_GATED: &[Row] = &[
    Row("attn_output", "self_attn.o_proj", Form::Plain),
    Row("ffn_gate", "mlp.gate_proj", Form::Plain),
    Row("ffn_up", "mlp.up_proj", Form::Plain),
    Row("ffn_down", "mlp.down_proj", Form::Plain),
];

/// A norm before attention and one before the feed-forward network.
const PRE_NORMS: &[Row] = &[
    Row("attn_norm", "input_layernorm", Form::Plain),
    Row("ffn_norm", "post_attention_layernorm", Form::Plain),
];

/// Embedding, final norm and output head of most families.
const OUTER: &[Row] = &[
    Row("token_embd", "model.embed_tokens", Form::Plain),
    Row("output_norm", "model.norm", Form::Plain),
    Row("output", "lm_head", Form::Plain),
];

/// The family of a file.
pub(super) fn of(header: &Header) -> Result<&'static Family, FormatError> {
    const KEY: &str = "general.architecture";
    refuse_what_is_no_model(header)?;
    let architecture = header
        .string(KEY)?
        .ok_or_else(|| FormatError::missing(KEY))?;
    let counts = format!("{architecture}.expert_count");
    let experts = header.unsigned(&counts)?.is_some_and(|n| n > 0);
    let mut named = FAMILIES
        .iter()
        .filter(|family| family.architecture == architecture)
        .peekable();
    if named.peek().is_none() {
        return Err(unknown(KEY, architecture));
    }
    named
        .find(|family| family.experts == experts)
        .copied()
        .ok_or_else(|| {
            FormatError::unsupported(
                &counts,
                "more than 0".to_owned(),
                format!("models of architecture {architecture} have no experts"),
            )
        })
}

fn unknown(key: &str, architecture: &str) -> FormatError {
    let mut known: Vec<_> = FAMILIES.iter().map(|family| family.architecture).collect();
    known.dedup();
    let why = match architecture {
        "bert" => {
            "llama.cpp's converter leaves out the pooler and the heads of encoders, so no answer can be had from the file; "
        }
        "gptj" => "llama.cpp writes no files of this architecture; ",
        _ => "",
    };
    FormatError::unsupported(
        key,
        format!("{architecture:?}"),
        format!(
            "{why}{} are; other families load from a Hugging Face folder",
            known.join(", ")
        ),
    )
}

/// Adapters and vision projectors are GGUF files too.
fn refuse_what_is_no_model(header: &Header) -> Result<(), FormatError> {
    match header.string("general.type")? {
        None | Some("model") => Ok(()),
        Some(kind) => Err(FormatError::unsupported(
            "general.type",
            format!("{kind:?}"),
            "only \"model\" is; give an adapter as a PEFT folder".to_owned(),
        )),
    }
}

impl Family {
    /// The row of a module of a layer, with the number in its name, where it has one.
    pub(super) fn module(&self, name: &str) -> Option<(Row, Option<usize>)> {
        let rows = || self.modules.iter().copied().flatten().copied();
        let plain = rows().find(|row| row.0 == name).map(|row| (row, None));
        plain.or_else(|| {
            let (stem, number) = name.rsplit_once('.')?;
            let number = number.parse().ok()?;
            let row = rows().find(|row| row.0.strip_suffix(".{}") == Some(stem))?;
            Some((row, Some(number)))
        })
    }
}
