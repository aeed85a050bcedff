//! Folders of trained adapters: as PEFT writes them, byte by byte, and read back as they were trained.

mod cases;
mod common;

use cases::{data, json, layout, tensors};
use common::assert_refused;
use evalh_adapter::{
    Adapter, AdapterError, LoraFolder, LoraTask, ModelLayout, ModuleChoice, SavedTensor,
    TrainedModule, write_lora,
};
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::Path};
use tempfile::TempDir;

const CONFIG: &str = "adapter_config.json";
const WEIGHTS: &str = "adapter_model.safetensors";

fn model(name: &str) -> ModelLayout {
    layout(name, &tensors(&data().join(format!("{name}.safetensors"))))
}

/// The adapter that PEFT saved for this case, as a training of this model would hand it over.
fn trained(case: &Path, layout: &ModelLayout) -> LoraFolder {
    let adapter = Adapter::open(case).unwrap();
    let settings = json(&case.join(CONFIG));
    let config = adapter.config();
    let update = adapter.unresolved();
    let names: Vec<&str> = adapter.modules().collect();
    LoraFolder {
        base_model: config.base_model().map(str::to_owned),
        task: match config.task() {
            Some("SEQ_CLS") => LoraTask::SequenceClassification,
            _ => LoraTask::CausalLm,
        },
        rank: config.rank(),
        alpha: config.alpha(),
        use_rslora: config.use_rslora(),
        dropout: settings["lora_dropout"].as_f64().unwrap(),
        fan_in_fan_out: settings["fan_in_fan_out"].as_bool().unwrap(),
        choice: ModuleChoice::of(layout, &names),
        modules: update
            .lora
            .into_iter()
            .map(|update| TrainedModule {
                rank: update.rank,
                alpha: config.alpha_of(&update.module),
                name: update.module,
                a: update.a,
                b: update.b,
            })
            .collect(),
        modules_to_save: config.modules_to_save().to_vec(),
        saved: update.saved,
    }
}

fn written(folder: &LoraFolder) -> Result<TempDir, AdapterError> {
    let dir = TempDir::new().unwrap();
    write_lora(dir.path(), folder).map(|()| dir)
}

