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
const GPT4O: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Letters with case, as `DeepSeek` LLM's tokenizer lists them, after an optional space.
const DEEPSEEK_LETTERS: &str = "\\s?[A-Za-z\u{b5}\u{c0}-\u{d6}\u{d8}-\u{f6}\u{f8}-\u{1ba}\u{1bc}-\u{1bf}\u{1c4}-\u{293}\u{295}-\u{2af}\
    \u{370}-\u{373}\u{376}\u{377}\u{37b}-\u{37d}\u{37f}\u{386}\u{388}-\u{38a}\u{38c}\u{38e}-\u{3a1}\
    \u{3a3}-\u{3f5}\u{3f7}-\u{481}\u{48a}-\u{52f}\u{531}-\u{556}\u{10a0}-\u{10c5}\u{13a0}-\u{13f5}\
    \u{13f8}-\u{13fd}\u{1c90}-\u{1cba}\u{1cbd}-\u{1cbf}\u{1d00}-\u{1d2b}\u{1d6b}-\u{1d77}\
    \u{1d79}-\u{1d9a}\u{1e00}-\u{1f15}\u{1f18}-\u{1f1d}\u{1f20}-\u{1f45}\u{1f48}-\u{1f4d}\
    \u{1f50}-\u{1f57}\u{1f59}\u{1f5b}\u{1f5d}\u{1f5f}-\u{1f7d}\u{1f80}-\u{1fb4}\u{1fb6}-\u{1fbc}\u{1fbe}\
    \u{1fc2}-\u{1fc4}\u{1fc6}-\u{1fcc}\u{1fd0}-\u{1fd3}\u{1fd6}-\u{1fdb}\u{1fe0}-\u{1fec}\
    \u{1ff2}-\u{1ff4}\u{1ff6}-\u{1ffc}\u{2102}\u{2107}\u{210a}-\u{2113}\u{2115}\u{2119}-\u{211d}\u{2124}\
    \u{2126}\u{2128}\u{212a}-\u{212d}\u{212f}-\u{2134}\u{2139}\u{213c}-\u{213f}\u{2145}-\u{2149}\u{214e}\
    \u{2183}\u{2184}\u{2c00}-\u{2c7b}\u{2c7e}-\u{2ce4}\u{2ceb}-\u{2cee}\u{2cf2}\u{2cf3}\u{a640}-\u{a66d}\
    \u{a680}-\u{a69b}\u{a722}-\u{a76f}\u{a771}-\u{a787}\u{a78b}-\u{a78e}\u{ab70}-\u{abbf}\
    \u{fb00}-\u{fb06}\u{fb13}-\u{fb17}\u{ff21}-\u{ff3a}\u{ff41}-\u{ff5a}\u{10400}-\u{1044f}\
    \u{104b0}-\u{104d3}\u{104d8}-\u{104fb}\u{10c80}-\u{10cb2}\u{10cc0}-\u{10cf2}\u{118a0}-\u{118df}\
    \u{1e900}-\u{1e943}]+";
/// Chinese characters, Hangul and what lies between, as `DeepSeek`'s tokenizers list them.
const DEEPSEEK_EAST: &str = "[\u{4e00}-\u{9fa5}\u{800}-\u{4e00}\u{ac00}-\u{d7ff}]+";

const ROWS: &[Pre] = &[
    Pre {
        names: &["gpt-2", "phi-2"],
        nfc: false,
        splits: &[SplitRule::Gpt2],
        ignore_merges: false,
        begins_with_bos: false,
    },
    Pre {
        // GPT-NeoX's tokenizer: OLMo, Pythia, the first StableLM and MPT have it.
        names: &["olmo", "mpt"],
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
    // cl100k's words: OLMo 2 and Phi-4 have them.
    Pre {
        names: &["dbrx", "smaug-bpe"],
        nfc: false,
        splits: &[SplitRule::Regex(LLAMA3)],
        ignore_merges: false,
        begins_with_bos: false,
    },
    // o200k's words: Phi-4-mini has them.
    Pre {
        names: &["gpt-4o"],
        nfc: false,
        splits: &[SplitRule::Regex(GPT4O)],
        ignore_merges: false,
        begins_with_bos: false,
    },
    Pre {
        names: &["deepseek-llm"],
        nfc: false,
        splits: &[
            SplitRule::Regex(r"[\r\n]"),
            SplitRule::Regex(DEEPSEEK_LETTERS),
            SplitRule::Regex(
                "\\s?[!-/:-~\u{ff01}-\u{ff0f}\u{ff1a}-\u{ff5e}\u{2018}-\u{201f}\u{3000}-\u{3002}]+",
            ),
            SplitRule::Regex(r"\s+$"),
            SplitRule::Regex(DEEPSEEK_EAST),
            SplitRule::Digits,
        ],
        ignore_merges: false,
        begins_with_bos: false,
    },
    Pre {
        names: &["deepseek-coder"],
        nfc: false,
        splits: &[
            SplitRule::Regex(r"[\r\n]"),
            SplitRule::Regex(r"\s?\p{L}+"),
            SplitRule::Regex(r"\s?\p{P}+"),
            SplitRule::Regex(DEEPSEEK_EAST),
            SplitRule::Digits,
        ],
        ignore_merges: false,
        begins_with_bos: false,
    },
    Pre {
        names: &["qwen2", "stablelm2", "deepseek-r1-qwen"],
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
