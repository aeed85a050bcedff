//! Parity with transformers and PEFT on the reference fixtures, for both sets of primitives.

use evalh_adapter::Adapter;
use evalh_checkpoint::Checkpoint;
use evalh_model::{
    Decoder, DeviceChoice, KernelChoice, LoadOptions, LoraId, ModelError, PrecisionChoice, Row,
};
use safetensors::SafeTensors;
use std::path::{Path, PathBuf};

/// Every decoder of the fixtures.
const FAMILIES: [&str; 17] = [
    "llama",
    "llama_gqa_rope3",
    "gemma",
    "gemma2",
    "gemma3_text",
    "gpt2",
    "gpt_neox",
    "gptj",
    "mistral",
    "mixtral",
    "olmo",
    "olmo2",
    "phi",
    "phi3",
    "qwen2",
    "qwen3",
    "stablelm",
];
/// The bar that the fixtures' own README sets.
const TOLERANCE: f32 = 1e-4;

fn fixture(test: &str, name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/fixtures")
        .join(name);
    if !path.exists() {
        eprintln!("skipped {test}: ../shared is absent");
        return None;
    }
    Some(path)
}

struct Reference(Vec<u8>);

impl Reference {
    fn open(folder: &Path) -> Self {
        Self(std::fs::read(folder.join("reference.safetensors")).unwrap())
    }

    fn f32(&self, name: &str) -> Vec<f32> {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        let bytes = tensors.tensor(name).unwrap().data().to_vec();
        bytes
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
            .collect()
    }

    /// A `[2, n]` tensor of ids.
    fn ids(&self, name: &str) -> [Vec<u32>; 2] {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        let bytes = tensors.tensor(name).unwrap().data().to_vec();
        let ids: Vec<u32> = bytes
            .chunks_exact(8)
            .map(|b| i64::from_le_bytes(b.try_into().unwrap()) as u32)
            .collect();
        let (a, b) = ids.split_at(ids.len() / 2);
        [a.to_vec(), b.to_vec()]
    }
}

fn load(folder: &Path, kernel: KernelChoice) -> Decoder {
    load_with(
        folder,
        LoadOptions {
            kernel,
            ..LoadOptions::default()
        },
    )
}

fn load_with(folder: &Path, options: LoadOptions) -> Decoder {
    let checkpoint = Checkpoint::open(folder).unwrap();
    Decoder::load(&checkpoint, DeviceChoice::Cpu, options).unwrap()
}

fn in_precision(precision: PrecisionChoice) -> LoadOptions {
    LoadOptions {
        precision,
        ..LoadOptions::default()
    }
}

/// Logits of both prompts at every place, and 16 greedy tokens of each with their log-probabilities.
fn run(
    model: &Decoder,
    prompts: &[Vec<u32>; 2],
    adapter: Option<LoraId>,
) -> (Vec<f32>, [Vec<u32>; 2], Vec<f32>) {
    let mut session = model.session(256).unwrap();
    let seqs = [session.open(adapter), session.open(adapter)];
    let rows: Vec<Row<'_>> = seqs
        .iter()
        .zip(prompts)
        .map(|(seq, p)| Row {
            seq: *seq,
            tokens: p,
            logits: 0..p.len(),
            twin: None,
        })
        .collect();
    let logits = session.forward(&rows).unwrap();
    let all: Vec<f32> = (0..logits.len())
        .flat_map(|i| logits.row(i).to_vec())
        .collect();
    let n = prompts[0].len();
    let mut last = [logits.row(n - 1).to_vec(), logits.row(2 * n - 1).to_vec()];
    let (mut greedy, mut log_probs) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    for _ in 0..16 {
        let next: Vec<[u32; 1]> = last.iter().map(|row| [argmax(row)]).collect();
        for i in 0..2 {
            greedy[i].push(next[i][0]);
            log_probs[i].push(log_prob(&last[i], next[i][0]));
        }
        let rows: Vec<Row<'_>> = seqs
            .iter()
            .zip(&next)
            .map(|(seq, t)| Row {
                seq: *seq,
                tokens: t,
                logits: 0..1,
                twin: None,
            })
            .collect();
        let logits = session.forward(&rows).unwrap();
        last = [logits.row(0).to_vec(), logits.row(1).to_vec()];
    }
    (all, greedy, log_probs.concat())
}

