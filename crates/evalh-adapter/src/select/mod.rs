//! Which modules an adapter's configuration selects, by PEFT's rules.

mod layers;
mod names;
mod pattern;

pub use layers::LayerChoice;
pub use names::NameSet;
pub use pattern::PatternTable;

use pattern::translate;
use regex::Regex;

/// What `target_modules` says.
#[derive(Debug, Clone)]
pub enum Targets {
    /// Every linear module but the output head: the kinds and the head are the model's to say.
    AllLinear,
    /// These names.
    Named(NameSet),
}

/// Selection of modules: `exclude_modules` first, then `modules_to_save`, `target_modules`, and the layers.
#[derive(Debug, Clone)]
pub struct ModuleSelection {
    pub targets: Targets,
    pub excluded: Option<NameSet>,
    /// Modules that are saved whole, see [`saved_module`].
    pub saved: Vec<Regex>,
    /// Applies to names found by suffix only: an exact name is taken as it is.
    pub layers: Option<LayerChoice>,
}

impl ModuleSelection {
    /// PEFT's `check_target_module_exists`, for `all-linear` after it was expanded.
    pub fn selects(&self, module: &str) -> bool {
        if self
            .excluded
            .as_ref()
            .is_some_and(|names| names.contains(module))
        {
            return false;
        }
        if self.saved.iter().any(|regex| regex.is_match(module)) {
            return false;
        }
        match &self.targets {
            Targets::AllLinear => true,
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

/// The names that an entry of `modules_to_save` keeps from being adapted: the module, and all within it. PEFT takes the
/// entry as a regular expression here.
///
/// # Errors
/// What the entry uses that cannot be honoured.
pub fn saved_module(name: &str) -> Result<Regex, String> {
    translate(name, &format!(r"\A(?:(^|.*\.){name}($|\..*))"))
}
