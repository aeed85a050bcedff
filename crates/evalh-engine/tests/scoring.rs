//! Log-likelihoods: token boundary, truncation, guards.

mod toy;

use evalh_engine::{EngineError, RequestProblem, SpecialTokens, Text, Vocabulary, serve};
use evalh_record::{
    Answer, ContinuationScore, LogLikelihood, Prompt, Request, RequestKind, sha256_bytes,
};
use std::ops::ControlFlow;
use toy::{
    answer,
    model::ToyModel,
    roomy,
    tokenizer::{BOS, ToyTokenizer},
    vocabulary,
};

fn scored(text: &str, continuations: &[&str]) -> Request {
    let continuations = continuations.iter().map(ToString::to_string).collect();
    let kind = RequestKind::LogLikelihood(LogLikelihood { continuations });
    Request {
        index: 4,
        prompt: Prompt::Text(text.into()),
        kind,
    }
}

fn scores(answer: &Answer) -> &[ContinuationScore] {
    match answer {
        Answer::Scored(scores) => scores,
        other => panic!("not scores: {other:?}"),
    }
}

/// Log-probability of `whole[begin..]` given what is before it.
fn log_prob(model: &ToyModel, whole: &[u32], begin: usize) -> f64 {
    (begin..whole.len())
        .map(|place| {
            let logits = model.logits(&whole[..place]);
            let total: f64 = logits.iter().map(|&l| f64::from(l).exp()).sum();
            f64::from(logits[whole[place] as usize]) - total.ln()
        })
        .sum()
}

fn problem(request: Request, vocabulary: &Vocabulary) -> RequestProblem {
    match answer(&ToyModel::new(0), vocabulary, &roomy(), &[request]).1 {
        Err(EngineError::Request {
            request: 4,
            problem,
        }) => problem,
        other => panic!("{other:?}"),
    }
}

fn ids(text: &str) -> Vec<u32> {
    ToyTokenizer::default()
        .encode(text, SpecialTokens::None)
        .expect("encodes")
}

#[test]
fn trailing_space_moves_to_the_continuation() {
    let model = ToyModel::new(5);
    // " a" is one token: apart, the space would stay with the context
    let (responses, _) = answer(
        &model,
        &vocabulary(50),
        &roomy(),
        &[scored("x ", &["a", "b"])],
    );
    let got = scores(&responses[0].answer);
    assert_eq!(
        (got[0].tokens, got[1].tokens, responses[0].prompt_tokens),
        (1, 2, 1)
    );
    assert!((got[0].log_prob - log_prob(&model, &ids("x a"), 1)).abs() < 1e-5);
    assert!((got[1].log_prob - log_prob(&model, &ids("x b"), 1)).abs() < 1e-5);
}

#[test]
fn the_whole_is_encoded_and_the_context_s_length_cut_off() {
    let model = ToyModel::new(6);
    // "x" "a" | "b" becomes "x" "ab": what follows two tokens is "#"
    let (responses, _) = answer(&model, &vocabulary(50), &roomy(), &[scored("xa", &["b#"])]);
    let got = scores(&responses[0].answer)[0];
    assert_eq!(got.tokens, 1);
    let run = [ids("xa"), ids("#")].concat();
    assert!((got.log_prob - log_prob(&model, &run, 2)).abs() < 1e-5);
}

#[test]
fn an_empty_context_is_the_prefix_token_once() {
    let model = ToyModel::new(7);
    let (responses, _) = answer(
        &model,
        &vocabulary(50),
        &roomy(),
        &[scored("", &["ab", "<s>b"])],
    );
    let got = scores(&responses[0].answer);
    assert_eq!(
        (got[0].tokens, got[1].tokens, responses[0].prompt_tokens),
        (1, 1, 1)
    );
    assert!((got[1].log_prob - log_prob(&model, &[BOS, u32::from(b'b')], 1)).abs() < 1e-5);
    let none = Vocabulary {
        prefix_token: None,
        ..vocabulary(50)
    };
    assert!(matches!(
        problem(scored("", &["a"]), &none),
        RequestProblem::EmptyPrompt
    ));
    assert!(matches!(
        problem(scored("  ", &["a"]), &none),
        RequestProblem::EmptyPrompt
    ));
}

