//! What a tokenizer's decoder does to each token, where that can be done token by token.

use serde_json::Value;
use tokenizers::Tokenizer;

/// A decoder of the tokenizers library, by what it means for a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decoder {
    /// Characters stand for bytes.
    ByteLevel,
    /// `SentencePiece`: a space is written as `from`, bytes as `<0xNN>`, and the text's first `strip` characters go where
    /// they are spaces.
    SentencePiece {
        from: String,
        to: String,
        strip: Option<(char, usize)>,
    },
    /// A space is written as `space`; those of the first token go unless `keep_first`.
    Metaspace { space: char, keep_first: bool },
    /// Another, which must see all tokens at once.
    Whole,
}

impl Decoder {
    /// Recognised by its serialised form, which is the only one that shows all of its settings.
    pub(super) fn of(tokenizer: &Tokenizer) -> Result<Self, serde_json::Error> {
        let value = serde_json::to_value(tokenizer.get_decoder())?;
        let steps = match value["decoders"].as_array() {
            Some(steps) if value["type"] == "Sequence" => steps.as_slice(),
            _ => std::slice::from_ref(&value),
        };
        let names: Vec<_> = steps
            .iter()
            .map(|step| step["type"].as_str().unwrap_or_default())
            .collect();
        let known = match names.as_slice() {
            ["ByteLevel"] => Some(Self::ByteLevel),
            ["Metaspace"] => metaspace(&steps[0]),
            ["Replace", "ByteFallback", "Fuse"] => sentence_piece(&steps[0], None),
            ["Replace", "ByteFallback", "Fuse", "Strip"] => {
                sentence_piece(&steps[0], Some(&steps[3]))
            }
            _ => None,
        };
        Ok(known.unwrap_or(Self::Whole))
    }
}

fn metaspace(step: &Value) -> Option<Decoder> {
    Some(Decoder::Metaspace {
        space: step["replacement"].as_str()?.chars().next()?,
        keep_first: step["prepend_scheme"].as_str()? == "never",
    })
}

fn sentence_piece(replace: &Value, strip: Option<&Value>) -> Option<Decoder> {
    let strip = match strip {
        None => None,
        Some(step) if step["stop"] == 0 => Some((
            step["content"].as_str()?.chars().next()?,
            usize::try_from(step["start"].as_u64()?).ok()?,
        )),
        Some(_) => return None,
    };
    Some(Decoder::SentencePiece {
        from: replace["pattern"]["String"].as_str()?.to_owned(),
        to: replace["content"].as_str()?.to_owned(),
        strip,
    })
}
