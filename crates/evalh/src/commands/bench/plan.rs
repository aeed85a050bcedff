//! What is measured: the flags, bounded by the model and the memory.

use crate::{
    failure::{Failure, Outcome},
    flags::{BenchFlags, Part},
};
use serde::Serialize;
use std::{collections::BTreeSet, num::NonZeroUsize};

const PROMPT_TOKENS: [usize; 3] = [64, 512, 2048];
const BATCHES: [usize; 4] = [1, 4, 16, 64];
const CONTEXT: usize = 128;
const NEW_TOKENS: usize = 32;
const REPETITIONS: usize = 7;
const REQUESTS: usize = 20;
const ROUNDS: usize = 15;

/// What bounds a plan.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Positions of the model.
    pub positions: usize,
    /// Bytes that a token of a sequence takes in the cache.
    pub bytes_per_token: usize,
    /// Bytes that the cache may take.
    pub memory: u64,
}

/// What is measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    #[serde(skip)]
    parts: BTreeSet<Part>,
    /// Prompt lengths.
    pub prompt_tokens: Vec<usize>,
    /// Sequences that are written at once.
    pub batches: Vec<usize>,
    /// Tokens that a sequence holds before it is written to.
    pub context: usize,
    /// Tokens that are written to each.
    pub new_tokens: usize,
    /// Counted repetitions.
    pub repetitions: usize,
    /// Requests.
    pub requests: usize,
    /// Rounds of the comparison of adapters.
    pub rounds: usize,
    /// Seed of the tokens.
    pub seed: u64,
    /// What the defaults would measure and the bounds do not allow.
    pub left_out: Vec<String>,
}

impl Plan {
    /// What the flags mean for a model.
    ///
    /// # Errors
    /// When an option has no effect, or asks for more than the model or the memory allows.
    pub fn of(flags: &BenchFlags, bounds: Bounds) -> Outcome<Plan> {
        let parts = parts(flags)?;
        refuse_idle(flags, &parts)?;
        let given = |value: Option<NonZeroUsize>, default| value.map_or(default, NonZeroUsize::get);
        let positions = bounds.positions.max(2);
        let context = given(flags.context, CONTEXT.min(positions / 2));
        let new_tokens = given(
            flags.new_tokens,
            NEW_TOKENS.min(positions.saturating_sub(context).max(1)),
        );
        let writes = parts.iter().any(|part| *part != Part::Prefill);
        if writes && context + new_tokens > positions {
            return Err(too_long(
                &format!("--context {context} and --new-tokens {new_tokens}"),
                positions,
            ));
        }
        let mut plan = Plan {
            prompt_tokens: Vec::new(),
            batches: Vec::new(),
            context,
            new_tokens,
            repetitions: given(flags.repetitions, REPETITIONS),
            requests: given(flags.requests, REQUESTS),
            rounds: given(flags.rounds, ROUNDS),
            seed: flags.seed,
            left_out: Vec::new(),
            parts,
        };
        if plan.measures(Part::Prefill) {
            plan.prompts(&flags.prompt_tokens, bounds)?;
        }
        if plan.measures(Part::Decode) {
            plan.batches(&flags.batch, bounds)?;
        }
        Ok(plan)
    }

