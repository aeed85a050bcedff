//! The forward pass, over ragged rows and a cache.

use crate::decoder::Decoder;
use crate::{LoraId, ModelError};
use burn::tensor::Tensor;
use evalh_kernel::{Activation, CacheError, KvCache, RopeTable, RowSpan, SeqId};
use std::collections::HashMap;
use std::ops::Range;

/// Tokens of all rows are computed at most so many at a time, which bounds the memory of activations.
const MOST_TOKENS: usize = 2048;

/// A cache of sequences over a decoder.
///
/// On the CPU a row's logits have the same bits whatever the other rows are, however its tokens are split over calls
/// and however many threads compute.
#[derive(Debug)]
pub struct Session<'m> {
    model: &'m Decoder,
    cache: KvCache,
    rope: RopeTable,
    adapters: HashMap<SeqId, LoraId>,
}

/// The next tokens of one sequence.
#[derive(Debug, Clone)]
pub struct Row<'a> {
    /// The sequence. It stands in at most one row of a call.
    pub seq: SeqId,
    /// Its next tokens, appended to the cache.
    pub tokens: &'a [u32],
    /// The places within `tokens` whose logits are wanted.
    pub logits: Range<usize>,
}

/// Logits, `[asked places, vocabulary]`: rows in order, and places of a row in order.
#[derive(Debug, Clone, Default)]
pub struct Logits {
    values: Vec<f32>,
    vocab_size: usize,
}

impl Logits {
    /// Number of places.
    pub fn len(&self) -> usize {
        self.values.len().checked_div(self.vocab_size).unwrap_or(0)
    }

    /// Whether none was asked for.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The logits of the `index`th asked place, one value a vocabulary entry.
    ///
    /// # Panics
    /// When there are not so many.
    pub fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.vocab_size..(index + 1) * self.vocab_size]
    }
}

impl<'m> Session<'m> {
    pub(crate) fn new(model: &'m Decoder, capacity_tokens: usize) -> Result<Self, ModelError> {
        let cache = model
            .compute
            .cache(model.cache_shape(), capacity_tokens)
            .map_err(cache_error)?;
        let rope = model.config.rope.table(model.config.head_dim);
        Ok(Self {
            model,
            cache,
            rope,
            adapters: HashMap::new(),
        })
    }

    /// Opens an empty sequence, answered by the base (or merged) weights or with an attached adapter.
    pub fn open(&mut self, adapter: Option<LoraId>) -> SeqId {
        let seq = self.cache.open();
        if let Some(adapter) = adapter {
            self.adapters.insert(seq, adapter);
        }
        seq
    }

    /// Forgets a sequence and frees its room.
    ///
    /// # Panics
    /// When it is not open.
    pub fn close(&mut self, seq: SeqId) {
        self.adapters.remove(&seq);
        self.cache.close(seq);
    }

    /// Forgets all but the first `len` tokens of a sequence.
    pub fn truncate(&mut self, seq: SeqId, len: usize) {
        self.cache.truncate(seq, len);
    }

    /// Tokens held of a sequence.
    pub fn len(&self, seq: SeqId) -> usize {
        self.cache.len(seq)
    }

    /// Whether nothing is held of a sequence.
    pub fn is_empty(&self, seq: SeqId) -> bool {
        self.cache.is_empty(seq)
    }

    /// Tokens that certainly fit into one more sequence.
    pub fn free_tokens(&self) -> usize {
        self.cache.free_tokens()
    }

