//! The ways to choose layers.

use super::SelectError;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A way to choose layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The largest norms of the loss's gradient (Aletheia).
    Gradient,
    /// The least alike of what enters and what leaves: the largest 1 - CKA (layer-wise `LoRA`).
    Cka,
    /// The largest mean squared gradients (Lodha et al.).
    Fisher,
    /// Any, by the seed: what a measured choice must beat.
    Random,
    /// The lowest layers.
    First,
    /// The highest layers.
    Last,
}

impl Method {
    /// Every method.
    pub const ALL: [Method; 6] = [
        Method::Gradient,
        Method::Cka,
        Method::Fisher,
        Method::Random,
        Method::First,
        Method::Last,
    ];

    /// Its name, as in options and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gradient => "gradient",
            Self::Cka => "cka",
            Self::Fisher => "fisher",
            Self::Random => "random",
            Self::First => "first",
            Self::Last => "last",
        }
    }

    /// Whether it measures the layers on data, so that there are scores.
    pub fn is_measured(self) -> bool {
        matches!(self, Self::Gradient | Self::Cka | Self::Fisher)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Method {
    type Err = SelectError;

    fn from_str(text: &str) -> Result<Self, SelectError> {
        let named = |method: &Method| method.name() == text;
        let method = Self::ALL.into_iter().find(named);
        method.ok_or_else(|| SelectError::Method(text.to_owned()))
    }
}
