//! Attention of whole sequences, of every set, against its definition in f64.

use burn::tensor::{Device, Tensor, TensorData};
use evalh_kernel::{BidirectionalShape, Compute, Isa, RelativePositions};
use std::ops::Range;

const SHAPE: BidirectionalShape = BidirectionalShape {
    heads: 3,
    head_dim: 20,
    scale: 0.3,
};
const WIDTH: usize = 60;
/// Relative positions.
const POSITIONS: usize = 40;
/// Tokens of the sequences of a batch.
const LENGTHS: [usize; 5] = [70, 1, 13, 33, 32];

fn wave(n: usize, seed: f32) -> Vec<f32> {
    (0..n).map(|i| ((i as f32 + seed) * 0.917).sin()).collect()
}

fn tensor(values: &[f32], width: usize) -> Tensor<2> {
    let shape = [values.len() / width, width];
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &Device::flex())
}

/// The position of every distance: the distance itself while it is small, then ever coarser steps.
fn rows() -> Vec<u32> {
    (-69..=69i32)
        .map(|d| {
            let step = match d.abs() {
                near @ 0..6 => near,
                far => 6 + far / 7,
            };
            (POSITIONS as i32 / 2 + d.signum() * step) as u32
        })
        .collect()
}

/// Position keys and queries, each or neither.
type Positions = [Option<Vec<f32>>; 2];

fn positions() -> [Positions; 4] {
    let [keys, queries] = [3.0, 8.0].map(|seed| wave(POSITIONS * WIDTH, seed));
    [
        [None, None],
        [Some(keys.clone()), None],
        [None, Some(queries.clone())],
        [Some(keys), Some(queries)],
    ]
}

/// Attention by its definition.
fn definition(qkv: &[f32], positions: &Positions) -> Vec<f64> {
    let (dim, rows) = (SHAPE.head_dim, rows());
    let tokens = qkv.len() / (3 * WIDTH);
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| f64::from(*a) * f64::from(*b))
            .sum()
    };
    let mut out = vec![0f64; tokens * WIDTH];
    for head in 0..SHAPE.heads {
        let part =
            |token: usize, part: usize| &qkv[(3 * token + part) * WIDTH + head * dim..][..dim];
        for i in 0..tokens {
            let scores: Vec<f64> = (0..tokens)
                .map(|j| {
                    let at = rows[rows.len() / 2 + i - j] as usize * WIDTH + head * dim;
                    let [keys, queries] = positions;
                    let keys = keys
                        .as_ref()
                        .map_or(0.0, |k| dot(part(i, 0), &k[at..][..dim]));
                    let queries = queries
                        .as_ref()
                        .map_or(0.0, |q| dot(part(j, 1), &q[at..][..dim]));
                    (dot(part(i, 0), part(j, 1)) + keys + queries) * f64::from(SHAPE.scale)
                })
                .collect();
            let top = scores.iter().copied().fold(f64::MIN, f64::max);
            let total: f64 = scores.iter().map(|s| (s - top).exp()).sum();
            for (j, score) in scores.iter().enumerate() {
                for (d, value) in part(j, 2).iter().enumerate() {
                    out[i * WIDTH + head * dim + d] +=
                        (score - top).exp() / total * f64::from(*value);
                }
            }
        }
    }
    out
}

/// One call over the given sequences.
fn run(compute: &Compute, sequences: &[Vec<f32>], positions: &Positions) -> Vec<Vec<f32>> {
    let mut spans: Vec<Range<usize>> = Vec::new();
    for sequence in sequences {
        let start = spans.last().map_or(0, |span| span.end);
        spans.push(start..start + sequence.len() / (3 * WIDTH));
    }
    let [keys, queries] = positions
        .clone()
        .map(|values| values.map(|values| tensor(&values, WIDTH)));
    let rows = rows();
    let relative = (keys.is_some() || queries.is_some()).then_some(RelativePositions {
        keys,
        queries,
        rows: &rows,
    });
    let out = compute.attend_all(
        tensor(&sequences.concat(), 3 * WIDTH),
        SHAPE,
        &spans,
        relative.as_ref(),
    );
    let out = compute.to_host(out);
    spans
        .into_iter()
        .map(|span| out[span.start * WIDTH..span.end * WIDTH].to_vec())
        .collect()
}

fn sequences() -> Vec<Vec<f32>> {
    LENGTHS
        .iter()
        .map(|tokens| wave(tokens * 3 * WIDTH, *tokens as f32))
        .collect()
}

#[test]
fn every_set_is_near_the_definition() {
    let sets = Isa::available().into_iter().map(Compute::cpu_with);
    for compute in sets.chain([Compute::burn(Device::flex())]) {
        for positions in positions() {
            let outs = run(&compute, &sequences(), &positions);
            for (sequence, out) in sequences().iter().zip(outs) {
                for (a, b) in out.iter().zip(definition(sequence, &positions)) {
                    assert!(
                        (f64::from(*a) - b).abs() < 1e-5,
                        "{} {a} {b}",
                        compute.set()
                    );
                }
            }
        }
    }
}

#[test]
fn any_batch_set_and_number_of_threads_gives_the_same_bits() {
    for positions in positions() {
        let alone: Vec<Vec<f32>> = sequences()
            .iter()
            .flat_map(|s| run(&Compute::cpu(), std::slice::from_ref(s), &positions))
            .collect();
        for isa in Isa::available() {
            for threads in [1, 3] {
                let pool = rayon::ThreadPoolBuilder::new()
                    .num_threads(threads)
                    .build()
                    .unwrap();
                let compute = Compute::cpu_with(isa);
                let together = pool.install(|| run(&compute, &sequences(), &positions));
                for (a, b) in together.iter().zip(&alone) {
                    assert!(
                        a.iter().zip(b).all(|(x, y)| x.to_bits() == y.to_bits()),
                        "{isa}, {threads} threads"
                    );
                }
            }
        }
    }
}
