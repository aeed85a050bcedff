//! GGUF files that these tests write themselves: translation, order of rows, and every kind of damage.

mod support;

use evalh_checkpoint::{
    Checkpoint, CheckpointError, SpecialTokens, StoredDtype, WeightSource as _,
};
use proptest::prelude::*;
use serde_json::json;
use support::{BLOCKS, Gguf, on_disk, tiny_llama};

fn open(file: &Gguf) -> Result<Checkpoint, CheckpointError> {
    open_bytes(&file.bytes())
}

fn open_bytes(bytes: &[u8]) -> Result<Checkpoint, CheckpointError> {
    // The mapping outlives the name of the file.
    let (_folder, path) = on_disk(bytes);
    Checkpoint::open(&path)
}

fn refusal(file: &Gguf) -> String {
    open(file).expect_err("the file is damaged").to_string()
}

#[test]
fn metadata_becomes_a_hugging_face_config() {
    let checkpoint = open(&tiny_llama()).unwrap();
    let config = checkpoint.config();
    for (key, value) in [
        ("model_type", json!("llama")),
        ("vocab_size", json!(4)),
        ("hidden_size", json!(8)),
        ("intermediate_size", json!(16)),
        ("num_hidden_layers", json!(1)),
        ("num_attention_heads", json!(2)),
        ("num_key_value_heads", json!(1)),
        ("head_dim", json!(4)),
        ("max_position_embeddings", json!(64)),
        ("rms_norm_eps", json!(1e-5)),
        ("rope_theta", json!(50_000.0)),
        ("rope_scaling", json!(null)),
        ("tie_word_embeddings", json!(true)),
    ] {
        assert_eq!(config[key], value, "{key}");
    }
    assert_eq!(config.get("partial_rotary_factor"), None);
    assert_eq!(checkpoint.generation().eos_ids, [0]);
    assert_eq!(checkpoint.generation().max_positions, Some(64));
    assert_eq!(checkpoint.files().len(), 1);
}

#[test]
fn an_output_head_of_its_own_and_scaled_positions_are_seen() {
    let file = tiny_llama()
        .counting("output.weight", &[8, 4])
        .string("llama.rope.scaling.type", "linear")
        .f32("llama.rope.scaling.factor", 4.0)
        .u32("llama.rope.dimension_count", 2);
    let checkpoint = open(&file).unwrap();
    assert_eq!(checkpoint.config()["tie_word_embeddings"], false);
    assert_eq!(
        checkpoint.config()["rope_scaling"],
        json!({"rope_type": "linear", "factor": 4.0})
    );
    assert_eq!(checkpoint.config()["partial_rotary_factor"], 0.5);
    assert!(checkpoint.tensor("lm_head.weight").is_some());
}

#[test]
fn frequency_factors_are_part_of_the_config_and_no_tensor() {
    let factors: Vec<u8> = [1.5f32, 8.0].iter().flat_map(|x| x.to_le_bytes()).collect();
    let checkpoint =
        open(&tiny_llama().tensor("rope_freqs.weight", &[2], support::F32, &factors)).unwrap();
    assert_eq!(checkpoint.config()["rope_scaling"]["rope_type"], "longrope");
    assert_eq!(
        checkpoint.config()["rope_scaling"]["long_factor"],
        json!([1.5, 8.0])
    );
    assert_eq!(checkpoint.tensor_names().len(), 12);
}

