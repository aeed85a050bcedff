//! What ends a run early, and that nothing computed is lost by it.

mod toy;

use evalh_engine::{
    BoxError, Costs, EngineError, Forward, LogitRows, Model, RequestProblem, Row, serve,
};
use evalh_record::{Generate, LogLikelihood, Prompt, Request, RequestKind, Sampling};
use std::ops::ControlFlow;
use toy::{
    answer, answer_all,
    model::{TOKEN_BYTES, ToyModel},
    options, roomy,
    tokenizer::ToyTokenizer,
    vocabulary,
};

fn generate(index: usize, text: &str, max_new_tokens: usize) -> Request {
    let kind = RequestKind::Generate(Generate {
        max_new_tokens,
        stops: vec![],
        sampling: Sampling::Greedy,
    });
    Request {
        index,
        prompt: Prompt::Text(text.into()),
        kind,
    }
}

#[test]
fn requests_too_large_for_the_memory_are_named_after_all_others_are_answered() {
    let scored = RequestKind::LogLikelihood(LogLikelihood {
        continuations: vec!["x".repeat(30), "y".into()],
    });
    let requests = [
        generate(10, "ab", 60),
        generate(11, "ab", 9),
        Request {
            index: 12,
            prompt: Prompt::Text("a".into()),
            kind: scored,
        },
        generate(13, "b", 12),
    ];
    let (responses, ended) = answer(
        &ToyModel::new(0),
        &vocabulary(100),
        &options(19, 4, 8),
        &requests,
    );
    let mut answered: Vec<_> = responses.iter().map(|response| response.index).collect();
    answered.sort_unstable();
    assert_eq!(answered, [11, 13]);
    let error = ended.expect_err("two are too large");
    // whole blocks of four tokens of ten bytes
    let text = error.to_string();
    assert!(
        matches!(
            error,
            EngineError::TooLarge {
                request: 10,
                others: 1,
                tokens: 60,
                needed: 600,
                budget: 190
            }
        ),
        "{text}"
    );
    assert!(text.contains("request 10 (1 more like it)") && text.contains("allow more memory"));
}

#[test]
fn no_more_cache_is_set_up_than_the_requests_can_use() {
    let (_, ended) = answer(
        &ToyModel::new(0),
        &vocabulary(100),
        &roomy(),
        &[generate(0, "b", 6), generate(1, "b#", 7)],
    );
    assert_eq!(ended.expect("answers").cache_tokens, 8 + 8);
    let (responses, ended) = answer(&ToyModel::new(0), &vocabulary(100), &roomy(), &[]);
    assert_eq!((responses.len(), ended.expect("answers").steps), (0, 0));
}

#[test]
fn memory_and_rows_bound_what_runs_at_once() {
    let requests: Vec<_> = (0..20).map(|index| generate(index, "b#", 15)).collect();
    let peak = |cache, rows| {
        answer(
            &ToyModel::new(0),
            &vocabulary(100),
            &options(cache, rows, 64),
            &requests,
        )
        .1
    };
    assert_eq!(peak(1000, 20).expect("answers").peak_rows, 20);
    assert_eq!(peak(1000, 3).expect("answers").peak_rows, 3);
    assert_eq!(peak(16 * 5 + 15, 20).expect("answers").peak_rows, 5);
}

#[test]
fn prefill_fills_a_pass_up_to_its_tokens_and_decode_goes_on_beside_it() {
    // beginnings of their own, so that each is read whole
    let requests: Vec<_> = ["#b#b#b#b#b", "b#b##b#b#b", "##b#b##b#b", "bb#b##b#b#"]
        .iter()
        .enumerate()
        .map(|(index, prompt)| generate(index, prompt, 1))
        .collect();
    let steps = |step, requests: &[Request]| {
        let (_, ended) = answer(
            &ToyModel::new(0),
            &vocabulary(100),
            &options(1000, 8, step),
            requests,
        );
        ended.expect("answers").steps
    };
    assert_eq!(steps(40, &requests), 1);
    assert_eq!(steps(39, &requests), 2);
    assert_eq!(steps(8, &requests), 5);
    // a prompt of forty tokens is read in nine passes; the first request decodes in every one of them but the first
    let long = [generate(0, "#b", 9), generate(1, &"#b".repeat(20), 1)];
    let (model, options) = (ToyModel::new(1), options(1000, 8, 6));
    let (responses, ended) = answer(&model, &vocabulary(100), &options, &long);
    let timings = ended.expect("answers");
    assert_eq!(
        (timings.prefill_tokens, timings.decode_tokens, timings.steps),
        (42, 8, 9)
    );
    assert_eq!(responses.len(), 2);
}

