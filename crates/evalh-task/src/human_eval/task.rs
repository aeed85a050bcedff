//! The problems in the way in which a protocol puts them.

use super::{Problem, Problems, Protocol};
use crate::{Program, writing};
use evalh_record::{FileIdentity, Prompt};

/// The problems, and how they are put.
pub(super) struct Put {
    pub problems: Problems,
    pub protocol: Protocol,
}

impl Put {
    fn problem(&self, place: usize) -> &Problem {
        &self.problems.all()[place]
    }
}

impl writing::Problems for Put {
    fn protocol(&self) -> &'static str {
        self.protocol.name()
    }

    fn count(&self) -> usize {
        self.problems.all().len()
    }

    fn id(&self, place: usize) -> &str {
        &self.problem(place).task_id
    }

    fn prompt(&self, place: usize, has_chat_template: bool) -> Prompt {
        self.protocol.prompt(self.problem(place), has_chat_template)
    }

    fn reference(&self, place: usize) -> Option<&str> {
        self.problem(place).canonical_solution.as_deref()
    }

    fn program(&self, place: usize, answer: &str) -> Program {
        self.protocol.program(self.problem(place), answer)
    }

    fn stops(&self) -> &'static [&'static str] {
        self.protocol.stops()
    }

    fn max_new_tokens(&self) -> usize {
        self.protocol.max_new_tokens()
    }

    fn files(&self) -> Vec<FileIdentity> {
        vec![self.problems.identity().clone()]
    }
}
