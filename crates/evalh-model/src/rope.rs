//! Rotary position embedding: from a config to frequencies.

mod scaling;

use crate::ModelError;
use crate::config::Keys;
use evalh_kernel::{Pairing, RopeTable};
pub use scaling::{RopeScaling, Yarn};

/// How positions become angles.
#[derive(Debug, Clone, PartialEq)]
pub struct RopeConfig {
    /// Base of the frequencies.
    pub theta: f32,
    /// Values of a head that are rotated; even.
    pub dim: usize,
    /// Which two values are rotated together.
    pub pairing: Pairing,
    /// Positions that the config gives the model.
    pub max_positions: usize,
    /// Change of the frequencies for longer contexts.
    pub scaling: RopeScaling,
}

/// Where a family keeps its rotation, and what its reference implementation takes where a key is missing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RopeDefaults {
    /// Key of the base outside of the table.
    pub theta_key: &'static str,
    pub theta: f32,
    /// Key of the rotated share of a head outside of the table.
    pub share_key: &'static str,
    pub share: f32,
    /// Positions of the original training, where the family always has such a key.
    pub original: Option<usize>,
    /// Whether the scalings `su` and `yarn` are another name for `longrope`, as transformers has it for Phi-3.
    pub only_longrope: bool,
}

impl RopeDefaults {
    /// What most families take.
    pub(crate) const PLAIN: Self = Self {
        theta_key: "rope_theta",
        theta: 10_000.0,
        share_key: "partial_rotary_factor",
        share: 1.0,
        original: None,
        only_longrope: false,
    };
}

impl RopeConfig {
    /// Reads `rope_parameters` (transformers v5), or the base and `rope_scaling` (v4), for heads of `head_dim` values.
    pub(crate) fn read(
        keys: &Keys<'_>,
        defaults: RopeDefaults,
        head_dim: usize,
        max_positions: usize,
    ) -> Result<Self, ModelError> {
        let at = ["rope_scaling", "rope_parameters"]
            .into_iter()
            .find(|at| keys.get(at).is_some());
        let table = match at.and_then(|at| keys.get(at).map(|value| (at, value))) {
            Some((at, value)) if value.is_object() => keys.nested(at, value),
            Some((at, value)) => return Err(keys.unsupported(at, value, "it must be an object")),
            None => keys.nested("rope_parameters", &serde_json::Value::Null),
        };
        Self::parse(keys, &table, defaults, head_dim, max_positions)
    }

    /// Reads one table of settings; what it lacks stands beside it in `keys`.
    pub(crate) fn parse(
        keys: &Keys<'_>,
        table: &Keys<'_>,
        defaults: RopeDefaults,
        head_dim: usize,
        max_positions: usize,
    ) -> Result<Self, ModelError> {
        let or_outside = |name: &str, outside: &str, default: f32| match table.f32(name)? {
            Some(value) => Ok(value),
            None => Ok::<_, ModelError>(keys.f32(outside)?.unwrap_or(default)),
        };
        let theta = or_outside("rope_theta", defaults.theta_key, defaults.theta)?;
        if !(theta.is_finite() && theta > 1.0) {
            let problem = format!("{theta} is no base of frequencies");
            return Err(keys.invalid(defaults.theta_key, &problem));
        }
        let share = or_outside("partial_rotary_factor", defaults.share_key, defaults.share)?;
        if !(share > 0.0 && share <= 1.0) {
            let problem = format!("{share} is no share of a head");
            return Err(keys.invalid(defaults.share_key, &problem));
        }
        let dim = (f64::from(head_dim as u32) * f64::from(share)) as usize;
        if !dim.is_multiple_of(2) || dim == 0 {
            let problem = format!("{dim} rotated values of a head are no pairs");
            return Err(keys.invalid("head_dim", &problem));
        }
        let scaling = RopeScaling::read(keys, table, defaults, dim, max_positions)?;
        Ok(Self {
            theta,
            dim,
            pairing: Pairing::Halves,
            max_positions,
            scaling,
        })
    }

    /// Most tokens for which the rotation is meant.
    pub(crate) fn reach(&self) -> usize {
        match self.scaling {
            RopeScaling::Dynamic { factor } => (self.max_positions as f32 * factor) as usize,
            _ => self.max_positions,
        }
    }

    /// A number that is the same for all lengths of a sequence that share their frequencies.
    pub(crate) fn regime(&self, length: usize) -> usize {
        match &self.scaling {
            RopeScaling::Dynamic { .. } if length > self.max_positions => length,
            RopeScaling::LongRope { original, .. } if length > *original => 1,
            _ => 0,
        }
    }

    /// Whether the keys of a sequence must be computed anew when it grows into another regime: so the reference
    /// implementation does for this scaling.
    pub(crate) fn restarts(&self) -> bool {
        matches!(self.scaling, RopeScaling::LongRope { .. })
    }

    /// Inverse frequencies (radians a position) for a sequence of `length` tokens, rounded where the reference
    /// implementation rounds.
    pub fn frequencies(&self, length: usize) -> Vec<f32> {
        self.scaling
            .frequencies(self.theta, self.dim, self.max_positions, length)
    }

    /// An empty table for sequences of `length` tokens.
    pub(crate) fn table(&self, length: usize) -> RopeTable {
        RopeTable::new(self.frequencies(length), self.scaling.attention_factor())
    }
}
