//! A trained adapter as a folder that PEFT loads.

use super::{
    ModuleChoice,
    config::config,
    files::{Pending, failed, settle},
    refused,
};
use crate::{AdapterError, LoraConfig, NonFinite, SavedTensor};
use safetensors::{Dtype, serialize, tensor::TensorView};
use std::{
    collections::{BTreeSet, HashMap},
    fs, io,
    path::Path,
};

/// What the model that was adapted is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoraTask {
    /// `CAUSAL_LM`: a decoder that predicts the next token.
    CausalLm,
    /// `SEQ_CLS`: a classifier or a regression of whole texts; its head is saved with the adapter.
    SequenceClassification,
}

/// The trained factors of one module.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainedModule {
    /// The module's name in the Hugging Face model, e.g. `model.layers.0.self_attn.q_proj`.
    pub name: String,
    /// Its rank `r`.
    pub rank: usize,
    /// Its alpha; the scale is `alpha / r`, or `alpha / sqrt(r)` where rank-stabilised.
    pub alpha: f64,
    /// `A`, row-major `[rank, in_features]`.
    pub a: Vec<f32>,
    /// `B`, row-major `[out_features, rank]`, also of a `Conv1D`.
    pub b: Vec<f32>,
}

/// A trained adapter with the settings that it was trained by.
///
/// PEFT 0.21.2 with transformers 5, which fuses Mixtral's experts, loads `w1` of an expert only together with `w3`, and the
/// experts of a layer only all together and at one rank.
#[derive(Debug, Clone, PartialEq)]
pub struct LoraFolder {
    /// The base model's name or path, for the reader's information.
    pub base_model: Option<String>,
    /// The task.
    pub task: LoraTask,
    /// The rank of modules in general; one with another rank is written into `rank_pattern`.
    pub rank: usize,
    /// The alpha of modules in general; one with another alpha is written into `alpha_pattern`.
    pub alpha: f64,
    /// Whether the scale is `alpha / sqrt(r)`.
    pub use_rslora: bool,
    /// The dropout of the training.
    pub dropout: f64,
    /// Whether the base holds the adapted weights as `[in, out]`, as the `Conv1D` of GPT-2 does.
    pub fan_in_fan_out: bool,
    /// What selects the adapted modules; see [`ModuleChoice::of`].
    pub choice: ModuleChoice,
    /// The trained factors.
    pub modules: Vec<TrainedModule>,
    /// Modules that were trained whole beside the heads of the task, by the ends of their names.
    pub modules_to_save: Vec<String>,
    /// The tensors of the modules that were trained whole, by their names in the model, heads included.
    pub saved: Vec<SavedTensor>,
}

/// Writes `adapter_config.json` and `adapter_model.safetensors` (f32) into the folder, as PEFT's `save_pretrained` does.
///
/// The folder is made if need be, other files in it stay. Each file is replaced at once, the configuration last; where it
/// changes it is taken away first, so that nothing ever reads weights by another adapter's settings. The same adapter gives
/// the same bytes.
///
/// # Errors
/// When the settings do not describe the factors (a module that they leave out or give another rank or alpha, values of
/// another count or that are not finite, a tensor of no saved module), or the folder cannot be written.
pub fn write_lora(dir: &Path, folder: &LoraFolder) -> Result<(), AdapterError> {
    let mut json = serde_json::to_vec_pretty(&config(folder))
        .map_err(io::Error::other)
        .map_err(failed(dir))?;
    json.push(b'\n');
    check(dir, folder, &json)?;
    let weights = weights(folder)
        .map_err(io::Error::other)
        .map_err(failed(dir))?;

    fs::create_dir_all(dir).map_err(failed(dir))?;
    let config_path = dir.join("adapter_config.json");
    let weights = Pending::write(&dir.join("adapter_model.safetensors"), &weights)?;
    let config = Pending::write(&config_path, &json)?;
    match fs::read(&config_path) {
        Ok(older) if older != json => {
            fs::remove_file(&config_path).map_err(failed(&config_path))?;
        }
        _ => {}
    }
    weights.publish()?;
    config.publish()?;
    settle(dir)
}

