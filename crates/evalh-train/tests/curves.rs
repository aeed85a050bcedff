//! Trainings of the tiny fixtures against those of PEFT and torch, step by step (`make_curves.py`).

use evalh_adapter::ModelLayout;
use evalh_checkpoint::Checkpoint;
use evalh_model::{
    Decoder, DeviceChoice, Encoder, EncoderInput, KernelChoice, Label, LoadOptions, Parameter,
};
use evalh_record::training::Schedule;
use evalh_train::data::{Example, LabelledExample};
use evalh_train::optimizer::{AdamW, Dropout, LearningRate};
use evalh_train::{LoraModule, LoraStart, MicroBatch, Recipe, TrainableModel, Trainer};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Largest relative difference of a loss, a norm, or a trained tensor from the reference.
const TOLERANCE: f64 = 1e-5;

fn curve(name: &str) -> Value {
    let file = format!("tests/references/curve_{name}.json");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn fixture(test: &str, curve: &Value) -> Option<PathBuf> {
    let own = curve["own"] == true;
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(if own {
            "../../tests/fixtures"
        } else {
            "../../../shared/fixtures"
        })
        .join(curve["fixture"].as_str().unwrap());
    if !path.exists() {
        eprintln!("skipped {test}: ../shared is absent");
        return None;
    }
    Some(path)
}

fn options(kernel: KernelChoice) -> LoadOptions {
    LoadOptions {
        kernel,
        ..LoadOptions::default()
    }
}

fn decoder(test: &str, curve: &Value, kernel: KernelChoice) -> Option<Decoder> {
    let checkpoint = Checkpoint::open(&fixture(test, curve)?).unwrap();
    Some(Decoder::load(&checkpoint, DeviceChoice::Cpu, options(kernel)).unwrap())
}

fn recipe(curve: &Value) -> Recipe {
    let optimiser = &curve["optimiser"];
    let number = |key: &str| optimiser[key].as_f64().unwrap();
    let betas = optimiser["betas"].as_array().unwrap();
    Recipe {
        optimizer: AdamW {
            betas: (betas[0].as_f64().unwrap(), betas[1].as_f64().unwrap()),
            eps: number("eps"),
            weight_decay: number("weight_decay"),
        },
        rate: LearningRate {
            peak: number("lr"),
            schedule: match optimiser["schedule"].as_str().unwrap() {
                "cosine" => Schedule::Cosine,
                "linear" => Schedule::Linear,
                _ => Schedule::Constant,
            },
            warm_up_steps: optimiser["warmup"].as_u64().unwrap(),
            total_steps: optimiser["total"].as_u64().unwrap(),
        },
        clip: optimiser["clip"].as_f64().map(|clip| clip as f32),
        dropout: None,
        frozen_bytes: 1 << 30,
    }
}

/// The modules with the factors of the formula in the file.
fn modules(curve: &Value, layout: &ModelLayout) -> Vec<LoraStart> {
    let adapter = &curve["adapter"];
    let alpha = adapter["alpha"].as_f64().unwrap();
    let modules = adapter["modules"].as_array().unwrap();
    modules
        .iter()
        .enumerate()
        .map(|(number, module)| {
            let name = module["name"].as_str().unwrap().to_owned();
            let rank = module["r"].as_u64().unwrap() as usize;
            let found = layout.module(&name).unwrap();
            let wave = |count: usize, scale: f64, wave: fn(f64) -> f64, step: f64| {
                let value = |k| (scale * wave(step * k as f64 + number as f64)) as f32;
                (0..count).map(value).collect()
            };
            let root = if adapter["use_rslora"].as_bool().unwrap() {
                (rank as f64).sqrt()
            } else {
                rank as f64
            };
            let layer = name.split('.').find_map(|part| part.parse().ok());
            LoraStart {
                a: wave(rank * found.in_features, 0.05, f64::sin, 0.37),
                b: wave(rank * found.out_features, 0.01, f64::cos, 0.73),
                module: LoraModule {
                    name,
                    rank,
                    alpha,
                    scale: (alpha / root) as f32,
                    layer,
                },
            }
        })
        .collect()
}

fn numbers(value: &Value) -> Vec<u32> {
    let values = value.as_array().unwrap().iter();
    values.map(|v| v.as_u64().unwrap() as u32).collect()
}

fn steps_of<E>(curve: &Value, example: fn(&Value) -> E) -> Vec<Vec<E>> {
    let steps = curve["steps"].as_array().unwrap().iter();
    steps
        .map(|step| {
            let sequences = step["sequences"].as_array().unwrap().iter();
            sequences.map(example).collect()
        })
        .collect()
}

fn steps(curve: &Value) -> Vec<Vec<Example>> {
    steps_of(curve, |sequence| Example {
        tokens: numbers(&sequence["tokens"]),
        loss: numbers(&sequence["loss"]).iter().map(|v| *v > 0).collect(),
    })
}

fn labelled_steps(curve: &Value) -> Vec<Vec<LabelledExample>> {
    steps_of(curve, |sequence| LabelledExample {
        input: EncoderInput {
            ids: numbers(&sequence["tokens"]),
            token_types: Vec::new(),
        },
        label: match sequence["value"].as_f64() {
            Some(value) => Label::Value(value as f32),
            None => Label::Class(sequence["label"].as_u64().unwrap() as usize),
        },
    })
}

fn trainer(name: &str, test: &str, kernel: KernelChoice) -> Option<(Value, Trainer)> {
    let curve = curve(name);
    let decoder = decoder(test, &curve, kernel)?;
    let recipe = recipe(&curve);
    let trainer = if curve["adapter"].is_null() {
        Trainer::full(decoder, recipe)
    } else {
        let modules = modules(&curve, &decoder.layout());
        Trainer::lora(decoder, modules, recipe)
    };
    Some((curve, trainer.unwrap()))
}

fn near(what: &str, found: f64, wanted: f64) -> f64 {
    let off = (found - wanted).abs() / wanted.abs().max(1e-3);
    assert!(off < TOLERANCE, "{what}: {found} for {wanted}, {off:.1e}");
    off
}

fn follow(name: &str) {
    for kernel in [KernelChoice::Auto, KernelChoice::Portable] {
        let Some((curve, trainer)) = trainer(name, name, kernel) else {
            return;
        };
        let steps = steps(&curve);
        follow_steps(&format!("{name} {kernel:?}"), &curve, trainer, &steps);
    }
}

fn follow_steps<M>(what: &str, curve: &Value, mut trainer: Trainer<M>, steps: &[Vec<M::Example>])
where
    M: TrainableModel,
    M::Example: PartialEq + Clone,
{
    let mut worst = 0.0f64;
    // The same sequences come again: they are examples of one number.
    let mut known: Vec<M::Example> = Vec::new();
    let references = curve["steps"].as_array().unwrap();
    for (number, (step, want)) in steps.iter().zip(references).enumerate() {
        let indices: Vec<usize> = step
            .iter()
            .map(|example| {
                known
                    .iter()
                    .position(|other| other == example)
                    .unwrap_or_else(|| {
                        known.push(example.clone());
                        known.len() - 1
                    })
            })
            .collect();
        let batches: Vec<MicroBatch<'_, M::Example>> = if number % 2 == 0 {
            vec![indices.iter().copied().zip(step).collect()]
        } else {
            // As accumulation does.
            indices
                .iter()
                .copied()
                .zip(step)
                .map(|one| vec![one])
                .collect()
        };
        let found = trainer.step(&batches).unwrap();
        let what = format!("{what} step {}", number + 1);
        let number = |key: &str| want[key].as_f64().unwrap();
        worst = worst.max(near(&what, found.loss, number("loss")));
        worst = worst.max(near(&what, found.gradient_norm, number("gradient_norm")));
        near(&what, found.learning_rate, number("learning_rate"));
    }
    let mut tensors: Vec<(String, Vec<f32>)> = trainer
        .tensors()
        .into_iter()
        .map(|tensor| (tensor.name, tensor.values))
        .collect();
    for module in trainer.modules() {
        tensors.push((format!("{}.lora_A", module.name), module.a));
        tensors.push((format!("{}.lora_B", module.name), module.b));
    }
    let wanted = curve["trained"].as_object().unwrap();
    for (name, want) in wanted {
        let short = name
            .strip_suffix(".weight")
            .filter(|n| n.contains(".lora_"));
        let key = short.unwrap_or(name);
        let found = tensors.iter().find(|(name, _)| name == key);
        let (_, values) = found.unwrap_or_else(|| panic!("no {key}"));
        let norm = values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
        let dot: f64 = values
            .iter()
            .enumerate()
            .map(|(k, v)| (0.7 * k as f64).cos() * f64::from(*v))
            .sum();
        let (want_norm, want_dot) = (want[0].as_f64().unwrap(), want[1].as_f64().unwrap());
        near(name, norm.sqrt(), want_norm);
        let off = (dot - want_dot).abs() / want_norm;
        // The gradient of a key's bias is nothing but rounding, since it moves all scores of a softmax alike, and AdamW
        // makes steps of full size of it.
        let bar = if name.ends_with("c_attn.bias") {
            100.0 * TOLERANCE
        } else {
            TOLERANCE
        };
        assert!(off < bar, "{name}: dot {dot} for {want_dot}");
    }
    assert_eq!(wanted.len(), tensors.len());
    eprintln!("{what}: losses and norms within {worst:.1e}");
}

