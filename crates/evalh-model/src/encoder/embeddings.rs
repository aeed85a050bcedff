//! From token ids to the first hidden values.

use super::config::{EncoderConfig, PositionKind};
use super::layer::begun;
use super::output::EncoderInput;
use super::part::{Part, scope};
use crate::part::{Embedding, Linear, Norm};
use crate::{LoraId, ModelError};
use burn::tensor::Tensor;
use evalh_kernel::Compute;

/// The embeddings of tokens, their places and their types.
#[derive(Debug)]
pub(super) struct Embeddings {
    pub word: Embedding,
    pub position: Option<Embedding>,
    pub token_type: Option<Embedding>,
    /// From the width of the embeddings to that of the residual stream.
    pub projection: Option<Linear>,
    pub norm: Norm,
}

/// What the tables are asked for, for the tokens of a batch.
#[derive(Debug, Default)]
pub(super) struct Lookups {
    pub ids: Vec<u32>,
    positions: Vec<u32>,
    token_types: Vec<u32>,
}

impl Lookups {
    /// Appends the tokens of an input.
    ///
    /// # Errors
    /// When a token, a type or a place is not in the tables.
    ///
    /// # Panics
    /// When the input is empty, or its types are not one a token.
    pub(super) fn push(
        &mut self,
        input: &EncoderInput,
        config: &EncoderConfig,
    ) -> Result<(), ModelError> {
        let EncoderInput { ids, token_types } = input;
        assert!(!ids.is_empty(), "an input without a token");
        assert!(
            token_types.is_empty() || token_types.len() == ids.len(),
            "one type a token"
        );
        if let Some(id) = ids.iter().find(|id| **id as usize >= config.vocab_size) {
            return Err(ModelError::UnknownToken {
                id: *id,
                vocab_size: config.vocab_size,
            });
        }
        // Without an embedding of types the reference ignores them.
        if let Some(kind) = token_types
            .iter()
            .find(|t| **t as usize >= config.token_types)
            && config.token_types > 0
        {
            return Err(ModelError::UnknownTokenType {
                token_type: *kind,
                token_types: config.token_types,
            });
        }
        let places: Vec<u32> = match config.positions {
            PositionKind::None => Vec::new(),
            PositionKind::Absolute => (0..ids.len() as u32).collect(),
            PositionKind::AfterPadding(padding) => ids
                .iter()
                .scan(padding, |last, id| {
                    Some(if *id == padding {
                        padding
                    } else {
                        *last += 1;
                        *last
                    })
                })
                .collect(),
        };
        if places
            .iter()
            .any(|place| *place as usize >= config.max_positions)
        {
            return Err(ModelError::TooLong {
                tokens: ids.len(),
                max_positions: config.max_tokens().unwrap_or(usize::MAX),
            });
        }
        self.ids.extend(ids);
        self.positions.extend(places);
        let zeros = ids.len() - token_types.len();
        self.token_types.extend(token_types);
        self.token_types.extend(std::iter::repeat_n(0, zeros));
        Ok(())
    }
}

impl Embeddings {
    /// The first hidden values, `[tokens, hidden]`, on the tape where it is `recorded`.
    pub(super) fn forward(
        &self,
        compute: &Compute,
        of: &Lookups,
        adapter: Option<LoraId>,
        recorded: bool,
    ) -> Tensor<2> {
        let scope = scope(of.ids.len(), adapter);
        let mut x = self.word.forward(compute, &of.ids, &scope);
        x = begun(compute, x, recorded);
        if let Some(types) = &self.token_type {
            x = x + types.forward(compute, &of.token_types, &scope);
        }
        if let Some(positions) = &self.position {
            x = x + positions.forward(compute, &of.positions, &scope);
        }
        if let Some(projection) = &self.projection {
            x = projection.forward(compute, &x, &scope);
        }
        self.norm.forward(compute, x, None, &scope).1
    }

    pub(super) fn parts(&self) -> Vec<&dyn Part> {
        let tables = [
            Some(&self.word),
            self.position.as_ref(),
            self.token_type.as_ref(),
        ];
        let mut parts: Vec<&dyn Part> = Vec::new();
        parts.extend(tables.into_iter().flatten().map(|table| table as &dyn Part));
        parts.extend(self.projection.iter().map(|linear| linear as &dyn Part));
        parts.push(&self.norm);
        parts
    }

    pub(super) fn parts_mut(&mut self) -> Vec<&mut dyn Part> {
        let tables = [
            Some(&mut self.word),
            self.position.as_mut(),
            self.token_type.as_mut(),
        ];
        let mut parts: Vec<&mut dyn Part> = Vec::new();
        parts.extend(
            tables
                .into_iter()
                .flatten()
                .map(|table| table as &mut dyn Part),
        );
        parts.extend(
            self.projection
                .iter_mut()
                .map(|linear| linear as &mut dyn Part),
        );
        parts.push(&mut self.norm);
        parts
    }
}
