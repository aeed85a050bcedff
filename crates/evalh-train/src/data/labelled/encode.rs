//! Texts to the tokens that an encoder reads.

use super::super::{
    DataError, Truncation,
    error::{Fault, SampleFault},
};
use super::{LabelledDataset, LabelledExample, LabelledText};
use evalh_checkpoint::TextTokenizer;
use evalh_model::EncoderInput;

/// The examples of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledData {
    /// One a row, in the file's order.
    pub examples: Vec<LabelledExample>,
    /// What the token limit did.
    pub truncation: Truncation,
}

/// How texts become tokens: as an encoder reads them when it is asked.
#[derive(Debug, Clone, Copy)]
pub struct LabelledEncoder<'a> {
    /// The checkpoint's tokenizer.
    pub tokenizer: &'a TextTokenizer,
    /// Whether the model tells token types apart.
    pub has_types: bool,
    /// Most tokens of an input; the longer text of a pair is cut first.
    pub max_tokens: usize,
}

impl LabelledEncoder<'_> {
    /// All rows of a file.
    ///
    /// # Errors
    /// When the tokenizer fails on a row, or makes no token of it.
    pub fn encode_all(&self, data: &LabelledDataset) -> Result<LabelledData, DataError> {
        let mut encoded = LabelledData {
            examples: Vec::with_capacity(data.rows.len()),
            truncation: Truncation {
                samples: data.rows.len(),
                ..Truncation::default()
            },
        };
        for row in &data.rows {
            let (example, tokens_cut) = self
                .encode(row)
                .map_err(|fault| fault.of(&data.path, row.place))?;
            encoded.truncation.cut += usize::from(tokens_cut > 0);
            encoded.truncation.tokens_cut += tokens_cut;
            encoded.examples.push(example);
        }
        Ok(encoded)
    }

    fn encode(&self, row: &LabelledText) -> Result<(LabelledExample, usize), SampleFault> {
        let second = row.second.as_deref();
        let text = self
            .tokenizer
            .encode_input(&row.first, second, self.max_tokens)?;
        if text.ids.is_empty() {
            return Err(SampleFault::Unusable(Fault::new(
                "the tokenizer makes no token of it",
                "take the row out",
            )));
        }
        let token_types = if self.has_types {
            text.token_types
        } else {
            Vec::new()
        };
        let input = EncoderInput {
            ids: text.ids,
            token_types,
        };
        let label = row.label;
        Ok((LabelledExample { input, label }, text.truncated))
    }
}
