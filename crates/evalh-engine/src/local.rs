//! The engine over a model in this process.

use crate::{
    Beside, BoxError, Costs, Engine, EngineError, EngineOptions, EngineTimings, Forward, LogitRows,
    Model, ModelEngine, Row, SharedTimings, SpecialTokens, Text, TextStream, Variant, Vocabulary,
    serve, serve_all,
};
use evalh_adapter::{AdapterUpdate, ModelLayout};
use evalh_checkpoint::{ChatTemplate, GenerationSettings, TextTokenizer, TokenStream};
use evalh_kernel::ComputeSet;
use evalh_model::{Decoder, DecoderConfig, Footprint, Logits, LoraId, SeqId, Session};
use evalh_record::{Message, Request, Response};
use std::ops::ControlFlow;

/// Answers for a checkpoint held in this process, as it is or with one of its adapters.
#[derive(Debug)]
pub struct LocalEngine {
    decoder: Decoder,
    text: LocalText,
    vocabulary: Vocabulary,
    options: EngineOptions,
    attached: Option<LoraId>,
}

impl LocalEngine {
    /// An engine for the base; the parts come from one checkpoint.
    ///
    /// An empty prompt begins with the checkpoint's beginning-of-sequence token, or its (first) end-of-sequence token
    /// where it names none. The positions are the model's own.
    ///
    /// # Errors
    /// When the tokenizer has ids the model has no row for.
    pub fn new(
        decoder: Decoder,
        tokenizer: TextTokenizer,
        template: Option<ChatTemplate>,
        generation: &GenerationSettings,
        options: EngineOptions,
    ) -> Result<Self, EngineError> {
        let vocabulary = vocabulary(decoder.config(), &tokenizer, generation)?;
        Ok(Self {
            decoder,
            text: LocalText {
                tokenizer,
                template,
            },
            vocabulary,
            options,
            attached: None,
        })
    }

    /// The model, for what can be asked of it: modules, sizes, kernel.
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }
}

impl ModelEngine for LocalEngine {
    fn layout(&self) -> ModelLayout {
        self.decoder.layout()
    }

    fn kernel(&self) -> ComputeSet {
        self.decoder.kernel()
    }

    fn footprint(&self) -> Footprint {
        self.decoder.footprint()
    }

    fn attach(&mut self, update: &AdapterUpdate) -> Result<LoraId, EngineError> {
        self.decoder
            .attach(update)
            .map_err(|error| EngineError::Variant(error.into()))
    }

    fn select(&mut self, variant: Variant<'_>) -> Result<(), EngineError> {
        self.attached = None;
        match variant {
            Variant::Base => self.decoder.restore(),
            Variant::Merged(update) => {
                self.decoder
                    .merge(update)
                    .map_err(|error| EngineError::Variant(error.into()))?;
            }
            Variant::Attached(adapter) => {
                self.decoder.restore();
                self.attached = Some(adapter);
            }
        }
        Ok(())
    }

    fn answer_all(
        &mut self,
        requests: &[Request],
        variants: &[Beside<'_>],
        sink: &mut dyn FnMut(usize, Response) -> ControlFlow<()>,
    ) -> Result<SharedTimings, EngineError> {
        let adapters: Vec<_> = variants.iter().map(|of| of.adapter).collect();
        let asked: Vec<_> = variants.iter().map(|of| of.requests).collect();
        let model = LocalModel {
            decoder: &self.decoder,
            adapters: &adapters,
        };
        let (text, vocabulary) = (&self.text, &self.vocabulary);
        serve_all(
            &model,
            text,
            vocabulary,
            &self.options,
            requests,
            &asked,
            sink,
        )
    }
}

impl Engine for LocalEngine {
    fn answer(
        &mut self,
        requests: &[Request],
        sink: &mut dyn FnMut(Response) -> ControlFlow<()>,
    ) -> Result<EngineTimings, EngineError> {
        let model = LocalModel {
            decoder: &self.decoder,
            adapters: &[self.attached],
        };
        serve(
            &model,
            &self.text,
            &self.vocabulary,
            &self.options,
            requests,
            sink,
        )
    }
}

/// What the engine must know of a decoder's tokens.
pub(crate) fn vocabulary(
    config: &DecoderConfig,
    tokenizer: &TextTokenizer,
    generation: &GenerationSettings,
) -> Result<Vocabulary, EngineError> {
    let vocabulary = Vocabulary {
        size: config.vocab_size,
        eos_ids: generation.eos_ids.clone(),
        prefix_token: generation.bos_id.or(generation.eos_ids.first().copied()),
        max_positions: config.max_positions,
    };
    if tokenizer.vocab_size() > vocabulary.size {
        return Err(EngineError::Vocabulary {
            tokens: tokenizer.vocab_size(),
            vocabulary: vocabulary.size,
        });
    }
    Ok(vocabulary)
}

/// A decoder and the adapter of each variant.
struct LocalModel<'d> {
    decoder: &'d Decoder,
    adapters: &'d [Option<LoraId>],
}

