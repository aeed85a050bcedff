//! What adapters can attach to, told from the names and shapes of a checkpoint's tensors.

use evalh_adapter::{Adapter, ModelLayout, ModuleKind, TargetModule};
use evalh_checkpoint::WeightSource;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Modules whose names differ in numbers only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pattern {
    /// The name with ranges in place of the numbers: `model.layers.{0..29}.self_attn.q_proj`.
    pub name: String,
    /// How many there are.
    pub modules: usize,
    /// Outputs, the width of an embedding; the largest where they differ.
    pub out_features: usize,
    /// Inputs, the rows of an embedding.
    pub in_features: usize,
    /// `linear`, `conv1d` or `embedding`.
    pub kind: &'static str,
}

/// The modules and tensors of a checkpoint, without loading its weights.
///
/// A matrix is a linear module unless its name is that of an embedding. `Conv1D`, which stores the transpose, is what GPT-2's
/// layers are made of.
pub fn layout(checkpoint: &dyn WeightSource) -> ModelLayout {
    let config = checkpoint.config();
    let conv1d = config["model_type"] == "gpt2";
    let mut layout = ModelLayout::default();
    for name in checkpoint.tensor_names() {
        let Some(info) = checkpoint.tensor(&name) else {
            continue;
        };
        if let (Some(module), &[rows, columns]) = (name.strip_suffix(".weight"), &info.shape[..]) {
            let kind = kind_of(module, conv1d);
            let (out_features, in_features) = match kind {
                ModuleKind::Linear => (rows, columns),
                ModuleKind::Conv1d | ModuleKind::Embedding => (columns, rows),
            };
            layout.modules.push(TargetModule {
                name: module.to_owned(),
                out_features,
                in_features,
                kind,
            });
        }
        layout.tensors.insert(name, info.shape);
    }
    layout.modules.sort_by_key(|module| natural(&module.name));
    let names = layout.modules.iter().map(|module| &module.name);
    let head = names.clone().find(|name| HEADS.contains(&last(name)));
    layout.output_head = head.cloned();
    if layout.output_head.is_none() {
        add_tied_head(&mut layout, config);
    }
    let layers = super::config::Sizes::of(config).layers;
    layout.layers = layers
        .and_then(|layers| usize::try_from(layers).ok())
        .unwrap_or(0);
    layout
}

/// What output heads are called.
const HEADS: [&str; 4] = ["lm_head", "embed_out", "score", "classifier"];

/// A language model whose head is stored nowhere shares it with its embedding.
fn add_tied_head(layout: &mut ModelLayout, config: &Value) {
    let writes_text = |name: &Value| {
        let endings = ["ForCausalLM", "LMHeadModel", "ForConditionalGeneration"];
        name.as_str()
            .is_some_and(|name| endings.iter().any(|end| name.ends_with(end)))
    };
    let architectures = config["architectures"].as_array();
    // A GGUF file names no class; its models write text.
    let is_tied = architectures.is_none_or(|names| names.iter().any(writes_text));
    let ends = ["embed_tokens", "wte", "embed_in"];
    let table = layout
        .modules
        .iter()
        .find(|module| ends.contains(&last(&module.name)));
    let Some(table) = table.filter(|_| is_tied) else {
        return;
    };
    let name = if config["model_type"] == "gpt_neox" {
        "embed_out"
    } else {
        "lm_head"
    };
    let head = TargetModule {
        name: name.to_owned(),
        out_features: table.in_features,
        in_features: table.out_features,
        kind: ModuleKind::Linear,
    };
    layout
        .tensors
        .insert(format!("{name}.weight"), head.stored_shape().to_vec());
    layout.output_head = Some(head.name.clone());
    layout.modules.push(head);
}

/// Adds the heads that an adapter brings along to the layout of a model without them: it was trained on the model with a
/// fresh head.
pub fn with_heads_of(layout: &mut ModelLayout, adapter: &Adapter) {
    for tensor in adapter.saved() {
        let top = tensor.name.split('.').next().unwrap_or_default();
        let is_head = ["classifier", "score", "qa_outputs"].contains(&top);
        if !is_head || layout.tensors.contains_key(&tensor.name) {
            continue;
        }
        layout
            .tensors
            .insert(tensor.name.clone(), tensor.shape.clone());
        if let (Some(module), &[rows, columns]) =
            (tensor.name.strip_suffix(".weight"), &tensor.shape[..])
        {
            layout.modules.push(TargetModule {
                name: module.to_owned(),
                out_features: rows,
                in_features: columns,
                kind: ModuleKind::Linear,
            });
        }
    }
}

fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn kind_of(module: &str, conv1d: bool) -> ModuleKind {
    let name = last(module);
    if name.contains("embed") && name != "embed_out" || ["wte", "wpe"].contains(&name) {
        ModuleKind::Embedding
    } else if conv1d && name.starts_with("c_") {
        ModuleKind::Conv1d
    } else {
        ModuleKind::Linear
    }
}

/// Names with their numbers as numbers, so that layer 10 comes after layer 9.
pub fn natural(name: &str) -> Vec<(usize, String)> {
    name.split('.')
        .map(|part| match part.parse() {
            Ok(number) => (number, String::new()),
            Err(_) => (0, part.to_owned()),
        })
        .collect()
}