#[test]
fn query_and_key_rows_come_back_in_hugging_face_order() {
    let checkpoint = open(&tiny_llama()).unwrap();
    let first_of_rows = |name: &str| -> Vec<f32> {
        checkpoint
            .read_f32(name)
            .unwrap()
            .chunks(8)
            .map(|row| row[0] / 8.0)
            .collect()
    };
    // Row 2k + j of a head in the file is row j * 2 + k of it.
    assert_eq!(
        first_of_rows("model.layers.0.self_attn.q_proj.weight"),
        [0.0, 2.0, 1.0, 3.0, 4.0, 6.0, 5.0, 7.0]
    );
    assert_eq!(
        first_of_rows("model.layers.0.self_attn.k_proj.weight"),
        [0.0, 2.0, 1.0, 3.0]
    );
    assert_eq!(
        first_of_rows("model.layers.0.self_attn.v_proj.weight"),
        [0.0, 1.0, 2.0, 3.0]
    );
    assert_eq!(
        checkpoint
            .read_f32("model.layers.0.self_attn.k_proj.bias")
            .unwrap(),
        [0.0, 2.0, 1.0, 3.0]
    );
    assert_eq!(
        checkpoint
            .tensor("model.layers.0.mlp.down_proj.weight")
            .unwrap()
            .shape,
        [8, 16]
    );
}

#[test]
fn experts_in_tensors_of_their_own_are_read_too() {
    let mut file = tiny_llama()
        .u32("llama.expert_count", 2)
        .u32("llama.expert_used_count", 1)
        .counting("blk.0.ffn_gate_inp.weight", &[8, 2]);
    file.tensors.retain(|(name, ..)| {
        !["gate", "up", "down"]
            .iter()
            .any(|part| *name == format!("blk.0.ffn_{part}.weight"))
    });
    for expert in 0..2 {
        file = file
            .counting(&format!("blk.0.ffn_gate.{expert}.weight"), &[8, 16])
            .counting(&format!("blk.0.ffn_up.{expert}.weight"), &[8, 16])
            .counting(&format!("blk.0.ffn_down.{expert}.weight"), &[16, 8]);
    }
    let checkpoint = open(&file).unwrap();
    assert_eq!(checkpoint.config()["model_type"], "mixtral");
    assert_eq!(checkpoint.config()["intermediate_size"], 16);
    for name in [
        "block_sparse_moe.gate",
        "block_sparse_moe.experts.0.w1",
        "block_sparse_moe.experts.1.w2",
        "block_sparse_moe.experts.1.w3",
    ] {
        let name = format!("model.layers.0.{name}.weight");
        assert!(checkpoint.tensor(&name).is_some(), "{name}");
    }
}

#[test]
fn recommended_sampling_is_handed_on() {
    let file = tiny_llama()
        .f32("general.sampling.temp", 0.5)
        .f32("general.sampling.top_p", 0.25)
        .i32s("tokenizer.ggml.suppress_tokens", &[1])
        .u32("general.sampling.top_k", 7)
        .f32("general.sampling.penalty_repeat", 1.25)
        .f32("general.sampling.min_p", 0.125);
    let settings = open(&file).unwrap().generation().clone();
    assert_eq!(settings.temperature, Some(0.5));
    assert_eq!(settings.top_p, Some(0.25));
    assert_eq!(settings.top_k, Some(7));
    assert_eq!(settings.repetition_penalty, Some(1.25));
    assert_eq!(
        settings.unhonoured,
        ["general.sampling.min_p", "tokenizer.ggml.suppress_tokens"]
    );
}

#[test]
fn every_block_type_has_its_size_and_name() {
    for (block, dtype) in BLOCKS.into_iter().zip(StoredDtype::BLOCK_TYPES) {
        let (_, len, bytes) = block;
        let rows = 3;
        let row = len.max(2);
        let data = vec![0u8; rows * row / len * bytes];
        let file = tiny_llama().tensor(
            "blk.0.ffn_gate.bias",
            &[row as u64, rows as u64],
            block,
            &data,
        );
        let checkpoint = open(&file).unwrap();
        let info = checkpoint
            .tensor("model.layers.0.mlp.gate_proj.bias")
            .unwrap();
        assert_eq!((info.dtype, info.shape), (dtype, vec![rows, row]));
        assert_eq!(
            checkpoint
                .read_f32("model.layers.0.mlp.gate_proj.bias")
                .unwrap(),
            vec![0.0; rows * row]
        );
        // One byte less is a truncated file.
        let cut = file.bytes();
        let error = open_bytes(&cut[..cut.len() - 1]).unwrap_err().to_string();
        assert!(
            error.contains("blk.0.ffn_gate.bias") && error.contains("truncated"),
            "{error}"
        );
    }
}

