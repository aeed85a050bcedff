//! The choice of the next token.

mod argmax;
pub(crate) mod exp;
mod nucleus;

pub(crate) use argmax::argmax;

use evalh_record::Sampling;
use nucleus::Nucleus;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};

/// Chooses the tokens of one request, independent of every other.
#[derive(Debug, Clone)]
pub struct Sampler {
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Greedy,
    Random {
        nucleus: Nucleus,
        draws: Box<ChaCha8Rng>,
    },
}

impl Sampler {
    /// A sampler at its first token. Temperature and top-p are taken as valid.
    ///
    /// Random draws are those of `ChaCha8` seeded with `seed_from_u64(seed)`, one 64-bit number a token, whose upper 53
    /// bits over 2^53 are the uniform number: the same on every machine.
    pub fn new(sampling: Sampling) -> Self {
        let kind = match sampling {
            Sampling::Greedy => Kind::Greedy,
            Sampling::Random {
                temperature,
                top_p,
                seed,
            } => Kind::Random {
                nucleus: Nucleus::new(temperature, top_p),
                draws: Box::new(ChaCha8Rng::seed_from_u64(seed)),
            },
        };
        Self { kind }
    }

    /// The next token after this row of logits. `None` when a logit is NaN or infinite, or there are none.
    pub fn next(&mut self, logits: &[f32]) -> Option<u32> {
        let best = argmax(logits)?;
        match &mut self.kind {
            Kind::Greedy => Some(best),
            Kind::Random { nucleus, draws } => {
                let uniform = (draws.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
                Some(nucleus.draw(logits, logits[best as usize], uniform))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(seed: u64) -> Sampler {
        Sampler::new(Sampling::Random {
            temperature: 1.0,
            top_p: 1.0,
            seed,
        })
    }

    #[test]
    fn a_seed_fixes_the_draws() {
        let logits: Vec<f32> = (0..1000).map(|i| (i % 7) as f32).collect();
        let draw = |seed| {
            let mut sampler = random(seed);
            (0..50)
                .map(|_| sampler.next(&logits).expect("finite"))
                .collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn draws_are_the_same_on_every_machine() {
        let mut sampler = random(42);
        let draws: Vec<_> = (0..6)
            .map(|_| sampler.next(&[0.0; 1000]).expect("finite"))
            .collect();
        assert_eq!(draws, DRAWS_OF_SEED_42);
    }

    /// Computed apart from this crate, from the definitions of `ChaCha8` and of `seed_from_u64`.
    const DRAWS_OF_SEED_42: [u32; 6] = [681, 950, 427, 627, 288, 149];

    #[test]
    fn frequencies_follow_the_softened_distribution() {
        let probabilities = [0.5f64, 0.3, 0.15, 0.05];
        let logits: Vec<f32> = probabilities
            .iter()
            .map(|p| (p.ln() * 2.0) as f32)
            .collect();
        let mut sampler = Sampler::new(Sampling::Random {
            temperature: 2.0,
            top_p: 1.0,
            seed: 7,
        });
        let mut counts = [0usize; 4];
        let draws = 20_000;
        for _ in 0..draws {
            counts[sampler.next(&logits).expect("finite") as usize] += 1;
        }
        for (count, p) in counts.iter().zip(probabilities) {
            let deviation = (p * (1.0 - p) / draws as f64).sqrt();
            assert!((*count as f64 / draws as f64 - p).abs() < 5.0 * deviation);
        }
    }

    #[test]
    fn logits_that_are_not_finite_are_refused() {
        assert_eq!(Sampler::new(Sampling::Greedy).next(&[0.0, f32::NAN]), None);
        assert_eq!(random(0).next(&[0.0, f32::INFINITY]), None);
    }
}
