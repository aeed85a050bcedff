//! Vocabularies of published models that llama.cpp keeps for its own tests, with the ids that Hugging Face's
//! tokenizers give for sample texts (`models/ggml-vocab-*.gguf` with `.inp` and `.out`).

use super::{Header, build};
use std::path::Path;

const SEPARATOR: &str = "\n__ggml_vocab_test__\n";

/// Names of the files: those of a tokenizer that a family known here has.
const VOCABULARIES: [&str; 10] = [
    "deepseek-coder",
    "deepseek-llm",
    "gpt-2",
    "llama-bpe",
    "llama-spm",
    "mpt",
    "phi-3",
    "qwen2",
    "refact",
    "starcoder",
];

#[test]
fn ids_are_those_of_published_tokenizers() {
    let Some(folder) = std::env::var_os("EVALH_GGUF_VOCABULARIES") else {
        eprintln!(
            "skipped ids_are_those_of_published_tokenizers: EVALH_GGUF_VOCABULARIES names no folder of llama.cpp's models"
        );
        return;
    };
    let mut wrong = Vec::new();
    for name in VOCABULARIES {
        let read = |extension: &str| {
            let file = format!("ggml-vocab-{name}.gguf{extension}");
            std::fs::read(Path::new(&folder).join(file))
        };
        let bytes = read("").unwrap();
        let (texts, ids) = (read(".inp").unwrap(), read(".out").unwrap());
        let tokenizer = build(&Header::parse(&bytes).unwrap(), &bytes).unwrap();
        let (texts, ids) = (
            String::from_utf8(texts).unwrap(),
            String::from_utf8(ids).unwrap(),
        );
        let texts: Vec<_> = texts.split(SEPARATOR).collect();
        for (text, ids) in texts.iter().zip(ids.lines()) {
            let expected: Vec<u32> = ids
                .split_whitespace()
                .map(|id| id.parse().unwrap())
                .collect();
            let read = tokenizer.encode_fast(*text, false).unwrap();
            if read.get_ids() != expected {
                wrong.push(format!(
                    "{name} {text:?}: {:?}, not {expected:?}",
                    read.get_ids()
                ));
            }
        }
        assert!(ids.lines().count() > 40, "{name}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
