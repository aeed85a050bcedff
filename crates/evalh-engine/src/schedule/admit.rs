//! Who enters the batch: jobs in their order, each after the beginning that it shares.

use super::{
    Batch,
    active::Active,
    held::Beginning,
    plan::{Job, Task},
};
use crate::{Forward, SharedTimings, Text};

impl<'e, F: Forward, T: Text> Batch<'e, F, T> {
    /// Begins the job of this place, or the beginning that it shares; whether it was the job.
    pub(super) fn admit(
        &mut self,
        place: usize,
        jobs: &[Job<'e>],
        timings: &mut SharedTimings,
    ) -> bool {
        let job = &jobs[place];
        match self.held.beginning(place) {
            Beginning::Computing => false,
            Beginning::Ready(beginning) => {
                let read = beginning.map_or(0, |(_, held)| held);
                let cache_tokens = job.cache_tokens - read / self.block * self.block;
                let fits = self.fits_with_others(place, jobs, cache_tokens);
                if !fits || !self.reserve(cache_tokens) {
                    return false;
                }
                let session = &mut self.session;
                let open = |tokens| Self::begin(session, job.variant, beginning, tokens);
                let eos_ids = &self.vocabulary.eos_ids;
                let held = (read, cache_tokens);
                let row = Active::new(open, held, place, job, self.text, eos_ids);
                self.active.push(row.drafted_by(self.drafting.as_ref()));
                timings.share(job.variant, read);
                true
            }
            Beginning::Absent(node, parent) => {
                if parent.is_none() && self.waits(job, node) {
                    return false;
                }
                self.begin_prefix(job, node, parent);
                if self.together(job.unit) {
                    // Those of the other variants, which come next.
                    let others = jobs.iter().enumerate().skip(place + 1);
                    for (place, other) in others.take_while(|(_, other)| other.unit == job.unit) {
                        if let Beginning::Absent(node, parent) = self.held.beginning(place) {
                            self.begin_prefix(other, node, parent);
                        }
                    }
                }
                false
            }
        }
    }

    /// Whether the first of those that run beside each other, which takes so many cache tokens, is not the only one there is
    /// room for, or has nothing to wait for.
    fn fits_with_others(&self, place: usize, jobs: &[Job<'e>], cache_tokens: usize) -> bool {
        let unit = jobs[place].unit;
        let begun = |row: &Active<'_, F::Seq, T>| row.unit == unit;
        if self.active.is_empty() || !self.together(unit) || self.active.iter().any(begun) {
            return true;
        }
        let later = jobs[place + 1..].iter();
        let all = 1 + later.take_while(|job| job.unit == unit).count();
        // The others begin alike, so each takes as much.
        self.active.len() + all <= self.options.max_rows.get()
            && all * cache_tokens <= self.free_tokens
    }

    /// Whether a long beginning is left for later, so that the cache holds no two of them: what is in progress is done soon,
    /// and the beginning then fills passes by itself.
    fn waits(&self, job: &Job<'e>, node: usize) -> bool {
        let reads_only = |row: &Active<'_, F::Seq, T>| !row.generates() && row.unit != job.unit;
        !matches!(job.task, Task::Generate(_))
            && 2 * self.held.node(node).tokens.len() >= self.options.step_tokens.get()
            && self.active.iter().any(reads_only)
    }

    /// Begins a beginning of a job, which goes on from another one where there is one, if there is room.
    fn begin_prefix(&mut self, job: &Job<'e>, node: usize, parent: Option<(F::Seq, usize)>) {
        let cache_tokens = self.held.own_tokens(node);
        if self.reserve(cache_tokens) {
            let prefix = self.held.node(node);
            let tokens = prefix.tokens.len();
            let seq = Self::begin(&mut self.session, job.variant, parent, tokens);
            let read = parent.map_or(0, |(_, held)| held);
            let row = Active::prefix(seq, (read, cache_tokens), prefix, node, job);
            self.active.push(row);
            self.held.compute(node);
        }
    }

    /// Whether the variants' sequences of this number run beside each other.
    fn together(&self, unit: usize) -> bool {
        self.beside.together(unit, self.drafting.as_ref())
    }

    /// Gives up what is held for later jobs, for one that would fit into an empty cache.
    pub(super) fn make_room(&mut self, place: usize) {
        let mut freed = self.held.forget_all_but(place);
        if freed.is_empty() {
            freed = self.held.part(place);
        }
        assert!(!freed.is_empty(), "every job fits into an empty cache");
        for (seq, tokens) in freed {
            self.session.close(seq);
            self.free_tokens += tokens;
        }
    }

    /// A sequence for so many tokens, that goes on from another one's where there is one.
    fn begin(
        session: &mut F,
        variant: usize,
        from: Option<(F::Seq, usize)>,
        tokens: usize,
    ) -> F::Seq {
        match from {
            Some((seq, held)) => session.fork(seq, held),
            None => session.open(variant, tokens),
        }
    }

    /// Takes cache tokens for one more row, where there is room.
    fn reserve(&mut self, tokens: usize) -> bool {
        let room = self.active.len() < self.options.max_rows.get() && tokens <= self.free_tokens;
        if room {
            self.free_tokens -= tokens;
        }
        room
    }
}
