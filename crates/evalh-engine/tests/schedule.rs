//! The scheduler against an engine that runs one request at a time.

mod toy;

use evalh_engine::EngineOptions;
use evalh_record::{
    Answer, Generate, LogLikelihood, Loss, Message, Prompt, Request, RequestKind, Response, Role,
    Sampling, TextScore,
};
use proptest::prelude::*;
use toy::{
    answer, answer_all, model::ToyModel, naive, options, tokenizer::ToyTokenizer, vocabulary,
};

/// Positions of the toy in these tests: few enough that prompts are truncated now and then.
const MAX_POSITIONS: usize = 40;

fn prompt() -> impl Strategy<Value = Prompt> {
    // some prompts begin alike, over whole blocks of the cache
    let beginning = prop::sample::select(vec!["", "ab#b ab#b#", "ab#b ab#bb#ba b#"]);
    let text = (beginning, "[ab #\né]{0,60}").prop_map(|(first, rest)| first.to_owned() + &rest);
    let message = (
        prop::sample::select(vec![Role::System, Role::User, Role::Assistant]),
        "[abé ]{0,8}",
    );
    let messages = prop::collection::vec(
        message.prop_map(|(role, content)| Message { role, content }),
        0..3,
    );
    prop_oneof![
        text.prop_map(Prompt::Text),
        (messages, prop::option::of("[ab\n ]{0,4}"))
            .prop_map(|(messages, prefill)| Prompt::Chat { messages, prefill }),
    ]
}

fn sampling() -> impl Strategy<Value = Sampling> {
    prop_oneof![
        Just(Sampling::Greedy),
        (
            0.3f32..2.0,
            prop_oneof![Just(1.0f32), 0.1f32..0.99],
            any::<u64>()
        )
            .prop_map(|(temperature, top_p, seed)| Sampling::Random {
                temperature,
                top_p,
                seed
            }),
    ]
}

fn kind() -> impl Strategy<Value = RequestKind> {
    let stop = prop::sample::select(vec![
        "\n#", "#", "éa", "ab\n", "aba", "<|end|>", "bb", "\n\n",
    ]);
    let stops = prop::collection::vec(stop.prop_map(str::to_owned), 0..4);
    let generate = (0usize..24, stops, sampling()).prop_map(|(max_new_tokens, stops, sampling)| {
        RequestKind::Generate(Generate {
            max_new_tokens,
            stops,
            sampling,
        })
    });
    // beginnings that no merge takes apart keep the continuations distinct and not empty
    let continuation = prop::collection::btree_set("x[abé ]{0,6}", 1..5);
    let scored = continuation.prop_map(|set| {
        RequestKind::LogLikelihood(LogLikelihood {
            continuations: set.into_iter().collect(),
        })
    });
    let loss = (
        prop::option::of(4..=MAX_POSITIONS),
        prop::option::of(1usize..5),
    )
        .prop_map(|(window, stride)| RequestKind::Loss(Loss { window, stride }));
    prop_oneof![3 => generate, 2 => scored, 2 => loss]
}

fn requests() -> impl Strategy<Value = Vec<Request>> {
    let request = (prompt(), kind());
    prop::collection::vec(request, 1..16).prop_map(|list| {
        // indices of the caller's own choosing
        list.into_iter()
            .enumerate()
            .map(|(i, (mut prompt, kind))| {
                // an empty text has no loss
                if let (RequestKind::Loss(_), Prompt::Text(text)) = (&kind, &mut prompt) {
                    text.push('a');
                }
                Request {
                    index: i * 3 + 1,
                    prompt,
                    kind,
                }
            })
            .collect()
    })
}

fn sorted(mut responses: Vec<Response>) -> Vec<Response> {
    responses.sort_by_key(|response| response.index);
    responses
}

/// Equal but for the last digits of log-probabilities.
fn agree(a: &Response, b: &Response) -> bool {
    let scores = |response: &Response| match &response.answer {
        Answer::Scored(scores) => scores.clone(),
        _ => Vec::new(),
    };
    let without_scores = |response: &Response| match &response.answer {
        Answer::Scored(_) => Response {
            answer: Answer::Scored(Vec::new()),
            ..response.clone()
        },
        Answer::Loss(score) => Response {
            answer: Answer::Loss(TextScore {
                log_prob: 0.0,
                ..*score
            }),
            ..response.clone()
        },
        _ => response.clone(),
    };
    let losses = |response: &Response| match &response.answer {
        Answer::Loss(score) => score.log_prob,
        _ => 0.0,
    };
    without_scores(a) == without_scores(b)
        && (losses(a) - losses(b)).abs() < 1e-4
        && scores(a).len() == scores(b).len()
        && scores(a).iter().zip(scores(b)).all(|(x, y)| {
            (x.log_prob - y.log_prob).abs() < 1e-5
                && x.tokens == y.tokens
                && x.is_greedy == y.is_greedy
        })
}