    /// Appends tokens to sequences and computes the logits asked for.
    ///
    /// # Errors
    /// When a token is unknown, a sequence too long or the cache full. Sequences may then hold some of the tokens.
    ///
    /// # Panics
    /// When a sequence is not open or a range of logits lies outside its tokens.
    pub fn forward(&mut self, rows: &[Row<'_>]) -> Result<Logits, ModelError> {
        let vocab_size = self.model.config.vocab_size;
        self.check(rows)?;
        let mut logits = Logits {
            values: Vec::new(),
            vocab_size,
        };
        let mut part = Vec::new();
        let mut tokens = 0;
        for row in rows {
            let mut first = 0;
            while first < row.tokens.len() {
                let count = (row.tokens.len() - first).min(MOST_TOKENS - tokens);
                let wanted = row.logits.start.clamp(first, first + count)
                    ..row.logits.end.clamp(first, first + count);
                part.push(Row {
                    seq: row.seq,
                    tokens: &row.tokens[first..first + count],
                    logits: wanted.start - first..wanted.end - first,
                });
                first += count;
                tokens += count;
                if tokens == MOST_TOKENS {
                    logits.values.extend(self.compute(&part)?);
                    part.clear();
                    tokens = 0;
                }
            }
        }
        if !part.is_empty() {
            let values = self.compute(&part)?;
            if logits.values.is_empty() {
                logits.values = values;
            } else {
                logits.values.extend(values);
            }
        }
        Ok(logits)
    }

    fn check(&self, rows: &[Row<'_>]) -> Result<(), ModelError> {
        let config = &self.model.config;
        for row in rows {
            assert!(
                row.logits.end <= row.tokens.len(),
                "logits of tokens that are not in the row"
            );
            if let Some(id) = row
                .tokens
                .iter()
                .find(|id| **id as usize >= config.vocab_size)
            {
                return Err(ModelError::UnknownToken {
                    id: *id,
                    vocab_size: config.vocab_size,
                });
            }
            let tokens = self.len(row.seq) + row.tokens.len();
            if tokens > config.max_positions {
                return Err(ModelError::TooLong {
                    tokens,
                    max_positions: config.max_positions,
                });
            }
        }
        Ok(())
    }

    /// One pass over at most [`MOST_TOKENS`] tokens: the logits asked for, row-major.
    fn compute(&mut self, rows: &[Row<'_>]) -> Result<Vec<f32>, ModelError> {
        let (model, compute) = (self.model, &self.model.compute);
        let eps = model.config.norm_eps;
        let (mut spans, mut adapted, mut wanted) = (Vec::new(), Vec::new(), Vec::new());
        let mut ids = Vec::new();
        for row in rows {
            self.cache
                .extend(row.seq, row.tokens.len())
                .map_err(cache_error)?;
            self.rope.reserve(self.cache.len(row.seq));
            let tokens = ids.len()..ids.len() + row.tokens.len();
            wanted.extend(row.logits.clone().map(|place| tokens.start + place));
            extend_adapted(
                &mut adapted,
                tokens.clone(),
                self.adapters.get(&row.seq).copied(),
            );
            spans.push(RowSpan {
                seq: row.seq,
                tokens,
            });
            ids.extend_from_slice(row.tokens);
        }
        let mut angles =
            evalh_kernel::Angles::new(self.rope.pairs(), evalh_kernel::Pairing::Halves);
        for span in &spans {
            let len = self.cache.len(span.seq);
            for position in len - span.tokens.len()..len {
                angles.push(&self.rope, position);
            }
        }
        let rotations = compute.rotations(angles);
        let mut x = compute.embed(&ids, model.embedding());
        // What the last linear gave; the next norm adds it to the stream.
        let mut pending: Option<Tensor<2>> = None;
        for (index, layer) in model.layers.iter().enumerate() {
            let (stream, h) = compute.rms_norm(x, pending.take(), &layer.attention_norm, eps);
            let qkv = layer.qkv.forward(compute, &h, &adapted);
            let attended = compute.attend(
                qkv,
                model.attention_shape(),
                &rotations,
                &mut self.cache,
                index,
                &spans,
            );
            let out = layer.attention_output.forward(compute, &attended, &adapted);
            let (stream, h) = compute.rms_norm(stream, Some(out), &layer.mlp_norm, eps);
            let gated = compute.gate(
                layer.gate_up.forward(compute, &h, &adapted),
                Activation::Silu,
            );
            pending = Some(layer.down.forward(compute, &gated, &adapted));
            x = stream;
        }
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let x = compute.select_rows(x, &wanted);
        let pending = pending.map(|pending| compute.select_rows(pending, &wanted));
        let (_, h) = compute.rms_norm(x, pending, &model.final_norm, eps);
        let logits = match model.head() {
            None => compute.linear(&h, model.embedding(), None),
            Some(head) => {
                let adapted = adapted_places(&adapted, &wanted);
                head.forward(compute, &h, &adapted)
            }
        };
        Ok(compute.to_host(logits))
    }
}

/// Adds a row's tokens to the runs of tokens that share an adapter.
fn extend_adapted(
    runs: &mut Vec<(Range<usize>, LoraId)>,
    tokens: Range<usize>,
    adapter: Option<LoraId>,
) {
    let Some(adapter) = adapter else { return };
    match runs.last_mut() {
        Some((run, last)) if *last == adapter && run.end == tokens.start => run.end = tokens.end,
        _ => runs.push((tokens, adapter)),
    }
}

/// The runs again, for the selected places only.
fn adapted_places(
    runs: &[(Range<usize>, LoraId)],
    places: &[usize],
) -> Vec<(Range<usize>, LoraId)> {
    let mut selected = Vec::new();
    for (index, place) in places.iter().enumerate() {
        let adapter = runs
            .iter()
            .find(|(run, _)| run.contains(place))
            .map(|(_, adapter)| *adapter);
        extend_adapted(&mut selected, index..index + 1, adapter);
    }
    selected
}

fn cache_error(error: CacheError) -> ModelError {
    match error {
        CacheError::OutOfMemory { bytes } => ModelError::OutOfMemory { bytes },
        CacheError::Full { tokens, free } => ModelError::CacheFull { tokens, free },
    }
}