/// Modules collapsed over their numbers, in the order of their first.
pub fn patterns(layout: &ModelLayout) -> Vec<Pattern> {
    groups(&layout.modules, |module| &module.name)
        .into_iter()
        .map(|(name, modules)| Pattern {
            name,
            modules: modules.len(),
            out_features: modules.iter().map(|m| m.out_features).max().unwrap_or(0),
            in_features: modules.iter().map(|m| m.in_features).max().unwrap_or(0),
            kind: match modules[0].kind {
                ModuleKind::Linear => "linear",
                ModuleKind::Conv1d => "conv1d",
                ModuleKind::Embedding => "embedding",
            },
        })
        .collect()
}

/// Names collapsed over their numbers.
pub fn collapsed(names: &[String]) -> Vec<String> {
    let groups = groups(names, String::as_str);
    groups.into_iter().map(|(name, _)| name).collect()
}

/// Items whose names differ in numbers only, each group under a name with ranges in place of the numbers, in the order
/// of their first.
fn groups<T>(items: &[T], name: impl Fn(&T) -> &str) -> Vec<(String, Vec<&T>)> {
    let mut groups: Vec<(String, Vec<&T>)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for item in items {
        let parts = name(item).split('.');
        let key = parts
            .map(|part| {
                if part.parse::<usize>().is_ok() {
                    "{}"
                } else {
                    part
                }
            })
            .collect::<Vec<_>>()
            .join(".");
        let place = *places.entry(key.clone()).or_insert_with(|| {
            groups.push((key, Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(item);
    }
    for (key, items) in &mut groups {
        let names: Vec<&str> = items.iter().map(|item| name(item)).collect();
        *key = with_ranges(key, &names);
    }
    groups
}

/// A key with each `{}` replaced by the numbers that stand there.
fn with_ranges(key: &str, names: &[&str]) -> String {
    let numbers = |place: usize| -> BTreeSet<usize> {
        names
            .iter()
            .filter_map(|name| name.split('.').nth(place)?.parse().ok())
            .collect()
    };
    key.split('.')
        .enumerate()
        .map(|(place, part)| match part {
            "{}" => ranges(&numbers(place)),
            part => part.to_owned(),
        })
        .collect::<Vec<_>>()
        .join(".")
}

/// Numbers as runs: `{0..7,9}`, and a single one as it is.
fn ranges(numbers: &BTreeSet<usize>) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => runs.push((*number, *number)),
        }
    }
    let runs: Vec<String> = runs
        .iter()
        .map(|(first, last)| {
            if first == last {
                first.to_string()
            } else {
                format!("{first}..{last}")
            }
        })
        .collect();
    if numbers.len() == 1 {
        runs.concat()
    } else {
        format!("{{{}}}", runs.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(name: &str) -> TargetModule {
        TargetModule {
            name: name.to_owned(),
            out_features: 4,
            in_features: 3,
            kind: ModuleKind::Linear,
        }
    }

    #[test]
    fn layers_collapse_into_ranges() {
        let names = [
            "m.layers.2.q",
            "m.layers.10.q",
            "m.layers.2.e.0.w",
            "m.layers.2.e.1.w",
            "lm_head",
        ];
        let layout = ModelLayout {
            modules: names.map(module).to_vec(),
            ..ModelLayout::default()
        };
        let found = patterns(&layout);
        let names: Vec<_> = found.iter().map(|p| (p.name.as_str(), p.modules)).collect();
        assert_eq!(
            names,
            [
                ("m.layers.{2,10}.q", 2),
                ("m.layers.2.e.{0..1}.w", 2),
                ("lm_head", 1)
            ]
        );
    }

    #[test]
    fn numbers_collapse_into_runs() {
        let names = [0, 1, 2, 3, 5, 8, 9].map(|layer| format!("h.{layer}.q"));
        assert_eq!(collapsed(&names), ["h.{0..3,5,8..9}.q"]);
        assert_eq!(collapsed(&names[4..5]), ["h.5.q"]);
    }

    #[test]
    fn layer_ten_comes_after_layer_nine() {
        let mut names = ["m.10.q", "m.9.q", "m.9.k"];
        names.sort_by_key(|name| natural(name));
        assert_eq!(names, ["m.9.k", "m.9.q", "m.10.q"]);
    }

    #[test]
    fn embeddings_and_conv1d_are_told_by_their_names() {
        for (name, kind) in [
            ("model.embed_tokens", ModuleKind::Embedding),
            ("embed_out", ModuleKind::Linear),
            ("transformer.wte", ModuleKind::Embedding),
            ("bert.embeddings.word_embeddings", ModuleKind::Embedding),
            ("transformer.h.0.attn.c_attn", ModuleKind::Conv1d),
            ("lm_head", ModuleKind::Linear),
        ] {
            assert_eq!(kind_of(name, true), kind, "{name}");
        }
        assert_eq!(kind_of("h.0.attn.c_attn", false), ModuleKind::Linear);
    }
}
