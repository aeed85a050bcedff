//! Something that takes a while.

use super::Console;
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Plain lines come no more often than this.
const PAUSE: Duration = Duration::from_secs(10);

/// Something that takes a while: a bar on a terminal, now and then a line elsewhere, nothing when quiet.
pub struct Task<'c> {
    console: &'c Console,
    name: String,
    unit: Unit,
    shown: Shown,
}

enum Shown {
    Bar(ProgressBar),
    Lines(Lines),
}

struct Lines {
    total: Option<u64>,
    done: AtomicU64,
    started: Instant,
    said: Mutex<Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Items,
    Bytes,
}

impl<'c> Task<'c> {
    /// A task of so many items.
    pub fn items(console: &'c Console, name: &str, total: u64) -> Task<'c> {
        let bar = "{prefix} [{bar:30}] {pos}/{len} {elapsed} eta {eta}";
        Task::new(console, name, Some(total), Unit::Items, bar)
    }

    /// A task of so many bytes, or of an unknown number.
    pub fn bytes(console: &'c Console, name: &str, total: Option<u64>) -> Task<'c> {
        let bar = match total {
            Some(_) => "{prefix} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} eta {eta}",
            None => "{prefix} {spinner} {bytes} {bytes_per_sec}",
        };
        Task::new(console, name, total, Unit::Bytes, bar)
    }

    /// A task whose end cannot be told.
    pub fn unknown(console: &'c Console, name: &str) -> Task<'c> {
        Task::new(
            console,
            name,
            None,
            Unit::Items,
            "{prefix} {spinner} {elapsed}",
        )
    }

    fn new(
        console: &'c Console,
        name: &str,
        total: Option<u64>,
        unit: Unit,
        template: &str,
    ) -> Task<'c> {
        let shown = if let Some(bars) = console.bars() {
            let bar = bars.add(total.map_or_else(ProgressBar::new_spinner, ProgressBar::new));
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.set_prefix(name.to_owned());
            bar.enable_steady_tick(Duration::from_millis(200));
            Shown::Bar(bar)
        } else {
            console.say(name);
            let now = Instant::now();
            Shown::Lines(Lines {
                total,
                done: AtomicU64::new(0),
                started: now,
                said: Mutex::new(now),
            })
        };
        Task {
            console,
            name: name.to_owned(),
            unit,
            shown,
        }
    }

    /// So much more is done.
    pub fn advance(&self, by: u64) {
        match &self.shown {
            Shown::Bar(bar) => bar.inc(by),
            Shown::Lines(lines) => {
                let done = lines.done.fetch_add(by, Ordering::Relaxed) + by;
                let mut said = lines.said.lock().unwrap_or_else(PoisonError::into_inner);
                if said.elapsed() >= PAUSE && lines.total != Some(done) {
                    *said = Instant::now();
                    self.console.say(format_args!(
                        "{}: {}",
                        self.name,
                        self.amount(done, lines.total)
                    ));
                }
            }
        }
    }

    /// The task is done; its bar goes away.
    pub fn finish(self) {
        match &self.shown {
            Shown::Bar(bar) => bar.finish_and_clear(),
            Shown::Lines(lines) => {
                let done = lines.done.load(Ordering::Relaxed);
                let amount = if done > 0 {
                    format!(" {},", self.amount(done, lines.total))
                } else {
                    String::new()
                };
                let seconds = lines.started.elapsed().as_secs_f64();
                self.console.say(format_args!(
                    "{}:{amount} done in {seconds:.1} s",
                    self.name
                ));
            }
        }
    }

    fn amount(&self, done: u64, total: Option<u64>) -> String {
        let shown = |count: u64| match self.unit {
            Unit::Items => count.to_string(),
            Unit::Bytes => format!("{:.1} MB", count as f64 / 1e6),
        };
        total.map_or_else(
            || shown(done),
            |total| format!("{} of {}", shown(done), shown(total)),
        )
    }
}
