//! Beginnings that several jobs share: a radix tree over their prompts.
//!
//! Few-shot prompts repeat most of their tokens, so a beginning is computed once and every job below it goes on from
//! there. A beginning's keys and values are of one variant. The jobs are put in an order in which each beginning's are
//! next to each other; a beginning can then be forgotten as soon as the last of them has ended.

use super::plan::Job;

/// The shared beginnings of jobs, and the order in which to run these.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Prefixes<'p> {
    /// Every beginning; a parent comes before its children.
    pub nodes: Vec<Prefix<'p>>,
    /// The longest beginning of each job, by the job's place.
    pub of_job: Vec<Option<usize>>,
    /// Places of the jobs in the order in which they run.
    pub order: Vec<usize>,
}

/// A beginning that several jobs share.
#[derive(Debug, PartialEq, Eq)]
pub struct Prefix<'p> {
    /// Its tokens, those of its parent included.
    pub tokens: &'p [u32],
    /// Cache tokens that it takes beside the whole blocks of its parent, whole blocks too.
    pub own_tokens: usize,
    /// The longest shorter beginning.
    pub parent: Option<usize>,
    /// Jobs and beginnings directly below it.
    pub members: usize,
    /// A job below it.
    pub job: usize,
}

impl<'p> Prefixes<'p> {
    /// Nothing is shared: every job from its own beginning, in order.
    pub fn none(jobs: usize) -> Self {
        Self {
            nodes: Vec::new(),
            of_job: vec![None; jobs],
            order: (0..jobs).collect(),
        }
    }

    /// What jobs of one variant share, in a cache of blocks of so many tokens. The last token of a prompt is never shared:
    /// its logits are wanted.
    ///
    /// A beginning is worth computing by itself where it is longer than the one before it by [`least`] tokens: the jobs
    /// below it wait for it, and copy its last block where that is not full.
    pub fn of(jobs: &[Job<'p>], block: usize) -> Self {
        let prompts: Vec<&'p [u32]> = jobs
            .iter()
            .map(|job| {
                let prompt = job.task.prompt();
                &prompt[..prompt.len().saturating_sub(1)]
            })
            .collect();
        let mut sorted: Vec<usize> = (0..jobs.len()).collect();
        let key = |job: usize| (jobs[job].variant, prompts[job], job);
        sorted.sort_by(|a, b| key(*a).cmp(&key(*b)));
        // How much each has in common with the one before it.
        let common: Vec<usize> = sorted
            .windows(2)
            .map(|pair| {
                if jobs[pair[0]].variant == jobs[pair[1]].variant {
                    common_tokens(prompts[pair[0]], prompts[pair[1]])
                } else {
                    0
                }
            })
            .collect();
        let mut found = Self {
            of_job: vec![None; jobs.len()],
            ..Self::default()
        };
        let mut open = vec![(0..sorted.len(), None::<usize>)];
        while let Some((range, parent)) = open.pop() {
            let inner = range.start..range.end.saturating_sub(1);
            let Some(shared) = common[inner.clone()].iter().copied().min() else {
                // A single job, or none at all.
                for place in range {
                    found.of_job[sorted[place]] = parent;
                    found.add_member(parent);
                }
                continue;
            };
            let held = parent.map_or(0, |parent| found.nodes[parent].tokens.len());
            let parent = if shared >= held + least(block) {
                let job = sorted[range.clone()].iter().copied().min();
                found.nodes.push(Prefix {
                    tokens: &prompts[sorted[range.start]][..shared],
                    own_tokens: shared.next_multiple_of(block) - held / block * block,
                    parent,
                    members: 0,
                    job: job.unwrap_or(sorted[range.start]),
                });
                found.add_member(parent);
                Some(found.nodes.len() - 1)
            } else {
                parent
            };
            let mut start = range.start;
            for place in inner {
                if common[place] == shared {
                    open.push((start..place + 1, parent));
                    start = place + 1;
                }
            }
            open.push((start..range.end, parent));
        }
        found.order = found.depth_first();
        found
    }

    /// The shortest beginning of a job: what it shares with most others.
    pub fn root(&self, job: usize) -> Option<&'p [u32]> {
        let mut place = self.of_job[job]?;
        while let Some(parent) = self.nodes[place].parent {
            place = parent;
        }
        Some(self.nodes[place].tokens)
    }

