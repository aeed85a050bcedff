//! Which modules an adapter's configuration selects, by PEFT's rules.

mod layers;
mod names;
mod pattern;

pub use layers::LayerChoice;
pub use names::NameSet;
pub use pattern::PatternTable;

/// Output heads, which `all-linear` leaves out (`get_output_embeddings` and the usual classifier names).
const OUTPUT_HEADS: [&str; 5] = [
    "lm_head",
    "embed_out",
    "score",
    "classifier",
    "cls.predictions.decoder",
];

/// What `target_modules` says.
#[derive(Debug, Clone)]
pub enum Targets {
    /// Every linear module but the output head.
    AllLinear,
    /// These names.
    Named(NameSet),
}

/// Selection of modules: `exclude_modules` first, then `target_modules`, then the layers.
#[derive(Debug, Clone)]
pub struct ModuleSelection {
    pub targets: Targets,
    pub excluded: Option<NameSet>,
    /// Applies to names found by suffix only: an exact name is taken as it is.
    pub layers: Option<LayerChoice>,
}

impl ModuleSelection {
    /// PEFT's `check_target_module_exists` for a linear module.
    pub fn selects(&self, module: &str) -> bool {
        if self
            .excluded
            .as_ref()
            .is_some_and(|names| names.contains(module))
        {
            return false;
        }
        match &self.targets {
            Targets::AllLinear => !OUTPUT_HEADS.contains(&module),
            Targets::Named(names) => {
                names.contains_exactly(module)
                    || (names.contains(module)
                        && self
                            .layers
                            .as_ref()
                            .is_none_or(|layers| layers.contains(module)))
            }
        }
    }
}