#[test]
fn variants_that_are_alike_read_every_prompt_together() {
    let text = |index: usize| Request {
        index,
        prompt: Prompt::Text(format!("ab#b ab#bb#ba b#{}", "ab ".repeat(index))),
        kind: RequestKind::LogLikelihood(LogLikelihood {
            continuations: vec!["xa".into(), "xb b".into()],
        }),
    };
    let requests: Vec<Request> = (0..9).map(text).collect();
    let asked = vec![(0..9).collect::<Vec<_>>(); 4];
    let run = |alike, step| {
        let model = ToyModel {
            alike,
            ..ToyModel::new(1)
        };
        let options = options(4096, 8, step);
        let (_, ended) = answer_all(&model, &vocabulary(200), &options, &requests, &asked);
        ended.expect("answers")
    };
    for step in [5, 16, 300] {
        let (together, apart) = (run(true, step), run(false, step));
        assert_eq!(apart.all.beside_tokens, 0);
        let [first, second, third, fourth] = &together.variants[..] else {
            panic!("four variants")
        };
        assert_eq!((first.beside_tokens, third.beside_tokens), (0, 0));
        assert_eq!(second.beside_tokens, second.prefill_tokens);
        assert_eq!(fourth.beside_tokens, fourth.prefill_tokens);
        assert_eq!(together.all.prefill_tokens, apart.all.prefill_tokens);
    }
}

proptest! {
    // a failing case is printed; without a `src` beside it there is no place to keep it
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn batches_answer_like_one_request_at_a_time(
        requests in requests(), seed: u64, rows in 1usize..9, step in 1usize..40, room in 44usize..400, rewinds: bool,
    ) {
        let model = ToyModel { rewinds, ..ToyModel::new(seed) };
        let (responses, ended) = answer(&model, &vocabulary(MAX_POSITIONS), &options(room, rows, step), &requests);
        let timings = ended.expect("answers");
        prop_assert!(timings.peak_rows <= rows && timings.cache_tokens <= room);
        let responses = sorted(responses);
        prop_assert_eq!(responses.len(), requests.len());
        for (response, request) in responses.iter().zip(&requests) {
            let expected = naive::answer(&model, ToyTokenizer::default(), MAX_POSITIONS, request);
            prop_assert!(agree(response, &expected), "{request:?}\n{response:?}\n{expected:?}");
        }
    }

    #[test]
    fn answers_do_not_depend_on_company_order_memory_or_step(
        requests in requests(), seed: u64,
        order in any::<prop::sample::Index>(), kept in 1usize..16,
        first in (1usize..9, 1usize..40, 44usize..400, any::<bool>(), 1usize..9),
        second in (1usize..9, 1usize..40, 44usize..400, any::<bool>(), 1usize..9),
    ) {
        let run = |(rows, step, room, rewinds, block): (usize, usize, usize, bool, usize), requests: &[Request]| {
            let model = ToyModel { block, rewinds, ..ToyModel::new(seed) };
            // whole blocks, for at least one sequence
            let room = room.next_multiple_of(block);
            let (responses, ended) = answer(&model, &vocabulary(MAX_POSITIONS), &options(room, rows, step), requests);
            ended.expect("answers");
            sorted(responses)
        };
        let all = run(first, &requests);
        let mut fewer = requests.clone();
        fewer.rotate_left(order.index(requests.len()));
        fewer.truncate(kept);
        for response in run(second, &fewer) {
            // exactly, to the last bit of a log-probability
            prop_assert!(all.contains(&response));
        }
    }

    #[test]
    fn variants_beside_each_other_answer_as_each_alone(
        requests in requests(), seed: u64, rows in 1usize..9, step in 1usize..40, room in 44usize..400,
        rewinds: bool, alike: bool, drafts: bool,
        left_out in prop::collection::vec(prop::collection::vec(any::<bool>(), 16), 1..4),
    ) {
        let model = ToyModel { rewinds, alike, ..ToyModel::new(seed) };
        let asked: Vec<Vec<usize>> = left_out
            .iter()
            .map(|left_out| (0..requests.len()).filter(|&place| !left_out[place]).collect())
            .collect();
        let options = EngineOptions { drafts, ..options(room, rows, step) };
        let (responses, ended) = answer_all(&model, &vocabulary(MAX_POSITIONS), &options, &requests, &asked);
        let timings = ended.expect("answers");
        prop_assert!(timings.all.peak_rows <= rows && timings.all.cache_tokens <= room);
        prop_assert_eq!(responses.len(), asked.iter().map(Vec::len).sum::<usize>());
        for (variant, places) in asked.iter().enumerate() {
            let own = ToyModel { variant, ..model };
            for &place in places {
                let expected = naive::answer(&own, ToyTokenizer::default(), MAX_POSITIONS, &requests[place]);
                let answered = responses.iter().filter(|(of, response)| *of == variant && response.index == expected.index);
                let answered: Vec<_> = answered.collect();
                prop_assert_eq!(answered.len(), 1);
                prop_assert!(agree(&answered[0].1, &expected), "{variant}: {:?}\n{expected:?}", answered[0].1);
            }
        }
        let sum = |of: fn(&evalh_engine::EngineTimings) -> usize| timings.variants.iter().map(of).sum::<usize>();
        prop_assert_eq!(sum(|of| of.prefill_tokens), timings.all.prefill_tokens);
        prop_assert_eq!(sum(|of| of.decode_tokens), timings.all.decode_tokens);
        prop_assert_eq!(sum(|of| of.shared_tokens), timings.all.shared_tokens);
        prop_assert_eq!(sum(|of| of.beside_tokens), timings.all.beside_tokens);
        prop_assert!(alike || timings.all.beside_tokens == 0);
        prop_assert_eq!(sum(|of| of.tokens_kept), timings.all.tokens_kept);
    }
}
