use super::*;
use crate::cpu::kv::KvShape;
use crate::cpu::rope::{Pairing, RopeTable};

const PLAIN: AttentionShape = AttentionShape {
    heads: 6,
    kv_heads: 2,
    head_dim: 40,
    scale: 0.3,
    soft_cap: None,
    window: None,
    layout: QkvLayout::Concatenated,
};

/// Every kind of attention that a family asks for.
const SHAPES: [AttentionShape; 5] = [
    PLAIN,
    AttentionShape {
        window: Some(5),
        ..PLAIN
    },
    AttentionShape {
        window: Some(37),
        soft_cap: Some(1.5),
        ..PLAIN
    },
    AttentionShape {
        heads: 3,
        kv_heads: 3,
        layout: QkvLayout::Interleaved,
        ..PLAIN
    },
    AttentionShape {
        soft_cap: Some(0.7),
        ..PLAIN
    },
];

fn qkv(shape: AttentionShape, tokens: usize, seed: f32) -> Vec<f32> {
    (0..tokens * shape.qkv_width())
        .map(|i| ((i as f32 + seed) * 0.917).sin())
        .collect()
}

fn rope() -> RopeTable {
    let mut rope = RopeTable::new((0..20).map(|i| 0.9f32.powi(i)).collect(), 1.0);
    rope.reserve(128);
    rope
}

/// A head rotated by the definition.
fn rotated(head: &[f32], position: usize, pairing: Pairing) -> Vec<f64> {
    let (rope, mut out) = (
        rope(),
        head.iter().map(|v| f64::from(*v)).collect::<Vec<_>>(),
    );
    let (cos, sin) = rope.at(position);
    for (i, (c, s)) in cos.iter().zip(sin).enumerate() {
        let (a, b) = match pairing {
            Pairing::Halves => (i, i + rope.pairs()),
            Pairing::Neighbours => (2 * i, 2 * i + 1),
        };
        let (c, s) = (f64::from(*c), f64::from(*s));
        let (x, y) = (f64::from(head[a]), f64::from(head[b]));
        (out[a], out[b]) = (x * c - y * s, y * c + x * s);
    }
    out
}

/// Attention by its definition, in f64.
fn definition(shape: AttentionShape, pairing: Pairing, qkv: &[f32]) -> Vec<f64> {
    let (dim, group) = (shape.head_dim, shape.heads / shape.kv_heads);
    let rows: Vec<&[f32]> = qkv.chunks(shape.qkv_width()).collect();
    // Where each head lies, by the layout's own words.
    let at = |part: usize, head: usize| match shape.layout {
        QkvLayout::Concatenated => [0, shape.heads, shape.heads + shape.kv_heads][part] + head,
        QkvLayout::Interleaved => 3 * head + part,
    };
    let mut out = Vec::new();
    for (t, row) in rows.iter().enumerate() {
        let first = shape.window.map_or(0, |w| (t + 1).saturating_sub(w));
        for h in 0..shape.heads {
            let q = rotated(&row[at(0, h) * dim..][..dim], t, pairing);
            let scores: Vec<f64> = (first..=t)
                .map(|s| {
                    let k = rotated(&rows[s][at(1, h / group) * dim..][..dim], s, pairing);
                    let score =
                        k.iter().zip(&q).map(|(a, b)| a * b).sum::<f64>() * f64::from(shape.scale);
                    shape.soft_cap.map_or(score, |cap| {
                        f64::from(cap) * (score / f64::from(cap)).tanh()
                    })
                })
                .collect();
            let top = scores.iter().copied().fold(f64::MIN, f64::max);
            let total: f64 = scores.iter().map(|s| (s - top).exp()).sum();
            for d in 0..dim {
                let v = |s: usize| f64::from(rows[s][at(2, h / group) * dim + d]);
                let parts = (first..=t).zip(&scores);
                out.push(parts.map(|(s, x)| (x - top).exp() / total * v(s)).sum());
            }
        }
    }
    out
}

