//! Models written by the `gguf` package, against what other programs read from them (`tools/make_gguf_fixture.py`).

use evalh_checkpoint::{Checkpoint, SpecialTokens, TextTokenizer, WeightSource as _};
use evalh_record::sha256_bytes;
use proptest::prelude::*;
use serde_json::Value;
use std::{path::Path, sync::LazyLock};

fn fixture(name: &str) -> (Checkpoint, Value) {
    let path = |extension| {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/{name}.{extension}"))
    };
    let expected = std::fs::read(path("json")).expect("the fixture is part of the crate");
    (
        Checkpoint::open(&path("gguf")).expect("the fixture is a sound model"),
        serde_json::from_slice(&expected).expect("the fixture is JSON"),
    )
}

fn tensors_agree(name: &str) {
    let (checkpoint, expected) = fixture(name);
    let hashes = expected["tensors"].as_object().unwrap();
    let mut names = checkpoint.tensor_names();
    names.sort();
    assert!(
        names
            .iter()
            .eq(hashes.keys().collect::<std::collections::BTreeSet<_>>())
    );
    for (name, hash) in hashes {
        let values = checkpoint.read_f32(name).unwrap();
        let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        assert_eq!(sha256_bytes(&bytes).as_str(), hash, "{name}");
    }
}

fn texts_agree(name: &str) {
    let (checkpoint, expected) = fixture(name);
    let tokenizer = checkpoint.tokenizer().unwrap();
    let texts = expected["texts"].as_array().unwrap();
    assert!(texts.len() > 5);
    for case in texts {
        let (text, decoded) = (
            case["text"].as_str().unwrap(),
            case["decoded"].as_str().unwrap(),
        );
        let ids: Vec<u32> = serde_json::from_value(case["ids"].clone()).unwrap();
        assert_eq!(
            tokenizer
                .encode(text, SpecialTokens::AsPostProcessor)
                .unwrap(),
            ids,
            "{text:?}"
        );
        assert_eq!(tokenizer.decode(&ids).unwrap(), decoded, "{text:?}");
    }
}

#[test]
fn tensors_of_a_byte_level_model_agree() {
    tensors_agree("byte_level");
}

#[test]
fn tensors_of_a_sentence_piece_model_agree() {
    tensors_agree("sentence_piece");
}

#[test]
fn token_ids_and_text_of_a_byte_level_model_agree() {
    texts_agree("byte_level");
}

#[test]
fn token_ids_and_text_of_a_sentence_piece_model_agree() {
    texts_agree("sentence_piece");
}

#[test]
fn padding_of_the_embedding_is_no_token() {
    let (checkpoint, _) = fixture("byte_level");
    let tokenizer = checkpoint.tokenizer().unwrap();
    let rows = checkpoint
        .tensor("model.embed_tokens.weight")
        .unwrap()
        .shape[0];
    assert_eq!(tokenizer.vocab_size(), rows - 1);
    assert_eq!(tokenizer.decode(&[rows as u32 - 1]).unwrap(), "");
    assert_eq!(tokenizer.token_id("<|end|>"), Some(1));
}

#[test]
fn the_template_knows_the_special_tokens() {
    let (checkpoint, _) = fixture("byte_level");
    let template = checkpoint.chat_template().unwrap().unwrap();
    let turn = evalh_record::Message {
        role: evalh_record::Role::User,
        content: "hi".to_owned(),
    };
    assert_eq!(
        template.render(&[turn], true).unwrap(),
        "<|start|>user: hi<|end|>\n"
    );
    assert_eq!(checkpoint.generation().eos_ids, [1]);
    assert_eq!(template.moment(), None);
}

static BYTE_LEVEL: LazyLock<TextTokenizer> =
    LazyLock::new(|| fixture("byte_level").0.tokenizer().unwrap());
static SENTENCE_PIECE: LazyLock<TextTokenizer> =
    LazyLock::new(|| fixture("sentence_piece").0.tokenizer().unwrap());

/// The text of a stream, and whether it came in whole characters.
fn streamed(tokenizer: &TextTokenizer, ids: &[u32]) -> String {
    let mut stream = tokenizer.stream();
    let mut text: String = ids.iter().map(|&id| stream.push(id).to_owned()).collect();
    text.push_str(&stream.finish().unwrap());
    text
}

proptest! {
    #[test]
    fn a_stream_gives_the_text_of_the_whole(ids in prop::collection::vec(0u32..420, 0..60)) {
        for tokenizer in [&*BYTE_LEVEL, &*SENTENCE_PIECE] {
            prop_assert_eq!(streamed(tokenizer, &ids), tokenizer.decode(&ids).unwrap());
        }
    }

    #[test]
    fn a_stream_gives_any_text_back(text in any::<String>()) {
        let ids = BYTE_LEVEL.encode(&text, SpecialTokens::None).unwrap();
        prop_assert_eq!(streamed(&BYTE_LEVEL, &ids), BYTE_LEVEL.decode(&ids).unwrap());
        prop_assert!(text.contains('<') || streamed(&BYTE_LEVEL, &ids) == text);
    }
}
