//! Answers flow from the engine through scoring into the record, while the engine goes on.

use super::book::{Book, Judged};
use crate::failure::{Failure, Outcome};
use evalh_engine::{Beside, EngineError, ModelEngine};
use evalh_record::{Request, Response};
use evalh_task::Task;
use std::{
    ops::ControlFlow,
    sync::{Mutex, PoisonError, mpsc},
    thread,
};

/// Scores the answer of the variant of this place: the slow part, a program in the sandbox, runs on the threads of
/// [`answer`].
pub type Judge<'j> = dyn Fn(usize, Response) -> Outcome<Judged> + Sync + 'j;

/// Has every request answered by the variants that it is for, scored by `judge` on `threads` threads beside the engine,
/// and recorded in the order in which verdicts arrive. Ends early when `stop` says so or recording fails; what was
/// answered by then is recorded.
///
/// # Errors
/// When the engine fails. Failures of recording are kept by the book.
pub fn answer(
    engine: &mut dyn ModelEngine,
    requests: &[Request],
    variants: &[Beside<'_>],
    judge: &Judge<'_>,
    book: &Book,
    threads: usize,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<(), EngineError> {
    let (send, receive) = mpsc::channel::<(usize, Response)>();
    let receive = Mutex::new(receive);
    let next = || {
        receive
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv()
    };
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Ok((variant, response)) = next() {
                    book.record(judge(variant, response));
                }
            });
        }
        let timings = engine.answer_all(requests, variants, &mut |variant, response| {
            // A closed channel means that every judge is gone, which only a panic of theirs does.
            let sent = send.send((variant, response)).is_ok();
            if !sent || stop() || book.failed() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        drop(send);
        book.engine(&timings?);
        Ok(())
    })
}

/// An engine's failure, with the item it is about and how to go on.
pub fn engine_failure(error: &EngineError, task: Option<&dyn Task>, resume: &str) -> Failure {
    let (request, help) = match error {
        EngineError::TooLarge { request, .. } => (
            Some(*request),
            format!("every other answer is kept; go on with more: `{resume} --memory SIZE`"),
        ),
        EngineError::Cache { .. } => (
            None,
            format!(
                "every finished answer is kept; go on with less at once: `{resume} --batch 1 --memory SIZE`"
            ),
        ),
        EngineError::Request { request, .. } => (Some(*request), kept(resume)),
        _ => (None, kept(resume)),
    };
    let failure = Failure::of(error).help(help);
    match request.and_then(|index| task?.slot(index)) {
        Some(slot) => failure.cause(format!(
            "that request is item `{}`, sample {}",
            slot.item, slot.sample
        )),
        None => failure,
    }
}

fn kept(resume: &str) -> String {
    format!("every finished answer is kept; once the cause is gone, go on with `{resume}`")
}
