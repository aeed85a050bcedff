//! Text of tokens that arrive one by one.

use super::{Decoder, TextTokenizer};
use crate::CheckpointError;

/// Decodes tokens as they arrive; made by [`TextTokenizer::stream`].
///
/// The pieces given by [`push`](Self::push) and the last one by [`finish`](Self::finish), joined, are exactly
/// [`TextTokenizer::decode`] of all ids. Each piece is whole characters: a character whose bytes are spread over
/// tokens appears with the last of them. A token costs amortised constant time.
///
/// Byte tokens of `SentencePiece` (`<0x0A>`) appear with the next other token, since whether they make text is known only
/// at the end of their run. A tokenizer with a decoder that is neither byte-level nor `SentencePiece`'s (`WordPiece`, say,
/// which no generating model has) gives all of its text with [`finish`](Self::finish).
#[derive(Debug)]
pub struct TokenStream<'t> {
    tokenizer: &'t TextTokenizer,
    /// Bytes that are no text yet.
    bytes: Vec<u8>,
    /// Ids of a decoder that must see all of them.
    ids: Vec<u32>,
    /// Characters that may still be stripped from the text's beginning.
    to_strip: usize,
    first: bool,
    /// The piece given last.
    piece: String,
}

impl<'t> TokenStream<'t> {
    pub(super) fn new(tokenizer: &'t TextTokenizer) -> Self {
        let to_strip = match &tokenizer.decoder {
            Decoder::SentencePiece {
                strip: Some((_, start)),
                ..
            } => *start,
            _ => 0,
        };
        Self {
            tokenizer,
            bytes: Vec::new(),
            ids: Vec::new(),
            to_strip,
            first: true,
            piece: String::new(),
        }
    }

    /// Takes one more token and gives the text that it completes, often empty for part of a character.
    pub fn push(&mut self, id: u32) -> &str {
        self.piece.clear();
        if self.tokenizer.decoder == Decoder::Whole {
            self.ids.push(id);
        } else if let Some(token) = self.tokenizer.visible_token(id) {
            self.take(&token);
        }
        &self.piece
    }

    /// The text still held back, such as the replacement character for a character that never became whole.
    ///
    /// # Errors
    /// When the tokenizer's decoder fails.
    pub fn finish(mut self) -> Result<String, CheckpointError> {
        self.piece.clear();
        match self.tokenizer.decoder {
            Decoder::Whole => return self.tokenizer.decode(&self.ids),
            Decoder::ByteLevel => self.piece.push_str(&String::from_utf8_lossy(&self.bytes)),
            Decoder::SentencePiece { .. } => self.end_byte_run(),
            Decoder::Metaspace { .. } => {}
        }
        Ok(self.piece)
    }

    fn take(&mut self, token: &str) {
        // A reference with the tokenizer's own lifetime, so that `self` stays free to change.
        let tokenizer = self.tokenizer;
        match &tokenizer.decoder {
            Decoder::ByteLevel => {
                push_byte_level(token, &mut self.bytes);
                move_text(&mut self.bytes, &mut self.piece);
            }
            Decoder::SentencePiece { from, to, .. } => {
                let token = token.replace(from, to);
                if let Some(byte) = byte_token(&token) {
                    self.bytes.push(byte);
                } else {
                    self.end_byte_run();
                    self.push_stripped(&token);
                }
            }
            Decoder::Metaspace { space, keep_first } => {
                let drop_space = self.first && !keep_first;
                self.piece.extend(token.chars().filter_map(|c| match c {
                    c if c != *space => Some(c),
                    _ if drop_space => None,
                    _ => Some(' '),
                }));
            }
            Decoder::Whole => {}
        }
        self.first = false;
    }

    /// Turns byte tokens into text: one string where they are UTF-8 as a whole, else a replacement character each.
    fn end_byte_run(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        match std::str::from_utf8(&bytes) {
            Ok(text) => self.push_stripped(text),
            Err(_) => self.push_stripped(&"\u{FFFD}".repeat(bytes.len())),
        }
    }

