//! Generation: where completions end, and what is refused.

mod toy;

use evalh_engine::{EngineError, RequestProblem, Vocabulary};
use evalh_record::{
    Answer, Finish, Generate, Generation, Message, Prompt, Request, RequestKind, Role, Sampling,
    sha256_bytes,
};
use toy::{
    answer,
    model::ToyModel,
    roomy,
    tokenizer::{BOS, EOS},
    vocabulary,
};

fn generate(index: usize, text: &str, max_new_tokens: usize, stops: &[&str]) -> Request {
    let stops = stops.iter().map(ToString::to_string).collect();
    let kind = RequestKind::Generate(Generate {
        max_new_tokens,
        stops,
        sampling: Sampling::Greedy,
    });
    Request {
        index,
        prompt: Prompt::Text(text.into()),
        kind,
    }
}

fn completions(model: &ToyModel, requests: &[Request]) -> Vec<Generation> {
    let (mut responses, ended) = answer(model, &vocabulary(1000), &roomy(), requests);
    ended.expect("answers");
    responses.sort_by_key(|response| response.index);
    let generation = |answer| match answer {
        Answer::Generated(generation) => generation,
        other => panic!("no generation: {other:?}"),
    };
    responses
        .into_iter()
        .map(|response| generation(response.answer))
        .collect()
}

/// A completion by a toy model long enough to look for stop strings in.
fn long_completion() -> (ToyModel, Generation) {
    (0..1000)
        .map(ToyModel::new)
        .map(|model| {
            (
                model,
                completions(&model, &[generate(0, "a", 60, &[])]).remove(0),
            )
        })
        .find(|(_, generation)| {
            generation.finish == Finish::Length && generation.text.matches("é").count() > 2
        })
        .expect("some seed")
}

