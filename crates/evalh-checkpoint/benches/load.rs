//! Opening a checkpoint and reading all of its weights as f32.
//!
//! The real model is used where `EVALH_TEST_MODEL` names one, else a small one of the tests.

#![allow(missing_docs, reason = "criterion's macro makes a public function")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use evalh_checkpoint::{Checkpoint, WeightSource as _};
use std::{hint::black_box, path::PathBuf};

fn load(criterion: &mut Criterion) {
    let path = std::env::var_os("EVALH_TEST_MODEL").map_or_else(
        || {
            PathBuf::from(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/data/byte_level.gguf"
            ))
        },
        PathBuf::from,
    );
    let open = || Checkpoint::open(&path).expect("the benchmark's model is sound");
    let checkpoint = open();
    let mut group = criterion.benchmark_group("checkpoint");
    group.sample_size(10);
    group.bench_function("open", |bencher| bencher.iter(open));
    group.bench_function("tokenizer", |bencher| {
        bencher.iter(|| checkpoint.tokenizer());
    });
    group.throughput(Throughput::Elements(checkpoint.parameters()));
    group.bench_function("read_all", |bencher| {
        bencher.iter(|| {
            for name in checkpoint.tensor_names() {
                black_box(
                    checkpoint
                        .read_f32(&name)
                        .expect("listed tensors can be read"),
                );
            }
        });
    });
    group.finish();
}

criterion_group!(benches, load);
criterion_main!(benches);
