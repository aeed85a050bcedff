//! A tokenizer from the metadata of a GGUF file.

mod byte_level;
mod pre;
mod sentence_piece;
mod special;
#[cfg(test)]
mod vocabularies;

pub(super) use special::{eos_ids, special_id, special_texts};

use super::{FormatError, header::Header};
use tokenizers::{
    AddedToken, PostProcessorWrapper, Tokenizer,
    models::bpe::Vocab,
    processors::template::{SpecialToken, Template, TemplateProcessing},
};

const MODEL: &str = "tokenizer.ggml.model";
const TOKENS: &str = "tokenizer.ggml.tokens";
const TYPES: &str = "tokenizer.ggml.token_type";

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// A piece of text, made by merging (or a byte of it).
    Piece,
    /// Written by templates, never by people; left out of decoded text.
    Control,
    /// Found in text before anything is split or merged.
    UserDefined,
    /// Fills up the embedding.
    Unused,
}

/// The vocabulary as the file lists it; an id is a place in it.
struct Vocabulary<'a> {
    tokens: Vec<&'a str>,
    roles: Vec<Role>,
}

impl<'a> Vocabulary<'a> {
    fn read(header: &Header, file: &'a [u8]) -> Result<Self, FormatError> {
        let array = header
            .array(TOKENS)?
            .ok_or_else(|| FormatError::missing(TOKENS))?;
        let tokens = array.strings(file, TOKENS)?;
        if u32::try_from(tokens.len()).is_err() {
            return Err(FormatError::new(
                TOKENS,
                format!("has {} tokens, more than ids", tokens.len()),
            ));
        }
        let roles = match header.array(TYPES)? {
            None => vec![Role::Piece; tokens.len()],
            Some(types) if types.len() == tokens.len() => types
                .integers(file, TYPES)?
                .into_iter()
                .map(role)
                .collect::<Result<_, _>>()?,
            Some(types) => {
                return Err(FormatError::new(
                    TYPES,
                    format!("has {} entries for {} tokens", types.len(), tokens.len()),
                ));
            }
        };
        Ok(Self { tokens, roles })
    }

    /// Ids, tokens and roles of all tokens that are in use.
    fn used(&self) -> impl Iterator<Item = (u32, &'a str, Role)> {
        (0u32..)
            .zip(self.tokens.iter().copied().zip(self.roles.iter().copied()))
            .map(|(id, (token, role))| (id, token, role))
            .filter(|(.., role)| *role != Role::Unused)
    }

    /// Tokens by id, for a model of the tokenizers library.
    fn ids(&self) -> Result<Vocab, FormatError> {
        let mut ids = Vocab::with_capacity(self.tokens.len());
        for (id, token, _) in self.used() {
            if let Some(other) = ids.insert(token.to_owned(), id) {
                return Err(FormatError::new(
                    TOKENS,
                    format!("has {token:?} twice, as {other} and {id}"),
                ));
            }
        }
        Ok(ids)
    }
}

/// Token types of llama.cpp (`llama_token_type`).
fn role(number: i64) -> Result<Role, FormatError> {
    match number {
        // Undefined, normal, unknown, byte.
        0 | 1 | 2 | 6 => Ok(Role::Piece),
        3 => Ok(Role::Control),
        4 => Ok(Role::UserDefined),
        5 => Ok(Role::Unused),
        _ => Err(FormatError::new(
            TYPES,
            format!("has the unknown token type {number}"),
        )),
    }
}

/// Metadata that makes a tokenizer, after `tokenizer.ggml.`; ids of single tokens are known by their end.
const KNOWN: &[&str] = &[
    "model",
    "pre",
    "tokens",
    "token_type",
    "token_type_count",
    "scores",
    "merges",
    "add_bos_token",
    "add_eos_token",
    "add_space_prefix",
    "remove_extra_whitespaces",
    "precompiled_charsmap",
    // Of generating, which settings of generation tell.
    SUPPRESSED,
];

/// Tokens that are never to be generated.
pub(super) const SUPPRESSED: &str = "suppress_tokens";

