//! The shared beginnings in the cache: each is computed when the first job below it is to run, and forgotten when the
//! last one has ended.

use super::prefix::{Prefix, Prefixes};

/// The shared beginnings of a batch.
pub struct Held<'p, S> {
    nodes: Vec<Prefix<'p>>,
    of_job: Vec<Option<usize>>,
    states: Vec<State<S>>,
    /// Members of each that have not ended.
    left: Vec<usize>,
}

#[derive(Debug, Clone, Copy)]
enum State<S> {
    Absent,
    Computing,
    Ready(S),
}

/// What stands between a job and its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning<S> {
    /// Nothing: it goes on from this sequence, which holds so many tokens of its prompt; or has none to go on from.
    Ready(Option<(S, usize)>),
    /// A beginning that is being computed.
    Computing,
    /// A beginning of this place that is to be computed, and what it goes on from in turn.
    Absent(usize, Option<(S, usize)>),
}

impl<'p, S: Copy> Held<'p, S> {
    /// None of them is in the cache yet.
    pub fn new(prefixes: Prefixes<'p>) -> Self {
        Self {
            states: prefixes.nodes.iter().map(|_| State::Absent).collect(),
            left: prefixes.nodes.iter().map(|node| node.members).collect(),
            nodes: prefixes.nodes,
            of_job: prefixes.of_job,
        }
    }

    /// A beginning.
    pub fn node(&self, place: usize) -> &Prefix<'p> {
        &self.nodes[place]
    }

    /// Cache tokens that a beginning takes beside its parent's.
    pub fn own_tokens(&self, place: usize) -> usize {
        self.nodes[place].own_tokens
    }

    /// What the job of this place begins with.
    pub fn beginning(&self, job: usize) -> Beginning<S> {
        let Some(mut place) = self.of_job[job] else {
            return Beginning::Ready(None);
        };
        let mut missing = None;
        loop {
            match self.states[place] {
                State::Ready(seq) => {
                    let held = Some((seq, self.nodes[place].tokens.len()));
                    return match missing {
                        Some(missing) => Beginning::Absent(missing, held),
                        None => Beginning::Ready(held),
                    };
                }
                State::Computing => return Beginning::Computing,
                State::Absent => missing = Some(place),
            }
            match self.nodes[place].parent {
                Some(parent) => place = parent,
                None => return Beginning::Absent(place, None),
            }
        }
    }

    /// A beginning is being computed from now on.
    pub fn compute(&mut self, place: usize) {
        self.states[place] = State::Computing;
    }

    /// A beginning is in the cache, as this sequence.
    pub fn ready(&mut self, place: usize, seq: S) {
        self.states[place] = State::Ready(seq);
    }

    /// Forgets every beginning but those of a job, which are then computed again when a job below them is to run: the
    /// sequences, and the cache tokens that each frees. Only while no job is in progress.
    pub fn forget_all_but(&mut self, job: usize) -> Vec<(S, usize)> {
        let mut kept = vec![false; self.nodes.len()];
        let mut place = self.of_job[job];
        while let Some(node) = place {
            kept[node] = true;
            place = self.nodes[node].parent;
        }
        let mut freed = Vec::new();
        for node in (0..self.nodes.len()).filter(|node| !kept[*node]) {
            if let State::Ready(seq) = self.states[node] {
                freed.push((seq, self.own_tokens(node)));
                self.states[node] = State::Absent;
            }
        }
        freed
    }

    /// Lets a job begin by itself, where its beginnings and it do not fit into the cache together: what is between whole
    /// blocks is then held several times. Forgets every beginning. Only while no job is in progress.
    pub fn part(&mut self, job: usize) -> Vec<(S, usize)> {
        let mut freed = self.ended(job);
        self.of_job[job] = None;
        freed.extend(self.forget_all_but(job));
        freed
    }

    /// A job has ended: the sequences that nobody needs any more, and the cache tokens that each frees.
    pub fn ended(&mut self, job: usize) -> Vec<(S, usize)> {
        let mut freed = Vec::new();
        let mut place = self.of_job[job];
        while let Some(node) = place {
            self.left[node] -= 1;
            if self.left[node] > 0 {
                break;
            }
            if let State::Ready(seq) = self.states[node] {
                freed.push((seq, self.own_tokens(node)));
            }
            self.states[node] = State::Absent;
            place = self.nodes[node].parent;
        }
        freed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A beginning of two blocks below one of one block, and three jobs: two below the longer one, one below the other.
    fn held(tokens: &[u32]) -> Held<'_, char> {
        let node = |len: usize, parent| Prefix {
            tokens: &tokens[..len],
            own_tokens: 4,
            parent,
            members: 2,
            job: 0,
        };
        Held::new(Prefixes {
            nodes: vec![node(4, None), node(8, Some(0))],
            of_job: vec![Some(1), Some(1), Some(0), None],
            order: vec![0, 1, 2, 3],
        })
    }

    #[test]
    fn beginnings_are_computed_from_the_shortest_on() {
        let tokens = [1; 8];
        let mut held = held(&tokens);
        assert_eq!(held.beginning(3), Beginning::Ready(None));
        assert_eq!(held.beginning(0), Beginning::Absent(0, None));
        held.compute(0);
        assert_eq!(held.beginning(0), Beginning::Computing);
        held.ready(0, 'a');
        assert_eq!(held.beginning(2), Beginning::Ready(Some(('a', 4))));
        assert_eq!(held.beginning(0), Beginning::Absent(1, Some(('a', 4))));
        held.compute(1);
        held.ready(1, 'b');
        assert_eq!(held.beginning(0), Beginning::Ready(Some(('b', 8))));
    }

    #[test]
    fn what_is_forgotten_is_computed_again() {
        let tokens = [1; 8];
        let mut held = held(&tokens);
        held.ready(0, 'a');
        held.ready(1, 'b');
        assert_eq!(held.forget_all_but(0), []);
        assert_eq!(held.forget_all_but(2), [('b', 4)]);
        assert_eq!(held.beginning(0), Beginning::Absent(1, Some(('a', 4))));
        assert_eq!(held.forget_all_but(3), [('a', 4)]);
        assert_eq!(held.beginning(2), Beginning::Absent(0, None));
    }

    #[test]
    fn a_job_can_begin_by_itself() {
        let tokens = [1; 8];
        let mut held = held(&tokens);
        held.ready(0, 'a');
        held.ready(1, 'b');
        assert_eq!(held.part(0), [('a', 4), ('b', 4)]);
        assert_eq!(held.beginning(0), Beginning::Ready(None));
        assert_eq!(held.ended(0), []);
        assert_eq!(held.beginning(1), Beginning::Absent(0, None));
    }

    #[test]
    fn the_last_member_frees_a_beginning_and_so_its_parent() {
        let tokens = [1; 8];
        let mut held = held(&tokens);
        held.ready(0, 'a');
        held.ready(1, 'b');
        assert_eq!(held.ended(3), []);
        assert_eq!(held.ended(0), []);
        assert_eq!(held.ended(2), []);
        assert_eq!(held.ended(1), [('b', 4), ('a', 4)]);
    }
}
