//! One answer as the page shows it.

use evalh_record::{Answer, Finish, Outcome, Sample};
use serde::Serialize;
use std::collections::BTreeMap;

/// One answer. Absent fields are not written: most are absent.
#[derive(Serialize)]
pub(super) struct ShownAnswer<'a> {
    /// The completion.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    /// Tokens of the completion.
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<usize>,
    /// Why it ended, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
    /// Log-probability, tokens and whether it is greedy, a continuation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scored: Vec<(f64, usize, bool)>,
    /// Log-probability, tokens, bytes and windows of a whole text.
    #[serde(skip_serializing_if = "Option::is_none")]
    loss: Option<(f64, usize, usize, usize)>,
    /// The outputs of a classification head.
    #[serde(skip_serializing_if = "Option::is_none")]
    classified: Option<&'a [f32]>,
    /// What was read out of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    extracted: Option<&'a str>,
    /// What is right.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    /// How its program ended, and what that said.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<(&'static str, String)>,
    /// Names of the sandbox's findings.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    suspicions: &'a [String],
    /// Tokens of the prompt.
    prompt_tokens: usize,
    /// Tokens cut from it.
    #[serde(skip_serializing_if = "is_zero")]
    truncated: usize,
    /// The headline metric.
    score: f64,
    /// Other metrics.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    scores: &'a BTreeMap<String, f64>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// The sample; without what the model, the data set or a program wrote where texts stay out.
pub(super) fn shown(sample: &Sample, texts: bool) -> ShownAnswer<'_> {
    let mut shown = ShownAnswer {
        text: None,
        tokens: None,
        ended: None,
        scored: Vec::new(),
        loss: None,
        classified: None,
        extracted: sample.extracted.as_deref().filter(|_| texts),
        target: sample.target.as_deref().filter(|_| texts),
        outcome: sample
            .outcome
            .as_ref()
            .map(|outcome| (outcome.kind(), said(outcome, texts))),
        suspicions: &sample.suspicions,
        prompt_tokens: sample.prompt_tokens,
        truncated: sample.truncated_tokens,
        score: sample.score,
        scores: &sample.scores,
    };
    match &sample.answer {
        Answer::Generated(generation) => {
            shown.text = texts.then_some(generation.text.as_str());
            shown.tokens = Some(generation.tokens);
            shown.ended = Some(ended(&generation.finish, texts));
        }
        Answer::Scored(scores) => {
            shown.scored = scores
                .iter()
                .map(|score| (score.log_prob, score.tokens, score.is_greedy))
                .collect();
        }
        Answer::Loss(score) => {
            shown.loss = Some((score.log_prob, score.tokens, score.bytes, score.windows));
        }
        Answer::Classified(outputs) => shown.classified = Some(outputs),
    }
    shown
}

/// What the program's end came with: the exception, the assertion's message, the exit code.
fn said(outcome: &Outcome, texts: bool) -> String {
    match outcome {
        Outcome::Exited { code } => format!("code {code}"),
        _ if !texts => String::new(),
        Outcome::Failed { message } => message.clone(),
        Outcome::Error { class, message } if message.is_empty() => class.clone(),
        Outcome::Error { class, message } => format!("{class}: {message}"),
        Outcome::Crashed { reason } => reason.clone(),
        Outcome::Passed | Outcome::TimedOut | Outcome::OutOfMemory => String::new(),
    }
}

fn ended(finish: &Finish, texts: bool) -> String {
    match finish {
        Finish::Stop(stop) if texts => format!("stop string {stop:?}"),
        Finish::Stop(_) => "stop string".to_owned(),
        Finish::Eos(id) => format!("end of sequence (token {id})"),
        Finish::Length => "token limit".to_owned(),
    }
}