#[test]
fn values_that_are_no_numbers_are_counted() {
    let data: Vec<u8> = [1.0, f32::NAN, f32::INFINITY]
        .iter()
        .flat_map(|x: &f32| x.to_le_bytes())
        .collect();
    let checkpoint =
        open(&tiny_llama().tensor("blk.0.ffn_gate.bias", &[3], support::F32, &data)).unwrap();
    assert_eq!(
        checkpoint.non_finite().unwrap(),
        [("model.layers.0.mlp.gate_proj.bias".to_owned(), 2)]
    );
    assert_eq!(
        checkpoint.dtype_summary(),
        [(StoredDtype::F32, checkpoint.parameters())]
    );
    assert_eq!(checkpoint.bytes(), 4 * checkpoint.parameters());
}

#[test]
fn a_tensor_that_is_not_there_is_named() {
    let error = open(&tiny_llama())
        .unwrap()
        .read_f32("lm_head.weight")
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("read tensor lm_head.weight of "),
        "{error}"
    );
}

#[test]
fn what_is_not_honoured_is_refused_by_name() {
    let llama = tiny_llama;
    for (file, words) in [
        (
            llama().string("general.architecture", "mamba"),
            ["general.architecture", "\"mamba\"", "llama, qwen2, qwen3"],
        ),
        (
            llama().string("general.type", "adapter"),
            ["general.type", "\"adapter\"", "PEFT"],
        ),
        (
            llama().string("general.architecture", "bert"),
            ["\"bert\"", "leaves out the pooler", "llama, qwen2"],
        ),
        (
            llama().string("general.architecture", "gptj"),
            ["\"gptj\"", "writes no files", "llama, qwen2"],
        ),
        (
            llama().u32("split.count", 2),
            ["split.no", "0 of 2 parts", "llama-gguf-split"],
        ),
        (
            llama().u32("llama.attention.sliding_window", 8),
            [
                "llama.attention.sliding_window",
                "a setting",
                "attention.head_count_kv, attention.key_length",
            ],
        ),
        (
            llama().f32("llama.rope.scaling.yarn_beta_fast", 8.0),
            ["yarn_beta_fast", "a setting", "block_count"],
        ),
        (
            llama().f32("llama.rope.scaling.factor", 2.0),
            ["llama.rope.scaling", "2.0", "linear or yarn"],
        ),
        (
            llama().counting("blk.0.ffn_gate_exps.weight", &[8]),
            ["blk.0.ffn_gate_exps.weight", "a tensor", "llama"],
        ),
        (
            llama().tensor("blk.0.ffn_up.bias", &[256], (16, 256, 66), &[0; 66]),
            ["blk.0.ffn_up.bias", "IQ2_XXS", "Q6_K"],
        ),
        (
            llama().tensor("blk.0.ffn_up.bias", &[1], (99, 1, 1), &[0]),
            ["blk.0.ffn_up.bias", "type 99", "Q4_0"],
        ),
        (
            llama().i32s("llama.attention.head_count_kv", &[1]),
            ["head_count_kv", "an array", "one value"],
        ),
        (
            Gguf {
                version: 1,
                ..llama()
            },
            ["version", "1", "2 and 3"],
        ),
        (
            Gguf {
                version: 3 << 24,
                ..llama()
            },
            ["version", "big-endian", "2 and 3"],
        ),
    ] {
        let error = refusal(&file);
        assert!(
            words.iter().all(|word| error.contains(word)),
            "{words:?} in {error}"
        );
    }
}

