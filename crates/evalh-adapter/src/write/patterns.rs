//! `rank_pattern` and `alpha_pattern`: the settings of single modules as PEFT looks them up.

use super::choice::{ends, layer_of};
use std::collections::BTreeMap;

/// The fewest patterns that give each module its value, in the order of the modules that need them first.
///
/// `modules` are the adapted modules with their values, of which `default` needs no pattern. A pattern matches a whole name
/// or its end after a dot (PEFT's `get_pattern_key`), and none of these matches a module of another value, so their order
/// does not matter. Tried in turn: the last part of the name (`q_proj`), everything in the layer, longer ends, the name.
pub fn patterns<T: Copy + PartialEq>(modules: &[(&str, T)], default: T) -> Vec<(String, T)> {
    // The values of the modules by every pattern that matches them; none where they differ.
    let mut values: BTreeMap<String, Option<T>> = BTreeMap::new();
    for &(name, value) in modules {
        for pattern in candidates(name) {
            values
                .entry(pattern)
                .and_modify(|held| *held = held.filter(|held| *held == value))
                .or_insert(Some(value));
        }
    }
    let mut chosen: Vec<(String, T)> = Vec::new();
    for &(name, value) in modules.iter().filter(|(_, value)| *value != default) {
        let pattern = candidates(name)
            .find(|pattern| values.get(pattern).copied().flatten().is_some())
            .unwrap_or_else(|| regex::escape(name));
        if chosen.iter().all(|(held, _)| *held != pattern) {
            chosen.push((pattern, value));
        }
    }
    chosen
}

/// The patterns that may stand for a module, from the widest.
fn candidates(name: &str) -> impl Iterator<Item = String> {
    let mut ends = ends(name).map(regex::escape);
    let layer = layer_of(name).and_then(|index| {
        let part = format!(".{index}.");
        let at = name.find(&part)? + part.len();
        Some(format!("{}.*", regex::escape(&name[..at])))
    });
    ends.next().into_iter().chain(layer).chain(ends)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::PatternTable;
    use proptest::{collection::vec, prelude::*};

    #[test]
    fn kinds_then_layers_then_single_modules_have_patterns() {
        let names: Vec<String> = (0..3)
            .flat_map(|layer| {
                ["self_attn.q_proj", "mlp.up_proj"]
                    .map(|kind| format!("model.layers.{layer}.{kind}"))
            })
            .collect();
        let with = |rank: fn(&str) -> usize| {
            let modules: Vec<_> = names
                .iter()
                .map(|name| (name.as_str(), rank(name)))
                .collect();
            patterns(&modules, 8)
        };
        assert_eq!(with(|_| 8), []);
        assert_eq!(
            with(|name| if name.ends_with("q_proj") { 4 } else { 8 }),
            [("q_proj".to_owned(), 4)]
        );
        assert_eq!(
            with(|name| if name.contains(".1.") { 4 } else { 8 }),
            [(r"model\.layers\.1\..*".to_owned(), 4)]
        );
        assert_eq!(
            with(|name| if name == "model.layers.2.mlp.up_proj" {
                4
            } else {
                8
            }),
            [(r"layers\.2\.mlp\.up_proj".to_owned(), 4)]
        );
    }

    proptest! {
        #[test]
        fn each_module_finds_its_own_value(
            ranks in vec(1usize..4, 1..24),
            kinds in 1usize..5,
            default in 1usize..4,
        ) {
            let names: Vec<String> = (0..ranks.len())
                .map(|at| {
                    let kind = ["attn.c_proj", "mlp.c_proj", "attn.dense", "mlp.dense_h", "mlp.experts.1.w1"][at % kinds];
                    format!("model.h.{}.{kind}", at / kinds)
                })
                .collect();
            let modules: Vec<_> = names.iter().map(String::as_str).zip(ranks.iter().copied()).collect();
            for reversed in [false, true] {
                let mut found = patterns(&modules, default);
                if reversed {
                    found.reverse();
                }
                let mut table = PatternTable::default();
                for (pattern, rank) in &found {
                    table.push(pattern, *rank).unwrap();
                }
                for (name, rank) in &modules {
                    prop_assert_eq!(table.first_match(name).unwrap_or(default), *rank, "{}", name);
                }
            }
        }
    }
}