    fn push_stripped(&mut self, mut text: &str) {
        if let Decoder::SentencePiece {
            strip: Some((content, _)),
            ..
        } = self.tokenizer.decoder
        {
            while self.to_strip > 0 && !text.is_empty() {
                match text.strip_prefix(content) {
                    Some(rest) => {
                        text = rest;
                        self.to_strip -= 1;
                    }
                    None => self.to_strip = 0,
                }
            }
        }
        self.piece.push_str(text);
    }
}

/// The byte of a token like `<0x0A>`, by the library's own reading of it (`ByteFallback`).
fn byte_token(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    (digits.len() == 2).then(|| u8::from_str_radix(digits, 16).ok())?
}

/// The bytes of a byte-level token: those its characters stand for, or its own where one stands for none.
fn push_byte_level(token: &str, bytes: &mut Vec<u8>) {
    let before = bytes.len();
    for c in token.chars() {
        if let Some(byte) = byte_of(c) {
            bytes.push(byte);
        } else {
            bytes.truncate(before);
            bytes.extend_from_slice(token.as_bytes());
            return;
        }
    }
}

/// GPT-2's alphabet: printable Latin-1 characters stand for themselves, characters from U+0100 for the other bytes in
/// order (<https://github.com/openai/gpt-2/blob/master/src/encoder.py>).
fn byte_of(c: char) -> Option<u8> {
    match c {
        '!'..='~' | '¡'..='¬' | '®'..='ÿ' => u8::try_from(u32::from(c)).ok(),
        '\u{100}'..='\u{120}' => Some((u32::from(c) - 0x100) as u8),
        '\u{121}'..='\u{142}' => Some((u32::from(c) - 0x121) as u8 + 0x7F),
        '\u{143}' => Some(0xAD),
        _ => None,
    }
}

/// Moves all whole characters to `text`; what can never become one moves as a replacement character, as in
/// [`String::from_utf8_lossy`].
fn move_text(bytes: &mut Vec<u8>, text: &mut String) {
    let mut done = 0;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        done += chunk.valid().len();
        let invalid = chunk.invalid();
        let at_end = done + invalid.len() == bytes.len();
        if at_end && is_unfinished(invalid) {
            break;
        }
        if !invalid.is_empty() {
            text.push('\u{FFFD}');
            done += invalid.len();
        }
    }
    bytes.drain(..done);
}

/// Whether more bytes could make these a character.
fn is_unfinished(invalid: &[u8]) -> bool {
    matches!(std::str::from_utf8(invalid), Err(e) if e.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_has_one_character_a_byte() {
        let mut bytes: Vec<u8> = ('\u{0}'..'\u{200}').filter_map(byte_of).collect();
        bytes.sort_unstable();
        assert_eq!(bytes, (0..=255).collect::<Vec<u8>>());
    }

    #[test]
    fn byte_tokens_are_two_hexadecimal_digits() {
        assert_eq!(byte_token("<0x0A>"), Some(10));
        assert_eq!(byte_token("<0xfF>"), Some(255));
        for other in ["<0x0>", "<0x00A>", "<0xZZ>", "0x0A", "<0xé>", ""] {
            assert_eq!(byte_token(other), None, "{other}");
        }
    }

    #[test]
    fn characters_come_out_whole_and_lossy_text_as_a_whole_would() {
        let input = "aé€😀z"
            .as_bytes()
            .iter()
            .chain(b"\xF0\x9F\xE2\x82b\xFF\xE2\x82")
            .copied()
            .collect::<Vec<u8>>();
        let (mut held, mut text) = (Vec::new(), String::new());
        for byte in &input {
            held.push(*byte);
            move_text(&mut held, &mut text);
        }
        assert_eq!(held, b"\xE2\x82");
        text.push_str(&String::from_utf8_lossy(&held));
        assert_eq!(text, String::from_utf8_lossy(&input));
    }
}
