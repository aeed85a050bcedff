//! Codes of tensors stand for the values that are read as f32, bit for bit.

mod support;

use evalh_checkpoint::{
    Checkpoint, CodedTensor, CodedValues, GroupFactors, StoredDtype, WeightSource,
};
use half::f16;
use std::path::Path;
use support::{BLOCKS, Block, Gguf, on_disk, tiny_llama};

/// What the codes stand for, by their definition.
fn values(coded: &CodedTensor) -> Vec<f32> {
    let factor = |factors: &GroupFactors, index: usize| match factors {
        GroupFactors::F16(bits) => f16::from_bits(bits[index]).to_f32(),
        GroupFactors::F32(values) => values[index],
    };
    (0..coded.rows * coded.columns)
        .map(|i| {
            let number = match &coded.codes {
                CodedValues::Four { codes, table } => {
                    table[usize::from(codes[i / 2] >> (4 * (i % 2)) & 15)]
                }
                CodedValues::Eight(codes) => f32::from(codes[i].cast_signed()),
            };
            let scale = factor(&coded.scales, i / coded.group);
            match &coded.minimums {
                Some(minimums) => number.mul_add(scale, factor(minimums, i / coded.group)),
                None => number * scale,
            }
        })
        .collect()
}

/// Reads a tensor both ways. NaN has many bit patterns and one meaning.
fn agree(checkpoint: &Checkpoint, name: &str) -> CodedTensor {
    let coded = checkpoint.read_codes(name).unwrap().unwrap();
    let info = checkpoint.tensor(name).unwrap();
    assert_eq!([coded.rows, coded.columns], info.shape[..], "{name}");
    assert_eq!(coded.name, info.dtype.name().to_lowercase(), "{name}");
    let plain = checkpoint.read_f32(name).unwrap();
    let non_finite = plain.iter().filter(|x| !x.is_finite()).count();
    assert_eq!(coded.count_non_finite(), non_finite, "{name}");
    for (i, (own, plain)) in values(&coded).iter().zip(&plain).enumerate() {
        assert!(
            own.to_bits() == plain.to_bits() || own.is_nan() && plain.is_nan(),
            "{name} of {}: value {i} is {own}, read as {plain}",
            info.dtype
        );
    }
    coded
}

/// Bytes without order: all codes, scales of every size and sign, NaN and infinity among them.
fn noise(count: usize, seed: u32) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as u8
    };
    (0..count).map(|_| next()).collect()
}

/// A llama of wide rows, whose queries (which are reordered) and down projection are of a block type.
fn file(block: Block, data: &[u8]) -> Gguf {
    let rows = data.len() as u64 / 2 / (block.2 as u64 * (512 / block.1 as u64));
    tiny_llama()
        .without_tensor("blk.0.attn_q.weight")
        .without_tensor("blk.0.ffn_down.weight")
        .tensor(
            "blk.0.attn_q.weight",
            &[512, rows],
            block,
            &data[..data.len() / 2],
        )
        .tensor(
            "blk.0.ffn_down.weight",
            &[512, rows],
            block,
            &data[data.len() / 2..],
        )
}

#[test]
fn every_type_has_codes_for_the_values_it_reads() {
    let mut coded = Vec::new();
    for (seed, (block, dtype)) in BLOCKS.into_iter().zip(StoredDtype::BLOCK_TYPES).enumerate() {
        let bytes = 2 * 64 * (512 / block.1) * block.2;
        let (_folder, path) = on_disk(&file(block, &noise(bytes, seed as u32)).bytes());
        let checkpoint = Checkpoint::open(&path).unwrap();
        let queries = "model.layers.0.self_attn.q_proj.weight";
        if checkpoint.read_codes(queries).unwrap().is_some() {
            agree(&checkpoint, queries);
            agree(&checkpoint, "model.layers.0.mlp.down_proj.weight");
            coded.push(dtype);
        }
    }
    let plain = [StoredDtype::F32, StoredDtype::F16, StoredDtype::BF16];
    let quantised = StoredDtype::BLOCK_TYPES
        .into_iter()
        .filter(|t| !plain.contains(t));
    assert_eq!(coded, quantised.collect::<Vec<_>>());
}

#[test]
fn rows_join_where_types_and_widths_agree() {
    let (q4_1, blocks) = (BLOCKS[4], 512 / 32);
    let data = noise(2 * 64 * blocks * q4_1.2, 7);
    let (_folder, path) = on_disk(&file(q4_1, &data).bytes());
    let checkpoint = Checkpoint::open(&path).unwrap();
    let read = |name: &str| checkpoint.read_codes(name).unwrap().unwrap();
    let queries = read("model.layers.0.self_attn.q_proj.weight");
    let down = read("model.layers.0.mlp.down_proj.weight");
    let mut both = queries.clone();
    assert!(both.joins(&down));
    both.append(down.clone());
    let parts = [values(&queries), values(&down)].concat();
    let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&values(&both)), bits(&parts));
    assert!(!both.joins(&CodedTensor {
        columns: 256,
        ..down
    }));
}

#[test]
fn a_tensor_that_is_missing_has_no_codes() {
    let (_folder, path) = on_disk(&tiny_llama().bytes());
    let checkpoint = Checkpoint::open(&path).unwrap();
    let plain = checkpoint.read_codes("model.embed_tokens.weight").unwrap();
    assert_eq!(plain, None, "F32 is no code");
    let error = checkpoint.read_codes("lm_head.weight").unwrap_err();
    assert!(error.to_string().contains("lm_head.weight"));
}

#[test]
fn the_real_model_has_codes_for_all_its_matrices() {
    let Some(path) = std::env::var_os("EVALH_TEST_MODEL") else {
        eprintln!("skipped: EVALH_TEST_MODEL is not set");
        return;
    };
    let checkpoint = Checkpoint::open(Path::new(&path)).unwrap();
    for name in checkpoint.tensor_names() {
        if checkpoint.tensor(&name).unwrap().shape.len() == 2 {
            agree(&checkpoint, &name);
        }
    }
}
