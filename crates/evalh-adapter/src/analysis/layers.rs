//! Which layers and which of their modules are adapted.

use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Layers by modules: which are adapted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerMap {
    /// The modules within a layer, e.g. `self_attn.q_proj`, that are adapted in any layer.
    pub modules: Vec<String>,
    /// One row a layer of the model, whether or not it is adapted.
    pub rows: Vec<LayerRow>,
    /// Adapted modules that are in no layer: embeddings, heads.
    pub outside: Vec<String>,
}

/// A layer of the map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerRow {
    /// Its number, from 0.
    pub layer: usize,
    /// For each of [`LayerMap::modules`] whether it is adapted here.
    pub adapted: Vec<bool>,
}

/// More layers than any model has: a number past it is no layer's.
const MOST_LAYERS: usize = 10_000;

/// The number of the layer that a module lies in and its name there: the first part of the name that is a number.
pub fn layer_of(module: &str) -> Option<(usize, &str)> {
    let mut from = 0;
    for part in module.split('.') {
        let end = from + part.len();
        if let Ok(layer) = part.parse::<usize>()
            && layer < MOST_LAYERS
            && end < module.len()
        {
            return Some((layer, &module[end + 1..]));
        }
        from = end + 1;
    }
    None
}

impl LayerMap {
    /// The map of the named modules in a model of `layers` layers, or of as many as the names tell.
    pub fn of<'m>(modules: impl Iterator<Item = &'m str>, layers: usize) -> LayerMap {
        let mut by_layer: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
        let mut outside = Vec::new();
        for module in modules {
            match layer_of(module) {
                Some((layer, name)) => {
                    by_layer.entry(layer).or_default().insert(name);
                }
                None => outside.push(module.to_owned()),
            }
        }
        let names: BTreeSet<&str> = by_layer.values().flatten().copied().collect();
        let count = by_layer
            .last_key_value()
            .map_or(0, |(layer, _)| layer + 1)
            .max(layers);
        let rows = (0..count)
            .map(|layer| LayerRow {
                layer,
                adapted: names
                    .iter()
                    .map(|name| by_layer.get(&layer).is_some_and(|own| own.contains(name)))
                    .collect(),
            })
            .collect();
        LayerMap {
            modules: names.into_iter().map(str::to_owned).collect(),
            rows,
            outside,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_has_a_row_for_every_layer() {
        let modules = [
            "m.layers.0.q",
            "m.layers.2.q",
            "m.layers.2.mlp.0.up",
            "head",
        ];
        let map = LayerMap::of(modules.into_iter(), 4);
        assert_eq!(map.modules, ["mlp.0.up", "q"]);
        let rows: Vec<_> = map.rows.iter().map(|row| row.adapted.as_slice()).collect();
        let none: &[bool] = &[false, false];
        assert_eq!(rows, [&[false, true], none, &[true, true], none]);
        assert_eq!(map.outside, ["head"]);
    }

    #[test]
    fn a_number_that_no_model_reaches_is_no_layer() {
        assert_eq!(layer_of("m.99999999.q"), None);
        assert_eq!(layer_of("m.3"), None);
        assert_eq!(layer_of("h.11.attn"), Some((11, "attn")));
    }
}
