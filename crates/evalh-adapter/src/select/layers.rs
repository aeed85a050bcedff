//! `layers_to_transform` and `layers_pattern`.

use super::pattern::translate;
use regex::Regex;

/// The layers an adapter is restricted to.
#[derive(Debug, Clone)]
pub struct LayerChoice {
    indices: Vec<i64>,
    /// Tried in order; the first that matches gives the index.
    finders: Vec<Regex>,
}

impl LayerChoice {
    /// A restriction to `indices`. Without `patterns`, a layer's index is the first number that is a part of the name with
    /// at least two parts before it (`model.layers.0.`), else the number after one of the patterns.
    ///
    /// # Errors
    /// What a pattern uses that cannot be honoured.
    pub fn new(indices: Vec<i64>, patterns: &[String]) -> Result<LayerChoice, String> {
        let finders = if patterns.is_empty() {
            vec![translate("", r"\A(?:.*?\.[^.]*\.(?P<idx>\d+)\.)")?]
        } else {
            patterns
                .iter()
                .map(|pattern| {
                    translate(
                        pattern,
                        &format!(r"\A(?:(?:^|.*?\.){pattern}\.(?P<idx>\d+)\.)"),
                    )
                })
                .collect::<Result<_, _>>()?
        };
        Ok(LayerChoice { indices, finders })
    }

    /// Whether the module is in one of the layers.
    pub fn contains(&self, module: &str) -> bool {
        self.finders
            .iter()
            .find_map(|finder| finder.captures(module))
            .and_then(|captures| captures.name("idx"))
            .and_then(|index| index.as_str().parse().ok())
            .is_some_and(|index| self.indices.contains(&index))
    }
}
