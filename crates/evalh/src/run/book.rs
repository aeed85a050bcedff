//! The run folder as several threads write to it, with what the session costs.

use crate::{
    failure::{Failure, Outcome, of_record},
    usage::{PeakMemory, cpu_seconds},
};
use evalh_engine::SharedTimings;
use evalh_record::{Answer, Held, RunFolder, Sample, Sitting, Timings};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// `timings.json` is renewed no more often than this, so that a kill costs little of it and writing it costs little.
const RENEWAL: Duration = Duration::from_secs(5);

/// A scored answer and what its program took.
pub struct Judged {
    /// The sample to be recorded.
    pub sample: Sample,
    /// Seconds in the sandbox, where a program ran.
    pub program_seconds: Option<f64>,
}

/// The run folder as several threads write to it.
pub struct Book {
    pages: Mutex<Pages>,
}

struct Pages {
    folder: RunFolder,
    session: Timings,
    current: Option<Current>,
    renewed: Instant,
    failure: Option<Failure>,
}

/// The variants at work.
struct Current {
    names: Vec<String>,
    began: Instant,
    cpu: f64,
    peak: PeakMemory,
}

impl Book {
    /// Opens the book of this session.
    pub fn new(folder: RunFolder, session: Timings) -> Book {
        Book {
            pages: Mutex::new(Pages {
                folder,
                session,
                current: None,
                renewed: Instant::now(),
                failure: None,
            }),
        }
    }

    /// Begins these variants, which are answered beside each other.
    pub fn begin(&self, variants: &[String]) {
        let mut pages = self.pages();
        pages.session.sitting(variants);
        pages.current = Some(Current {
            names: variants.to_vec(),
            began: Instant::now(),
            cpu: cpu_seconds(),
            peak: PeakMemory::begin(),
        });
    }

    /// The variants at work have been switched to, which took so long, and take so much.
    pub fn loaded(&self, seconds: f64, held: Option<Held>) {
        self.pages().with_sitting(|sitting| {
            sitting.load_seconds += seconds;
            sitting.held = held;
        });
    }

    /// Records an answer. The first failure is kept for [`Book::end`]; after it nothing new should be begun.
    pub fn record(&self, judged: Outcome<Judged>) {
        let mut pages = self.pages();
        if let Err(failure) = judged.and_then(|judged| pages.record(&judged)) {
            pages.failure.get_or_insert(failure);
        }
    }

    /// Whether something failed, or soon will for want of space.
    pub fn failed(&self) -> bool {
        let pages = self.pages();
        pages.failure.is_some() || pages.folder.disk_full()
    }

    /// Adds what the engine measured of the variants at work.
    pub fn engine(&self, timings: &SharedTimings) {
        self.pages().with_sitting(|sitting| {
            for (variant, timings) in sitting.variants.iter_mut().zip(&timings.variants) {
                variant.prefill_tokens += timings.prefill_tokens as u64;
                variant.shared_tokens += timings.shared_tokens as u64;
                variant.beside_tokens += timings.beside_tokens as u64;
                variant.prefill_seconds += timings.prefill_seconds;
                variant.decode_tokens += timings.decode_tokens as u64;
                variant.decode_seconds += timings.decode_seconds;
                variant.drafted_tokens += timings.drafted_tokens as u64;
                variant.accepted_tokens += timings.accepted_tokens as u64;
            }
        });
    }

    /// Ends the variants at work.
    ///
    /// # Errors
    /// The first failure of recording.
    pub fn end(&self) -> Outcome<()> {
        let mut pages = self.pages();
        let measured = pages.measure();
        pages.current = None;
        pages.failure.take().map_or(Ok(()), Err)?;
        if pages.folder.disk_full() {
            let dir = pages.folder.dir().to_owned();
            return Err(of_record(
                "record the run",
                &evalh_record::RecordError::DiskFull { dir },
            ));
        }
        measured
    }

    /// The folder and the sums over all sessions, once all variants have ended.
    ///
    /// # Errors
    /// When the timings cannot be written.
    pub fn close(self) -> Outcome<(RunFolder, Timings)> {
        let pages = self
            .pages
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let timings = pages
            .folder
            .write_timings(&pages.session)
            .map_err(|error| of_record("record the run", &error))?;
        Ok((pages.folder, timings))
    }

    /// Calls with the folder.
    pub fn folder<T>(&self, look: impl FnOnce(&RunFolder) -> T) -> T {
        look(&self.pages().folder)
    }

    /// A thread that panicked has written whole lines or nothing, so the pages are good.
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    fn record(&mut self, judged: &Judged) -> Outcome<()> {
        self.folder
            .append(&judged.sample)
            .map_err(|error| of_record("record an answer", &error))?;
        let tokens = match &judged.sample.answer {
            Answer::Generated(generation) => generation.tokens,
            Answer::Scored(_) | Answer::Loss(_) | Answer::Classified(_) => 0,
        };
        self.with_sitting(|sitting| {
            let mut variants = sitting.variants.iter_mut();
            let Some(variant) = variants.find(|of| of.variant == judged.sample.variant) else {
                return;
            };
            variant.kept_tokens += tokens as u64;
            if let Some(seconds) = judged.program_seconds {
                variant.programs += 1;
                variant.program_seconds += seconds;
            }
        });
        if self.renewed.elapsed() < RENEWAL {
            return Ok(());
        }
        self.renewed = Instant::now();
        self.measure()
    }

    /// Takes the clocks up to now into the sums and writes them.
    fn measure(&mut self) -> Outcome<()> {
        if let Some(current) = &mut self.current {
            let (now, cpu) = (Instant::now(), cpu_seconds());
            let sitting = self.session.sitting(&current.names);
            sitting.wall_seconds += (now - current.began).as_secs_f64();
            sitting.cpu_seconds += cpu - current.cpu;
            sitting.peak_memory_bytes = sitting.peak_memory_bytes.max(current.peak.bytes());
            (current.began, current.cpu) = (now, cpu);
        }
        let written = self.folder.write_timings(&self.session);
        written
            .map(drop)
            .map_err(|error| of_record("record the run", &error))
    }

    fn with_sitting(&mut self, change: impl FnOnce(&mut Sitting)) {
        if let Some(current) = &self.current {
            change(self.session.sitting(&current.names));
        }
    }
}
