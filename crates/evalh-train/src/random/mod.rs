//! Random numbers by what they are for, the same on every machine and whatever else was drawn.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};
use sha2::{Digest as _, Sha256};

/// Uniform draws of `ChaCha8` whose key is the SHA-256 of a purpose, a seed and what else tells it from others.
pub(crate) struct Draws(ChaCha8Rng);

impl Draws {
    /// The draws of a purpose. Each part of `of` is hashed with its length, so no two lists of parts share a key.
    pub(crate) fn new(purpose: &str, seed: u64, of: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in [purpose.as_bytes(), &seed.to_le_bytes()].iter().chain(of) {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(ChaCha8Rng::from_seed(hasher.finalize().into()))
    }

    /// Goes to the `index`-th 32-bit number of the sequence.
    pub(crate) fn go_to(&mut self, index: u64) {
        self.0.set_word_pos(u128::from(index));
    }

    /// The next 32-bit number.
    pub(crate) fn word(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// A number below `n`, which is not 0, each with the same probability (Lemire 2019).
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        loop {
            let product = u64::from(self.word()) * u64::from(n);
            let low = product as u32;
            // Of the 2^32 words, 2^32 mod n are too many; they are among the low halves below n.
            if low >= n || low >= n.wrapping_neg() % n {
                return (product >> 32) as u32;
            }
        }
    }

    /// A multiple of 2^-24 from 0 up to 1, without 1: every one is an f32.
    pub(crate) fn share(&mut self) -> f32 {
        (self.word() >> 8) as f32 * (1.0 / 16_777_216.0)
    }

    /// The numbers below `n` in a random order, every order equally likely (Fisher and Yates).
    pub(crate) fn permutation(&mut self, n: u32) -> Vec<u32> {
        let mut order: Vec<u32> = (0..n).collect();
        for last in (1..n).rev() {
            let chosen = self.below(last + 1);
            order.swap(last as usize, chosen as usize);
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_holds_every_part_apart() {
        let first = |purpose: &str, seed, of: &[&[u8]]| Draws::new(purpose, seed, of).word();
        let draw = first("order", 1, &[b"ab", b"c"]);
        assert_eq!(draw, first("order", 1, &[b"ab", b"c"]));
        for other in [
            first("order", 2, &[b"ab", b"c"]),
            first("orde", 1, &[b"ab", b"c"]),
            first("order", 1, &[b"a", b"bc"]),
            first("order", 1, &[b"abc"]),
        ] {
            assert_ne!(draw, other);
        }
    }

    #[test]
    fn any_place_of_the_sequence_can_be_gone_to() {
        let mut draws = Draws::new("test", 3, &[]);
        let words: Vec<u32> = (0..200).map(|_| draws.word()).collect();
        for index in [0, 1, 15, 16, 17, 64, 199] {
            draws.go_to(index);
            assert_eq!(draws.word(), words[index as usize]);
        }
    }

    #[test]
    fn every_order_is_as_likely() {
        let mut draws = Draws::new("test", 4, &[]);
        let mut seen = std::collections::BTreeMap::new();
        let times = 24_000;
        for _ in 0..times {
            *seen.entry(draws.permutation(4)).or_insert(0_u32) += 1;
        }
        assert_eq!(seen.len(), 24);
        let chi_squared: f64 = seen
            .values()
            .map(|&count| (f64::from(count) - 1000.0).powi(2) / 1000.0)
            .sum();
        // 23 degrees of freedom: mean 23, standard deviation 6.8.
        assert!(chi_squared < 23.0 + 5.0 * 6.8, "{chi_squared}");
        assert_eq!(draws.permutation(0), Vec::<u32>::new());
        assert_eq!(draws.permutation(1), [0]);
    }
}
