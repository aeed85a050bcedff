//! Special tokens: those the metadata names, and those that end a turn of a chat.

use super::{Role, TOKENS, Vocabulary};
use crate::gguf::{FormatError, header::Header, value::Array};

/// Texts that end a turn of a chat. llama.cpp ends generation at each of them wherever the vocabulary has it; here it
/// must also be a control token that the file's chat template writes, so that a base model is not cut off by a token
/// that transformers would let pass.
const TURN_ENDS: &[&str] = &[
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<end_of_turn>",
    "<|end|>",
    "<|end_of_turn|>",
    "<EOT>",
];

/// One of the file's special tokens: `bos`, `eos`, `eot`, `eom`, `unknown`, `padding`.
pub(in crate::gguf) fn special_id(header: &Header, name: &str) -> Result<Option<u32>, FormatError> {
    let vocabulary = header.array(TOKENS)?.map_or(0, Array::len);
    header.token_id(&format!("tokenizer.ggml.{name}_token_id"), vocabulary)
}

/// Texts of special tokens under the names that chat templates know.
pub(in crate::gguf) fn special_texts(
    header: &Header,
    file: &[u8],
) -> Result<Vec<(String, String)>, FormatError> {
    let vocabulary = Vocabulary::read(header, file)?;
    let mut texts = Vec::new();
    for (key, variable) in [
        ("bos", "bos_token"),
        ("eos", "eos_token"),
        ("unknown", "unk_token"),
        ("padding", "pad_token"),
    ] {
        if let Some(id) = special_id(header, key)? {
            texts.push((
                variable.to_owned(),
                vocabulary.tokens[id as usize].to_owned(),
            ));
        }
    }
    Ok(texts)
}

/// Every id that ends a generation, ascending: those the metadata names, and the ends of turns that the file's own
/// chat template writes.
pub(in crate::gguf) fn eos_ids(header: &Header, file: &[u8]) -> Result<Vec<u32>, FormatError> {
    let mut ids = Vec::new();
    for name in ["eos", "eot", "eom"] {
        ids.extend(special_id(header, name)?);
    }
    if let Some(template) = header.string("tokenizer.chat_template")? {
        let vocabulary = Vocabulary::read(header, file)?;
        ids.extend(
            vocabulary
                .used()
                .filter(|(_, token, role)| {
                    *role == Role::Control && TURN_ENDS.contains(token) && template.contains(token)
                })
                .map(|(id, ..)| id),
        );
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}
