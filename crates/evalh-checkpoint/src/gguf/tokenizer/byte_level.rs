//! Byte-level BPE (`tokenizer.ggml.model = "gpt2"`).

use super::{Vocabulary, library, pre};
use crate::gguf::{FormatError, header::Header};
use tokenizers::{Tokenizer, models::bpe::BPE, pre_tokenizers::byte_level::ByteLevel};

const MERGES: &str = "tokenizer.ggml.merges";

/// The tokenizer without added tokens, and whether such files begin a text with BOS unless they say otherwise.
pub(super) fn build(
    header: &Header,
    file: &[u8],
    vocabulary: &Vocabulary<'_>,
) -> Result<(Tokenizer, bool), FormatError> {
    const PREFIX: &str = "tokenizer.ggml.add_space_prefix";
    let pre = pre::of(header)?;
    if header.bool(PREFIX)? == Some(true) {
        return Err(FormatError::unsupported(
            PREFIX,
            "true".to_owned(),
            "of byte-level tokenizers only false is; load the model from its Hugging Face folder"
                .to_owned(),
        ));
    }
    let model = BPE::builder()
        .vocab_and_merges(vocabulary.ids()?, merges(header, file)?)
        .ignore_merges(pre.ignore_merges)
        .build()
        .map_err(|e| library(MERGES, &*e))?;
    let mut tokenizer = Tokenizer::new(model);
    tokenizer
        .with_normalizer(pre.normalizer())
        .with_pre_tokenizer(Some(pre.pre_tokenizer()?))
        .with_decoder(Some(ByteLevel::default()));
    Ok((tokenizer, pre.begins_with_bos))
}

/// Pairs of tokens, the most urgent merge first.
pub(super) fn merges(header: &Header, file: &[u8]) -> Result<Vec<(String, String)>, FormatError> {
    header
        .array(MERGES)?
        .ok_or_else(|| FormatError::missing(MERGES))?
        .strings(file, MERGES)?
        .into_iter()
        .map(|merge| match merge.split_once(' ') {
            Some((left, right)) => Ok((left.to_owned(), right.to_owned())),
            None => Err(FormatError::new(
                MERGES,
                format!("has {merge:?}, which is no pair"),
            )),
        })
        .collect()
}