fn argmax(row: &[f32]) -> u32 {
    (0..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best }) as u32
}

fn log_prob(row: &[f32], id: u32) -> f32 {
    let top = row.iter().copied().fold(f32::MIN, f32::max);
    row[id as usize] - top - row.iter().map(|x| (x - top).exp()).sum::<f32>().ln()
}

fn close(what: &str, ours: &[f32], reference: &[f32]) {
    assert_eq!(ours.len(), reference.len(), "{what}");
    let worst = ours
        .iter()
        .zip(reference)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max);
    eprintln!("{what}: largest difference {worst:.1e}");
    assert!(worst <= TOLERANCE, "{what}: {worst}");
}

#[test]
fn logits_and_greedy_runs_are_those_of_transformers_and_peft() {
    for name in FAMILIES {
        let Some(folder) = fixture(
            "logits_and_greedy_runs_are_those_of_transformers_and_peft",
            name,
        ) else {
            return;
        };
        let reference = Reference::open(&folder);
        let prompts = reference.ids("input_ids");
        for kernel in [KernelChoice::Auto, KernelChoice::Portable] {
            let mut model = load(&folder, kernel);
            let check = |what: &str, model: &Decoder, adapter, logits: &str, greedy: &str| {
                let what = format!("{name} {kernel:?} {what}");
                let (all, tokens, log_probs) = run(model, &prompts, adapter);
                close(&what, &all, &reference.f32(logits));
                assert_eq!(tokens, reference.ids(greedy), "{what}");
                (all, log_probs)
            };
            let (base, log_probs) = check("base", &model, None, "logits", "greedy");
            close(
                &format!("{name} greedy log-probabilities"),
                &log_probs,
                &reference.f32("greedy_logprobs"),
            );
            for adapter in ["all", "subset"] {
                let updates = Adapter::open(&folder.join("adapters").join(adapter))
                    .unwrap()
                    .resolve(&model.layout())
                    .unwrap();
                let greedy = format!("greedy_{adapter}");
                model.merge(&updates).unwrap();
                check(
                    &format!("{adapter} merged"),
                    &model,
                    None,
                    &format!("logits_{adapter}_merged"),
                    &greedy,
                );
                model.restore();
                let id = model.attach(&updates).unwrap();
                let unmerged = format!("logits_{adapter}_unmerged");
                check(
                    &format!("{adapter} unmerged"),
                    &model,
                    Some(id),
                    &unmerged,
                    &greedy,
                );
                // The base again, bit for bit, beside the attached adapter and after the merge.
                let again = run(&model, &prompts, None).0;
                assert!(
                    again
                        .iter()
                        .zip(&base)
                        .all(|(a, b)| a.to_bits() == b.to_bits()),
                    "{name} {adapter} restored"
                );
            }
        }
    }
}

#[test]
fn a_config_of_transformers_v4_gives_the_same_logits() {
    for name in FAMILIES {
        let Some(folder) = fixture("a_config_of_transformers_v4_gives_the_same_logits", name)
        else {
            return;
        };
        let copy = tempfile::tempdir().unwrap();
        for file in [
            "model.safetensors",
            "tokenizer.json",
            "tokenizer_config.json",
            "generation_config.json",
        ] {
            std::fs::copy(folder.join(file), copy.path().join(file)).unwrap();
        }
        std::fs::copy(
            folder.join("config.v4.json"),
            copy.path().join("config.json"),
        )
        .unwrap();
        let reference = Reference::open(&folder);
        let (all, ..) = run(
            &load(copy.path(), KernelChoice::Auto),
            &reference.ids("input_ids"),
            None,
        );
        close(&format!("{name} v4"), &all, &reference.f32("logits"));
    }
}

