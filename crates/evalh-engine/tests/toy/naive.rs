//! One request at a time, one token at a time, everything computed afresh.

use super::{
    model::ToyModel,
    tokenizer::{BOS, EOS, ToyTokenizer},
};
use evalh_engine::{Sampler, SpecialTokens, Text};
use evalh_record::{
    Answer, ContinuationScore, Finish, Generate, Generation, Loss, Prompt, Request, RequestKind,
    Response, TextScore, sha256_bytes,
};

/// The answer to one request.
pub fn answer(
    model: &ToyModel,
    tokenizer: ToyTokenizer,
    max_positions: usize,
    request: &Request,
) -> Response {
    let (text, special) = match &request.prompt {
        Prompt::Text(text) => (text.clone(), SpecialTokens::AsPostProcessor),
        Prompt::Chat { messages, prefill } => {
            let text = tokenizer
                .render(messages)
                .expect("renders")
                .expect("has a template");
            (text + prefill.as_deref().unwrap_or(""), SpecialTokens::None)
        }
        Prompt::Pair { .. } => panic!("a pair of texts for a decoder"),
    };
    let encode = |text: &str| tokenizer.encode(text, special).expect("encodes");
    match &request.kind {
        RequestKind::Generate(generate) => {
            let mut prompt = encode(&text);
            if prompt.is_empty() {
                prompt.push(BOS);
            }
            let cut = prompt
                .len()
                .saturating_sub(max_positions - generate.max_new_tokens);
            prompt.drain(..cut);
            let generation = complete(model, tokenizer, &prompt, generate);
            response(request.index, &prompt, cut, Answer::Generated(generation))
        }
        RequestKind::LogLikelihood(scored) => {
            let context = text.trim_end();
            let mut scores = Vec::new();
            let mut prompt: Option<(Vec<u32>, usize)> = None;
            for continuation in &scored.continuations {
                let mut context_ids = encode(context);
                let continuation_ids =
                    encode(&(text.clone() + continuation)).split_off(context_ids.len());
                if context_ids.is_empty() {
                    context_ids.push(BOS);
                }
                let whole = [&context_ids[..], &continuation_ids[..]].concat();
                let cut = whole.len().saturating_sub(max_positions + 1);
                let whole = &whole[cut..];
                let begin = whole.len() - continuation_ids.len();
                scores.push(score(model, whole, begin));
                if prompt.as_ref().is_none_or(|(shown, _)| begin < shown.len()) {
                    prompt = Some((whole[..begin].to_vec(), cut));
                }
            }
            let (prompt, cut) = prompt.expect("a continuation");
            response(request.index, &prompt, cut, Answer::Scored(scores))
        }
        RequestKind::Loss(loss) => {
            let mut ids = tokenizer
                .encode(&text, SpecialTokens::None)
                .expect("encodes");
            if ids.first() == Some(&BOS) {
                ids.remove(0);
            }
            let answer = Answer::Loss(TextScore {
                bytes: text.len(),
                ..text_score(model, &ids, loss.window.unwrap_or(max_positions), loss)
            });
            response(request.index, &ids, 0, answer)
        }
        RequestKind::Classify => panic!("a classification for a decoder"),
    }
}

/// Every token by itself, after what its window holds before it.
fn text_score(model: &ToyModel, ids: &[u32], window: usize, loss: &Loss) -> TextScore {
    let stream = [&[BOS], ids].concat();
    let tokens = ids.len();
    let mut starts = Vec::new();
    let mut log_prob = 0.0;
    for place in 1..=tokens {
        let start = match loss.stride {
            // the last window is filled up from the left
            None => ((place - 1) / window * window).min(tokens.saturating_sub(window)),
            // the first window that reaches so far
            Some(stride) => place.saturating_sub(window).div_ceil(stride) * stride,
        };
        log_prob += score(model, &stream[start..=place], place - start).log_prob;
        starts.push(start);
    }
    starts.dedup();
    TextScore {
        log_prob,
        tokens,
        bytes: 0,
        windows: starts.len(),
    }
}

fn response(index: usize, prompt: &[u32], truncated_tokens: usize, answer: Answer) -> Response {
    let bytes: Vec<u8> = prompt.iter().flat_map(|id| id.to_le_bytes()).collect();
    Response {
        index,
        prompt_sha256: sha256_bytes(&bytes),
        prompt_tokens: prompt.len(),
        truncated_tokens,
        answer,
    }
}

fn complete(
    model: &ToyModel,
    tokenizer: ToyTokenizer,
    prompt: &[u32],
    generate: &Generate,
) -> Generation {
    let mut sampler = Sampler::new(generate.sampling);
    let mut ids: Vec<u32> = Vec::new();
    let decode = |ids: &[u32]| tokenizer.decode(ids).expect("decodes");
    while ids.len() < generate.max_new_tokens {
        let id = sampler
            .next(&model.logits(&[prompt, &ids].concat()))
            .expect("finite");
        ids.push(id);
        let text = decode(&ids);
        let tokens = ids.len();
        if id == EOS {
            return Generation {
                text,
                tokens,
                finish: Finish::Eos(id),
            };
        }
        let places = generate
            .stops
            .iter()
            .filter_map(|stop| Some((text.find(stop.as_str())?, stop)));
        // `min_by_key` keeps the first of equals
        if let Some((at, stop)) = places.min_by_key(|(at, _)| *at) {
            return Generation {
                text: text[..at].into(),
                tokens,
                finish: Finish::Stop(stop.clone()),
            };
        }
        if let Some(stop) = generate
            .stops
            .iter()
            .find(|stop| stop.starts_with('<') && tokenizer.token_id(stop) == Some(id))
        {
            return Generation {
                text,
                tokens,
                finish: Finish::Stop(stop.clone()),
            };
        }
    }
    Generation {
        text: decode(&ids),
        tokens: ids.len(),
        finish: Finish::Length,
    }
}

fn score(model: &ToyModel, whole: &[u32], begin: usize) -> ContinuationScore {
    let mut sum = 0.0;
    let mut is_greedy = true;
    for place in begin..whole.len() {
        let logits = model.logits(&whole[..place]);
        let target = whole[place] as usize;
        let max = logits.iter().copied().fold(f32::MIN, f32::max);
        let total: f64 = logits.iter().map(|&l| f64::from(l - max).exp()).sum();
        sum += f64::from(logits[target] - max) - total.ln();
        is_greedy &= logits.iter().position(|&l| l >= max) == Some(target);
    }
    ContinuationScore {
        log_prob: sum,
        tokens: whole.len() - begin,
        is_greedy,
    }
}
