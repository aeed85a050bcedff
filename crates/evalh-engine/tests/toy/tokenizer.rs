//! Bytes, a few longer tokens and three special ones: enough for tokens that span characters and stop strings.

use evalh_engine::{BoxError, SpecialTokens, Text, TextStream};
use evalh_record::{Message, Role};

/// Longer tokens, after the 256 bytes. They make the encoding of a context no prefix of that of a longer text.
const MERGES: [&str; 8] = ["ab", "\n#", " a", "aé", "b\n", "bé", "\nb", "ba"];
const SPECIALS: [&str; 3] = ["<s>", "</s>", "<|end|>"];
pub const BOS: u32 = 256 + MERGES.len() as u32;
pub const EOS: u32 = BOS + 1;
pub const END: u32 = BOS + 2;
pub const SIZE: usize = END as usize + 1;

/// Tokens the toy model likes: those that make stop strings, and halves of characters.
pub fn favoured(id: u32) -> bool {
    (256..BOS).contains(&id)
        || id == END
        || [b'a', b'b', b'\n', b'#', 0xC3, 0xA9]
            .iter()
            .any(|&byte| u32::from(byte) == id)
}

#[derive(Debug, Clone, Copy, Default)]
pub struct ToyTokenizer {
    /// Whether the post-processor puts `<s>` first.
    pub adds_bos: bool,
    /// Whether there is a chat template.
    pub no_template: bool,
    /// Whether the stream gives a token's text only with the next one, as `SentencePiece` does with byte tokens.
    pub late: bool,
}

impl ToyTokenizer {
    fn spelling(id: u32) -> Vec<u8> {
        match id {
            0..256 => vec![id as u8],
            id if id < BOS => MERGES[id as usize - 256].into(),
            id => SPECIALS[(id - BOS) as usize].into(),
        }
    }
}

impl Text for ToyTokenizer {
    type Stream<'t> = ToyStream;

    fn encode(&self, text: &str, special: SpecialTokens) -> Result<Vec<u32>, BoxError> {
        let mut ids = Vec::new();
        if self.adds_bos && special == SpecialTokens::AsPostProcessor {
            ids.push(BOS);
        }
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let longest = (0..SIZE as u32).filter(|&id| rest.starts_with(&Self::spelling(id)));
            let id = longest
                .max_by_key(|&id| Self::spelling(id).len())
                .expect("every byte is a token");
            rest = &rest[Self::spelling(id).len()..];
            ids.push(id);
        }
        Ok(ids)
    }

    fn decode(&self, ids: &[u32]) -> Result<String, BoxError> {
        let bytes: Vec<u8> = ids
            .iter()
            .filter(|&&id| id < BOS)
            .flat_map(|&id| Self::spelling(id))
            .collect();
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn stream(&self) -> ToyStream {
        ToyStream {
            held: Vec::new(),
            late: self.late,
            waiting: None,
        }
    }

    fn token_id(&self, token: &str) -> Option<u32> {
        (0..SIZE as u32).find(|&id| Self::spelling(id) == token.as_bytes())
    }

    fn render(&self, messages: &[Message]) -> Result<Option<String>, BoxError> {
        let mut text = String::from("<s>");
        for message in messages {
            let role = match message.role {
                Role::System => "s",
                Role::User => "u",
                Role::Assistant => "a",
            };
            text.extend([role, ":", &message.content, "<|end|>\n"]);
        }
        text.push_str("a:");
        Ok((!self.no_template).then_some(text))
    }
}

/// Holds back bytes that may become a character.
pub struct ToyStream {
    held: Vec<u8>,
    late: bool,
    waiting: Option<u32>,
}

impl TextStream for ToyStream {
    fn push(&mut self, id: u32, text: &mut String) -> Result<(), BoxError> {
        let due = if self.late {
            self.waiting.replace(id)
        } else {
            Some(id)
        };
        if let Some(id) = due.filter(|&id| id < BOS) {
            self.held.extend(ToyTokenizer::spelling(id));
        }
        loop {
            match std::str::from_utf8(&self.held) {
                Ok(valid) => {
                    text.push_str(valid);
                    self.held.clear();
                    return Ok(());
                }
                Err(error) => {
                    let valid = error.valid_up_to();
                    text.push_str(std::str::from_utf8(&self.held[..valid])?);
                    let Some(bad) = error.error_len() else {
                        self.held.drain(..valid);
                        return Ok(());
                    };
                    text.push('\u{FFFD}');
                    self.held.drain(..valid + bad);
                }
            }
        }
    }
}
