//! Items won and lost, and how answers ended.

use super::{
    Flip, OutcomeCount,
    answers::{Answered, Items, item_score},
};
use evalh_record::{Answer, Finish, Outcome, Sample};

/// Most characters of an answer in a flip.
const SHOWN: usize = 60;

/// The items on which a variant's headline score differs from its base's, in the suite's order.
pub(super) fn flips(variant: usize, ours: &Items<'_>, theirs: &Items<'_>) -> Vec<Flip> {
    let items = ours.iter().filter_map(|(key, here)| {
        let base = theirs.get(key)?;
        let first = here.first()?;
        let lower_is_better = matches!(first.answer, Answer::Loss(_));
        let difference = item_score(here) - item_score(base);
        (difference != 0.0).then(|| Flip {
            variant,
            task: first.task.clone(),
            item: key.1.to_owned(),
            won: (difference > 0.0) != lower_is_better,
            base: said(base),
            here: said(here),
        })
    });
    items.collect()
}

/// What was answered, in a few words.
fn said(samples: &[&Sample]) -> String {
    let [sample] = samples else {
        let right = samples.iter().filter(|sample| sample.score >= 1.0).count();
        return format!("{right} of {} right", samples.len());
    };
    if let Some(outcome) = &sample.outcome {
        return ending(outcome);
    }
    match (&sample.extracted, &sample.answer) {
        (Some(extracted), _) => shortened(extracted),
        (None, Answer::Loss(text)) => {
            format!(
                "{:.4} nats a token",
                -text.log_prob / text.tokens.max(1) as f64
            )
        }
        (None, Answer::Generated(generation)) => shortened(&generation.text),
        (None, Answer::Scored(_) | Answer::Classified(_)) => format!("score {}", sample.score),
    }
}

fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= SHOWN {
        return line;
    }
    let start: String = line.chars().take(SHOWN - 1).collect();
    format!("{start}\u{2026}")
}

/// How a program ended, an exception by its class.
fn ending(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Error { class, .. } => class.clone(),
        other => other.kind().to_owned(),
    }
}

/// How a variant's answers ended: programs by their outcome, then generations by what ended them; the most frequent first.
pub(super) fn outcomes(answered: &Answered<'_>) -> Vec<OutcomeCount> {
    let samples = || answered.items.values().flatten().copied();
    let programs = samples().filter_map(|sample| sample.outcome.as_ref().map(ending));
    let ends = samples().filter_map(|sample| match &sample.answer {
        Answer::Generated(generation) => Some(match generation.finish {
            Finish::Stop(_) => "ended by stop string",
            Finish::Eos(_) => "ended by end of sequence",
            Finish::Length => "ended by token limit",
        }),
        Answer::Scored(_) | Answer::Loss(_) | Answer::Classified(_) => None,
    });
    let mut counts = counted(answered.variant, programs);
    counts.extend(counted(answered.variant, ends.map(str::to_owned)));
    counts
}

fn counted(variant: usize, names: impl Iterator<Item = String>) -> Vec<OutcomeCount> {
    let mut counts: Vec<OutcomeCount> = Vec::new();
    for outcome in names {
        match counts.iter_mut().find(|of| of.outcome == outcome) {
            Some(of) => of.count += 1,
            None => counts.push(OutcomeCount {
                variant,
                outcome,
                count: 1,
            }),
        }
    }
    counts.sort_by(|a, b| {
        b.count
            .cmp(&a.count)
            .then_with(|| a.outcome.cmp(&b.outcome))
    });
    counts
}
