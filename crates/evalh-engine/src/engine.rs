//! What every engine can do.

use crate::{EngineError, EngineTimings};
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