    fn add_member(&mut self, parent: Option<usize>) {
        if let Some(parent) = parent {
            self.nodes[parent].members += 1;
        }
    }

    /// The jobs beginning by beginning, the one with the earliest job first at every level.
    fn depth_first(&self) -> Vec<usize> {
        let mut below: Vec<Vec<(usize, Option<usize>)>> = vec![Vec::new(); self.nodes.len() + 1];
        let slot = |parent: Option<usize>| parent.map_or(self.nodes.len(), |parent| parent);
        for (job, parent) in self.of_job.iter().enumerate() {
            below[slot(*parent)].push((job, None));
        }
        for (node, prefix) in self.nodes.iter().enumerate() {
            below[slot(prefix.parent)].push((prefix.job, Some(node)));
        }
        for members in &mut below {
            members.sort_unstable_by(|a, b| b.cmp(a));
        }
        let mut order = Vec::with_capacity(self.of_job.len());
        let mut open = std::mem::take(&mut below[self.nodes.len()]);
        while let Some((job, node)) = open.pop() {
            match node {
                None => order.push(job),
                Some(node) => open.append(&mut below[node]),
            }
        }
        order
    }
}

/// Tokens that make a beginning worth computing by itself: half a block.
fn least(block: usize) -> usize {
    (block / 2).max(1)
}

