//! What is decided before the first forward pass.

use crate::{
    EngineError, EngineOptions, Model,
    prepare::{Prepared, PreparedContext, PreparedGeneration, PreparedText, Work},
};

/// What one variant is to answer to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Place of the request among the prepared ones.
    pub request: usize,
    /// Place of the variant.
    pub variant: usize,
}

/// One sequence to run.
#[derive(Debug, Clone, Copy)]
pub struct Job<'p> {
    /// Place of its answer among those asked for.
    pub answer: usize,
    /// The variant that runs it.
    pub variant: usize,
    /// What it runs, by number: the same for all variants.
    pub unit: usize,
    /// Cache tokens it may need at once, whole blocks.
    pub cache_tokens: usize,
    /// What to run.
    pub task: Task<'p>,
}

/// What to run.
#[derive(Debug, Clone, Copy)]
pub enum Task<'p> {
    /// A prompt to continue.
    Generate(&'p PreparedGeneration),
    /// Continuations to score.
    Score(&'p PreparedContext),
    /// The window of this place of a text.
    Window(&'p PreparedText, usize),
}

/// The sequences to run and the cache to run them in.
#[derive(Debug)]
pub struct Plan<'p> {
    /// The answers asked for: those to a request after each other, in the order of variants.
    pub answers: Vec<Asked>,
    /// Sequences that fit, in the order of requests, and those of all variants next to each other.
    pub jobs: Vec<Job<'p>>,
    /// Tokens of a cache block.
    pub block: usize,
    /// Tokens of the cache: what the budget allows, no more than the sequences could use.
    pub cache_tokens: usize,
    /// Requests that do not fit.
    pub too_large: Option<EngineError>,
}

impl<'p> Plan<'p> {
    /// Looks at every request and at the memory there is. `asked` has the places of each variant's requests, ascending.
    pub fn new<M: Model>(
        model: &M,
        options: &EngineOptions,
        prepared: &'p [Prepared],
        asked: &[&[usize]],
    ) -> Self {
        let block = model.block_tokens().max(1);
        let token_bytes = model.costs().token_bytes.max(1) as u64;
        let budget = options.memory.bytes();
        let allowed = usize::try_from(budget / token_bytes).unwrap_or(usize::MAX) / block * block;
        let mut answers: Vec<Asked> = Vec::new();
        for (variant, requests) in asked.iter().enumerate() {
            answers.extend(requests.iter().map(|&request| Asked { request, variant }));
        }
        answers.sort_unstable_by_key(|asked| (asked.request, asked.variant));
        let mut jobs: Vec<Job<'p>> = Vec::new();
        let mut units = 0;
        let mut too_large: Option<(usize, usize)> = None;
        let mut others = 0;
        let mut first = 0;
        for same in answers.chunk_by(|a, b| a.request == b.request) {
            let prepared = &prepared[same[0].request];
            let tasks = tasks(prepared);
            let places = first..first + same.len();
            first = places.end;
            let needed = tasks.iter().map(Task::tokens).max().unwrap_or(0);
            if needed.next_multiple_of(block) > allowed {
                others += usize::from(too_large.is_some());
                too_large.get_or_insert((prepared.index, needed));
                continue;
            }
            for task in tasks {
                jobs.extend(places.clone().zip(same).map(|(answer, asked)| Job {
                    answer,
                    variant: asked.variant,
                    unit: units,
                    cache_tokens: task.tokens().next_multiple_of(block),
                    task,
                }));
                units += 1;
            }
        }
        let too_large = too_large.map(|(request, tokens)| EngineError::TooLarge {
            request,
            others,
            tokens,
            needed: tokens.next_multiple_of(block) as u64 * token_bytes,
            budget,
        });
        let cache_tokens = allowed.min(most_at_once(&jobs, options.max_rows.get()));
        Self {
            answers,
            jobs,
            block,
            cache_tokens,
            too_large,
        }
    }
}

impl<'p> Task<'p> {
    /// What is read before the first logits are wanted, where others may begin alike.
    pub fn prompt(&self) -> &'p [u32] {
        match self {
            Self::Generate(generation) => &generation.prompt,
            Self::Score(context) => &context.context,
            Self::Window(..) => &[],
        }
    }

    /// Tokens the sequence may hold: the last token generated or scored is never read.
    fn tokens(&self) -> usize {
        match self {
            Self::Generate(generation) => generation.prompt.len() + generation.max_new_tokens - 1,
            Self::Score(context) => {
                let longest = context
                    .branches
                    .iter()
                    .map(|branch| branch.tail.len())
                    .max();
                context.context.len() + longest.unwrap_or(0)
            }
            Self::Window(text, window) => text.windows[*window].read.len(),
        }
    }
}

fn tasks(prepared: &Prepared) -> Vec<Task<'_>> {
    match &prepared.work {
        Work::Generate(generation) if generation.max_new_tokens == 0 => Vec::new(),
        Work::Generate(generation) => vec![Task::Generate(generation)],
        Work::Score(contexts) => contexts.iter().map(Task::Score).collect(),
        Work::Text(text) => (0..text.windows.len())
            .map(|window| Task::Window(text, window))
            .collect(),
    }
}

/// Tokens the `rows` largest jobs need together, and one more: a shared beginning may be held while none of its jobs runs.
fn most_at_once(jobs: &[Job<'_>], rows: usize) -> usize {
    let mut sizes: Vec<usize> = jobs.iter().map(|job| job.cache_tokens).collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    sizes.iter().take(rows.saturating_add(1)).sum()
}
