//! What Python does differently from Rust and minijinja, as far as prompts and extractions depend on it.

mod methods;
mod pattern;
mod regex;
mod show;
mod text;

pub use methods::call;
pub use regex::Regex;
pub use show::show;
pub use text::{is_space, strip};