fn problem(request: Request, vocabulary: &Vocabulary) -> RequestProblem {
    let fine = generate(1, "a", 3, &[]);
    let (responses, ended) = answer(&ToyModel::new(0), vocabulary, &roomy(), &[fine, request]);
    assert!(
        responses.is_empty(),
        "nothing is computed where a request is wrong in itself"
    );
    match ended {
        Err(EngineError::Request {
            request: 7,
            problem,
        }) => problem,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_substring_of_a_completion_stops_it_where_it_first_occurs() {
    let (model, whole) = long_completion();
    let boundaries: Vec<usize> = whole.text.char_indices().map(|(i, _)| i).collect();
    let mut requests = Vec::new();
    let mut expected = Vec::new();
    for (i, &from) in boundaries.iter().enumerate() {
        for &to in boundaries[i + 1..].iter().take(6) {
            let stop = &whole.text[from..to];
            requests.push(generate(requests.len(), "a", 60, &["never this", stop]));
            expected.push((
                whole.text[..whole.text.find(stop).expect("there")].to_owned(),
                stop.to_owned(),
            ));
        }
    }
    assert!(requests.len() > 200);
    for (generation, (text, stop)) in completions(&model, &requests).into_iter().zip(expected) {
        assert_eq!(
            (generation.text, generation.finish),
            (text, Finish::Stop(stop))
        );
        assert!(generation.tokens <= whole.tokens);
    }
}

#[test]
fn a_stop_string_held_back_by_the_decoder_still_cuts() {
    let (model, whole) = long_completion();
    let late = toy::tokenizer::ToyTokenizer {
        late: true,
        ..Default::default()
    };
    // where the text ends in a stop string, the decoder has not given it yet
    for limit in 1..60 {
        let shorter = completions(&model, &[generate(0, "a", limit, &[])])
            .remove(0)
            .text;
        let Some(last) = shorter.chars().last().filter(|&last| last != '\u{FFFD}') else {
            continue;
        };
        let stop = last.to_string();
        let request = generate(0, "a", limit, &[&stop]);
        let mut cut = None;
        let sink = &mut |response: evalh_record::Response| {
            cut = Some(response.answer);
            std::ops::ControlFlow::Continue(())
        };
        evalh_engine::serve(&model, &late, &vocabulary(1000), &roomy(), &[request], sink)
            .expect("answers");
        let Some(Answer::Generated(cut)) = cut else {
            panic!("not generated")
        };
        let expected = &whole.text[..whole.text.find(last).expect("there")];
        assert_eq!(
            (cut.text.as_str(), cut.finish),
            (expected, Finish::Stop(stop))
        );
    }
}

#[test]
fn the_limit_counts_tokens_and_none_is_an_answer() {
    let (model, whole) = long_completion();
    let requests: Vec<_> = (0..60).map(|n| generate(n, "a", n, &[])).collect();
    for (n, generation) in completions(&model, &requests).into_iter().enumerate() {
        assert_eq!(
            (generation.tokens, &generation.finish),
            (n, &Finish::Length)
        );
        assert!(
            whole
                .text
                .starts_with(generation.text.trim_end_matches('\u{FFFD}'))
        );
    }
}

#[test]
fn an_end_of_sequence_id_ends_a_completion_and_is_no_text() {
    let ended = (0..200)
        .map(|seed| completions(&ToyModel::new(seed), &[generate(0, "b", 40, &["éé"])]).remove(0))
        .filter(|generation| generation.finish == Finish::Eos(EOS));
    let ended: Vec<_> = ended.collect();
    assert!(ended.len() > 5);
    assert!(
        ended
            .iter()
            .all(|generation| !generation.text.contains("</s>") && generation.tokens > 0)
    );
}

#[test]
fn a_special_token_that_is_a_stop_string_stops_though_it_leaves_no_text() {
    let (model, first) = (0..1000)
        .map(ToyModel::new)
        .map(|model| {
            (
                model,
                completions(&model, &[generate(0, "a", 40, &["<|end|>"])]).remove(0),
            )
        })
        .find(|(_, generation)| {
            matches!(generation.finish, Finish::Stop(_)) && generation.tokens > 4
        })
        .expect("some seed");
    assert_eq!(first.finish, Finish::Stop("<|end|>".into()));
    assert!(!first.text.contains("<|end|>"));
    let past = completions(&model, &[generate(0, "a", 40, &[])]).remove(0);
    assert!(
        past.tokens > first.tokens
            && past
                .text
                .starts_with(first.text.trim_end_matches('\u{FFFD}'))
    );
    assert!(!past.text.contains("<|end|>"));
}

#[test]
fn seeds_make_samples_and_the_same_seed_the_same_sample() {
    let sample = |index, seed| {
        let sampling = Sampling::Random {
            temperature: 1.0,
            top_p: 0.95,
            seed,
        };
        let kind = RequestKind::Generate(Generate {
            max_new_tokens: 30,
            stops: vec![],
            sampling,
        });
        Request {
            index,
            prompt: Prompt::Text("ab".into()),
            kind,
        }
    };
    let requests: Vec<_> = (0..20)
        .map(|index| sample(index, index as u64 % 10))
        .collect();
    let samples = completions(&ToyModel::new(3), &requests);
    assert_eq!(samples[..10], samples[10..]);
    let distinct: std::collections::BTreeSet<_> =
        samples.iter().map(|sample| &sample.text).collect();
    assert!(distinct.len() > 7, "{distinct:?}");
}

#[test]
fn prompts_are_cut_from_the_left_to_leave_room_for_the_answer() {
    let (responses, ended) = answer(
        &ToyModel::new(0),
        &vocabulary(20),
        &roomy(),
        &[generate(0, "#b#b#b#b#b#b#b#b", 10, &[])],
    );
    ended.expect("answers");
    let kept: Vec<u8> = "#b#b#b#b#b"
        .bytes()
        .flat_map(|byte| u32::from(byte).to_le_bytes())
        .collect();
    assert_eq!(
        (responses[0].prompt_tokens, responses[0].truncated_tokens),
        (10, 6)
    );
    assert_eq!(responses[0].prompt_sha256, sha256_bytes(&kept));
}

#[test]
fn an_empty_prompt_begins_with_the_prefix_token() {
    let (responses, ended) = answer(
        &ToyModel::new(0),
        &vocabulary(20),
        &roomy(),
        &[generate(0, "", 3, &[])],
    );
    ended.expect("answers");
    assert_eq!(responses[0].prompt_sha256, sha256_bytes(&BOS.to_le_bytes()));
    let none = Vocabulary {
        prefix_token: None,
        ..vocabulary(20)
    };
    assert!(matches!(
        problem(generate(7, "", 3, &[]), &none),
        RequestProblem::EmptyPrompt
    ));
}

#[test]
fn requests_that_cannot_be_answered_are_named_before_anything_is_computed() {
    let sampled = |temperature, top_p| {
        let sampling = Sampling::Random {
            temperature,
            top_p,
            seed: 0,
        };
        let kind = RequestKind::Generate(Generate {
            max_new_tokens: 3,
            stops: vec![],
            sampling,
        });
        Request {
            index: 7,
            prompt: Prompt::Text("a".into()),
            kind,
        }
    };
    let of = |request| problem(request, &vocabulary(50));
    assert!(matches!(
        of(generate(7, "a", 50, &[])),
        RequestProblem::NoRoom {
            max_new_tokens: 50,
            max_positions: 50
        }
    ));
    assert!(matches!(
        of(generate(7, "a", 5, &["b", ""])),
        RequestProblem::EmptyStop { stop: 1 }
    ));
    for temperature in [0.0, -1.0, f32::NAN, f32::INFINITY, 1e-40] {
        assert!(
            matches!(
                of(sampled(temperature, 1.0)),
                RequestProblem::Temperature(_)
            ),
            "{temperature}"
        );
    }
    for top_p in [0.0, 1.5, f32::NAN] {
        assert!(
            matches!(of(sampled(1.0, top_p)), RequestProblem::TopP(_)),
            "{top_p}"
        );
    }
    let small = Vocabulary {
        size: 100,
        ..vocabulary(50)
    };
    let outside = problem(generate(7, "a~", 3, &[]), &small);
    assert!(
        matches!(
            outside,
            RequestProblem::TokenOutsideVocabulary {
                id: 126,
                vocabulary: 100
            }
        ),
        "{outside}"
    );
}

#[test]
fn a_conversation_needs_a_template() {
    let messages = vec![Message {
        role: Role::User,
        content: "a".into(),
    }];
    let mut request = generate(3, "", 3, &[]);
    request.prompt = Prompt::Chat {
        messages,
        prefill: Some("b".into()),
    };
    let text = toy::tokenizer::ToyTokenizer {
        no_template: true,
        ..Default::default()
    };
    let model = ToyModel::new(0);
    let ended = evalh_engine::serve(
        &model,
        &text,
        &vocabulary(50),
        &roomy(),
        &[request.clone()],
        &mut |_| panic!("nothing to deliver"),
    );
    assert!(matches!(
        ended,
        Err(EngineError::Request {
            request: 3,
            problem: RequestProblem::NoChatTemplate
        })
    ));
    let (responses, ended) = answer(&model, &vocabulary(50), &roomy(), &[request]);
    ended.expect("answers");
    let ids = evalh_engine::Text::encode(
        &text,
        "<s>u:a<|end|>\na:b",
        evalh_engine::SpecialTokens::None,
    );
    let bytes: Vec<u8> = ids
        .expect("encodes")
        .iter()
        .flat_map(|id| id.to_le_bytes())
        .collect();
    assert_eq!(responses[0].prompt_sha256, sha256_bytes(&bytes));
}
