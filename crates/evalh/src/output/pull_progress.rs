//! Downloads on the console.

use super::{Console, Task};
use evalh_artifact::Progress;
use std::sync::{Mutex, PoisonError};

/// Shows what a pull does.
pub struct PullProgress<'c> {
    console: &'c Console,
    task: Mutex<Option<Task<'c>>>,
}

impl<'c> PullProgress<'c> {
    /// Shows on this console.
    pub fn new(console: &'c Console) -> PullProgress<'c> {
        PullProgress {
            console,
            task: Mutex::new(None),
        }
    }

    fn replace(&self, task: Option<Task<'c>>) {
        let earlier = std::mem::replace(
            &mut *self.task.lock().unwrap_or_else(PoisonError::into_inner),
            task,
        );
        if let Some(earlier) = earlier {
            earlier.finish();
        }
    }
}

impl Progress for PullProgress<'_> {
    fn start(&self, task: &str, total: Option<u64>) {
        self.replace(None);
        self.replace(Some(Task::bytes(self.console, task, total)));
    }

    fn advance(&self, bytes: u64) {
        if let Some(task) = &*self.task.lock().unwrap_or_else(PoisonError::into_inner) {
            task.advance(bytes);
        }
    }

    fn finish(&self) {
        self.replace(None);
    }

    fn message(&self, text: &str) {
        self.console.say(text);
    }
}
