//! A completion under way.

use crate::{Sampler, Text, TextStream, prepare::PreparedGeneration};
use evalh_record::{Finish, Generation};

/// A completion under way.
pub struct Generating<'e, T: Text + 'e> {
    job: &'e PreparedGeneration,
    eos_ids: &'e [u32],
    text: &'e T,
    /// Chooses the tokens.
    pub sampler: Sampler,
    ids: Vec<u32>,
    /// Text so far and its decoder; only where there are stop strings to look for.
    stream: Option<(String, T::Stream<'e>)>,
}

impl<'e, T: Text> Generating<'e, T> {
    /// Nothing generated yet.
    pub fn new(job: &'e PreparedGeneration, text: &'e T, eos_ids: &'e [u32]) -> Self {
        let stream = (!job.stops.strings().is_empty()).then(|| (String::new(), text.stream()));
        Self {
            job,
            eos_ids,
            text,
            sampler: Sampler::new(job.sampling),
            ids: Vec::new(),
            stream,
        }
    }

    /// Takes the next token; the completion, if it ends here.
    ///
    /// An end-of-sequence id ends it first, then a stop string in the text, then a special token that is a stop
    /// string, then the limit.
    pub fn take(&mut self, id: u32) -> Result<Option<Generation>, crate::BoxError> {
        self.ids.push(id);
        if self.eos_ids.contains(&id) {
            return self.end(Finish::Eos(id));
        }
        if let Some((text, stream)) = &mut self.stream {
            let searched = text.len();
            stream.push(id, text)?;
            if let Some(found) = self.job.stops.find(text, searched) {
                text.truncate(found.at);
                let text = std::mem::take(text);
                let finish = Finish::Stop(self.job.stops.strings()[found.stop].clone());
                return Ok(Some(Generation {
                    text,
                    tokens: self.ids.len(),
                    finish,
                }));
            }
        }
        if let Some(&(_, stop)) = self.job.stop_tokens.iter().find(|(token, _)| *token == id) {
            return self.end(Finish::Stop(self.job.stops.strings()[stop].clone()));
        }
        if self.ids.len() == self.job.max_new_tokens {
            return self.end(Finish::Length);
        }
        Ok(None)
    }

    /// The tokens so far.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// How many more tokens there may be.
    pub fn left(&self) -> usize {
        self.job.max_new_tokens - self.ids.len()
    }

    /// Whether it has a token to read back.
    pub fn has_begun(&self) -> bool {
        !self.ids.is_empty()
    }

    /// The completion with all its text: a stop string may have been in what the decoder still held back.
    fn end(&self, finish: Finish) -> Result<Option<Generation>, crate::BoxError> {
        let kept = match finish {
            Finish::Eos(_) => &self.ids[..self.ids.len() - 1],
            _ => &self.ids[..],
        };
        let mut text = self.text.decode(kept)?;
        let mut finish = finish;
        if let Some(found) = self.job.stops.find(&text, 0) {
            text.truncate(found.at);
            finish = Finish::Stop(self.job.stops.strings()[found.stop].clone());
        }
        Ok(Some(Generation {
            text,
            tokens: self.ids.len(),
            finish,
        }))
    }
}
