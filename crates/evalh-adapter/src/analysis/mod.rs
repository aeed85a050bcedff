//! What an adapter is made of, and how two adapters relate: all in f64, through the factors.

mod compare;
mod inspect;
mod intruders;
mod layers;
mod orthogonality;
mod spectrum;
mod subspace;

pub use compare::{Comparison, ModuleComparison, compare};
pub use inspect::{Inspection, ModuleInspection, SavedInspection, Totals, inspect};
pub use intruders::{Intruders, intruders};
pub use layers::{LayerMap, LayerRow, layer_of};
pub use orthogonality::{Orthogonality, orthogonality};
pub use spectrum::Spectrum;
pub use subspace::Subspaces;