#[test]
fn a_llama_adapter_is_trained_as_by_peft() {
    follow("llama");
}

#[test]
fn a_gpt2_adapter_is_trained_as_by_peft() {
    follow("gpt2");
}

#[test]
fn ranks_by_module_and_some_layers_are_trained_as_by_peft() {
    follow("rslora");
}

#[test]
fn every_weight_is_trained_as_by_torch() {
    follow("full");
    follow("full_tied");
}

/// An encoder with updates from layer `lowest` on, and its head, in training.
fn classifier(
    curve: &Value,
    path: &Path,
    kernel: KernelChoice,
    recipe: Recipe,
    lowest: usize,
) -> Trainer<Encoder> {
    let checkpoint = Checkpoint::open(path).unwrap();
    let encoder = Encoder::load(&checkpoint, DeviceChoice::Cpu, options(kernel)).unwrap();
    let mut modules = modules(curve, &encoder.layout());
    modules.retain(|start| start.module.layer >= Some(lowest));
    // PEFT saves the module `classifier` whole.
    let whole = |parameter: &Parameter| parameter.tensors[0].name.starts_with("classifier.");
    let trainer = Trainer::lora_beside(encoder, modules, &whole, recipe).unwrap();
    assert_eq!(trainer.lowest_layer(), lowest);
    trainer
}