#[test]
fn contradictions_are_named() {
    let llama = tiny_llama;
    let edit = |change: &dyn Fn(&mut Gguf)| {
        let mut file = tiny_llama();
        change(&mut file);
        file
    };
    let cases = [
        (
            llama().without("llama.block_count"),
            "llama.block_count: is missing",
        ),
        (
            llama().u32("llama.block_count", 0),
            "llama.block_count: is 0",
        ),
        (
            llama().u32("llama.attention.head_count", 3),
            "llama.attention.head_count: is 3, which does not divide",
        ),
        (
            llama().u32("llama.vocab_size", 5),
            "llama.vocab_size: is 5, but token_embd.weight has 4 rows",
        ),
        (
            llama().u32("llama.rope.dimension_count", 3),
            "llama.rope.dimension_count: is 3",
        ),
        (
            llama().string("llama.context_length", "x"),
            "llama.context_length: is not a number",
        ),
        (
            llama().u32("general.alignment", 24),
            "general.alignment: is Unsigned(24), not a power of two",
        ),
        (
            llama().u32("tokenizer.ggml.eos_token_id", 4),
            "tokenizer.ggml.eos_token_id: is 4, but the vocabulary has 4",
        ),
        (
            llama().counting("output_norm.weight", &[8]),
            "output_norm.weight: occurs twice in the tensor directory",
        ),
        (
            edit(&|f| f.tensors[1].3 = f.tensors[0].3),
            "overlaps the data of",
        ),
        (
            edit(&|f| f.tensors[1].3 += 1),
            "output_norm.weight: has offset 129, no multiple of 32",
        ),
        (
            edit(&|f| f.tensors[1].3 = 1 << 62),
            "reaches past the file's end",
        ),
        (
            edit(&|f| f.tensors[1].1 = vec![1 << 40, 1 << 40]),
            "output_norm.weight: has the impossible extents",
        ),
        (
            edit(&|f| f.tensors[1].1 = vec![0]),
            "output_norm.weight: has the impossible extent 0",
        ),
        (
            edit(&|f| f.tensors[1].1 = vec![1; 5]),
            "output_norm.weight: has 5 dimensions",
        ),
        (
            edit(&|f| f.tensors[1].2 = 2),
            "output_norm.weight: has rows of 8 values, no multiple of Q4_0's block of 32",
        ),
        (
            edit(&|f| f.metadata.push(f.metadata[0].clone())),
            "general.architecture: occurs twice",
        ),
        (
            edit(&|f| f.metadata[1].1 = 13),
            "llama.context_length: has the unknown value type 13",
        ),
        (
            edit(&|f| drop(f.tensors.remove(0))),
            "token_embd.weight: is missing",
        ),
        (
            edit(&|f| f.tensors[3].1 = vec![8, 7]),
            "blk.0.attn_q.weight: has extents [8, 7], which do not divide",
        ),
    ];
    for (file, words) in cases {
        let error = refusal(&file);
        assert!(error.contains(words), "{words} in {error}");
    }
}

#[test]
fn layers_experts_and_parts_of_tensors_that_contradict_are_named() {
    let renamed = |name: &str| {
        let mut file = tiny_llama();
        file.tensors[3].0 = name.to_owned();
        file
    };
    for (file, words) in [
        (
            renamed("blk.7.attn_q.weight"),
            "blk.7.attn_q.weight: is of layer 7, but the model has 1",
        ),
        (
            tiny_llama().u32("llama.block_count", 1000),
            "llama.block_count: is 1000, but the file has 12 tensors",
        ),
        (
            tiny_llama().u32("llama.expert_count", 2),
            "llama.expert_used_count: is missing",
        ),
        (
            renamed("blk.0.attn_qkv.weight"),
            "blk.0.attn_qkv.weight: has extents [8, 8], not [8, 4, 4] rows of queries, keys and values",
        ),
        (
            tiny_llama().counting("blk.0.attn_qkv.weight", &[8, 16]),
            "model.layers.0.self_attn.q_proj.weight: is in the file twice",
        ),
    ] {
        let error = refusal(&file);
        assert!(error.contains(words), "{words} in {error}");
    }
}