#[test]
fn a_sequence_cut_back_goes_on_as_if_it_had_never_been_longer() {
    let test = "a_sequence_cut_back_goes_on_as_if_it_had_never_been_longer";
    let Some(folder) = fixture(test, FAMILIES[0]) else {
        return;
    };
    let prompt: Vec<u32> = (0..50).map(|i| (i * 31 + 5) % 384).collect();
    for kernel in [KernelChoice::Auto, KernelChoice::Portable] {
        let model = load(&folder, kernel);
        for kept in [0, 1, 31, 32, 33, 49] {
            let mut session = model.session(128).unwrap();
            let [cut, whole] = [session.open(None), session.open(None)];
            let row = |seq, tokens| Row {
                seq,
                tokens,
                logits: 0..0,
                twin: None,
            };
            session.forward(&[row(cut, &prompt)]).unwrap();
            session.truncate(cut, kept);
            session.forward(&[row(whole, &prompt[..kept])]).unwrap();
            assert_eq!((session.len(cut), session.len(whole)), (kept, kept));
            let next = [7, 8, 9];
            let [a, b] = [cut, whole].map(|seq| {
                let row = Row {
                    seq,
                    tokens: &next,
                    logits: 2..3,
                    twin: None,
                };
                session.forward(&[row]).unwrap().row(0).to_vec()
            });
            let what = format!("{kernel:?}, {kept} kept");
            if kernel == KernelChoice::Auto {
                assert!(
                    a.iter().zip(&b).all(|(x, y)| x.to_bits() == y.to_bits()),
                    "{what}"
                );
            } else {
                // burn's product of a cut tensor takes another path: close, not the same bits.
                close(&what, &a, &b);
            }
        }
    }
}

#[test]
fn a_sequence_that_begins_like_another_goes_on_as_if_it_were_alone() {
    let Some(folder) = fixture(
        "a_sequence_that_begins_like_another_goes_on_as_if_it_were_alone",
        FAMILIES[1],
    ) else {
        return;
    };
    let prompt: Vec<u32> = (0..80).map(|i| (i * 29 + 3) % 384).collect();
    for kernel in [KernelChoice::Auto, KernelChoice::Portable] {
        let model = load(&folder, kernel);
        let mut session = model.session(512).unwrap();
        let first = session.open(None);
        let row = Row {
            seq: first,
            tokens: &prompt,
            logits: 0..0,
            twin: None,
        };
        session.forward(&[row]).unwrap();
        for (asked, held) in [(0, 0), (31, 31), (32, 32), (79, 79), (1000, 80)] {
            let fork = session.fork(first, asked);
            assert_eq!(session.len(fork), held);
            let rest: Vec<u32> = prompt[held..].iter().copied().chain([9, 8, 7]).collect();
            let alone = session.open(None);
            let whole: Vec<u32> = prompt.iter().copied().chain([9, 8, 7]).collect();
            let [a, b] = [(fork, &rest), (alone, &whole)].map(|(seq, tokens)| {
                let row = Row {
                    seq,
                    tokens,
                    logits: tokens.len() - 1..tokens.len(),
                    twin: None,
                };
                session.forward(&[row]).unwrap().row(0).to_vec()
            });
            let what = format!("{kernel:?}, {asked} asked");
            if kernel == KernelChoice::Auto {
                let same = a.iter().zip(&b).all(|(x, y)| x.to_bits() == y.to_bits());
                assert!(same, "{what}");
            } else {
                close(&what, &a, &b);
            }
            session.close(fork);
            session.close(alone);
        }
        // What was shared is whole still.
        assert_eq!(session.len(first), 80);
        session.close(first);
        assert_eq!(session.free_tokens(), 512);
    }
}

#[test]
fn logits_do_not_depend_on_the_batch_the_split_or_the_threads() {
    let Some(folder) = fixture(
        "logits_do_not_depend_on_the_batch_the_split_or_the_threads",
        FAMILIES[1],
    ) else {
        return;
    };
    for precision in [PrecisionChoice::F32, PrecisionChoice::Bf16] {
        every_way_gives_the_same_bits(&folder, precision);
    }
}