#[test]
fn a_classifier_is_trained_as_by_peft() {
    let curve = curve("classifier");
    for kernel in [KernelChoice::Auto, KernelChoice::Portable] {
        let Some(path) = fixture("a_classifier_is_trained_as_by_peft", &curve) else {
            return;
        };
        let trainer = classifier(&curve, &path, kernel, recipe(&curve), 0);
        let what = format!("classifier {kernel:?}");
        follow_steps(&what, &curve, trainer, &labelled_steps(&curve));
    }
}

/// An encoder of which every weight is in training.
fn full_classifier(curve: &Value, path: &Path, kernel: KernelChoice) -> Trainer<Encoder> {
    let checkpoint = Checkpoint::open(path).unwrap();
    let encoder = Encoder::load(&checkpoint, DeviceChoice::Cpu, options(kernel)).unwrap();
    Trainer::full(encoder, recipe(curve)).unwrap()
}

#[test]
fn every_weight_of_an_encoder_is_trained_as_by_torch() {
    for name in [
        "full_bert",
        "full_roberta",
        "full_deberta",
        "full_regression",
    ] {
        let curve = curve(name);
        let Some(path) = fixture("every_weight_of_an_encoder", &curve) else {
            continue;
        };
        for kernel in [KernelChoice::Auto, KernelChoice::Portable] {
            let trainer = full_classifier(&curve, &path, kernel);
            let what = format!("{name} {kernel:?}");
            follow_steps(&what, &curve, trainer, &labelled_steps(&curve));
        }
    }
}