#[test]
fn lengths_that_lie_are_refused_before_anything_is_allocated() {
    let bytes = tiny_llama().bytes();
    for (at, what) in [
        (8, "tensor count"),
        (16, "metadata count"),
        (24, "metadata key 0"),
    ] {
        let mut lying = bytes.clone();
        lying[at..at + 8].copy_from_slice(&u64::MAX.to_le_bytes());
        let error = open_bytes(&lying).unwrap_err().to_string();
        assert!(
            error.contains(what) && error.contains("bytes are left"),
            "{error}"
        );
    }
    assert!(
        open_bytes(b"GGU")
            .unwrap_err()
            .to_string()
            .contains("magic")
    );
    assert!(
        open_bytes(b"not a model at all")
            .unwrap_err()
            .to_string()
            .contains("no GGUF file")
    );
}

#[test]
fn the_tokenizer_is_checked_against_itself() {
    let tokenizer = |file: Gguf| {
        open(&file)
            .unwrap()
            .tokenizer()
            .map(|_| ())
            .unwrap_err()
            .to_string()
    };
    let llama = tiny_llama;
    for (file, words) in [
        (
            llama().string("tokenizer.ggml.model", "rwkv"),
            "tokenizer.ggml.model is \"rwkv\", which is not supported",
        ),
        (
            llama().string("tokenizer.ggml.pre", "unheard-of"),
            "\"unheard-of\", which is not supported; gpt-2, phi-2, ",
        ),
        (
            llama().bool("tokenizer.ggml.normalizer.lowercase", true),
            "tokenizer.ggml.normalizer.lowercase is a setting of the tokenizer, which is not supported; model, pre,",
        ),
        (
            llama().bool("tokenizer.ggml.add_space_prefix", true),
            "tokenizer.ggml.add_space_prefix is true, which is not supported",
        ),
        (
            llama().without("tokenizer.ggml.pre"),
            "tokenizer.ggml.pre: is missing",
        ),
        (
            llama().strings("tokenizer.ggml.merges", &["ab"]),
            "tokenizer.ggml.merges: has \"ab\", which is no pair",
        ),
        (
            llama().strings("tokenizer.ggml.merges", &["a c"]),
            "tokenizer.ggml.merges: Token `c` out of vocabulary",
        ),
        (
            llama().strings("tokenizer.ggml.tokens", &["a", "b", "ab", "a"]),
            "has \"a\" twice, as 0 and 3",
        ),
        (
            llama().i32s("tokenizer.ggml.token_type", &[1, 1]),
            "tokenizer.ggml.token_type: has 2 entries for 4 tokens",
        ),
        (
            llama().i32s("tokenizer.ggml.token_type", &[1, 1, 1, 9]),
            "has the unknown token type 9",
        ),
        (
            llama().bool("tokenizer.ggml.add_bos_token", true),
            "tokenizer.ggml.bos_token_id: is missing",
        ),
        (
            llama()
                .strings("tokenizer.ggml.tokens", &["a", "b", "ab", "c", "d", "e"])
                .i32s("tokenizer.ggml.token_type", &[1; 6]),
            "its ids go up to 5, but the model's vocabulary has 4 rows",
        ),
    ] {
        let error = tokenizer(file);
        assert!(error.contains(words), "{words} in {error}");
    }
}