/// The names of a field, in no order.
fn names(config: &Value, field: &str) -> BTreeSet<String> {
    let names = config[field].as_array().map_or(&[][..], Vec::as_slice);
    names
        .iter()
        .map(|name| name.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn files_are_those_of_peft() {
    for (case, model_name) in [
        ("lora", "llama"),
        ("rslora", "llama"),
        ("patterns", "llama"),
        ("layers", "llama"),
        ("modules_to_save", "llama"),
        ("conv1d", "gpt2"),
        ("seq_cls", "bert"),
    ] {
        let peft = data().join(case).join("adapter");
        let model = model(model_name);
        let folder = trained(&peft, &model);
        let dir = written(&folder).unwrap();
        assert!(
            fs::read(dir.path().join(WEIGHTS)).unwrap() == fs::read(peft.join(WEIGHTS)).unwrap(),
            "{case}: other bytes of weights"
        );

        let (ours, theirs) = (json(&dir.path().join(CONFIG)), json(&peft.join(CONFIG)));
        let keys = |config: &Value| -> Vec<String> {
            config.as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(keys(&ours), keys(&theirs), "{case}");
        for key in keys(&ours) {
            match key.as_str() {
                // A list in any order; PEFT's is that of a Python set.
                "target_modules" | "modules_to_save" => {
                    assert_eq!(names(&ours, &key), names(&theirs, &key), "{case}: {key}");
                }
                // Said in other words (held against the modules below), or naming Python classes, where there is no task.
                "rank_pattern" | "alpha_pattern" | "layers_pattern" | "auto_mapping" => {}
                "task_type" if theirs[&key].is_null() => assert_eq!(ours[&key], "CAUSAL_LM"),
                _ => assert_eq!(ours[&key], theirs[&key], "{case}: {key}"),
            }
        }

        let (ours, theirs) = (
            Adapter::open(dir.path()).unwrap(),
            Adapter::open(&peft).unwrap(),
        );
        assert_eq!(ours.unresolved(), theirs.unresolved(), "{case}");
        assert_eq!(
            ours.resolve(&model).unwrap(),
            theirs.resolve(&model).unwrap()
        );
        for module in &model.modules {
            let name = &module.name;
            assert_eq!(
                ours.config().selects_in(&model, module, name),
                theirs.config().selects_in(&model, module, name),
                "{case}: {name}"
            );
        }
    }
}

/// An adapter of single matrices of ones for these modules.
fn ones(choice: ModuleChoice, names: &[String]) -> LoraFolder {
    LoraFolder {
        base_model: Some("someone/base".into()),
        task: LoraTask::CausalLm,
        rank: 2,
        alpha: 4.0,
        use_rslora: false,
        dropout: 0.05,
        fan_in_fan_out: false,
        choice,
        modules: names
            .iter()
            .map(|name| TrainedModule {
                name: name.clone(),
                rank: 2,
                alpha: 4.0,
                a: vec![1.0; 6],
                b: vec![1.0; 8],
            })
            .collect(),
        modules_to_save: Vec::new(),
        saved: Vec::new(),
    }
}

/// The adapter of every `q_proj` of the model of [`common::model`].
fn queries() -> LoraFolder {
    let model = common::model();
    let names: Vec<String> = model
        .modules
        .iter()
        .map(|module| module.name.clone())
        .filter(|name| name.ends_with("q_proj"))
        .collect();
    ones(ModuleChoice::of(&model, &names), &names)
}

#[test]
fn ranks_and_alphas_of_single_modules_are_read_back() {
    let mut folder = queries();
    folder.use_rslora = true;
    folder.modules[1].rank = 1;
    folder.modules[1].alpha = 2.5;
    folder.modules[1].a.truncate(3);
    folder.modules[1].b.truncate(4);
    let dir = written(&folder).unwrap();
    let config = json(&dir.path().join(CONFIG));
    assert_eq!(
        config["rank_pattern"].to_string(),
        r#"{"model\\.layers\\.1\\..*":1}"#
    );
    assert_eq!(
        config["alpha_pattern"].to_string(),
        r#"{"model\\.layers\\.1\\..*":2.5}"#
    );
    assert_eq!(config["lora_alpha"].to_string(), "4");
    let update = Adapter::open(dir.path())
        .unwrap()
        .resolve(&common::model())
        .unwrap();
    let scales: Vec<(usize, f32)> = update.lora.iter().map(|u| (u.rank, u.scale)).collect();
    assert_eq!(scales, [(2, 4.0 / 2f32.sqrt()), (1, 2.5)]);
}

#[test]
fn experts_of_mixtral_are_named_as_peft_names_them() {
    let names: Vec<String> = (0..2)
        .flat_map(|layer| {
            (0..3).map(move |expert| {
                format!("model.layers.{layer}.block_sparse_moe.experts.{expert}.w1")
            })
        })
        .collect();
    let mut model = common::model();
    model
        .modules
        .extend(names.iter().map(|name| evalh_adapter::TargetModule {
            name: name.clone(),
            out_features: 4,
            in_features: 3,
            kind: evalh_adapter::ModuleKind::Linear,
        }));
    let dir = written(&ones(ModuleChoice::of(&model, &names[3..]), &names[3..])).unwrap();
    let config = json(&dir.path().join(CONFIG));
    assert_eq!(config["target_modules"].to_string(), r#"["w1"]"#);
    assert_eq!(config["layers_to_transform"].to_string(), "[1]");
    let adapter = Adapter::open(dir.path()).unwrap();
    assert_eq!(adapter.modules().collect::<Vec<_>>(), names[3..]);
    assert_eq!(adapter.resolve(&model).unwrap().lora.len(), 3);
}

#[test]
fn writing_again_gives_the_same_bytes_and_leaves_other_files() {
    let folder = queries();
    let dir = written(&folder).unwrap();
    let before: Vec<Vec<u8>> = [CONFIG, WEIGHTS]
        .map(|name| fs::read(dir.path().join(name)).unwrap())
        .to_vec();
    fs::write(dir.path().join("training.json"), "{}").unwrap();
    write_lora(dir.path(), &folder).unwrap();
    let after: Vec<Vec<u8>> = [CONFIG, WEIGHTS]
        .map(|name| fs::read(dir.path().join(name)).unwrap())
        .to_vec();
    assert!(before == after);

    let mut other = folder;
    other.alpha = 8.0;
    other.modules.iter_mut().for_each(|module| {
        module.alpha = 8.0;
        module.b.fill(0.5);
    });
    write_lora(dir.path(), &other).unwrap();
    let read = Adapter::open(dir.path()).unwrap().unresolved();
    for update in read.lora {
        assert_eq!((update.scale, update.b), (4.0, vec![0.5; 8]));
    }
    let mut left: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, [CONFIG, WEIGHTS, "training.json"]);
}

#[test]
fn what_would_be_read_otherwise_is_refused() {
    let refuse = |change: &dyn Fn(&mut LoraFolder), parts: &[&str]| {
        let mut folder = queries();
        change(&mut folder);
        let dir = TempDir::new().unwrap();
        assert_refused(write_lora(dir.path(), &folder), parts);
        assert!(
            fs::read_dir(dir.path()).unwrap().next().is_none(),
            "{parts:?}"
        );
    };
    let head = |name: &str| SavedTensor {
        name: name.into(),
        shape: vec![2],
        values: vec![1.0; 2],
    };
    refuse(&|f| f.modules.clear(), &["no trained module"]);
    refuse(
        &|f| f.choice.target_modules = vec!["k_proj".into()],
        &["q_proj` was trained", "do not select"],
    );
    refuse(
        &|f| f.choice.layers_to_transform = Some(vec![0]),
        &["layers.1.self_attn.q_proj", "do not select"],
    );
    refuse(&|f| f.rank = 0, &["field `r`", "0"]);
    refuse(&|f| f.alpha = f64::NAN, &["lora_alpha", "missing"]);
    refuse(
        &|f| f.modules[0].a.truncate(5),
        &["5 values in A", "rank 2"],
    );
    refuse(&|f| f.modules[0].b.clear(), &["0 values in B"]);
    refuse(
        &|f| f.modules[1].b[3] = f32::NAN,
        &["layers.1.self_attn.q_proj (B)", "1 NaN", "learning rate"],
    );
    refuse(&|f| f.modules[1] = f.modules[0].clone(), &["there twice"]);
    refuse(
        &|f| f.saved = vec![head("score.weight")],
        &["score.weight", "modules_to_save"],
    );
    refuse(
        &|f| f.task = LoraTask::SequenceClassification,
        &["no trained head", "score"],
    );
    refuse(
        &|f| {
            f.task = LoraTask::SequenceClassification;
            f.saved = vec![head("score.weight")];
            f.saved[0].shape = vec![3];
        },
        &["score.weight", "shape"],
    );
}
