//! The real SmolLM2-135M-Instruct (GGUF, `EVALH_TEST_MODEL`) against the prompts of lm-eval beside the repository.

use evalh_checkpoint::{Checkpoint, SpecialTokens, StoredDtype, TextTokenizer, WeightSource as _};
use evalh_record::{Message, Role};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn model(test: &str) -> Option<Checkpoint> {
    let Some(path) = std::env::var_os("EVALH_TEST_MODEL") else {
        eprintln!("skipped {test}: EVALH_TEST_MODEL is not set");
        return None;
    };
    Some(Checkpoint::open(Path::new(&path)).expect("EVALH_TEST_MODEL is a sound model"))
}

fn reference(test: &str) -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")).join("reference");
    if !path.is_dir() {
        eprintln!("skipped {test}: ../shared is absent");
        return None;
    }
    Some(path)
}

fn ids(value: &Value) -> Vec<u32> {
    serde_json::from_value(value.clone()).expect("a list of token ids")
}

/// Checks every line of a suite; a line whose `context_ids` is their number belongs to the context before it.
fn check_suite(tokenizer: &TextTokenizer, path: &Path) -> (usize, usize) {
    let encode = |text: &str| {
        tokenizer
            .encode(text, SpecialTokens::AsPostProcessor)
            .unwrap()
    };
    let (mut context, mut context_ids) = (String::new(), Vec::new());
    let (mut contexts, mut continuations) = (0, 0);
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if let Some(text) = line["context"].as_str() {
            text.clone_into(&mut context);
            context_ids = encode(text);
            assert_eq!(context_ids, ids(&line["context_ids"]), "{context}");
            contexts += 1;
        } else {
            assert_eq!(
                line["context_ids"].as_u64(),
                Some(context_ids.len() as u64),
                "{context}"
            );
        }
        if let Some(continuation) = line["continuation"].as_str() {
            let whole = encode(&format!("{context}{continuation}"));
            assert_eq!(whole[..context_ids.len()], context_ids, "{context}");
            assert_eq!(
                whole[context_ids.len()..],
                ids(&line["continuation_ids"]),
                "{context}{continuation}"
            );
            continuations += 1;
        }
    }
    (contexts, continuations)
}

#[test]
fn token_ids_are_those_of_the_original_tokenizer() {
    const NAME: &str = "token_ids_are_those_of_the_original_tokenizer";
    let (Some(checkpoint), Some(reference)) = (model(NAME), reference(NAME)) else {
        return;
    };
    let tokenizer = checkpoint.tokenizer().unwrap();
    assert_eq!(tokenizer.vocab_size(), 49152);
    for (suite, expected) in [
        ("humaneval", (82, 0)),
        ("gsm8k", (25, 0)),
        ("gsm8k_cot", (25, 0)),
        ("glue", (0, 300)),
        ("mmlu", (100, 400)),
    ] {
        let (contexts, continuations) = check_suite(
            &tokenizer,
            &reference.join(format!("prompts.{suite}.jsonl")),
        );
        assert_eq!(continuations, expected.1, "{suite}");
        assert!(contexts >= expected.0, "{suite}: {contexts} contexts");
    }
}

#[test]
fn prompts_come_back_from_their_ids_and_from_a_stream() {
    const NAME: &str = "prompts_come_back_from_their_ids_and_from_a_stream";
    let (Some(checkpoint), Some(reference)) = (model(NAME), reference(NAME)) else {
        return;
    };
    let tokenizer = checkpoint.tokenizer().unwrap();
    let prompts = std::fs::read_to_string(reference.join("prompts.humaneval.jsonl")).unwrap();
    for line in prompts.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let ids = ids(&line["context_ids"]);
        assert_eq!(
            tokenizer.decode(&ids).unwrap(),
            line["context"].as_str().unwrap()
        );
        let mut stream = tokenizer.stream();
        let mut text: String = ids.iter().map(|&id| stream.push(id).to_owned()).collect();
        text.push_str(&stream.finish().unwrap());
        assert_eq!(text, line["context"].as_str().unwrap());
    }
}

#[test]
fn the_chat_form_is_the_models_own() {
    let Some(checkpoint) = model("the_chat_form_is_the_models_own") else {
        return;
    };
    let template = checkpoint.chat_template().unwrap().unwrap();
    let user = Message {
        role: Role::User,
        content: "Hello <b>".to_owned(),
    };
    let system = "You are a helpful AI assistant named SmolLM, trained by Hugging Face";
    let expected = format!(
        "<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\nHello <b><|im_end|>\n<|im_start|>assistant\n"
    );
    let rendered = template.render(std::slice::from_ref(&user), true).unwrap();
    assert_eq!(rendered, expected);
    let own = Message {
        role: Role::System,
        content: "Be brief.".to_owned(),
    };
    assert_eq!(
        template.render(&[own, user], false).unwrap(),
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello <b><|im_end|>\n"
    );
    let tokenizer = checkpoint.tokenizer().unwrap();
    let ids = tokenizer.encode(&rendered, SpecialTokens::None).unwrap();
    assert_eq!(ids.iter().filter(|&&id| id == 1).count(), 3);
    assert_eq!(
        tokenizer
            .encode(&rendered, SpecialTokens::AsPostProcessor)
            .unwrap(),
        ids
    );
}

#[test]
fn the_config_and_settings_are_those_of_the_original() {
    let Some(checkpoint) = model("the_config_and_settings_are_those_of_the_original") else {
        return;
    };
    let config = checkpoint.config();
    for (key, value) in [
        ("hidden_size", 576),
        ("intermediate_size", 1536),
        ("num_hidden_layers", 30),
        ("num_attention_heads", 9),
        ("num_key_value_heads", 3),
        ("head_dim", 64),
        ("vocab_size", 49152),
        ("max_position_embeddings", 8192),
    ] {
        assert_eq!(config[key], value, "{key}");
    }
    assert_eq!(config["rope_theta"], 100_000.0);
    assert_eq!(config["rms_norm_eps"], 1e-5);
    assert_eq!(config["tie_word_embeddings"], true);
    assert_eq!(checkpoint.generation().eos_ids, [2]);
    assert_eq!(checkpoint.generation().bos_id, Some(1));
    assert_eq!(checkpoint.generation().max_positions, Some(8192));
    assert_eq!(checkpoint.parameters(), 134_515_008);
    assert_eq!(checkpoint.dtype_summary()[0].0, StoredDtype::Q4_1);
}

#[test]
fn every_weight_is_a_number() {
    let Some(checkpoint) = model("every_weight_is_a_number") else {
        return;
    };
    assert!(checkpoint.non_finite().unwrap().is_empty());
    assert_eq!(checkpoint.tensor_names().len(), 272);
}