fn common_tokens(a: &[u32], b: &[u32]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        prepare::{PreparedContext, PreparedGeneration},
        schedule::plan::Task,
        stop::StopStrings,
    };
    use evalh_record::Sampling;
    use proptest::prelude::*;

    fn contexts(prompts: &[Vec<u32>]) -> Vec<PreparedContext> {
        let context = |prompt: &Vec<u32>| PreparedContext {
            context: prompt.clone(),
            members: vec![(0, vec![1])],
            branches: vec![],
        };
        prompts.iter().map(context).collect()
    }

    fn jobs(contexts: &[PreparedContext]) -> Vec<Job<'_>> {
        let job = |(answer, context)| Job {
            answer,
            variant: 0,
            unit: answer,
            cache_tokens: 0,
            task: Task::Score(context),
        };
        contexts.iter().enumerate().map(job).collect()
    }

    #[test]
    fn what_is_shared_is_found_at_every_length() {
        let prompts = [
            vec![1, 1, 2, 2, 3, 3, 9],
            vec![7, 7, 7],
            vec![1, 1, 2, 2, 4, 4, 9],
            vec![1, 1, 5, 5, 9],
            vec![1, 1, 2, 2, 3, 3, 8],
            // Its last token is not shared, since its logits are wanted.
            vec![1, 1, 2, 2],
        ];
        let contexts = contexts(&prompts);
        let found = Prefixes::of(&jobs(&contexts), 4);
        let shown: Vec<_> = found
            .nodes
            .iter()
            .map(|node| (node.tokens, node.members))
            .collect();
        // A single 2 more, which one prompt shares, is too little.
        assert!(shown.contains(&(&[1, 1][..], 3)), "{shown:?}");
        assert!(shown.contains(&(&[1, 1, 2, 2][..], 2)), "{shown:?}");
        assert!(shown.contains(&(&[1, 1, 2, 2, 3, 3][..], 2)), "{shown:?}");
        assert_eq!(shown.len(), 3);
        let own: Vec<_> = found.nodes.iter().map(|node| node.own_tokens).collect();
        assert_eq!(own, [4, 4, 4]);
        assert_eq!(found.order, [0, 4, 2, 3, 5, 1]);
        assert_eq!(found.of_job[1], None);
    }

    #[test]
    fn one_prompt_of_many_samples_is_one_beginning() {
        let generation = PreparedGeneration {
            prompt: vec![5; 9],
            max_new_tokens: 3,
            sampling: Sampling::Greedy,
            stops: StopStrings::new(Vec::new()),
            stop_tokens: Vec::new(),
        };
        let job = |answer| Job {
            answer,
            variant: 0,
            unit: answer,
            cache_tokens: 0,
            task: Task::Generate(&generation),
        };
        let found = Prefixes::of(&[0, 1, 2].map(job), 4);
        assert_eq!(found.nodes.len(), 1);
        assert_eq!(
            (found.nodes[0].tokens.len(), found.nodes[0].members),
            (8, 3)
        );
        assert_eq!(Prefixes::of(&[], 4), Prefixes::default());
    }

    #[test]
    fn variants_share_no_beginning() {
        let prompts = vec![vec![5; 9]; 4];
        let contexts = contexts(&prompts);
        let mut jobs = jobs(&contexts);
        for (place, job) in jobs.iter_mut().enumerate() {
            job.variant = place % 2;
        }
        let found = Prefixes::of(&jobs, 4);
        let members: Vec<_> = found.nodes.iter().map(|node| node.members).collect();
        assert_eq!(members, [2, 2]);
        assert_eq!(found.of_job[0], found.of_job[2]);
        assert_ne!(found.of_job[0], found.of_job[1]);
        assert_eq!(found.root(1), Some(&[5; 8][..]));
    }

    proptest! {
        #[test]
        fn every_job_runs_once_and_begins_as_its_beginning_says(
            prompts in prop::collection::vec(prop::collection::vec(0u32..2, 1..14), 0..12),
            block in 1usize..4,
        ) {
            let contexts = contexts(&prompts);
            let found = Prefixes::of(&jobs(&contexts), block);
            let mut order = found.order.clone();
            order.sort_unstable();
            prop_assert_eq!(order, (0..prompts.len()).collect::<Vec<_>>());
            let mut members = vec![0; found.nodes.len()];
            for (job, node) in found.of_job.iter().enumerate() {
                if let Some(node) = *node {
                    members[node] += 1;
                    let tokens = found.nodes[node].tokens;
                    prop_assert!(prompts[job].len() > tokens.len());
                    prop_assert_eq!(&prompts[job][..tokens.len()], tokens);
                }
            }
            for (place, node) in found.nodes.iter().enumerate() {
                let held = node.parent.map_or(0, |parent| found.nodes[parent].tokens.len());
                prop_assert!(node.tokens.len() >= held + least(block));
                prop_assert_eq!(node.own_tokens % block, 0);
                prop_assert!(held / block * block + node.own_tokens >= node.tokens.len());
                if let Some(parent) = node.parent {
                    prop_assert!(parent < place);
                    members[parent] += 1;
                    prop_assert!(node.tokens.starts_with(found.nodes[parent].tokens));
                }
            }
            for (node, members) in found.nodes.iter().zip(members) {
                prop_assert!(node.members >= 2);
                prop_assert_eq!(node.members, members);
            }
            // Two jobs share no more than the longest beginning that both have, or too little to tell.
            for (a, first) in prompts.iter().enumerate() {
                for (b, second) in prompts.iter().enumerate().skip(a + 1) {
                    let common = common_tokens(&first[..first.len() - 1], &second[..second.len() - 1]);
                    let chain = |job: usize| {
                        std::iter::successors(found.of_job[job], |node| found.nodes[*node].parent).collect::<Vec<_>>()
                    };
                    let other = chain(b);
                    let shared = chain(a).into_iter().find(|node| other.contains(node));
                    let found = shared.map_or(0, |node| found.nodes[node].tokens.len());
                    prop_assert!(found <= common && common < found + least(block));
                }
            }
        }
    }
}