/// Runs sequences through the cache, each split into calls of the given lengths, several sequences a call.
fn run(
    isa: Isa,
    shape: AttentionShape,
    pairing: Pairing,
    precision: Precision,
    sequences: &[Vec<f32>],
    split: usize,
) -> Vec<Vec<f32>> {
    let (rope, width) = (rope(), shape.qkv_width());
    let sizes = KvShape {
        layers: 2,
        heads: shape.kv_heads,
        head_dim: shape.head_dim,
        precision,
    };
    let mut pool = KvPool::new(sizes, 1024).unwrap();
    // What an earlier sequence left behind must not matter, were it not a number.
    pool.values_mut().fill(f32::NAN);
    let mut tables = vec![BlockTable::default(); sequences.len()];
    let mut outs = vec![Vec::new(); sequences.len()];
    let longest = sequences.iter().map(|s| s.len() / width).max().unwrap();
    for first in (0..longest).step_by(split) {
        let (mut batch, mut spans) = (Vec::new(), Vec::new());
        let mut angles = Angles::new(rope.pairs(), pairing);
        for (s, sequence) in sequences.iter().enumerate() {
            let tokens = sequence.len() / width;
            let part = first.min(tokens)..(first + split).min(tokens);
            let begin = batch.len() / width;
            batch.extend(&sequence[part.start * width..part.end * width]);
            pool.extend(&mut tables[s], part.len()).unwrap();
            spans.push(begin..begin + part.len());
            part.for_each(|position| angles.push(&rope, position));
        }
        let rows: Vec<AttentionRow<'_>> = spans
            .iter()
            .zip(&tables)
            .map(|(tokens, table)| AttentionRow {
                tokens: tokens.clone(),
                table,
            })
            .collect();
        let mut out = vec![0f32; batch.len() / width * shape.out_width()];
        attend(
            isa, &mut batch, shape, &angles, &mut pool, 1, &rows, &mut out,
        );
        for (o, span) in outs.iter_mut().zip(&spans) {
            o.extend(&out[span.start * shape.out_width()..span.end * shape.out_width()]);
        }
    }
    outs
}

#[test]
fn any_batch_split_and_set_gives_the_same_bits_near_the_definition() {
    let pairings = [Pairing::Halves, Pairing::Neighbours];
    let cases = SHAPES.into_iter().zip(pairings.into_iter().cycle());
    for (precision, tolerance) in [(Precision::F32, 1e-5), (Precision::Bf16, 2e-2)] {
        for (shape, pairing) in cases.clone() {
            check(shape, pairing, precision, tolerance);
        }
    }
}

fn check(shape: AttentionShape, pairing: Pairing, precision: Precision, tolerance: f64) {
    let sequences = [(70, 0.0), (33, 5.0), (1, 9.0)].map(|(n, seed)| qkv(shape, n, seed));
    let alone: Vec<Vec<f32>> = sequences
        .iter()
        .map(|s| {
            let sequence = std::slice::from_ref(s);
            run(Isa::Portable, shape, pairing, precision, sequence, 1000).remove(0)
        })
        .collect();
    for (sequence, out) in sequences.iter().zip(&alone) {
        for (a, b) in out.iter().zip(definition(shape, pairing, sequence)) {
            assert!((f64::from(*a) - b).abs() < tolerance, "{shape:?}: {a} {b}");
        }
    }
    for isa in Isa::available() {
        for split in [1, 7, 32, 1000] {
            let together = run(isa, shape, pairing, precision, &sequences, split);
            for (a, b) in together.iter().zip(&alone) {
                assert!(
                    a.iter().zip(b).all(|(x, y)| x.to_bits() == y.to_bits()),
                    "{shape:?}, {precision:?}, {isa}, {split} tokens a call"
                );
            }
        }
    }
}
