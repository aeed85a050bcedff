//! Drafts: what another variant answered to the same request, proposed as what comes next.
//!
//! A row reads its newest token and a few proposed ones in one pass. Each position's logits say what the variant itself
//! answers there; proposals are kept as long as they are that, and the first that is not is replaced and what follows
//! forgotten. So an answer is the same to the bit, whatever was proposed (speculative decoding of Leviathan et al. 2023,
//! for greedy answers, with another variant's text in place of a draft model).
//!
//! A proposed token costs its own arithmetic; a token decoded by itself costs that, its share of reading the weights, and
//! reading the keys and values before it. So a token is proposed where it is likely enough to be kept: how likely that is
//! is learned from how often the other answer was right after as many tokens in a row that were the same.

use super::plan::{Job, Task};
use crate::Costs;
use evalh_record::Sampling;
use std::collections::HashMap;

/// Most tokens proposed to a row at once.
const MOST: usize = 16;
/// No more tokens in a row that are the same are told apart from fewer.
const LONGEST_RUN: usize = 16;
/// How many tokens what is assumed at first counts for.
const ASSUMED: f64 = 4.0;

/// The answers that draft for others, and how well they do.
#[derive(Debug)]
pub struct Drafting {
    costs: Costs,
    /// What runs, by number, with the answers of variants so far.
    units: HashMap<usize, Unit>,
    /// Of each variant: how often another answer's next token was its own, by tokens in a row that were before.
    chances: Vec<[Chance; LONGEST_RUN + 1]>,
}

/// How often something came true.
#[derive(Debug, Clone, Copy)]
struct Chance {
    asked: f64,
    right: f64,
}

#[derive(Debug, Default)]
struct Unit {
    /// Jobs that have not ended.
    left: usize,
    /// Tokens of each variant's answer so far.
    answers: Vec<(usize, Vec<u32>)>,
}

/// Where a row stands in another variant's answer.
#[derive(Debug)]
pub struct Place {
    /// The other variant's place in its unit, and of the next token in its answer.
    cursor: Option<(usize, usize)>,
    /// Tokens in a row before it that are the same.
    run: usize,
    /// Where it stood last.
    near: usize,
}

impl Drafting {
    /// What greedy answers of several variants to one request can draft for each other. `None` where there are none.
    pub fn new(jobs: &[Job<'_>], variants: usize, costs: Costs) -> Option<Self> {
        let mut units: HashMap<usize, Unit> = HashMap::new();
        for job in jobs {
            if matches!(job.task, Task::Generate(generation) if generation.sampling == Sampling::Greedy)
            {
                let unit = units.entry(job.unit).or_default();
                unit.left += 1;
                unit.answers.push((job.variant, Vec::new()));
            }
        }
        units.retain(|_, unit| unit.left > 1);
        (!units.is_empty()).then_some(Self {
            costs,
            units,
            chances: vec![std::array::from_fn(Chance::assumed); variants],
        })
    }

    /// Whether the answers of this number draft for each other.
    pub fn drafts(&self, unit: usize) -> bool {
        self.units.contains_key(&unit)
    }

    /// Where a row begins, if others draft for it.
    pub fn begin(&self, unit: usize) -> Option<Place> {
        self.drafts(unit).then_some(Place {
            cursor: None,
            run: 0,
            near: 0,
        })
    }

    /// The tokens proposed to a row that has answered `own` so far and has `context` tokens in all, in a pass of
    /// `tokens` others; at most `most`.
    pub fn propose(
        &self,
        place: &mut Place,
        unit: usize,
        variant: usize,
        own: &[u32],
        (context, tokens, most): (usize, usize, usize),
    ) -> &[u32] {
        let Some(unit) = self.units.get(&unit) else {
            return &[];
        };
        if place.cursor.is_none()
            && let Some((run, cursor)) = unit.locate(variant, own, place.near)
        {
            (place.run, place.cursor) = (run, Some(cursor));
        }
        let Some((answer, next)) = place.cursor else {
            return &[];
        };
        let rest = &unit.answers[answer].1[next..];
        let least = self.costs.least_chance(tokens, context);
        let chances = &self.chances[variant];
        // A token is kept where all before it are.
        let kept = (place.run..).scan(1.0, |kept, run| {
            *kept *= chances[run.min(LONGEST_RUN)].share();
            Some(*kept)
        });
        let worth = kept.take(most.min(MOST)).take_while(|kept| *kept >= least);
        &rest[..rest.len().min(worth.count())]
    }

    /// A row has answered another token.
    pub fn answered(&mut self, place: &mut Place, unit: usize, variant: usize, id: u32) {
        let Some(unit) = self.units.get_mut(&unit) else {
            return;
        };
        for (of, ids) in &mut unit.answers {
            if *of == variant {
                ids.push(id);
            }
        }
        let Some((answer, next)) = place.cursor else {
            return;
        };
        place.near = next + 1;
        let Some(proposed) = unit.answers[answer].1.get(next) else {
            place.cursor = None;
            return;
        };
        let right = *proposed == id;
        self.chances[variant][place.run].count(right);
        place.cursor = right.then_some((answer, next + 1));
        place.run = (place.run + 1).min(LONGEST_RUN);
    }

    /// A row has ended; the last one of its unit takes the answers with it.
    pub fn ended(&mut self, unit: usize) {
        if let Some(of) = self.units.get_mut(&unit) {
            of.left -= 1;
            if of.left == 0 {
                self.units.remove(&unit);
            }
        }
    }
}

impl Chance {
    /// What is assumed after `run` tokens in a row that were the same.
    fn assumed(run: usize) -> Self {
        Self {
            asked: ASSUMED,
            right: ASSUMED * run as f64 / (run + 1) as f64,
        }
    }

