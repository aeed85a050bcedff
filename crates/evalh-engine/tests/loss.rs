//! Losses of texts: prefix, windows, guards, memory.

mod toy;

use evalh_engine::{EngineError, RequestProblem, Vocabulary, serve};
use evalh_record::{Answer, Loss, Message, Prompt, Request, RequestKind, Role, TextScore};
use std::{num::NonZeroUsize, ops::ControlFlow};
use toy::{
    answer,
    model::{TOKEN_BYTES, ToyModel},
    naive, options, roomy,
    tokenizer::ToyTokenizer,
    vocabulary,
};

fn loss(index: usize, text: &str, window: Option<usize>, stride: Option<usize>) -> Request {
    Request {
        index,
        prompt: Prompt::Text(text.into()),
        kind: RequestKind::Loss(Loss { window, stride }),
    }
}

fn score(answer: &Answer) -> TextScore {
    match answer {
        Answer::Loss(score) => *score,
        other => panic!("not a loss: {other:?}"),
    }
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

#[test]
fn every_byte_of_a_long_text_is_scored_in_windows() {
    let model = ToyModel::new(3);
    let text = "x#y".repeat(50);
    let cases = [
        (None, None, 8),
        (Some(20), None, 8),
        (Some(7), None, 22),
        (Some(150), None, 1),
        (Some(7), Some(7), 22),
        (Some(20), Some(10), 14),
        (Some(20), Some(1), 131),
    ];
    for (window, stride, windows) in cases {
        let positions = window.unwrap_or(20);
        let request = loss(0, &text, window, stride);
        let expected = naive::answer(&model, ToyTokenizer::default(), positions, &request);
        let requests = [request];
        let (responses, _) = answer(&model, &vocabulary(positions), &roomy(), &requests);
        let (got, expected) = (score(&responses[0].answer), score(&expected.answer));
        assert_eq!((got.tokens, got.bytes, got.windows), (150, 150, windows));
        assert_eq!(expected.windows, windows);
        assert!(
            (got.log_prob - expected.log_prob).abs() < 1e-4,
            "{window:?}"
        );
    }
}

#[test]
fn the_first_token_follows_the_prefix_which_is_there_once() {
    let model = ToyModel::new(4);
    let of = |text: &str, tokenizer: ToyTokenizer| {
        let mut response = None;
        let sink = &mut |found| {
            response = Some(found);
            ControlFlow::Continue(())
        };
        let request = [loss(0, text, None, None)];
        serve(
            &model,
            &tokenizer,
            &vocabulary(50),
            &roomy(),
            &request,
            sink,
        )
        .expect("answers");
        response.expect("delivered")
    };
    let plain = of("xy", ToyTokenizer::default());
    let adds_bos = ToyTokenizer {
        adds_bos: true,
        ..Default::default()
    };
    assert_eq!(of("xy", adds_bos), plain);
    let spelled = of("<s>xy", adds_bos);
    assert_eq!(spelled.prompt_sha256, plain.prompt_sha256);
    assert_eq!(score(&spelled.answer).bytes, 5);
    assert_eq!(plain.prompt_tokens, 2);
    assert_eq!(plain.truncated_tokens, 0);
}

#[test]
fn a_conversation_is_scored_as_it_is_rendered() {
    let message = Message {
        role: Role::User,
        content: "x".into(),
    };
    let request = Request {
        prompt: Prompt::Chat {
            messages: vec![message],
            prefill: Some("y".into()),
        },
        ..loss(0, "", None, None)
    };
    let model = ToyModel::new(5);
    let (chat, _) = answer(&model, &vocabulary(50), &roomy(), &[request]);
    let text = loss(0, "<s>u:x<|end|>\na:y", None, None);
    let (plain, _) = answer(&model, &vocabulary(50), &roomy(), &[text]);
    assert_eq!(chat, plain);
}

#[test]
fn what_has_no_loss_is_refused_by_name() {
    let of = |text, window, stride| problem(loss(4, text, window, stride), &vocabulary(20));
    assert!(matches!(of("", None, None), RequestProblem::EmptyText));
    assert!(matches!(of("<s>", None, None), RequestProblem::EmptyText));
    assert!(matches!(
        of("x", Some(0), None),
        RequestProblem::Window { window: 0, .. }
    ));
    assert!(matches!(
        of("x", Some(21), None),
        RequestProblem::Window {
            window: 21,
            max_positions: 20
        }
    ));
    for (window, stride) in [(None, 0), (None, 21), (Some(5), 6)] {
        assert!(matches!(
            of("x", window, Some(stride)),
            RequestProblem::Stride { .. }
        ));
    }
    let none = Vocabulary {
        prefix_token: None,
        ..vocabulary(20)
    };
    assert!(matches!(
        problem(loss(4, "x", None, None), &none),
        RequestProblem::NoPrefixToken
    ));
    let pair = Request {
        prompt: Prompt::Pair {
            first: "x".into(),
            second: "y".into(),
        },
        ..loss(4, "", None, None)
    };
    assert!(matches!(
        problem(pair, &vocabulary(20)),
        RequestProblem::WrongKind(_)
    ));
}

#[test]
fn logits_that_are_not_finite_are_named_by_their_place_in_the_text() {
    let model = ToyModel {
        nan_after: Some(u32::from(b'!')),
        ..ToyModel::new(0)
    };
    let request = [loss(4, "xxxxxxxxx!x", Some(4), Some(2))];
    let ended = answer(&model, &vocabulary(20), &roomy(), &request).1;
    assert!(matches!(
        ended,
        Err(EngineError::Request {
            request: 4,
            problem: RequestProblem::NotFinite { position: 10 }
        })
    ));
}

#[test]
fn many_long_texts_share_little_memory_and_change_no_bit_of_each_other() {
    let model = ToyModel::new(6);
    let texts: Vec<String> = (0..20)
        .map(|i| format!("x{i}#y").repeat(40 + i * 3))
        .collect();
    let requests: Vec<Request> = (texts.iter().enumerate())
        .map(|(i, text)| loss(i, text, None, [None, Some(5)][i % 2]))
        .collect();
    // room for three windows of 32 at once
    let (mut responses, ended) = answer(&model, &vocabulary(32), &options(96, 64, 24), &requests);
    let timings = ended.expect("answers");
    assert_eq!((timings.cache_tokens, timings.peak_rows), (96, 3));
    responses.sort_by_key(|response| response.index);
    for (request, response) in requests.iter().zip(&responses) {
        let options = options(1 << 16, 1, 1000);
        let request = std::slice::from_ref(request);
        let (alone, _) = answer(&model, &vocabulary(32), &options, request);
        assert_eq!(alone[0], *response);
    }
    // a window that does not fit at all is named, and the shorter texts are answered
    let small = options(16, 8, 24);
    let requests = [loss(0, "xy", None, None), requests[3].clone()];
    let (responses, ended) = answer(&model, &vocabulary(32), &small, &requests);
    assert_eq!(responses.len(), 1);
    let budget = 16 * TOKEN_BYTES as u64;
    assert!(
        matches!(ended, Err(EngineError::TooLarge { request: 3, others: 0, tokens: 32, budget: b, .. }) if b == budget)
    );
}

#[test]
fn a_pass_asks_for_no_more_logits_than_it_may_hold() {
    // 128 MiB are 32 rows of such a vocabulary; a window of 64 tokens asks for 64
    let model = ToyModel {
        size: 1 << 20,
        ..ToyModel::new(7)
    };
    let vocabulary = Vocabulary {
        size: 1 << 20,
        ..vocabulary(64)
    };
    let options = evalh_engine::EngineOptions {
        step_tokens: NonZeroUsize::new(64).expect("not zero"),
        ..roomy()
    };
    let (responses, ended) = answer(
        &model,
        &vocabulary,
        &options,
        &[loss(0, &"x".repeat(64), None, None)],
    );
    assert_eq!(score(&responses[0].answer).tokens, 64);
    assert_eq!(ended.expect("answers").steps, 2);
}