#[test]
fn a_sink_that_has_enough_ends_the_run() {
    let requests: Vec<_> = (0..20)
        .map(|index| generate(index, "b#", 1 + index))
        .collect();
    for enough in 1..20 {
        let mut delivered = 0;
        let ended = serve(
            &ToyModel::new(0),
            &ToyTokenizer::default(),
            &vocabulary(100),
            &roomy(),
            &requests,
            &mut |_| {
                delivered += 1;
                if delivered == enough {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            },
        );
        assert!(ended.is_ok());
        assert_eq!(delivered, enough);
    }
}

#[test]
fn logits_that_are_not_finite_name_the_request_and_the_position() {
    let tilde = u32::from(b'~');
    let model = ToyModel {
        nan_after: Some(tilde),
        ..ToyModel::new(0)
    };
    let requests = [
        generate(5, "b", 1),
        generate(6, "b~", 4),
        generate(8, "#", 1),
    ];
    let (responses, ended) = answer(&model, &vocabulary(100), &roomy(), &requests);
    let error = ended.expect_err("NaN");
    assert!(
        matches!(
            error,
            EngineError::Request {
                request: 6,
                problem: RequestProblem::NotFinite { position: 1 }
            }
        ),
        "{error}"
    );
    assert!(error.to_string().contains("NaN"));
    // the others ended in the same pass
    assert_eq!(
        responses
            .iter()
            .map(|response| response.index)
            .collect::<Vec<_>>(),
        [5, 8]
    );
    let kind = RequestKind::LogLikelihood(LogLikelihood {
        continuations: vec!["x".into()],
    });
    let scored = Request {
        index: 9,
        prompt: Prompt::Text("b~".into()),
        kind,
    };
    let (_, ended) = answer(&model, &vocabulary(100), &roomy(), &[scored]);
    assert!(matches!(
        ended,
        Err(EngineError::Request {
            request: 9,
            problem: RequestProblem::NotFinite { .. }
        })
    ));
}

/// A model that fails in its third pass, or has no memory at all.
struct Broken {
    memory: bool,
}

struct BrokenSession(usize);

struct Flat([f32; 300]);

impl Model for Broken {
    type Session<'m> = BrokenSession;

    fn costs(&self) -> Costs {
        Costs {
            parameters: 100,
            weight_bytes: 400,
            token_bytes: TOKEN_BYTES,
        }
    }

    fn layers(&self) -> usize {
        1
    }

    fn block_tokens(&self) -> usize {
        1
    }

    fn session(&self, _: usize) -> Result<BrokenSession, BoxError> {
        if self.memory {
            Ok(BrokenSession(0))
        } else {
            Err("out of memory".into())
        }
    }
}

impl Forward for BrokenSession {
    type Seq = ();
    type Logits = Flat;

    fn open(&mut self, _: usize, _: usize) {}

    fn close(&mut self, (): ()) {}

    fn forward(&mut self, _: &[Row<'_, ()>]) -> Result<Flat, BoxError> {
        self.0 += 1;
        if self.0 < 3 {
            Ok(Flat([0.0; 300]))
        } else {
            Err("the device is gone".into())
        }
    }
}

impl LogitRows for Flat {
    fn row(&self, _: usize) -> &[f32] {
        &self.0
    }
}

#[test]
fn a_failing_model_keeps_what_was_delivered() {
    let run = |memory| {
        let mut delivered = Vec::new();
        let requests = [generate(0, "b", 2), generate(1, "b", 9)];
        let ended = serve(
            &Broken { memory },
            &ToyTokenizer::default(),
            &vocabulary(100),
            &roomy(),
            &requests,
            &mut |response| {
                delivered.push(response.index);
                ControlFlow::Continue(())
            },
        );
        (delivered, ended.expect_err("fails").to_string())
    };
    assert_eq!(
        run(true),
        (vec![0], "run the model: the device is gone".into())
    );
    assert_eq!(
        run(false),
        (vec![], "set up a cache of 11 tokens: out of memory".into())
    );
}

#[test]
fn what_prompts_begin_with_is_read_once() {
    let beginning = "b#b##b#b#b##b#b#";
    let ends = ["#b#b#", "b#b#b", "bb#b#", "##b#b"];
    let requests: Vec<_> = (0..4)
        .map(|index| generate(index, &format!("{beginning}{}", ends[index]), 2))
        .collect();
    let run = |cache, rows, rewinds| {
        let model = ToyModel {
            rewinds,
            ..ToyModel::new(3)
        };
        let options = options(cache, rows, 64);
        let (mut responses, ended) = answer(&model, &vocabulary(100), &options, &requests);
        responses.sort_by_key(|response| response.index);
        (responses, ended.expect("answers"))
    };
    let (alone, timings) = run(1000, 8, false);
    assert_eq!((timings.prefill_tokens, timings.shared_tokens), (84, 0));
    let (shared, timings) = run(1000, 8, true);
    assert_eq!(
        (timings.prefill_tokens, timings.shared_tokens),
        (16 + 20, 64)
    );
    assert_eq!(alone, shared);
    // No room but for one of them at a time.
    let (tight, timings) = run(24, 8, true);
    assert_eq!(timings.shared_tokens, 64);
    assert_eq!(alone, tight);
}

#[test]
fn a_beginning_between_blocks_is_shared_and_not_at_the_price_of_an_answer() {
    // Eighteen tokens in common, blocks of four.
    let requests: Vec<_> = ["#b#b", "b#b#", "##b#"]
        .iter()
        .enumerate()
        .map(|(index, end)| generate(index, &format!("b#b##b#b#b##b#b#b#{end}"), 2))
        .collect();
    let run = |cache| {
        let (mut responses, ended) = answer(
            &ToyModel::new(3),
            &vocabulary(100),
            &options(cache, 8, 64),
            &requests,
        );
        responses.sort_by_key(|response| response.index);
        let timings = ended.expect("answers");
        (responses, timings.prefill_tokens, timings.shared_tokens)
    };
    let (roomy, read, shared) = run(1000);
    assert_eq!((read, shared), (18 + 3 * 4, 3 * 18));
    // Each takes 24 tokens: beside a beginning of 20 there is room for the 8 beyond its whole blocks, or there is none.
    assert_eq!(run(28), (roomy.clone(), read, shared));
    assert_eq!(run(24), (roomy, 3 * 22 + 18 * 3, 0));
}

#[test]
fn beginnings_of_several_variants_make_room_for_each_other() {
    let beginning = "b#b##b#b#b##b#b#";
    let ends = ["#b#b#", "b#b#b", "bb#b#", "##b#b"];
    let requests: Vec<_> = (0..4)
        .map(|index| generate(index, &format!("{beginning}{}", ends[index]), 2))
        .collect();
    let asked = vec![(0..4).collect(), (0..4).collect(), vec![1, 3]];
    let run = |cache, rows| {
        let model = ToyModel::new(3);
        let options = options(cache, rows, 64);
        let (mut responses, ended) =
            answer_all(&model, &vocabulary(100), &options, &requests, &asked);
        responses.sort_by_key(|(variant, response)| (*variant, response.index));
        (responses, ended.expect("answers"))
    };
    let (roomy, timings) = run(1000, 8);
    assert_eq!(roomy.len(), 10);
    assert_eq!(timings.all.prefill_tokens, 3 * 16 + 10 * 5);
    let shared: Vec<_> = timings.variants.iter().map(|of| of.shared_tokens).collect();
    assert_eq!(shared, [64, 64, 32]);
    // Room for one sequence, and the variants take turns after every second request.
    let (tight, timings) = run(24, 2);
    assert_eq!(roomy, tight);
    assert_eq!(timings.all.prefill_tokens, (2 * 3) * 16 + 10 * 5);
}