struct LocalSession<'m> {
    session: Session<'m>,
    adapters: &'m [Option<LoraId>],
}

impl Model for LocalModel<'_> {
    type Session<'m>
        = LocalSession<'m>
    where
        Self: 'm;

    fn costs(&self) -> Costs {
        let footprint = self.decoder.footprint();
        Costs {
            parameters: footprint.parameters,
            weight_bytes: footprint.bytes,
            token_bytes: self.decoder.kv_bytes_per_token(),
        }
    }

    fn shared_layers(&self, one: usize, other: usize) -> usize {
        self.decoder
            .shared_layers(self.adapters[one], self.adapters[other])
    }

    fn block_tokens(&self) -> usize {
        // a cache for one token is one block; where even that can't be had, `session` will say so
        self.decoder
            .session(1)
            .map_or(1, |session| session.free_tokens())
    }

    fn session(&self, capacity_tokens: usize) -> Result<LocalSession<'_>, BoxError> {
        Ok(LocalSession {
            session: self.decoder.session(capacity_tokens)?,
            adapters: self.adapters,
        })
    }
}

impl Forward for LocalSession<'_> {
    type Seq = SeqId;
    type Logits = Logits;

    fn open(&mut self, variant: usize, tokens: usize) -> SeqId {
        let seq = self.session.open(self.adapters[variant]);
        self.session.expect(seq, tokens);
        seq
    }

    fn close(&mut self, seq: SeqId) {
        self.session.close(seq);
    }

    fn shares(&self) -> bool {
        !self.session.depends_on_length()
    }

    fn fork(&mut self, seq: SeqId, len: usize) -> SeqId {
        self.session.fork(seq, len)
    }

    fn rewind(&mut self, seq: SeqId, len: usize) -> bool {
        // What is held of a longer sequence is not what a shorter one would hold.
        let can = !self.session.depends_on_length();
        if can {
            self.session.truncate(seq, len);
        }
        can
    }

    fn forward(&mut self, rows: &[Row<'_, SeqId>]) -> Result<Logits, BoxError> {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| evalh_model::Row {
                seq: row.seq,
                tokens: row.tokens,
                logits: row.logits.clone(),
                twin: row.twin,
            })
            .collect();
        Ok(self.session.forward(&rows)?)
    }
}

impl LogitRows for Logits {
    fn row(&self, i: usize) -> &[f32] {
        Logits::row(self, i)
    }
}

/// A checkpoint's tokenizer and chat template.
#[derive(Debug)]
pub(crate) struct LocalText {
    pub(crate) tokenizer: TextTokenizer,
    pub(crate) template: Option<ChatTemplate>,
}

impl Text for LocalText {
    type Stream<'t> = TokenStream<'t>;

    fn encode(&self, text: &str, special: SpecialTokens) -> Result<Vec<u32>, BoxError> {
        let special = match special {
            SpecialTokens::AsPostProcessor => evalh_checkpoint::SpecialTokens::AsPostProcessor,
            SpecialTokens::None => evalh_checkpoint::SpecialTokens::None,
        };
        Ok(self.tokenizer.encode(text, special)?)
    }

    fn decode(&self, ids: &[u32]) -> Result<String, BoxError> {
        Ok(self.tokenizer.decode(ids)?)
    }

    fn stream(&self) -> TokenStream<'_> {
        self.tokenizer.stream()
    }

    fn token_id(&self, token: &str) -> Option<u32> {
        self.tokenizer.token_id(token)
    }

    fn render(&self, messages: &[Message]) -> Result<Option<String>, BoxError> {
        let template = self.template.as_ref();
        Ok(template
            .map(|template| template.render(messages, true))
            .transpose()?)
    }
}

impl TextStream for TokenStream<'_> {
    fn push(&mut self, id: u32, text: &mut String) -> Result<(), BoxError> {
        text.push_str(TokenStream::push(self, id));
        Ok(())
    }
}