#[test]
fn bos_comes_once_and_only_where_it_is_asked_for() {
    let file = tiny_llama()
        .bool("tokenizer.ggml.add_bos_token", true)
        .bool("tokenizer.ggml.add_eos_token", true)
        .u32("tokenizer.ggml.bos_token_id", 3);
    let tokenizer = open(&file).unwrap().tokenizer().unwrap();
    assert_eq!(
        tokenizer
            .encode("abb", SpecialTokens::AsPostProcessor)
            .unwrap(),
        [3, 2, 1, 0]
    );
    assert_eq!(
        tokenizer.encode("abb", SpecialTokens::None).unwrap(),
        [2, 1]
    );
    assert_eq!(
        tokenizer
            .encode("<|im_end|>ab", SpecialTokens::None)
            .unwrap(),
        [3, 2]
    );
    assert_eq!(tokenizer.decode(&[3, 2, 1]).unwrap(), "abb");
}

#[test]
fn ends_of_turns_count_where_the_template_writes_them() {
    let plain = tiny_llama().string("tokenizer.chat_template", "{{ messages }}");
    assert_eq!(open(&plain).unwrap().generation().eos_ids, [0]);
    let chat = tiny_llama().string(
        "tokenizer.chat_template",
        "{{ messages[0].content }}<|im_end|>",
    );
    assert_eq!(open(&chat).unwrap().generation().eos_ids, [0, 3]);
    let eot = tiny_llama().u32("tokenizer.ggml.eot_token_id", 1);
    assert_eq!(open(&eot).unwrap().generation().eos_ids, [0, 1]);
}

/// Roughly where the weights of the fixture begin.
const HEADER_BYTES: usize = 14_000;

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    /// Whatever a damaged file is taken for, it is taken for no more than its bytes.
    #[test]
    fn mutated_files_never_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut: prop::sample::Index,
        truncate: bool,
    ) {
        let mut bytes = tiny_llama().bytes();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if truncate {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(checkpoint) = open_bytes(&bytes) {
            for name in checkpoint.tensor_names() {
                let values = checkpoint.read_f32(&name).unwrap();
                prop_assert!(values.len() <= 2 * bytes.len());
                prop_assert!(checkpoint.read_codes(&name).is_ok());
            }
            let _ = checkpoint.chat_template();
            if let Ok(tokenizer) = checkpoint.tokenizer() {
                let _ = tokenizer.encode("abba <|im_end|> 12", SpecialTokens::AsPostProcessor);
            }
        }
    }

    /// The same from a file with every kind of metadata and real blocks; edits go to what precedes the weights.
    #[test]
    fn mutated_real_files_never_panic(
        edits in prop::collection::vec((0..HEADER_BYTES, any::<u8>()), 1..6),
        cut: Option<prop::sample::Index>,
    ) {
        let mut bytes = include_bytes!("data/sentence_piece.gguf").to_vec();
        for (at, byte) in edits {
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(checkpoint) = open_bytes(&bytes) {
            let values: usize = checkpoint.tensor_names().iter().map(|name| checkpoint.read_f32(name).unwrap().len()).sum();
            prop_assert!(values <= 8 * bytes.len());
            for name in checkpoint.tensor_names() {
                prop_assert!(checkpoint.read_codes(&name).is_ok());
            }
            if let Ok(tokenizer) = checkpoint.tokenizer() {
                let _ = tokenizer.encode("the miller <|end|> 12", SpecialTokens::AsPostProcessor);
            }
        }
    }

    /// Numbers at the places of counts and lengths, where single bytes seldom make a plausible lie.
    #[test]
    fn overwritten_words_never_panic(at: prop::sample::Index, word in prop_oneof![0u64..40, any::<u64>(), Just(u64::MAX)]) {
        let mut bytes = tiny_llama().bytes();
        let at = at.index(bytes.len() - 8);
        bytes[at..at + 8].copy_from_slice(&word.to_le_bytes());
        if let Ok(checkpoint) = open_bytes(&bytes) {
            for name in checkpoint.tensor_names() {
                prop_assert!(checkpoint.read_f32(&name).unwrap().len() <= 2 * bytes.len());
            }
            let _ = checkpoint.tokenizer();
        }
    }
}
