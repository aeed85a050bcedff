//! The primitives at the sizes of SmolLM2-135M: `cargo bench -p evalh-kernel`.

#![allow(missing_docs, reason = "criterion_group! makes a public function")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use evalh_kernel::cpu::{
    Angles, AttentionRow, AttentionShape, BlockTable, CodeValues, CodedRows, Factors, Isa, KvPool,
    KvShape, PackedWeight, Pairing, Precision, QkvLayout, RopeTable, attend, multiply,
};

fn wave(n: usize) -> Vec<f32> {
    (0..n).map(|i| (i as f32 * 0.37).sin()).collect()
}

/// Throughput is in multiply-adds, so 1 Gelem/s is 2 GFLOP/s.
fn linear(c: &mut Criterion) {
    for (name, precision) in [("linear", Precision::F32), ("linear bf16", Precision::Bf16)] {
        linear_in(c, name, precision);
    }
}

fn linear_in(c: &mut Criterion, name: &str, precision: Precision) {
    let mut group = c.benchmark_group(name);
    let isa = Isa::detect();
    for (outputs, inputs) in [(3072, 576), (576, 1536), (49152, 576)] {
        let rows = wave(outputs * inputs);
        let weight = PackedWeight::in_precision(&rows, outputs, inputs, precision);
        for rows in [1, 16, 64, 512] {
            if rows * outputs > 1 << 22 {
                continue;
            }
            let (x, mut out) = (wave(rows * inputs), vec![0f32; rows * outputs]);
            group.throughput(Throughput::Elements((rows * outputs * inputs) as u64));
            group.bench_function(BenchmarkId::new(format!("{outputs}x{inputs}"), rows), |b| {
                b.iter(|| multiply(isa, &x, &weight, &mut out, outputs, 0, false));
            });
        }
    }
}

/// The same over codes in groups of 32: 4 bits with minimums, and 8 bits.
fn coded_linear(c: &mut Criterion) {
    let mut group = c.benchmark_group("coded linear");
    let isa = Isa::detect();
    for (outputs, inputs, eight) in [(3072, 576, false), (576, 1536, false), (49152, 576, true)] {
        let count = outputs * inputs;
        let codes: Vec<u8> = (0..count).map(|i| (i * 31 / 7) as u8).collect();
        let table: [f32; 16] = std::array::from_fn(|i| i as f32);
        let scales = vec![0x2000u16; count / 32];
        let (name, codes, minimums) = if eight {
            ("q8_0", CodeValues::Eight(&codes), None)
        } else {
            let codes = CodeValues::Four {
                codes: &codes[..count / 2],
                table: &table,
            };
            ("q4_1", codes, Some(Factors::F16(&scales)))
        };
        let weight = PackedWeight::coded(&CodedRows {
            name,
            outputs,
            inputs,
            group: 32,
            codes,
            scales: Factors::F16(&scales),
            minimums,
        });
        for rows in [1, 4, 16, 64, 512] {
            if rows * outputs > 1 << 22 {
                continue;
            }
            let (x, mut out) = (wave(rows * inputs), vec![0f32; rows * outputs]);
            group.throughput(Throughput::Elements((rows * count) as u64));
            let id = BenchmarkId::new(format!("{name} {outputs}x{inputs}"), rows);
            group.bench_function(id, |b| {
                b.iter(|| multiply(isa, &x, &weight, &mut out, outputs, 0, false));
            });
        }
    }
}

/// One layer: a prompt of 512 tokens, and the next token of 64 sequences of 512.
fn attention(c: &mut Criterion) {
    let shape = AttentionShape {
        heads: 9,
        kv_heads: 3,
        head_dim: 64,
        scale: 0.125,
        soft_cap: None,
        window: None,
        layout: QkvLayout::Concatenated,
    };
    let mut rope = RopeTable::new((0..32).map(|i| 0.8f32.powi(i)).collect(), 1.0);
    rope.reserve(1024);
    for (name, sequences, new, precision) in [
        ("prefill 512", 1, 512, Precision::F32),
        ("prefill 512 bf16", 1, 512, Precision::Bf16),
        ("decode 64 x 512", 64, 1, Precision::F32),
        ("decode 64 x 512 bf16", 64, 1, Precision::Bf16),
    ] {
        let mut pool = KvPool::new(
            KvShape {
                layers: 1,
                heads: 3,
                head_dim: 64,
                precision,
            },
            64 * 544,
        )
        .expect("memory");
        let mut tables = vec![BlockTable::default(); sequences];
        for table in &mut tables {
            pool.extend(table, 512).expect("room");
        }
        let rows: Vec<AttentionRow<'_>> = tables
            .iter()
            .enumerate()
            .map(|(i, table)| AttentionRow {
                tokens: i * new..(i + 1) * new,
                table,
            })
            .collect();
        let mut angles = Angles::new(rope.pairs(), Pairing::Halves);
        for _ in 0..sequences {
            (512 - new..512).for_each(|position| angles.push(&rope, position));
        }
        let qkv = wave(sequences * new * shape.qkv_width());
        let mut out = vec![0f32; sequences * new * shape.out_width()];
        c.bench_function(&format!("attention {name}"), |b| {
            b.iter_batched(
                || qkv.clone(),
                |mut qkv| {
                    attend(
                        Isa::detect(),
                        &mut qkv,
                        shape,
                        &angles,
                        &mut pool,
                        0,
                        &rows,
                        &mut out,
                    );
                },
                criterion::BatchSize::LargeInput,
            );
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(std::time::Duration::from_secs(2));
    targets = linear, coded_linear, attention
}
criterion_main!(benches);