    /// Whether this part is measured.
    pub fn measures(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    fn prompts(&mut self, asked: &[NonZeroUsize], bounds: Bounds) -> Outcome<()> {
        let fits = |tokens: usize| tokens <= bounds.positions;
        if let Some(tokens) = asked.iter().find(|tokens| !fits(tokens.get())) {
            return Err(too_long(
                &format!("--prompt-tokens {tokens}"),
                bounds.positions,
            ));
        }
        let defaults = PROMPT_TOKENS.into_iter();
        let (kept, dropped) = split(asked, defaults, fits);
        self.prompt_tokens = if kept.is_empty() {
            vec![bounds.positions]
        } else {
            kept
        };
        self.left_out.extend(dropped.iter().map(|tokens| {
            format!(
                "a prompt of {tokens} tokens: the model has {} positions",
                bounds.positions
            )
        }));
        Ok(())
    }

    fn batches(&mut self, asked: &[NonZeroUsize], bounds: Bounds) -> Outcome<()> {
        let tokens = self.context + self.new_tokens;
        let bytes = |batch: usize| batch as u64 * tokens as u64 * bounds.bytes_per_token as u64;
        let fits = |batch: usize| bytes(batch) <= bounds.memory;
        let needs = |batch: usize| {
            format!(
                "{batch} sequences of {tokens} tokens take {} MB, and half of the free memory is {} MB",
                bytes(batch) / 1_000_000,
                bounds.memory / 1_000_000
            )
        };
        if let Some(batch) = asked.iter().find(|batch| !fits(batch.get())) {
            return Err(Failure::new("measure decoding")
                .cause(needs(batch.get()))
                .help("ask for less: --batch, --context, --new-tokens"));
        }
        let (kept, dropped) = split(asked, BATCHES.into_iter(), fits);
        if kept.is_empty() {
            return Err(Failure::new("measure decoding")
                .cause(needs(1))
                .help("ask for less: --context, --new-tokens"));
        }
        self.batches = kept;
        self.left_out
            .extend(dropped.iter().map(|batch| needs(*batch)));
        Ok(())
    }
}

/// What was asked for, else the defaults that fit and those that do not; each once, in ascending order.
fn split(
    asked: &[NonZeroUsize],
    defaults: impl Iterator<Item = usize>,
    fits: impl Fn(usize) -> bool,
) -> (Vec<usize>, Vec<usize>) {
    if asked.is_empty() {
        return defaults.partition(|value| fits(*value));
    }
    let once: BTreeSet<usize> = asked.iter().map(|value| value.get()).collect();
    (once.into_iter().collect(), Vec::new())
}

fn parts(flags: &BenchFlags) -> Outcome<BTreeSet<Part>> {
    if flags.only.contains(&Part::Adapters) && flags.adapter.is_empty() {
        return Err(Failure::new("make sense of the options")
            .cause("--only adapters compares adapters with the base, and there is none")
            .help("add --adapter NAME=PATH"));
    }
    if !flags.only.is_empty() {
        return Ok(flags.only.iter().copied().collect());
    }
    let mut parts = BTreeSet::from([Part::Prefill, Part::Decode, Part::Requests]);
    if !flags.adapter.is_empty() {
        parts.insert(Part::Adapters);
    }
    Ok(parts)
}

/// An option whose part is not measured would be ignored.
fn refuse_idle(flags: &BenchFlags, parts: &BTreeSet<Part>) -> Outcome<()> {
    use Part::{Adapters, Decode, Prefill, Requests};
    let writing: &[Part] = &[Decode, Requests, Adapters];
    let options: [(&str, bool, &[Part]); 8] = [
        ("--adapter", !flags.adapter.is_empty(), &[Adapters]),
        (
            "--prompt-tokens",
            !flags.prompt_tokens.is_empty(),
            &[Prefill],
        ),
        ("--batch", !flags.batch.is_empty(), &[Decode]),
        ("--context", flags.context.is_some(), writing),
        ("--new-tokens", flags.new_tokens.is_some(), writing),
        (
            "--repetitions",
            flags.repetitions.is_some(),
            &[Prefill, Decode],
        ),
        ("--requests", flags.requests.is_some(), &[Requests]),
        ("--rounds", flags.rounds.is_some(), &[Adapters]),
    ];
    let idle = options
        .iter()
        .find(|(_, given, of)| *given && !of.iter().any(|part| parts.contains(part)));
    match idle {
        None => Ok(()),
        Some((option, _, of)) => {
            let of: Vec<_> = of.iter().map(Part::to_string).collect();
            let help = if of == ["adapters"] && flags.adapter.is_empty() {
                "add --adapter NAME=PATH, or leave it out".to_owned()
            } else {
                format!("add {} to --only, or leave it out", of.join(" or "))
            };
            Err(Failure::new("make sense of the options")
                .cause(format!("{option} has no effect on what is measured"))
                .help(help))
        }
    }
}

fn too_long(what: &str, positions: usize) -> Failure {
    Failure::new("make sense of the options")
        .cause(format!(
            "{what} are more than the model's {positions} positions"
        ))
        .help("ask for less")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::{Cli, Command};
    use clap::Parser as _;

    fn plan(line: &str, positions: usize, memory: u64) -> Result<Plan, String> {
        let words = ["evalh", "bench"]
            .into_iter()
            .chain(line.split_whitespace());
        let Command::Bench(flags) = Cli::try_parse_from(words).unwrap().command else {
            unreachable!("the command is bench");
        };
        let bounds = Bounds {
            positions,
            bytes_per_token: 1000,
            memory,
        };
        Plan::of(&flags, bounds).map_err(|failure| failure.to_string())
    }

    #[test]
    fn the_defaults_stay_within_the_model_and_the_memory() {
        let whole = plan("", 4096, 1 << 40).unwrap();
        assert_eq!(whole.prompt_tokens, PROMPT_TOKENS);
        assert_eq!(whole.batches, BATCHES);
        assert!(whole.left_out.is_empty() && !whole.measures(Part::Adapters));

        let small = plan("", 100, 1_500_000).unwrap();
        assert_eq!(small.prompt_tokens, [64]);
        assert_eq!((small.context, small.new_tokens), (50, 32));
        assert_eq!(small.batches, [1, 4, 16]);
        assert_eq!(small.left_out.len(), 3, "{:?}", small.left_out);
        assert_eq!(plan("", 16, 1 << 30).unwrap().prompt_tokens, [16]);
    }

    #[test]
    fn what_is_asked_for_is_measured_or_refused() {
        let asked = plan(
            "--only decode --batch 3,1,3 --context 10 --new-tokens 5",
            64,
            1 << 30,
        );
        assert_eq!(asked.unwrap().batches, [1, 3]);
        for (line, said) in [
            (
                "--prompt-tokens 65",
                "--prompt-tokens 65 are more than the model's 64 positions",
            ),
            (
                "--context 60 --new-tokens 5",
                "--context 60 and --new-tokens 5 are more",
            ),
            ("--batch 500", "500 sequences of 64 tokens take 32 MB"),
            ("--only adapters", "there is none"),
            ("--only prefill --batch 2", "--batch has no effect"),
            ("--only prefill --context 2", "--context has no effect"),
            ("--rounds 2", "--rounds has no effect"),
            ("--only decode --adapter a=b", "--adapter has no effect"),
        ] {
            let refused = plan(line, 64, 10_000_000).unwrap_err();
            assert!(refused.contains(said), "{line}: {refused}");
        }
    }
}
