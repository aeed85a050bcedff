//! How text is split before merging: the pre-tokenizers that `tokenizer.ggml.pre` names.
//!
//! llama.cpp's name stands for the Hugging Face tokenizer that its converter saw, so each row here is that tokenizer's
//! own pipeline (normaliser, split, byte level), taken from its `tokenizer.json`.

use super::library;
use crate::gguf::{FormatError, header::Header};
use tokenizers::{
    NormalizerWrapper, PreTokenizerWrapper, SplitDelimiterBehavior,
    normalizers::NFC,
    pre_tokenizers::{
        byte_level::ByteLevel,
        digits::Digits,
        sequence::Sequence,
        split::{Split, SplitPattern},
    },
};

const PRE: &str = "tokenizer.ggml.pre";

/// One way of splitting.
#[derive(Debug)]
pub(super) struct Pre {
    names: &'static [&'static str],
    /// Unicode normalisation form C first.
    nfc: bool,
    splits: &'static [SplitRule],
    /// A word that is a token as a whole is taken without merging.
    pub(super) ignore_merges: bool,
    /// Whether a text begins with BOS unless the file says otherwise (llama.cpp's default for the name).
    pub(super) begins_with_bos: bool,
}

#[derive(Debug)]
enum SplitRule {
    /// Every digit alone.
    Digits,
    /// GPT-2's words.
    Gpt2,
    /// Matches of a regular expression, and what lies between.
    Regex(&'static str),
}

const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

const ROWS: &[Pre] = &[
    Pre {
        names: &["gpt-2", "phi-2"],
        nfc: false,
        splits: &[SplitRule::Gpt2],
        ignore_merges: false,
        begins_with_bos: false,
    },
    Pre {
        names: &["olmo"],
        nfc: true,
        splits: &[SplitRule::Gpt2],
        ignore_merges: false,
        begins_with_bos: false,
    },
    Pre {
        names: &["smollm", "starcoder", "refact"],
        nfc: false,
        splits: &[SplitRule::Digits, SplitRule::Gpt2],
        ignore_merges: false,
        begins_with_bos: false,
    },
    Pre {
        names: &["llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral"],
        nfc: false,
        splits: &[SplitRule::Regex(LLAMA3)],
        ignore_merges: true,
        begins_with_bos: true,
    },
    Pre {
        names: &["qwen2"],
        nfc: true,
        splits: &[SplitRule::Regex(QWEN2)],
        ignore_merges: false,
        begins_with_bos: false,
    },
    Pre {
        names: &["tekken"],
        nfc: false,
        splits: &[SplitRule::Regex(TEKKEN)],
        ignore_merges: true,
        begins_with_bos: true,
    },
    // What llama.cpp does for a tokenizer that its converter does not know.
    Pre {
        names: &["default"],
        nfc: false,
        splits: &[
            SplitRule::Regex(r"[\p{P}\$\+<=>\^~\|]+"),
            SplitRule::Gpt2,
            SplitRule::Regex(r"\p{N}+"),
            SplitRule::Regex("[0-9][0-9][0-9]"),
        ],
        ignore_merges: false,
        begins_with_bos: false,
    },
];

/// The row that a file names.
pub(super) fn of(header: &Header) -> Result<&'static Pre, FormatError> {
    let name = header.string(PRE)?.ok_or_else(|| {
        FormatError::new(
            PRE,
            "is missing: the file is from before April 2024, and text would be split wrongly"
                .to_owned(),
        )
    })?;
    ROWS.iter()
        .find(|row| row.names.contains(&name))
        .ok_or_else(|| {
            let known: Vec<_> = ROWS.iter().flat_map(|row| row.names).copied().collect();
            FormatError::unsupported(
                PRE,
                format!("{name:?}"),
                format!(
                    "{} are; with another one load the model from its Hugging Face folder",
                    known.join(", ")
                ),
            )
        })
}

impl Pre {
    pub(super) fn normalizer(&self) -> Option<NormalizerWrapper> {
        self.nfc.then(|| NFC.into())
    }

    pub(super) fn pre_tokenizer(&self) -> Result<PreTokenizerWrapper, FormatError> {
        let mut steps = self
            .splits
            .iter()
            .map(SplitRule::step)
            .collect::<Result<Vec<_>, _>>()?;
        steps.push(ByteLevel::new(false, true, false).into());
        Ok(Sequence::new(steps).into())
    }
}

/// The pattern inside the tokenizers library's `ByteLevel`, as a step of its own.
const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

impl SplitRule {
    fn step(&self) -> Result<PreTokenizerWrapper, FormatError> {
        let pattern = match self {
            Self::Digits => return Ok(Digits::new(true).into()),
            Self::Gpt2 => GPT2,
            Self::Regex(pattern) => pattern,
        };
        Split::new(
            SplitPattern::Regex(pattern.to_owned()),
            SplitDelimiterBehavior::Isolated,
            false,
        )
        .map(PreTokenizerWrapper::from)
        .map_err(|e| library(PRE, &*e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenizers::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer as _};

    fn split(name: &str, text: &str) -> Vec<String> {
        let row = ROWS.iter().find(|row| row.names.contains(&name)).unwrap();
        let mut pieces = PreTokenizedString::from(text);
        row.pre_tokenizer()
            .unwrap()
            .pre_tokenize(&mut pieces)
            .unwrap();
        pieces
            .get_splits(OffsetReferential::Normalized, OffsetType::Byte)
            .into_iter()
            .map(|(piece, ..)| piece.replace('Ġ', " ").replace('Ċ', "\n"))
            .collect()
    }

    #[test]
    fn each_name_splits_digits_and_contractions_in_its_own_way() {
        let text = "it's 12345 I'LL\n\n  end";
        assert_eq!(
            split("gpt-2", text),
            ["it", "'s", " 12345", " I", "'", "LL", "\n\n ", " end"]
        );
        assert_eq!(
            split("smollm", text),
            [
                "it", "'s", " ", "1", "2", "3", "4", "5", " I", "'", "LL", "\n\n ", " end"
            ]
        );
        assert_eq!(
            split("llama-bpe", text),
            [
                "it", "'s", " ", "123", "45", " I", "'LL", "\n\n", " ", " end"
            ]
        );
        assert_eq!(
            split("qwen2", text),
            [
                "it", "'s", " ", "1", "2", "3", "4", "5", " I", "'LL", "\n\n", " ", " end"
            ]
        );
        assert_eq!(
            split("tekken", text),
            [
                "it", "'s", " ", "1", "2", "3", "4", "5", " I", "'LL", "\n\n", " ", " end"
            ]
        );
        assert_eq!(
            split("default", "a==b 12345"),
            ["a", "==", "b", " ", "123", "45"]
        );
    }
}