/// Steps `from` on, each a batch; the bits of everything trained.
fn go_on<M: TrainableModel>(
    trainer: &mut Trainer<M>,
    steps: &[Vec<M::Example>],
    from: usize,
) -> Vec<u32> {
    for step in &steps[from..] {
        let first = 100 * trainer.steps() as usize;
        let batch = step.iter().enumerate();
        let batch = batch.map(|(i, example)| (first + i, example)).collect();
        trainer.step(&[batch]).unwrap();
    }
    let (modules, tensors) = (trainer.modules(), trainer.tensors());
    let values = modules.iter().flat_map(|m| m.a.iter().chain(&m.b));
    let values = values.chain(tensors.iter().flat_map(|tensor| &tensor.values));
    values.map(|value| value.to_bits()).collect()
}

/// Some steps at once, in two sessions, and with one thread give the same bits.
fn resumes<M>(steps: &[Vec<M::Example>], make: impl Fn() -> Trainer<M>)
where
    M: TrainableModel + Send,
    M::Example: Sync,
{
    let steps = &steps[..steps.len().min(8)];
    let whole = go_on(&mut make(), steps, 0);
    let mut first = make();
    go_on(&mut first, &steps[..3], 0);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("state.safetensors");
    let state = first.save(&file).unwrap();
    drop(first);
    let mut second = make();
    second.restore(&file, state).unwrap();
    assert_eq!(go_on(&mut second, steps, 3), whole);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let mut alone = make();
    let bits = pool.unwrap().install(|| go_on(&mut alone, steps, 0));
    assert_eq!(bits, whole);
}

#[test]
fn a_resumed_training_has_the_same_bits() {
    let test = "a_resumed_training_has_the_same_bits";
    let curve = curve("rslora");
    if fixture(test, &curve).is_none() {
        return;
    }
    let make = || {
        let decoder = decoder(test, &curve, KernelChoice::Auto).unwrap();
        let recipe = Recipe {
            dropout: Some(Dropout::new(0.2, 5).unwrap()),
            ..recipe(&curve)
        };
        let modules = modules(&curve, &decoder.layout());
        Trainer::lora(decoder, modules, recipe).unwrap()
    };
    resumes(&steps(&curve), make);
}

#[test]
fn a_resumed_classifier_has_the_same_bits() {
    let curve = curve("classifier");
    let Some(path) = fixture("a_resumed_classifier_has_the_same_bits", &curve) else {
        return;
    };
    let make = || {
        let recipe = Recipe {
            dropout: Some(Dropout::new(0.2, 5).unwrap()),
            ..recipe(&curve)
        };
        classifier(&curve, &path, KernelChoice::Auto, recipe, 1)
    };
    resumes(&labelled_steps(&curve), make);
}

#[test]
fn a_resumed_training_of_every_weight_has_the_same_bits() {
    let curve = curve("full_regression");
    let test = "a_resumed_training_of_every_weight_has_the_same_bits";
    let path = fixture(test, &curve).unwrap();
    let make = || full_classifier(&curve, &path, KernelChoice::Auto);
    resumes(&labelled_steps(&curve), make);
}

#[test]
fn a_loss_that_blows_up_names_the_step_and_the_layer() {
    let Some((curve, _)) = trainer("llama", "a_loss_that_blows_up", KernelChoice::Auto) else {
        return;
    };
    let Some(decoder) = decoder("a_loss_that_blows_up", &curve, KernelChoice::Auto) else {
        return;
    };
    let mut recipe = recipe(&curve);
    recipe.rate.peak = 1e38;
    recipe.rate.warm_up_steps = 0;
    recipe.optimizer.weight_decay = 0.0;
    let modules = modules(&curve, &decoder.layout());
    let mut trainer = Trainer::lora(decoder, modules, recipe).unwrap();
    let steps = steps(&curve);
    let failed = steps.iter().find_map(|step| {
        let batch: MicroBatch<'_> = step.iter().map(|example| (0, example)).collect();
        trainer.step(&[batch]).err()
    });
    match failed {
        Some(evalh_train::StepError::Failed(failure)) => {
            assert_eq!(failure.step, trainer.steps() + 1);
            assert!(failure.problem.contains("no finite number"), "{failure:?}");
        }
        other => panic!("{other:?}"),
    }
}
