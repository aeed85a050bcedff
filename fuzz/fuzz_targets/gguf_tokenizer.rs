//! Any tokenizer metadata in a sound GGUF file: built, texts encoded and decoded.
#![no_main]

use arbitrary::Arbitrary;
use evalh_checkpoint::{Checkpoint, SpecialTokens};
use libfuzzer_sys::fuzz_target;
use std::{path::PathBuf, sync::LazyLock};

#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../../crates/evalh-checkpoint/tests/support/gguf.rs"]
mod gguf;

use gguf::{Gguf, tiny_llama};

static FILE: LazyLock<(tempfile::TempDir, PathBuf)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("model.gguf");
    (folder, path)
});

const PRE: [&str; 14] = [
    "default",
    "gpt-2",
    "olmo",
    "smollm",
    "llama-bpe",
    "qwen2",
    "tekken",
    "dbrx",
    "gpt-4o",
    "deepseek-llm",
    "deepseek-coder",
    "stablelm2",
    "mpt",
    "unheard-of",
];
const IDS: [&str; 6] = ["bos", "eos", "eot", "eom", "unknown", "padding"];

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    sentence_piece: bool,
    pre: u8,
    tokens: Vec<&'a str>,
    types: Option<Vec<i8>>,
    scores: Option<Vec<f32>>,
    /// Pairs of tokens by place, so that most of them exist.
    merges: Option<Vec<(u8, u8)>>,
    more_merges: Vec<&'a str>,
    ids: [Option<u8>; 6],
    flags: [Option<bool>; 4],
    template: Option<&'a str>,
    texts: Vec<&'a str>,
}

impl Input<'_> {
    fn file(&self) -> Gguf {
        let model = if self.sentence_piece { "llama" } else { "gpt2" };
        let mut file = tiny_llama()
            .string("tokenizer.ggml.model", model)
            .string("tokenizer.ggml.pre", PRE[usize::from(self.pre) % PRE.len()])
            .strings("tokenizer.ggml.tokens", &self.tokens)
            .without("tokenizer.ggml.token_type")
            .without("tokenizer.ggml.merges")
            .without("tokenizer.ggml.eos_token_id");
        // As many rows as tokens, so that what is built can be used.
        file = file.resized(self.tokens.len().max(1) as u64);
        if let Some(types) = &self.types {
            let types: Vec<i32> = types.iter().copied().map(i32::from).collect();
            file = file.i32s("tokenizer.ggml.token_type", &types);
        }
        if let Some(scores) = &self.scores {
            file = file.f32s("tokenizer.ggml.scores", scores);
        }
        if let Some(pairs) = &self.merges {
            let token = |at: u8| self.tokens.get(usize::from(at)).copied().unwrap_or("");
            let mut merges: Vec<String> = pairs
                .iter()
                .map(|(a, b)| format!("{} {}", token(*a), token(*b)))
                .collect();
            merges.extend(self.more_merges.iter().map(|merge| (*merge).to_owned()));
            let merges: Vec<&str> = merges.iter().map(String::as_str).collect();
            file = file.strings("tokenizer.ggml.merges", &merges);
        }
        for (name, id) in IDS.iter().zip(self.ids) {
            if let Some(id) = id {
                file = file.u32(&format!("tokenizer.ggml.{name}_token_id"), id.into());
            }
        }
        for (name, flag) in [
            "add_bos_token",
            "add_eos_token",
            "add_space_prefix",
            "remove_extra_whitespaces",
        ]
        .iter()
        .zip(self.flags)
        {
            if let Some(flag) = flag {
                file = file.bool(&format!("tokenizer.ggml.{name}"), flag);
            }
        }
        match self.template {
            Some(template) => file.string("tokenizer.chat_template", template),
            None => file,
        }
    }
}

fuzz_target!(|input: Input<'_>| {
    let path = &FILE.1;
    std::fs::write(path, input.file().bytes()).expect("a temporary file can be written");
    let Ok(checkpoint) = Checkpoint::open(path) else {
        return;
    };
    let _ = checkpoint.chat_template();
    let Ok(tokenizer) = checkpoint.tokenizer() else {
        return;
    };
    for text in &input.texts {
        if let Ok(ids) = tokenizer.encode(text, SpecialTokens::AsPostProcessor) {
            let _ = tokenizer.decode(&ids);
        }
    }
});