fn every_way_gives_the_same_bits(folder: &Path, precision: PrecisionChoice) {
    let mut model = load_with(folder, in_precision(precision));
    let updates = Adapter::open(&folder.join("adapters/all"))
        .unwrap()
        .resolve(&model.layout())
        .unwrap();
    let adapter = model.attach(&updates).unwrap();
    let prompts: Vec<Vec<u32>> = (1..9u32)
        .map(|n| (0..n * 9).map(|i| (i * 37 + n * 11) % 384).collect())
        .collect();
    let last = |threads: usize, together: bool, split: usize| -> Vec<Vec<f32>> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let mut logits = vec![Vec::new(); prompts.len()];
            let groups: Vec<Vec<usize>> = if together {
                vec![(0..prompts.len()).collect()]
            } else {
                (0..prompts.len()).map(|i| vec![i]).collect()
            };
            for group in groups {
                let mut session = model.session(2048).unwrap();
                // Every other sequence has the adapter, so groups of rows are mixed.
                let seqs: Vec<_> = group
                    .iter()
                    .map(|i| session.open((i % 2 == 1).then_some(adapter)))
                    .collect();
                for first in (0..72).step_by(split) {
                    let mut rows = Vec::new();
                    let mut owners = Vec::new();
                    for (seq, i) in seqs.iter().zip(&group) {
                        let p = &prompts[*i];
                        let part = &p[first.min(p.len())..(first + split).min(p.len())];
                        if !part.is_empty() {
                            rows.push(Row {
                                seq: *seq,
                                tokens: part,
                                logits: part.len() - 1..part.len(),
                                twin: None,
                            });
                            owners.push(*i);
                        }
                    }
                    let out = session.forward(&rows).unwrap();
                    for (row, owner) in owners.into_iter().enumerate() {
                        logits[owner] = out.row(row).to_vec();
                    }
                }
            }
            logits
        })
    };
    let alone = last(1, false, 100);
    for (threads, together, split) in [(1, true, 100), (2, true, 1), (3, true, 7), (2, false, 13)] {
        let other = last(threads, together, split);
        for (a, b) in alone.iter().zip(&other) {
            assert!(
                a.iter().zip(b).all(|(x, y)| x.to_bits() == y.to_bits()),
                "{precision:?}, {threads} threads, together {together}, {split} tokens a call"
            );
        }
    }
}

/// The fixtures' logits are of `f32` weights, so all that is asked is that rounding costs no more than its own size: a
/// bf16 value has eight bits.
#[test]
fn bf16_stays_within_its_rounding_of_the_reference() {
    for family in FAMILIES {
        let Some(folder) = fixture("bf16_stays_within_its_rounding_of_the_reference", family)
        else {
            return;
        };
        let reference = Reference::open(&folder);
        let model = load_with(&folder, in_precision(PrecisionChoice::Bf16));
        assert!(model.kernel().to_string().ends_with("-bf16"));
        let (logits, _, _) = run(&model, &reference.ids("input_ids"), None);
        let want = reference.f32("logits");
        let square = |values: &mut dyn Iterator<Item = f32>| -> f64 {
            values.map(|v| f64::from(v) * f64::from(v)).sum()
        };
        let error = square(&mut logits.iter().zip(&want).map(|(a, b)| a - b));
        let relative = (error / square(&mut want.iter().copied())).sqrt();
        assert!(relative > 0.0 && relative < 0.02, "{family}: {relative}");
    }
}

#[test]
fn the_portable_set_refuses_bf16_by_name() {
    let Some(folder) = fixture("the_portable_set_refuses_bf16_by_name", FAMILIES[0]) else {
        return;
    };
    let options = LoadOptions {
        kernel: KernelChoice::Portable,
        ..in_precision(PrecisionChoice::Bf16)
    };
    let checkpoint = Checkpoint::open(&folder).unwrap();
    let refused = Decoder::load(&checkpoint, DeviceChoice::Cpu, options);
    assert!(matches!(refused, Err(ModelError::Device { .. })));
}

/// Any device computes with burn's operations; a software driver will do.
#[test]
fn a_gpu_gives_the_logits_of_transformers() {
    const TEST: &str = "a_gpu_gives_the_logits_of_transformers";
    if !cfg!(feature = "wgpu") {
        eprintln!("skipped {TEST}: built without the feature wgpu");
        return;
    }
    for family in FAMILIES {
        let Some(folder) = fixture(TEST, family) else {
            return;
        };
        let checkpoint = Checkpoint::open(&folder).unwrap();
        let (device, options) = (DeviceChoice::Wgpu(None), LoadOptions::default());
        let model = match Decoder::load(&checkpoint, device, options) {
            Err(ModelError::Device { problem, .. }) => {
                eprintln!("skipped {TEST}: {problem}");
                return;
            }
            model => model.unwrap(),
        };
        let reference = Reference::open(&folder);
        let (logits, _, _) = run(&model, &reference.ids("input_ids"), None);
        close(family, &logits, &reference.f32("logits"));
    }
}