/// Refuses metadata that would split text otherwise if it were honoured.
fn refuse_unknown(header: &Header) -> Result<(), FormatError> {
    let unknown = header
        .keys()
        .filter_map(|key| key.strip_prefix("tokenizer.ggml."))
        .filter(|key| !KNOWN.contains(key) && !key.ends_with("_token_id"))
        .min();
    let Some(key) = unknown else {
        return Ok(());
    };
    let key = format!("tokenizer.ggml.{key}");
    // A separator after a text is asked of encoders only.
    if key == "tokenizer.ggml.add_sep_token" && header.bool(&key)? == Some(false) {
        return Ok(());
    }
    Err(FormatError::unsupported(
        &key,
        "a setting of the tokenizer".to_owned(),
        format!(
            "{} and ids of tokens are; load the model from its Hugging Face folder",
            KNOWN.join(", ")
        ),
    ))
}

/// The whole tokenizer.
pub(super) fn build(header: &Header, file: &[u8]) -> Result<Tokenizer, FormatError> {
    refuse_unknown(header)?;
    let vocabulary = Vocabulary::read(header, file)?;
    let (mut tokenizer, default_bos) = match header.string(MODEL)? {
        Some("gpt2") => byte_level::build(header, file, &vocabulary)?,
        Some("llama") => sentence_piece::build(header, file, &vocabulary)?,
        Some(other) => {
            return Err(FormatError::unsupported(
                MODEL,
                format!("{other:?}"),
                "\"gpt2\" (byte-level BPE) and \"llama\" (SentencePiece BPE) are".to_owned(),
            ));
        }
        None => return Err(FormatError::missing(MODEL)),
    };
    add_tokens(&mut tokenizer, &vocabulary);
    if let Some(processor) = post_processor(header, &vocabulary, default_bos)? {
        tokenizer.with_post_processor(Some(processor));
    }
    Ok(tokenizer)
}

fn add_tokens(tokenizer: &mut Tokenizer, vocabulary: &Vocabulary<'_>) {
    let with = |wanted: Role, special: bool| -> Vec<AddedToken> {
        vocabulary
            .used()
            .filter(|(.., role)| *role == wanted)
            .map(|(_, token, _)| AddedToken::from(token, special).normalized(false))
            .collect()
    };
    tokenizer.add_special_tokens(&with(Role::Control, true));
    tokenizer.add_tokens(&with(Role::UserDefined, false));
}

/// Puts BOS before and EOS after a text, as the file says; `None` where it says neither.
fn post_processor(
    header: &Header,
    vocabulary: &Vocabulary<'_>,
    default_bos: bool,
) -> Result<Option<PostProcessorWrapper>, FormatError> {
    let bos = header
        .bool("tokenizer.ggml.add_bos_token")?
        .unwrap_or(default_bos);
    let eos = header
        .bool("tokenizer.ggml.add_eos_token")?
        .unwrap_or(false);
    if !bos && !eos {
        return Ok(None);
    }
    let mut special = Vec::new();
    // Names within the template only: a token's own text could hold what separates the template's parts.
    let mut token =
        |wanted: bool, name: &'static str| -> Result<Option<&'static str>, FormatError> {
            if !wanted {
                return Ok(None);
            }
            let key = format!("tokenizer.ggml.{name}_token_id");
            let id = special_id(header, name)?.ok_or_else(|| FormatError::missing(&key))?;
            let text = vocabulary.tokens[id as usize].to_owned();
            special.push(
                SpecialToken::new(name.to_owned(), vec![id], vec![text])
                    .map_err(|e| library(&key, &*e))?,
            );
            Ok(Some(name))
        };
    let (bos, eos) = (token(bos, "bos")?, token(eos, "eos")?);
    let around = |sequence: &'static str| -> Vec<&'static str> {
        bos.into_iter().chain([sequence]).chain(eos).collect()
    };
    let key = "tokenizer.ggml.add_bos_token";
    let template =
        |parts: Vec<&'static str>| Template::try_from(parts).map_err(|e| FormatError::new(key, e));
    TemplateProcessing::builder()
        .single(template(around("$A"))?)
        .pair(template([around("$A"), around("$B")].concat())?)
        .special_tokens(special)
        .build()
        .map(|processor| Some(processor.into()))
        .map_err(|e| FormatError::new(key, e.to_string()))
}

fn library(field: &str, error: &dyn std::error::Error) -> FormatError {
    FormatError::new(field, error.to_string())
}
