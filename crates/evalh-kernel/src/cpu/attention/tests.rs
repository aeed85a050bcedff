use super::*;
use crate::cpu::kv::KvShape;

const SHAPE: AttentionShape = AttentionShape {
    heads: 6,
    kv_heads: 2,
    head_dim: 40,
    scale: 0.3,
};

fn qkv(tokens: usize, seed: f32) -> Vec<f32> {
    (0..tokens * SHAPE.qkv_width())
        .map(|i| ((i as f32 + seed) * 0.917).sin())
        .collect()
}

fn rope() -> RopeTable {
    let mut rope = RopeTable::new((0..20).map(|i| 0.9f32.powi(i)).collect(), 1.0);
    rope.reserve(128);
    rope
}

/// Attention by its definition, in f64.
fn definition(qkv: &[f32]) -> Vec<f64> {
    let (rope, dim, width) = (rope(), SHAPE.head_dim, SHAPE.qkv_width());
    let mut rows: Vec<Vec<f32>> = qkv.chunks(width).map(<[f32]>::to_vec).collect();
    for (position, row) in rows.iter_mut().enumerate() {
        for head in row[..(SHAPE.heads + SHAPE.kv_heads) * dim].chunks_mut(dim) {
            rope.rotate(head, position);
        }
    }
    let mut out = Vec::new();
    for (t, row) in rows.iter().enumerate() {
        for h in 0..SHAPE.heads {
            let kv = h / (SHAPE.heads / SHAPE.kv_heads);
            let part = |r: &[f32], at: usize| {
                r[at * dim..][..dim]
                    .iter()
                    .map(|v| f64::from(*v))
                    .collect::<Vec<_>>()
            };
            let q = part(row, h);
            let scores: Vec<f64> = rows[..=t]
                .iter()
                .map(|r| {
                    part(r, SHAPE.heads + kv)
                        .iter()
                        .zip(&q)
                        .map(|(a, b)| a * b)
                        .sum::<f64>()
                        * f64::from(SHAPE.scale)
                })
                .collect();
            let top = scores.iter().copied().fold(f64::MIN, f64::max);
            let total: f64 = scores.iter().map(|s| (s - top).exp()).sum();
            for d in 0..dim {
                let v = |r: &[f32]| part(r, SHAPE.heads + SHAPE.kv_heads + kv)[d];
                out.push(
                    rows[..=t]
                        .iter()
                        .zip(&scores)
                        .map(|(r, s)| (s - top).exp() / total * v(r))
                        .sum(),
                );
            }
        }
    }
    out
}

/// Runs sequences through the cache, each split into calls of the given lengths, several sequences a call.
fn run(isa: Isa, sequences: &[Vec<f32>], split: usize) -> Vec<Vec<f32>> {
    let (rope, width) = (rope(), SHAPE.qkv_width());
    let shape = KvShape {
        layers: 2,
        heads: SHAPE.kv_heads,
        head_dim: SHAPE.head_dim,
    };
    let mut pool = KvPool::new(shape, 1024).unwrap();
    // What an earlier sequence left behind must not matter, were it not a number.
    pool.values_mut().fill(f32::NAN);
    let mut tables = vec![BlockTable::default(); sequences.len()];
    let mut outs = vec![Vec::new(); sequences.len()];
    let longest = sequences.iter().map(|s| s.len() / width).max().unwrap();
    for first in (0..longest).step_by(split) {
        let (mut batch, mut spans) = (Vec::new(), Vec::new());
        for (s, sequence) in sequences.iter().enumerate() {
            let tokens = sequence.len() / width;
            let part = first.min(tokens)..(first + split).min(tokens);
            let begin = batch.len() / width;
            batch.extend(&sequence[part.start * width..part.end * width]);
            pool.extend(&mut tables[s], part.len()).unwrap();
            spans.push(begin..begin + part.len());
        }
        let rows: Vec<AttentionRow<'_>> = spans
            .iter()
            .zip(&tables)
            .map(|(tokens, table)| AttentionRow {
                tokens: tokens.clone(),
                table,
            })
            .collect();
        let mut out = vec![0f32; batch.len() / width * SHAPE.out_width()];
        attend(isa, &mut batch, SHAPE, &rope, &mut pool, 1, &rows, &mut out);
        for (o, span) in outs.iter_mut().zip(&spans) {
            o.extend(&out[span.start * SHAPE.out_width()..span.end * SHAPE.out_width()]);
        }
    }
    outs
}

#[test]
fn any_batch_split_and_set_gives_the_same_bits_near_the_definition() {
    let sequences = [qkv(70, 0.0), qkv(33, 5.0), qkv(1, 9.0)];
    let alone: Vec<Vec<f32>> = sequences
        .iter()
        .map(|s| run(Isa::Portable, std::slice::from_ref(s), 1000).remove(0))
        .collect();
    for (sequence, out) in sequences.iter().zip(&alone) {
        for (a, b) in out.iter().zip(definition(sequence)) {
            assert!((f64::from(*a) - b).abs() < 1e-5, "{a} {b}");
        }
    }
    for isa in Isa::available() {
        for split in [1, 7, 32, 1000] {
            let together = run(isa, &sequences, split);
            for (a, b) in together.iter().zip(&alone) {
                assert!(
                    a.iter().zip(b).all(|(x, y)| x.to_bits() == y.to_bits()),
                    "{isa}, {split} tokens a call"
                );
            }
        }
    }
}
