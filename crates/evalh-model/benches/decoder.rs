//! Prefill and decode of a real checkpoint: `EVALH_TEST_MODEL=FILE.gguf cargo bench -p evalh-model`.

#![allow(missing_docs, reason = "criterion_group! makes a public function")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use evalh_checkpoint::Checkpoint;
use evalh_model::{Decoder, DeviceChoice, LoadOptions, Row};

/// Throughput is in tokens.
fn decoder(c: &mut Criterion) {
    let Some(path) = std::env::var_os("EVALH_TEST_MODEL") else {
        eprintln!("skipped decoder: EVALH_TEST_MODEL names no checkpoint");
        return;
    };
    let load = || {
        let checkpoint = Checkpoint::open(path.as_ref()).expect("a checkpoint");
        Decoder::load(&checkpoint, DeviceChoice::Cpu, LoadOptions::default()).expect("a decoder")
    };
    c.bench_function("load", |b| b.iter_with_large_drop(load));
    let model = load();
    let vocab = model.config().vocab_size as u32;
    let prompt =
        |seed: u32| -> Vec<u32> { (0..512).map(|i| (i * 37 + seed * 101) % vocab).collect() };

    let mut group = c.benchmark_group("prefill");
    group.throughput(Throughput::Elements(512));
    group.bench_function("512", |b| {
        b.iter_batched(
            || model.session(1024).expect("memory"),
            |mut session| {
                let (seq, tokens) = (session.open(None), prompt(0));
                session
                    .forward(&[Row {
                        seq,
                        tokens: &tokens,
                        logits: 511..512,
                        twin: None,
                    }])
                    .expect("logits");
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();

    let mut group = c.benchmark_group("decode after 256");
    for batch in [1u32, 16, 64] {
        let mut session = model.session(batch as usize * 1024).expect("memory");
        let seqs: Vec<_> = (0..batch)
            .map(|i| {
                let seq = session.open(None);
                session
                    .forward(&[Row {
                        seq,
                        tokens: &prompt(i)[..256],
                        logits: 0..0,
                        twin: None,
                    }])
                    .expect("room");
                seq
            })
            .collect();
        group.throughput(Throughput::Elements(u64::from(batch)));
        group.bench_function(batch.to_string(), |b| {
            b.iter(|| {
                let rows: Vec<Row<'_>> = seqs
                    .iter()
                    .map(|seq| Row {
                        seq: *seq,
                        tokens: &[7],
                        logits: 0..1,
                        twin: None,
                    })
                    .collect();
                session.forward(&rows).expect("logits")
            });
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(std::time::Duration::from_millis(300))
        .measurement_time(std::time::Duration::from_secs(2));
    targets = decoder
}
criterion_main!(benches);
