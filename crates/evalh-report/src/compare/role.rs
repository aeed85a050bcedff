//! What a variant is in a comparison.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// What a variant is in a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The checkpoint without an adapter.
    Base,
    /// An adapter on all layers.
    Standard,
    /// An adapter on some of the layers.
    Selective,
    /// Anything else: another checkpoint, a full fine-tune, a sum of adapters.
    Other,
}

impl Role {
    /// The role's name, as it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Role::Base => "base",
            Role::Standard => "standard",
            Role::Selective => "selective",
            Role::Other => "other",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Role::Base, Role::Standard, Role::Selective, Role::Other]
            .into_iter()
            .find(|role| role.name() == text)
            .ok_or_else(|| {
                format!("no role is called {text}: use base, standard, selective or other")
            })
    }
}
