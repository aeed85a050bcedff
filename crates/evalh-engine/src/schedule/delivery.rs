//! The way out: responses under construction, and who receives them.

use super::assemble::Assembly;
use crate::SharedTimings;
use evalh_record::Response;
use std::ops::ControlFlow;

/// The way out: responses under construction, and who receives them.
pub struct Delivery<'a, 's> {
    /// By answer asked for.
    pub assemblies: Vec<Assembly<'a>>,
    /// Called with a variant's place and its response.
    pub sink: &'s mut dyn FnMut(usize, Response) -> ControlFlow<()>,
}

impl Delivery<'_, '_> {
    /// Delivers what needs no model at all.
    pub fn deliver_finished(&mut self, timings: &mut SharedTimings) -> ControlFlow<()> {
        for answer in 0..self.assemblies.len() {
            self.deliver_if_finished(answer, timings)?;
        }
        ControlFlow::Continue(())
    }

    /// Delivers an answer to which nothing is wanting any more.
    pub fn deliver_if_finished(
        &mut self,
        answer: usize,
        timings: &mut SharedTimings,
    ) -> ControlFlow<()> {
        let assembly = &mut self.assemblies[answer];
        match assembly.take_response() {
            Some((response, tokens)) => {
                timings.keep(assembly.variant(), tokens);
                (self.sink)(assembly.variant(), response)
            }
            None => ControlFlow::Continue(()),
        }
    }
}