/// Refuses an adapter that would be read as something else than was trained.
fn check(dir: &Path, folder: &LoraFolder, json: &[u8]) -> Result<(), AdapterError> {
    let config = LoraConfig::from_json(&dir.join("adapter_config.json"), json)?;
    if folder.modules.is_empty() && folder.saved.is_empty() {
        return Err(refused(dir, "it has no trained module".into(), GIVE_ALL));
    }
    let mut seen = BTreeSet::new();
    for module in &folder.modules {
        let refuse = |problem: String| {
            Err(refused(
                dir,
                format!("module `{}` {problem}", module.name),
                GIVE_ALL,
            ))
        };
        let name = module.name.as_str();
        if !seen.insert(name) {
            return refuse("is there twice".into());
        }
        if !config.selects(name) {
            return refuse("was trained, but the settings do not select it".into());
        }
        let same_alpha = config.alpha_of(name).total_cmp(&module.alpha).is_eq();
        if config.rank_of(name) != module.rank || !same_alpha {
            return refuse(format!(
                "has rank {} and alpha {}, but by the settings {} and {}",
                module.rank,
                module.alpha,
                config.rank_of(name),
                config.alpha_of(name)
            ));
        }
        if !config.scale_of(name).is_finite() {
            return refuse(format!("has the scale {}", config.scale_of(name)));
        }
        for (factor, values) in [("A", &module.a), ("B", &module.b)] {
            if values.is_empty() || !values.len().is_multiple_of(module.rank) {
                return refuse(format!(
                    "has {} values in {factor}, which do not make a factor of rank {}",
                    values.len(),
                    module.rank
                ));
            }
            check_finite(dir, &format!("{name} ({factor})"), values)?;
        }
    }
    check_saved(dir, folder, &config)
}

fn check_saved(dir: &Path, folder: &LoraFolder, config: &LoraConfig) -> Result<(), AdapterError> {
    let mut seen = BTreeSet::new();
    for tensor in &folder.saved {
        let name = tensor.name.as_str();
        let refuse =
            |problem: &str| Err(refused(dir, format!("tensor `{name}` {problem}"), GIVE_ALL));
        if !seen.insert(name) {
            return refuse("is there twice");
        }
        if !name
            .match_indices('.')
            .any(|(at, _)| config.saves(&name[..at]))
        {
            return refuse("is of no module that the settings save whole (modules_to_save)");
        }
        if tensor.values.is_empty() || tensor.shape.iter().product::<usize>() != tensor.values.len()
        {
            return refuse("has another number of values than its shape");
        }
        check_finite(dir, name, &tensor.values)?;
    }
    let heads = folder.task.heads();
    let has_head = |tensor: &SavedTensor| tensor.name.split('.').any(|part| heads.contains(&part));
    if !heads.is_empty() && !folder.saved.iter().any(has_head) {
        return Err(refused(
            dir,
            format!("it has no trained head ({})", heads.join(" or ")),
            GIVE_ALL,
        ));
    }
    Ok(())
}

const GIVE_ALL: &str = "give the settings, factors and whole tensors of one training (ModuleChoice::of finds what selects the modules)";

fn check_finite(dir: &Path, what: &str, values: &[f32]) -> Result<(), AdapterError> {
    match NonFinite::count(what, values) {
        None => Ok(()),
        Some(count) => Err(refused(
            dir,
            format!(
                "`{what}` has {} NaN and {} infinite values among its {}",
                count.nan, count.infinite, count.values
            ),
            "the training diverged: lower the learning rate, or keep an earlier checkpoint of it",
        )),
    }
}

/// The bytes of `adapter_model.safetensors`.
fn weights(folder: &LoraFolder) -> Result<Vec<u8>, safetensors::SafeTensorError> {
    let mut tensors: Vec<(String, Vec<usize>, &[f32])> = Vec::new();
    for module in &folder.modules {
        let key = |factor| format!("base_model.model.{}.lora_{factor}.weight", module.name);
        let (rows, columns) = (module.b.len() / module.rank, module.a.len() / module.rank);
        tensors.push((key("A"), vec![module.rank, columns], &module.a));
        tensors.push((key("B"), vec![rows, module.rank], &module.b));
    }
    for tensor in &folder.saved {
        let key = format!("base_model.model.{}", tensor.name);
        tensors.push((key, tensor.shape.clone(), &tensor.values));
    }
    let stored: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
        .into_iter()
        .map(|(key, shape, values)| {
            let bytes = values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect();
            (key, shape, bytes)
        })
        .collect();
    let views = stored
        .iter()
        .map(|(key, shape, bytes)| Ok((key, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    serialize(views, Some(HashMap::from([("format".into(), "pt".into())])))
}