#[test]
fn the_post_processor_s_token_is_never_doubled() {
    let prompt_of = |text: &str, adds_bos| {
        let tokenizer = ToyTokenizer {
            adds_bos,
            ..Default::default()
        };
        let mut hash = None;
        let sink = &mut |response: evalh_record::Response| {
            hash = Some(response.prompt_sha256);
            ControlFlow::Continue(())
        };
        serve(
            &ToyModel::new(0),
            &tokenizer,
            &vocabulary(50),
            &roomy(),
            &[scored(text, &["x"])],
            sink,
        )
        .expect("answers");
        hash.expect("delivered")
    };
    let hash = |ids: &[u32]| {
        sha256_bytes(
            &ids.iter()
                .flat_map(|id| id.to_le_bytes())
                .collect::<Vec<_>>(),
        )
    };
    let a = u32::from(b'a');
    assert_eq!(prompt_of("a", true), hash(&[BOS, a]));
    assert_eq!(prompt_of("<s>a", true), hash(&[BOS, a]));
    assert_eq!(prompt_of("a", false), hash(&[a]));
    // two that the text spells out itself are the caller's
    assert_eq!(prompt_of("<s><s>a", false), hash(&[BOS, BOS, a]));
}

#[test]
fn each_continuation_is_truncated_for_itself() {
    let model = ToyModel::new(8);
    let text = "#b#b#b#b#b#b";
    let (responses, _) = answer(
        &model,
        &vocabulary(11),
        &roomy(),
        &[scored(text, &["x", "xxxx"])],
    );
    let got = scores(&responses[0].answer);
    for (score, continuation) in got.iter().zip(["x", "xxxx"]) {
        let whole = ids(&(text.to_owned() + continuation));
        let kept = &whole[whole.len() - 12..];
        assert!((score.log_prob - log_prob(&model, kept, 12 - continuation.len())).abs() < 1e-5);
    }
    assert_eq!(
        (responses[0].prompt_tokens, responses[0].truncated_tokens),
        (8, 4)
    );
}

/// The three most likely tokens after `start`, one after another, with it.
fn greedy_run(model: &ToyModel, start: &str) -> Vec<u32> {
    let mut run = ids(start);
    for _ in 0..3 {
        let logits = model.logits(&run);
        let best = logits.iter().copied().fold(f32::MIN, f32::max);
        run.push(logits.iter().position(|&l| l >= best).expect("there") as u32);
    }
    run
}

#[test]
fn the_most_likely_continuation_is_greedy() {
    // a model whose greedy tokens survive decoding and encoding
    let survivor = (0..1000).map(ToyModel::new).find_map(|model| {
        let run = greedy_run(&model, "b#");
        let text = ToyTokenizer::default().decode(&run[2..]).expect("decodes");
        (ids(&("b#".to_owned() + &text)) == run).then_some((model, text))
    });
    let (model, text) = survivor.expect("some seed");
    let (responses, _) = answer(
        &model,
        &vocabulary(50),
        &roomy(),
        &[scored("b#", &[&text, "xyz"])],
    );
    let got = scores(&responses[0].answer);
    assert_eq!(
        (got[0].tokens, got[0].is_greedy, got[1].is_greedy),
        (3, true, false)
    );
}

#[test]
fn continuations_the_model_cannot_tell_apart_are_refused() {
    let of = |request| problem(request, &vocabulary(20));
    assert!(matches!(
        of(scored("a", &[])),
        RequestProblem::NoContinuations
    ));
    assert!(matches!(
        of(scored("a", &["x", ""])),
        RequestProblem::EmptyContinuation { continuation: 1 }
    ));
    // "a" + "b" is the one token "ab": nothing follows the context's length
    assert!(matches!(
        of(scored("a", &["b"])),
        RequestProblem::EmptyContinuation { continuation: 0 }
    ));
    assert!(matches!(
        of(scored("a", &["x", "y", "x"])),
        RequestProblem::SameTokens {
            first: 0,
            second: 2
        }
    ));
    let long = "x".repeat(21);
    let problem = of(scored("a", &["x", &long]));
    assert!(matches!(
        problem,
        RequestProblem::ContinuationTooLong {
            continuation: 1,
            tokens: 21,
            max_positions: 20
        }
    ));
}

#[test]
fn one_pass_reads_the_context_once_whatever_is_asked_of_it() {
    let count = |rewinds, continuations: &[&str]| {
        let model = ToyModel {
            rewinds,
            ..ToyModel::new(1)
        };
        let (_, ended) = answer(
            &model,
            &vocabulary(50),
            &roomy(),
            &[scored("#b#b#b#b#b", continuations)],
        );
        let timings = ended.expect("answers");
        (timings.prefill_tokens, timings.steps)
    };
    assert_eq!(count(true, &["x", "y", "z", "#"]), (10, 1));
    // one more token for each continuation of two, in a step of its own after the first
    assert_eq!(count(true, &["xx", "yy", "z", "#"]), (12, 2));
    assert_eq!(count(true, &["xx", "xy", "xz", "x#"]), (11, 1));
    // without a way back the context is read again
    assert_eq!(count(false, &["xx", "yy", "z", "#"]), (22, 2));
}
