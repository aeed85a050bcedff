//! How a pull tells what it does; the command line draws it.

use std::sync::atomic::{AtomicBool, Ordering};

/// Receives what a pull does, from the thread that pulls.
///
/// One task runs at a time: [`start`](Progress::start), any number of [`advance`](Progress::advance), then
/// [`finish`](Progress::finish). A task that has to begin again calls `start` again.
pub trait Progress: Send + Sync {
    /// A task begins; `total` is its number of bytes where that is known.
    fn start(&self, task: &str, total: Option<u64>);
    /// So many further bytes of the task are there.
    fn advance(&self, bytes: u64);
    /// The task is done.
    fn finish(&self);
    /// Something worth a line: a source that did not answer, a damaged file, a wait for another process.
    fn message(&self, text: &str);
}

/// Reports nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn start(&self, _task: &str, _total: Option<u64>) {}
    fn advance(&self, _bytes: u64) {}
    fn finish(&self) {}
    fn message(&self, _text: &str) {}
}

/// Passes everything on, and ends a task at most once, so that an error can end whatever task it came from.
pub(crate) struct Tracked<'a> {
    inner: &'a dyn Progress,
    running: AtomicBool,
}

impl<'a> Tracked<'a> {
    pub(crate) fn new(inner: &'a dyn Progress) -> Self {
        Self {
            inner,
            running: AtomicBool::new(false),
        }
    }
}

impl Progress for Tracked<'_> {
    fn start(&self, task: &str, total: Option<u64>) {
        self.running.store(true, Ordering::Relaxed);
        self.inner.start(task, total);
    }

    fn advance(&self, bytes: u64) {
        self.inner.advance(bytes);
    }

    fn finish(&self) {
        if self.running.swap(false, Ordering::Relaxed) {
            self.inner.finish();
        }
    }

    fn message(&self, text: &str) {
        self.inner.message(text);
    }
}
