//! Rotary position embedding: from a config to frequencies.

use crate::ModelError;
use crate::config::Keys;
use evalh_kernel::RopeTable;

/// How positions become angles.
#[derive(Debug, Clone, PartialEq)]
pub struct RopeConfig {
    /// Base of the frequencies.
    pub theta: f32,
    /// Change of the frequencies for longer contexts.
    pub scaling: RopeScaling,
}

/// Change of the frequencies for contexts longer than those trained on. Formulas: transformers' `modeling_rope_utils`.
#[derive(Debug, Clone, PartialEq)]
pub enum RopeScaling {
    /// None.
    Default,
    /// All frequencies divided by `factor`.
    Linear {
        /// The divisor.
        factor: f32,
    },
    /// Llama 3: low frequencies divided by `factor`, high ones kept, those between blended.
    Llama3 {
        /// The divisor of low frequencies.
        factor: f32,
        /// Wavelengths above `original / low` are low frequencies.
        low_freq_factor: f32,
        /// Wavelengths below `original / high` are high frequencies.
        high_freq_factor: f32,
        /// Positions of the original training.
        original_max_positions: f32,
    },
}

impl RopeConfig {
    /// Reads `rope_parameters` (transformers v5), or `rope_theta` and `rope_scaling` (v4).
    pub(crate) fn read(keys: &Keys<'_>) -> Result<Self, ModelError> {
        let (at, nested) = ["rope_parameters", "rope_scaling"]
            .into_iter()
            .find_map(|at| keys.get(at).map(|value| (at, value)))
            .map_or(("", None), |(at, value)| (at, Some(value)));
        let table = match nested {
            Some(value) if value.is_object() => keys.nested(at, value),
            Some(value) => return Err(keys.unsupported(at, value, "it must be an object")),
            None => keys.nested("rope_parameters", &serde_json::Value::Null),
        };
        let theta = match table.f32("rope_theta")? {
            Some(theta) => theta,
            None => keys.f32("rope_theta")?.unwrap_or(10_000.0),
        };
        if !(theta.is_finite() && theta > 1.0) {
            return Err(keys.invalid("rope_theta", &format!("{theta} is no base of frequencies")));
        }
        if let Some(part) = table
            .f32("partial_rotary_factor")?
            .filter(|part| (*part - 1.0).abs() > f32::EPSILON)
        {
            return Err(table.unsupported(
                "partial_rotary_factor",
                &part.into(),
                "only 1 is supported",
            ));
        }
        let kind = table
            .text("rope_type")?
            .or(table.text("type")?)
            .unwrap_or("default");
        let positive = |name: &str| -> Result<f32, ModelError> {
            let value = table
                .f32(name)?
                .ok_or_else(|| table.invalid(name, "it is missing"))?;
            if value.is_finite() && value > 0.0 {
                Ok(value)
            } else {
                Err(table.invalid(name, "it must be positive"))
            }
        };
        let scaling = match kind {
            "default" => RopeScaling::Default,
            "linear" => RopeScaling::Linear {
                factor: positive("factor")?,
            },
            "llama3" => RopeScaling::Llama3 {
                factor: positive("factor")?,
                low_freq_factor: positive("low_freq_factor")?,
                high_freq_factor: positive("high_freq_factor")?,
                original_max_positions: positive("original_max_position_embeddings")?,
            },
            other => {
                return Err(table.unsupported(
                    "rope_type",
                    &other.into(),
                    "default, linear and llama3 are",
                ));
            }
        };
        Ok(Self { theta, scaling })
    }

    /// Inverse frequencies of a head of `dim` values, rounded where the reference implementation rounds.
    pub fn frequencies(&self, dim: usize) -> Vec<f32> {
        let plain = (0..dim / 2).map(|i| 1.0 / self.theta.powf((2 * i) as f32 / dim as f32));
        match self.scaling {
            RopeScaling::Default => plain.collect(),
            RopeScaling::Linear { factor } => plain.map(|f| f / factor).collect(),
            RopeScaling::Llama3 {
                factor,
                low_freq_factor,
                high_freq_factor,
                original_max_positions,
            } => plain
                .map(|f| {
                    let wavelength = 2.0 * std::f32::consts::PI / f;
                    if wavelength > original_max_positions / low_freq_factor {
                        f / factor
                    } else if wavelength < original_max_positions / high_freq_factor {
                        f
                    } else {
                        let smooth = (original_max_positions / wavelength - low_freq_factor)
                            / (high_freq_factor - low_freq_factor);
                        (1.0 - smooth) * f / factor + smooth * f
                    }
                })
                .collect(),
        }
    }

    /// An empty table for a head of `dim` values.
    pub(crate) fn table(&self, dim: usize) -> RopeTable {
        RopeTable::new(self.frequencies(dim), 1.0)
    }
}
