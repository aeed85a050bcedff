//! The settings of PEFT that select given modules of a model, and no others.

use crate::{ModelLayout, select::NameSet};
use std::collections::BTreeSet;

/// `target_modules` and the layers they are restricted to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModuleChoice {
    /// Ends of module names, such as `q_proj` or `attention.output.dense`, or whole names.
    pub target_modules: Vec<String>,
    /// The layers that hold adapted modules, ascending; `None` where every layer of the model does.
    pub layers_to_transform: Option<Vec<usize>>,
    /// The name before a layer's number, where PEFT does not find the number by itself.
    pub layers_pattern: Option<String>,
}

impl ModuleChoice {
    /// The shortest names that select the modules `adapted` of the model, and no other of its modules: the last part of
    /// each name where that suffices, more parts where another module ends with the same, the whole name at last.
    ///
    /// The names are sorted, and an adapted name that the model does not have stays as it is.
    pub fn of<S: AsRef<str>>(layout: &ModelLayout, adapted: &[S]) -> ModuleChoice {
        let adapted: BTreeSet<&str> = adapted.iter().map(AsRef::as_ref).collect();
        let layers: BTreeSet<usize> = adapted.iter().filter_map(|name| layer_of(name)).collect();
        let all = layers.len() == layout.layers;
        let within = |name: &str| all || layer_of(name).is_some_and(|own| layers.contains(&own));
        // What a name restricted to these layers must not select.
        let others: Vec<&str> = layout
            .modules
            .iter()
            .map(|module| module.name.as_str())
            .filter(|name| !adapted.contains(name) && within(name))
            .collect();
        let names: BTreeSet<String> = adapted
            .iter()
            .map(|name| {
                // Outside of the layers only a whole name selects.
                let end = if within(name) {
                    ends(name).find(|end| {
                        let chosen = NameSet::List(vec![(*end).to_owned()]);
                        !others.iter().any(|other| chosen.contains(other))
                    })
                } else {
                    None
                };
                end.unwrap_or(name).to_owned()
            })
            .collect();
        ModuleChoice {
            target_modules: names.into_iter().collect(),
            layers_to_transform: (!all && !layers.is_empty()).then(|| layers.into_iter().collect()),
            layers_pattern: None,
        }
    }
}

/// The ends of a module's name at its dots, from the last part to the whole, but those that begin with a number.
pub fn ends(name: &str) -> impl Iterator<Item = &str> {
    name.rmatch_indices('.')
        .map(|(at, _)| &name[at + 1..])
        .filter(|end| !end.starts_with(|first: char| first.is_ascii_digit()))
        .chain([name])
}

/// The layer that PEFT sees in a module's name: the first number that is a part of it with two parts before and one behind.
pub fn layer_of(name: &str) -> Option<usize> {
    let (at, index) = name
        .split('.')
        .enumerate()
        .skip(2)
        .find_map(|(at, part)| Some((at, part.parse::<usize>().ok()?)))?;
    (name.split('.').count() > at + 1).then_some(index)
}

#[cfg(test)]
mod tests;