    fn count(&mut self, right: bool) {
        self.asked += 1.0;
        self.right += if right { 1.0 } else { 0.0 };
    }

    fn share(self) -> f64 {
        self.right / self.asked
    }
}

impl Unit {
    /// The place in another variant's answer that an answer has come to, and how many tokens before it are the same: the
    /// most, and of several such places the nearest to `near`. Answers that begin alike are the same all along.
    fn locate(&self, variant: usize, own: &[u32], near: usize) -> Option<(usize, (usize, usize))> {
        let mut found: Option<(usize, usize, (usize, usize))> = None;
        let others = self.answers.iter().enumerate();
        for (answer, (_, ids)) in others.filter(|(_, (of, _))| *of != variant) {
            for next in 1..ids.len() {
                let before = ids[..next].iter().rev().zip(own.iter().rev());
                let same = before.take_while(|(theirs, ours)| theirs == ours).count();
                let run = if same == next && same == own.len() {
                    LONGEST_RUN
                } else {
                    same.min(LONGEST_RUN)
                };
                let distance = next.abs_diff(near);
                let better = |(most, nearest, _)| run > most || (run == most && distance < nearest);
                if run > 0 && found.is_none_or(better) {
                    found = Some((run, distance, (answer, next)));
                }
            }
        }
        found.map(|(run, _, place)| (run, place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{prepare::PreparedGeneration, stop::StopStrings};

    const COSTS: Costs = Costs {
        parameters: 100,
        weight_bytes: 400,
        token_bytes: 1,
    };

    /// Two variants' jobs of one unit.
    fn drafting(sampling: Sampling) -> Option<Drafting> {
        let generation = PreparedGeneration {
            prompt: vec![1],
            max_new_tokens: 30,
            sampling,
            stops: StopStrings::new(Vec::new()),
            stop_tokens: Vec::new(),
        };
        let job = |variant| Job {
            answer: variant,
            variant,
            unit: 7,
            cache_tokens: 0,
            task: Task::Generate(&generation),
        };
        Drafting::new(&[0, 1].map(job), 2, COSTS)
    }

    fn propose(drafting: &Drafting, place: &mut Place, own: &[u32]) -> Vec<u32> {
        drafting.propose(place, 7, 1, own, (20, 1, 9)).to_vec()
    }

    #[test]
    fn an_answer_drafts_for_the_same_request_and_is_found_again() {
        let mut drafting = drafting(Sampling::Greedy).expect("two answers");
        let mut leader = drafting.begin(7).expect("takes part");
        for id in [4, 5, 6, 7, 8, 9] {
            drafting.answered(&mut leader, 7, 0, id);
        }
        let mut place = drafting.begin(7).expect("takes part");
        assert!(drafting.begin(8).is_none());
        let mut own = Vec::new();
        let mut answer = |drafting: &mut Drafting, place: &mut Place, ids: &[u32]| {
            for id in ids {
                own.push(*id);
                drafting.answered(place, 7, 1, *id);
            }
            own.clone()
        };
        let own_ids = answer(&mut drafting, &mut place, &[4]);
        let proposed = propose(&drafting, &mut place, &own_ids);
        assert_eq!(proposed[..2], [5, 6]);
        let own_ids = answer(&mut drafting, &mut place, &[5, 3]);
        assert!(propose(&drafting, &mut place, &own_ids).is_empty());
        let own_ids = answer(&mut drafting, &mut place, &[3, 6, 7]);
        assert_eq!(propose(&drafting, &mut place, &own_ids)[..1], [8]);
        drafting.ended(7);
        drafting.ended(7);
        assert!(drafting.begin(7).is_none());
    }

    #[test]
    fn wrong_proposals_become_rare_and_drawn_answers_get_none() {
        let drawn = Sampling::Random {
            temperature: 1.0,
            top_p: 1.0,
            seed: 0,
        };
        assert!(drafting(drawn).is_none());
        let mut drafting = drafting(Sampling::Greedy).expect("two answers");
        let mut leader = drafting.begin(7).expect("takes part");
        for id in 0..200 {
            drafting.answered(&mut leader, 7, 0, id);
        }
        let mut place = drafting.begin(7).expect("takes part");
        let mut own = vec![0, 1, 2];
        let propose = |drafting: &Drafting, place: &mut Place, own: &[u32]| {
            drafting.propose(place, 7, 1, own, (20, 64, 9)).len()
        };
        assert_eq!(propose(&drafting, &mut place, &own), 9);
        let mut last = 9;
        for round in 1..30 {
            // Right three times, then wrong, and elsewhere.
            let begin = round * 5;
            for id in [begin, begin + 1, begin + 2, 999] {
                last = propose(&drafting, &mut place, &own);
                drafting.answered(&mut place, 7, 1, id);
                own.push(id);
            }
        }
        assert_eq!(last, 0, "after three right ones comes a wrong one");
    }
}
