//! Which solved examples go before each item.

use super::{
    form::{Layout, Sampler, Shots},
    source::{Row, Split},
};
use evalh_stats::random::PythonRandom;

/// Chooses as lm-eval's samplers do (`api/samplers.py`), for one item of a task after another.
pub struct Chooser<'c> {
    split: &'c Split,
    count: usize,
    sampler: Sampler,
    leaves_out_item: bool,
    random: PythonRandom,
}

impl<'c> Chooser<'c> {
    /// A chooser at the first item.
    pub fn new(
        split: &'c Split,
        shots: &Shots,
        layout: &Layout,
        count: usize,
        seed: u64,
    ) -> Chooser<'c> {
        Chooser {
            split,
            count,
            sampler: shots.sampler,
            leaves_out_item: shots.leaves_out_item(layout),
            random: PythonRandom::new(seed),
        }
    }

    /// The examples of the next item; `None` where there are too few.
    pub fn next(&mut self, item: &Row) -> Option<Vec<usize>> {
        if self.count == 0 {
            return Some(Vec::new());
        }
        match self.sampler {
            Sampler::First => self
                .others(item)
                .take(self.count)
                .map(Some)
                .collect::<Option<Vec<_>>>(),
            Sampler::Random => self.drawn(item),
        }
        .filter(|chosen| chosen.len() == self.count)
    }

    /// The most examples that every item can have.
    pub fn most(&self) -> usize {
        self.split
            .rows
            .len()
            .saturating_sub(usize::from(self.leaves_out_item))
    }

    fn drawn(&mut self, item: &Row) -> Option<Vec<usize>> {
        let rows = self.split.rows.len();
        if !self.leaves_out_item {
            return self.random.sample(rows, self.count);
        }
        let drawn = self.random.sample(rows, self.count.checked_add(1)?)?;
        let others = drawn
            .into_iter()
            .filter(|&place| self.is_other(place, item));
        let chosen: Vec<usize> = others.take(self.count).collect();
        if chosen.len() == self.count {
            return Some(chosen);
        }
        // several drawn rows equal the item
        let pool: Vec<usize> = self.others(item).collect();
        let drawn = self.random.sample(pool.len(), self.count)?;
        Some(drawn.into_iter().map(|place| pool[place]).collect())
    }

    fn others(&self, item: &Row) -> impl Iterator<Item = usize> {
        (0..self.split.rows.len())
            .filter(|&place| !self.leaves_out_item || self.is_other(place, item))
    }

    fn is_other(&self, place: usize, item: &Row) -> bool {
        !self.split.rows[place].fields.is_same_row(&item.fields)
    }
}
