//! The texts of a suite, for people.

use crate::Task;
use evalh_record::{ItemText, RequestKind};

/// What is asked for each item and what is right, once an item, in the suite's order.
pub fn item_texts(task: &dyn Task) -> Vec<ItemText> {
    let requests = task.requests().into_iter();
    requests
        .filter_map(|request| {
            let slot = task.slot(request.index)?;
            (slot.sample == 0).then(|| ItemText {
                suite: task.suite().to_owned(),
                task: slot.task.to_owned(),
                item: slot.item.to_owned(),
                position: slot.position,
                prompt: request.prompt,
                choices: match request.kind {
                    RequestKind::LogLikelihood(asked) => asked.continuations,
                    RequestKind::Generate(_) | RequestKind::Loss(_) | RequestKind::Classify => {
                        Vec::new()
                    }
                },
                reference: task.reference(request.index),
            })
        })
        .collect()
}
