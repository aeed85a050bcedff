//! `SentencePiece` BPE (`tokenizer.ggml.model = "llama"`), as transformers converts it.
//!
//! A `SentencePiece` vocabulary lists no merges: any two neighbours whose joint text is a token may merge, the best score
//! first. transformers' converter (`generate_merges` in `convert_slow_tokenizer.py`) lists all such pairs in the order
//! of their scores, which gives the tokenizers library's BPE the same rule, and so do we.

use super::{Role, Vocabulary, byte_level, library};
use crate::gguf::{FormatError, header::Header};
use std::cmp::Reverse;
use tokenizers::{
    DecoderWrapper, NormalizerWrapper, Tokenizer,
    decoders::{byte_fallback::ByteFallback, fuse::Fuse, sequence::Sequence, strip::Strip},
    models::bpe::{BPE, Vocab},
    normalizers::{Prepend, Replace, Sequence as Normalizers},
};

const SCORES: &str = "tokenizer.ggml.scores";
/// What `SentencePiece` writes for a space.
const SPACE: &str = "▁";

/// The tokenizer without added tokens, and whether such files begin a text with BOS unless they say otherwise.
pub(super) fn build(
    header: &Header,
    file: &[u8],
    vocabulary: &Vocabulary<'_>,
) -> Result<(Tokenizer, bool), FormatError> {
    refuse_normalisers(header)?;
    let ids = vocabulary.ids()?;
    let merges = match header.array("tokenizer.ggml.merges")? {
        Some(_) => byte_level::merges(header, file)?,
        None => merges(&scores(header, file, vocabulary)?, vocabulary, &ids),
    };
    let unknown =
        super::special_id(header, "unknown")?.map(|id| vocabulary.tokens[id as usize].to_owned());
    let mut model = BPE::builder()
        .vocab_and_merges(ids, merges)
        .byte_fallback(true)
        .fuse_unk(true);
    if let Some(unknown) = unknown {
        model = model.unk_token(unknown);
    }
    let mut tokenizer = Tokenizer::new(model.build().map_err(|e| library(SCORES, &*e))?);
    let prefix = header
        .bool("tokenizer.ggml.add_space_prefix")?
        .unwrap_or(true);
    tokenizer
        .with_normalizer(Some(normalizer(prefix)?))
        .with_decoder(Some(decoder(prefix)?));
    Ok((tokenizer, true))
}

/// Text is changed before it is split by none of llama's tokenizers; one that does it cannot be rebuilt from a file.
fn refuse_normalisers(header: &Header) -> Result<(), FormatError> {
    const SPACES: &str = "tokenizer.ggml.remove_extra_whitespaces";
    const CHARACTERS: &str = "tokenizer.ggml.precompiled_charsmap";
    let remedy = || "only text as it is is; load the model from its Hugging Face folder".to_owned();
    if header.bool(SPACES)? == Some(true) {
        return Err(FormatError::unsupported(
            SPACES,
            "true".to_owned(),
            remedy(),
        ));
    }
    if header.array(CHARACTERS)?.is_some_and(|map| map.len() > 0) {
        return Err(FormatError::unsupported(
            CHARACTERS,
            "a table".to_owned(),
            remedy(),
        ));
    }
    Ok(())
}

fn scores(
    header: &Header,
    file: &[u8],
    vocabulary: &Vocabulary<'_>,
) -> Result<Vec<f64>, FormatError> {
    let array = header
        .array(SCORES)?
        .ok_or_else(|| FormatError::missing(SCORES))?;
    let scores = array.floats(file, SCORES)?;
    if scores.len() != vocabulary.tokens.len() {
        return Err(FormatError::new(
            SCORES,
            format!(
                "has {} entries for {} tokens",
                scores.len(),
                vocabulary.tokens.len()
            ),
        ));
    }
    if scores.iter().any(|score| score.is_nan()) {
        return Err(FormatError::new(
            SCORES,
            "has a score that is not a number".to_owned(),
        ));
    }
    Ok(scores)
}

/// Every pair of tokens whose joint text is a token, best score first, then longest left part, then longest right part.
fn merges(scores: &[f64], vocabulary: &Vocabulary<'_>, ids: &Vocab) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (id, token, _) in vocabulary.used().filter(|(.., role)| *role == Role::Piece) {
        let mut splits: Vec<_> = token
            .char_indices()
            .skip(1)
            .map(|(at, _)| token.split_at(at))
            .filter_map(|(left, right)| Some((*ids.get(left)?, *ids.get(right)?, left, right)))
            .collect();
        splits.sort_unstable_by_key(|(left, right, ..)| (*left, *right));
        found.extend(
            splits
                .into_iter()
                .map(|(_, _, left, right)| (scores[id as usize], left, right)),
        );
    }
    found.sort_by(|(a, left_a, right_a), (b, left_b, right_b)| {
        let lengths =
            |left: &str, right: &str| Reverse((left.chars().count(), right.chars().count()));
        b.total_cmp(a)
            .then_with(|| lengths(left_a, right_a).cmp(&lengths(left_b, right_b)))
    });
    found
        .into_iter()
        .map(|(_, left, right)| (left.to_owned(), right.to_owned()))
        .collect()
}

fn normalizer(prefix: bool) -> Result<NormalizerWrapper, FormatError> {
    let replace = Replace::new(" ", SPACE)
        .map_err(|e| library(SCORES, &*e))?
        .into();
    let steps = if prefix {
        vec![Prepend::new(SPACE.to_owned()).into(), replace]
    } else {
        vec![replace]
    };
    Ok(Normalizers::new(steps).into())
}

fn decoder(prefix: bool) -> Result<DecoderWrapper, FormatError> {
    let replace = Replace::new(SPACE, " ").map_err(|e| library(SCORES, &*e))?;
    let mut steps: Vec<DecoderWrapper> = vec![
        replace.into(),
        ByteFallback::new().into(),
        Fuse::new().into(),
    ];
    if prefix {
        steps.push(Strip::new(' ', 1, 0).into());
    }
    Ok(Sequence::new(steps).into())
}
