//! `CPython`'s `random.Random` for a seed that is an integer.

use rand_mt::Mt;
use std::{collections::HashSet, ops::Range};

/// The generator of `CPython` 3.11's `random.Random(seed)`, bit for bit: MT19937 (Matsumoto and Nishimura 1998) seeded by
/// the array of the seed's 32-bit words, and the methods of `Lib/random.py` in their order of draws.
///
/// Populations are given by their size, and what is drawn are places in it, from 0.
#[derive(Debug, Clone)]
pub struct PythonRandom(Mt);

impl PythonRandom {
    /// `random.Random(seed)`. (`CPython` seeds with the absolute value, so a negative seed draws as its opposite.)
    pub fn new(seed: u64) -> Self {
        let words = [seed as u32, (seed >> 32) as u32];
        let used = if words[1] == 0 { 1 } else { 2 };
        PythonRandom(Mt::new_with_key(words[..used].iter().copied()))
    }

    /// `random()`: a multiple of 2^-53 from 0 up to 1, without 1.
    pub fn random(&mut self) -> f64 {
        let high = f64::from(self.0.next_u32() >> 5);
        let low = f64::from(self.0.next_u32() >> 6);
        (high * 67_108_864.0 + low) * (1.0 / 9_007_199_254_740_992.0)
    }

    /// `getrandbits(bits)`: `bits` random bits.
    ///
    /// # Panics
    ///
    /// Where `bits` is more than 64.
    pub fn getrandbits(&mut self, bits: u32) -> u64 {
        assert!(bits <= 64, "getrandbits gives at most 64 bits");
        let mut value = 0;
        for place in (0..bits).step_by(32) {
            let word = self.0.next_u32() >> (32 - (bits - place).min(32));
            value |= u64::from(word) << place;
        }
        value
    }

    /// `_randbelow(n)`: a number below `n`, by drawing again what is not; 0 for 0.
    fn below(&mut self, n: u64) -> u64 {
        if n == 0 {
            return 0;
        }
        let bits = u64::BITS - n.leading_zeros();
        loop {
            let value = self.getrandbits(bits);
            if value < n {
                return value;
            }
        }
    }

    fn place_below(&mut self, n: usize) -> usize {
        self.below(n as u64) as usize
    }

    /// `randrange(start, end)`. `None` where the range is empty.
    pub fn randrange(&mut self, range: Range<u64>) -> Option<u64> {
        (!range.is_empty()).then(|| range.start + self.below(range.end - range.start))
    }

    /// `sample(range(population), count)`: different places, in the order in which they were drawn. `None` where there
    /// are fewer than `count`.
    ///
    /// Like `CPython`, it draws from a pool that shrinks where a list of the population would be smaller than a set of
    /// `count`, and again until the place is new where not: the two use the generator differently.
    pub fn sample(&mut self, population: usize, count: usize) -> Option<Vec<usize>> {
        if count > population {
            return None;
        }
        if population <= set_size(count) {
            Some(self.sample_from_pool(population, count))
        } else {
            Some(self.sample_with_set(population, count))
        }
    }

    fn sample_from_pool(&mut self, population: usize, count: usize) -> Vec<usize> {
        let mut pool: Vec<usize> = (0..population).collect();
        (0..count)
            .map(|_| {
                let place = self.place_below(pool.len());
                pool.swap_remove(place)
            })
            .collect()
    }

    fn sample_with_set(&mut self, population: usize, count: usize) -> Vec<usize> {
        let mut selected = HashSet::with_capacity(count);
        (0..count)
            .map(|_| {
                loop {
                    let place = self.place_below(population);
                    if selected.insert(place) {
                        return place;
                    }
                }
            })
            .collect()
    }

    /// `choices(range(population), k=count)`: places that may repeat. `None` where something is to be drawn from nothing.
    pub fn choices(&mut self, population: usize, count: usize) -> Option<Vec<usize>> {
        if population == 0 && count > 0 {
            return None;
        }
        Some(
            (0..count)
                .map(|_| self.choice_by_float(population))
                .collect(),
        )
    }

    /// One draw of `choices`, which takes a float's floor where `randrange` takes bits.
    pub(crate) fn choice_by_float(&mut self, population: usize) -> usize {
        (self.random() * population as f64) as usize
    }

    /// `shuffle(values)`.
    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        for last in (1..values.len()).rev() {
            values.swap(last, self.place_below(last + 1));
        }
    }
}

/// The size of a set of `count` places in `CPython`'s reckoning: 21, and for more than 5 the least power of 4 that is at
/// least three times as many.
fn set_size(count: usize) -> usize {
    let mut size: usize = 21;
    if count > 5 {
        let mut table: usize = 1;
        while table < count.saturating_mul(3) {
            table = table.saturating_mul(4);
        }
        size = size.saturating_add(table);
    }
    size
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_drawn_from_too_few() {
        let mut random = PythonRandom::new(1);
        assert_eq!(random.sample(3, 4), None);
        assert_eq!(random.choices(0, 1), None);
        assert_eq!(random.randrange(5..5), None);
        assert_eq!(random.sample(0, 0), Some(Vec::new()));
        assert_eq!(random.choices(0, 0), Some(Vec::new()));
    }

    #[test]
    fn sets_have_the_sizes_of_powers_of_four() {
        let sizes: Vec<usize> = [0, 5, 6, 21, 22, 85, 86]
            .iter()
            .map(|&count| set_size(count))
            .collect();
        assert_eq!(sizes, [21, 21, 85, 85, 277, 277, 1045]);
        assert_eq!(set_size(usize::MAX), usize::MAX);
    }
}
