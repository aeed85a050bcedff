//! Which modules are adapted, at which rank, and what their factors begin with.

use super::Choices;
use crate::failure::{Failure, OrFail as _, Outcome};
use evalh_adapter::{Adapter, LoraConfig, ModelLayout, ModuleKind};
use evalh_record::{
    Sha256, sha256_file,
    training::{LayerSelection, Method},
};
use evalh_train::{LoraModule, LoraStart, optimizer::initial_factors, plan::Targets};
use serde_json::json;
use std::{collections::HashMap, path::Path};

/// The modules of a training.
pub struct Chosen {
    /// With their first factors; none where every weight is trained.
    pub starts: Vec<LoraStart>,
    /// Their layers.
    pub layers: Vec<usize>,
    /// Layers of the model.
    pub of_layers: usize,
    /// The probe's file that chose the layers.
    pub selection: Option<(Sha256, LayerSelection)>,
    /// The hash of the factors that were given.
    pub initial: Option<Sha256>,
    /// Whether the checkpoint stores the adapted weights' transposes.
    pub fan_in_fan_out: bool,
}

/// Chooses modules as PEFT does from the same settings.
///
/// # Errors
/// When the layers or modules are not the model's, or given factors do not fit.
pub fn choose(choices: &Choices, layout: &ModelLayout) -> Outcome<Chosen> {
    let (layers, selection) = choices.layers.resolve(layout.layers).or_fail()?;
    let selection = match (&choices.layers, selection) {
        (evalh_train::select::Layers::File(path), Some(selection)) => {
            let hash = sha256_file(path).or_fail_to(|| format!("read {}", path.display()))?;
            Some((hash, selection))
        }
        _ => None,
    };
    if choices.method == Method::Full {
        if layers.len() < layout.layers {
            return Err(Failure::new("choose layers")
                .cause("--method full trains every weight")
                .help("leave --layers out, or train an adapter (--method lora)"));
        }
        return Ok(Chosen {
            starts: Vec::new(),
            layers,
            of_layers: layout.layers,
            selection,
            initial: None,
            fan_in_fan_out: false,
        });
    }
    let config = config(choices)?;
    let given = choices.initial.as_deref().map(given).transpose()?;
    let mut starts = Vec::new();
    let mut fan_in_fan_out = false;
    for module in &layout.modules {
        let in_layer = layer_of(&module.name);
        let here = in_layer.is_some_and(|layer| layers.contains(&layer));
        if !here || !config.selects_in(layout, module, &module.name) {
            continue;
        }
        fan_in_fan_out |= module.kind == ModuleKind::Conv1d;
        let rank = config.rank_of(&module.name);
        let (a, b) = if let Some(given) = &given {
            given.factors(&module.name, rank)?
        } else {
            let (inputs, outputs) = (module.in_features, module.out_features);
            let factors = initial_factors(choices.seed, &module.name, rank, inputs, outputs);
            (factors.a, factors.b)
        };
        starts.push(LoraStart {
            module: LoraModule {
                name: module.name.clone(),
                rank,
                alpha: config.alpha_of(&module.name),
                scale: config.scale_of(&module.name),
                layer: in_layer,
            },
            a,
            b,
        });
    }
    check_targets(choices, layout, &starts)?;
    Ok(Chosen {
        starts,
        layers,
        of_layers: layout.layers,
        selection,
        initial: given.map(|given| given.hash),
        fan_in_fan_out,
    })
}

/// The settings as PEFT's, which say what is selected of a layer.
fn config(choices: &Choices) -> Outcome<LoraConfig> {
    let recipe = &choices.recipe;
    let targets = match &recipe.targets {
        Targets::AllLinear => json!("all-linear"),
        Targets::Named(names) => json!(names),
    };
    let settings = json!({
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "r": recipe.rank,
        "lora_alpha": recipe.alpha,
        "use_rslora": recipe.rslora,
        "target_modules": targets,
        "rank_pattern": recipe.rank_pattern,
        "alpha_pattern": recipe.alpha_pattern,
    });
    LoraConfig::from_json(
        Path::new("the training's settings"),
        settings.to_string().as_bytes(),
    )
    .or_fail()
}

/// Every name stands for something.
fn check_targets(choices: &Choices, layout: &ModelLayout, starts: &[LoraStart]) -> Outcome<()> {
    let Targets::Named(names) = &choices.recipe.targets else {
        return Ok(());
    };
    let stands = |name: &str| {
        starts.iter().any(|start| {
            let module = start.module.name.as_str();
            module == name || module.ends_with(&format!(".{name}"))
        })
    };
    let Some(missing) = names.iter().find(|name| !stands(name)) else {
        return Ok(());
    };
    let mut known: Vec<&str> = layout
        .modules
        .iter()
        .filter(|module| layer_of(&module.name).is_some())
        .filter_map(|module| module.name.rsplit('.').next())
        .collect();
    known.sort_unstable();
    known.dedup();
    Err(Failure::new(format!("find the modules `{missing}`"))
        .cause("no linear of the chosen layers has that name")
        .help(format!("give --targets some of {}", known.join(", "))))
}

/// The layer that a module's name tells.
pub fn layer_of(module: &str) -> Option<usize> {
    module.split('.').find_map(|part| part.parse().ok())
}

/// An adapter whose factors a training begins with.
struct Given {
    dir: String,
    hash: Sha256,
    factors: HashMap<String, (usize, Vec<f32>, Vec<f32>)>,
}

fn given(dir: &Path) -> Outcome<Given> {
    let adapter = Adapter::open(dir).or_fail()?;
    let update = adapter.unresolved();
    let factors = update.lora.into_iter();
    let factors = factors.map(|update| (update.module, (update.rank, update.a, update.b)));
    let weights = dir.join("adapter_model.safetensors");
    Ok(Given {
        dir: dir.display().to_string(),
        hash: sha256_file(&weights).or_fail_to(|| format!("read {}", weights.display()))?,
        factors: factors.collect(),
    })
}

impl Given {
    fn factors(&self, module: &str, rank: usize) -> Outcome<(Vec<f32>, Vec<f32>)> {
        let wrong = |cause: String| {
            Failure::new(format!("begin with the factors of {}", self.dir))
                .cause(cause)
                .help("give --initial an adapter of the same modules and ranks")
        };
        let Some((own, a, b)) = self.factors.get(module) else {
            return Err(wrong(format!("it has none for {module}")));
        };
        if *own != rank {
            return Err(wrong(format!(
                "{module} has rank {own} there and {rank} here"
            )));
        }
        Ok((a.clone(), b.clone()))
    }
}
