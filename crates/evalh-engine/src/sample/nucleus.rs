//! Draws from a softened distribution, the whole of it or its most likely part.

use super::exp::{BLOCK, block_sums, exp};

/// Temperature and top-p of one request, with the buffers a draw needs.
#[derive(Debug, Clone)]
pub struct Nucleus {
    inverse_temperature: f32,
    top_p: f64,
    /// `(weight, id)` of the tokens that may belong to the nucleus.
    candidates: Vec<(f32, u32)>,
    /// Weight of each block of tokens.
    blocks: Vec<f64>,
}

impl Nucleus {
    /// `temperature` above 0, `top_p` in (0, 1].
    pub fn new(temperature: f32, top_p: f32) -> Self {
        let inverse_temperature = temperature.recip();
        Self {
            inverse_temperature,
            top_p: f64::from(top_p),
            candidates: Vec::new(),
            blocks: Vec::new(),
        }
    }

    /// The token at place `uniform`, in [0, 1), of the distribution; `max` is the largest logit.
    ///
    /// The nucleus is the smallest set of most likely tokens (lower ids first where equally likely) with at least
    /// `top_p` of the probability. Tokens are laid out by id where all are kept and by falling probability otherwise.
    pub fn draw(&mut self, logits: &[f32], max: f32, uniform: f64) -> u32 {
        self.blocks.clear();
        self.blocks
            .extend(block_sums(logits, max, self.inverse_temperature));
        let total: f64 = self.blocks.iter().sum();
        if self.top_p >= 1.0 {
            return self.draw_from_all(logits, max, uniform * total);
        }
        self.collect_candidates(logits, max, total);
        let wanted = self.top_p * total;
        let mut mass = 0.0;
        let mut kept = 0;
        while mass < wanted && kept < self.candidates.len() {
            mass += f64::from(self.candidates[kept].0);
            kept += 1;
        }
        place(self.candidates[..kept].iter().copied(), uniform * mass)
    }

    /// The id whose place among all tokens holds `target`: its block first, then its place there.
    fn draw_from_all(&self, logits: &[f32], max: f32, target: f64) -> u32 {
        let mut before = 0.0;
        let mut block = 0;
        while block + 1 < self.blocks.len() && before + self.blocks[block] <= target {
            before += self.blocks[block];
            block += 1;
        }
        let ids = block * BLOCK..logits.len().min((block + 1) * BLOCK);
        let weights = logits[ids.clone()]
            .iter()
            .map(|&logit| exp((logit - max) * self.inverse_temperature));
        place(weights.zip(ids.start as u32..), target - before)
    }

    /// Fills `candidates` with a superset of the nucleus, most likely first.
    ///
    /// All tokens lighter than `(1 - top_p) * total / vocabulary` weigh less than `(1 - top_p) * total` together, so
    /// the others hold `top_p` of the probability without them: only those need sorting.
    fn collect_candidates(&mut self, logits: &[f32], max: f32, total: f64) {
        let lightest = (1.0 - self.top_p) * total / logits.len() as f64;
        // a little lower, so that rounding of a weight can't lose a token on the edge
        let logit_of_lightest = max + (lightest.ln() as f32 - 1e-3) / self.inverse_temperature;
        self.candidates.clear();
        for (id, &logit) in (0..).zip(logits) {
            if logit >= logit_of_lightest {
                self.candidates
                    .push((exp((logit - max) * self.inverse_temperature), id));
            }
        }
        self.candidates
            .sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    }
}

/// The id at which the running sum of weights first exceeds `target`; the last one with any weight where rounding
/// leaves the sum short.
fn place(weighted: impl Iterator<Item = (f32, u32)>, target: f64) -> u32 {
    let mut sum = 0.0;
    let mut last = 0;
    for (weight, id) in weighted {
        sum += f64::from(weight);
        last = id;
        if sum > target {
            break;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The nucleus by a full sort in double precision.
    fn nucleus(logits: &[f32], temperature: f64, top_p: f64) -> Vec<(f64, u32)> {
        let max = logits.iter().copied().fold(f32::MIN, f32::max);
        let mut all: Vec<(f64, u32)> = (0..)
            .zip(logits)
            .map(|(id, &l)| ((f64::from(l - max) / temperature).exp(), id))
            .collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let total: f64 = all.iter().map(|(w, _)| w).sum();
        let mut mass = 0.0;
        let kept = all.iter().take_while(|(w, _)| {
            let more = mass < top_p * total;
            mass += w;
            more
        });
        kept.copied().collect()
    }

    #[test]
    fn a_tiny_top_p_keeps_the_most_likely_token_only() {
        let mut draw = Nucleus::new(1.0, 1e-6);
        for uniform in [0.0, 0.5, 0.999_999] {
            assert_eq!(draw.draw(&[0.0, 1.0, 1.0, -2.0], 1.0, uniform), 1);
        }
    }

    #[test]
    fn all_places_of_an_even_distribution_are_reached_in_order() {
        let mut all = Nucleus::new(0.7, 1.0);
        let mut half = Nucleus::new(0.7, 0.5);
        for id in 0..8 {
            assert_eq!(
                all.draw(&[2.0; 8], 2.0, (f64::from(id) + 0.5) / 8.0),
                id as u32
            );
            assert_eq!(
                half.draw(&[2.0; 8], 2.0, (f64::from(id) + 0.5) / 8.0),
                id as u32 / 2
            );
        }
    }

    proptest! {
        #[test]
        fn draws_are_those_of_a_full_sort(
            logits in prop::collection::vec(-8f32..8.0, 1..900),
            temperature in 0.2f32..3.0, top_p in prop_oneof![0.05f32..0.999, Just(1.0f32)], uniform in 0f64..1.0,
        ) {
            let max = logits.iter().copied().fold(f32::MIN, f32::max);
            let drawn = Nucleus::new(temperature, top_p).draw(&logits, max, uniform);
            // the reference a little to either side of the drawn place: rounding may move an edge
            let mut kept = nucleus(&logits, f64::from(temperature), f64::from(top_p));
            if top_p >= 1.0 {
                kept.sort_by_key(|&(_, id)| id);
            }
            let mass: f64 = kept.iter().map(|(w, _)| w).sum();
            let reached = |target: f64| {
                let mut sum = 0.0;
                kept.iter().position(|(w, _)| { sum += w; sum > target }).unwrap_or(kept.len() - 1)
            };
            let low = reached((uniform - 1e-5) * mass);
            let high = reached((uniform + 1e-5) * mass);
            let place = kept.iter().position(|&(_, id)| id == drawn);
            prop_assert!(place.is_some_and(|place| (low..=high).contains(&place)), "{place:?} not in {low}..={high}");
        }
    }
}
