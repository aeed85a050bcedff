//! What every engine can do.

use crate::{EngineError, EngineTimings, SharedTimings};
use evalh_adapter::{AdapterUpdate, ModelLayout};
use evalh_kernel::ComputeSet;
use evalh_model::{Footprint, LoraId};
use evalh_record::{Request, Response};
use std::ops::ControlFlow;

/// Something that answers requests for one variant of a model.
pub trait Engine {
    /// Answers every request; `sink` is called once per request as soon as its answer is there, in any order.
    ///
    /// Ends early, without error, when `sink` returns [`ControlFlow::Break`].
    ///
    /// # Errors
    /// When a request cannot be answered or the model fails. What `sink` has received by then stays valid.
    fn answer(
        &mut self,
        requests: &[Request],
        sink: &mut dyn FnMut(Response) -> ControlFlow<()>,
    ) -> Result<EngineTimings, EngineError>;
}

/// An engine over a model in this process, which answers as it is or with one of its adapters.
pub trait ModelEngine: Engine {
    /// What adapters can name.
    fn layout(&self) -> ModelLayout;

    /// The primitives that compute.
    fn kernel(&self) -> ComputeSet;

    /// What the model takes.
    fn footprint(&self) -> Footprint;

    /// Attaches an adapter beside the weights, which are held once for all variants.
    ///
    /// # Errors
    /// When an update fits no module of the model.
    fn attach(&mut self, update: &AdapterUpdate) -> Result<LoraId, EngineError>;

    /// Chooses what the next requests are answered for.
    ///
    /// # Errors
    /// When an update fits no module of the model, or the variant has no head to answer with; the engine then answers for
    /// the base.
    fn select(&mut self, variant: Variant<'_>) -> Result<(), EngineError>;

    /// Answers requests for several variants of the weights that were selected last, each as they are or with an attached
    /// adapter. Requests are prepared once for all. `sink` is called with a variant's place and its response as soon as
    /// that is there, in any order.
    ///
    /// A response is the same, bit for bit, as where its variant is asked alone.
    ///
    /// Ends early, without error, when `sink` returns [`ControlFlow::Break`].
    ///
    /// # Errors
    /// When a request cannot be answered or the model fails. What `sink` has received by then stays valid.
    fn answer_all(
        &mut self,
        requests: &[Request],
        variants: &[Beside<'_>],
        sink: &mut dyn FnMut(usize, Response) -> ControlFlow<()>,
    ) -> Result<SharedTimings, EngineError>;
}

/// A variant that is answered for beside others of the same weights.
#[derive(Debug, Clone, Copy)]
pub struct Beside<'a> {
    /// An adapter beside the weights, from [`ModelEngine::attach`]; `None` is the weights as they are.
    pub adapter: Option<LoraId>,
    /// Places of the requests that it is asked, ascending.
    pub requests: &'a [usize],
}

/// What a [`ModelEngine`] answers for.
#[derive(Debug, Clone, Copy)]
pub enum Variant<'a> {
    /// The checkpoint as it is.
    Base,
    /// An adapter merged into the weights, in place of any other.
    Merged(&'a AdapterUpdate),
    /// An adapter beside the weights, from [`ModelEngine::attach`].
    Attached(LoraId),
}
