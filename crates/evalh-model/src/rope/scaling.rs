//! Changes of rotary frequencies for contexts longer than those trained on.
//!
//! Formulas: transformers' `modeling_rope_utils`, with the papers that it names.

use super::RopeDefaults;
use crate::ModelError;
use crate::config::Keys;
use std::f64::consts::PI;

/// A change of the frequencies.
#[derive(Debug, Clone, PartialEq)]
pub enum RopeScaling {
    /// None.
    Default,
    /// All frequencies divided by `factor`.
    Linear {
        /// The divisor.
        factor: f32,
    },
    /// A larger base for sequences longer than the model's positions, the larger the longer.
    Dynamic {
        /// How much the base grows.
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
    /// `YaRN` (arXiv 2309.00071): as in Llama 3, by the number of turns within the original context, and with
    /// attention sharpened.
    Yarn(Yarn),
    /// `LongRoPE` (arXiv 2402.13753): a divisor for each frequency, one set for short and one for long sequences.
    LongRope {
        /// Divisors for sequences within the original context.
        short: Vec<f32>,
        /// Divisors for longer sequences.
        long: Vec<f32>,
        /// Positions of the original training.
        original: usize,
        /// Factor of cosines and sines.
        attention_factor: f32,
    },
}

/// The settings of `YaRN`.
#[derive(Debug, Clone, PartialEq)]
pub struct Yarn {
    /// The divisor of low frequencies.
    pub factor: f32,
    /// Positions of the original training.
    pub original: usize,
    /// Frequencies of more turns than this within the original context are kept.
    pub beta_fast: f32,
    /// Frequencies of fewer turns than this are divided.
    pub beta_slow: f32,
    /// Whether the bounds between kept, blended and divided frequencies are whole numbers.
    pub truncate: bool,
    /// Factor of cosines and sines.
    pub attention_factor: f32,
}

impl RopeScaling {
    pub(super) fn read(
        keys: &Keys<'_>,
        table: &Keys<'_>,
        defaults: RopeDefaults,
        dim: usize,
        max_positions: usize,
    ) -> Result<Self, ModelError> {
        let kind = table
            .text("rope_type")?
            .or(table.text("type")?)
            .unwrap_or("default");
        let kind = match kind {
            "su" | "yarn" if defaults.only_longrope => "longrope",
            kind => kind,
        };
        let original = || -> Result<usize, ModelError> {
            const KEY: &str = "original_max_position_embeddings";
            let found = match keys.usize(KEY)?.or(defaults.original) {
                Some(outside) => outside,
                None => table.usize(KEY)?.unwrap_or(max_positions),
            };
            match found {
                0 => Err(keys.invalid(KEY, "it must be positive")),
                found => Ok(found),
            }
        };
        // Missing in the table, it is the growth of the context.
        let factor = |original: usize| match table.get("factor") {
            Some(_) => table.positive("factor"),
            None => Ok(max_positions as f32 / original as f32),
        };
        match kind {
            "default" => Ok(Self::Default),
            "linear" => Ok(Self::Linear {
                factor: table.positive("factor")?,
            }),
            "dynamic" => {
                if dim <= 2 {
                    return Err(keys.invalid("head_dim", "dynamic scaling needs two pairs"));
                }
                match table.positive("factor")? {
                    factor if factor >= 1.0 => Ok(Self::Dynamic { factor }),
                    factor => Err(table.invalid("factor", &format!("{factor} is below 1"))),
                }
            }
            "llama3" => Ok(Self::Llama3 {
                factor: table.positive("factor")?,
                low_freq_factor: table.positive("low_freq_factor")?,
                high_freq_factor: table.positive("high_freq_factor")?,
                original_max_positions: original()? as f32,
            }),
            "yarn" => {
                let original = original()?;
                Ok(Self::Yarn(Yarn::read(table, original, factor(original)?)?))
            }
            "longrope" => {
                let original = original()?;
                let factor = factor(original)?;
                let divisors = |name: &str| match table.numbers(name)? {
                    list if list.len() == dim / 2 && list.iter().all(|v| *v > 0.0) => Ok(list),
                    list => {
                        let problem =
                            format!("{} divisors, not {} positive ones", list.len(), dim / 2);
                        Err(table.invalid(name, &problem))
                    }
                };
                let attention_factor = match table.f32("attention_factor")? {
                    Some(given) => given,
                    None if factor <= 1.0 => 1.0,
                    None => (1.0 + f64::from(factor).ln() / (original as f64).ln()).sqrt() as f32,
                };
                Ok(Self::LongRope {
                    short: divisors("short_factor")?,
                    long: divisors("long_factor")?,
                    original,
                    attention_factor,
                })
            }
            other => Err(table.unsupported(
                "rope_type",
                &other.into(),
                "default, linear, dynamic, llama3, yarn and longrope are",
            )),
        }
    }

    /// Factor of cosines and sines.
    pub(super) fn attention_factor(&self) -> f32 {
        match self {
            Self::Yarn(yarn) => yarn.attention_factor,
            Self::LongRope {
                attention_factor, ..
            } => *attention_factor,
            _ => 1.0,
        }
    }

    /// Inverse frequencies for a sequence of `length` tokens.
    pub(super) fn frequencies(
        &self,
        theta: f32,
        dim: usize,
        max_positions: usize,
        length: usize,
    ) -> Vec<f32> {
        let power = |theta: f32, i: usize| theta.powf((2 * i) as f32 / dim as f32);
        let plain = (0..dim / 2).map(|i| 1.0 / power(theta, i));
        match self {
            Self::Default => plain.collect(),
            Self::Linear { factor } => plain.map(|f| f / factor).collect(),
            Self::Dynamic { factor } => {
                let (factor, dim) = (f64::from(*factor), dim as f64);
                let growth = length.max(max_positions) as f64 / max_positions as f64;
                let stretch = (factor * growth - (factor - 1.0)).powf(dim / (dim - 2.0));
                let theta = (f64::from(theta) * stretch) as f32;
                (0..plain.len()).map(|i| 1.0 / power(theta, i)).collect()
            }
            Self::Llama3 {
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
            Self::Yarn(yarn) => {
                let (low, high) = yarn.bounds(theta, dim);
                plain
                    .enumerate()
                    .map(|(i, f)| {
                        let divided = 1.0 / (yarn.factor * power(theta, i));
                        let kept = 1.0 - ((i as f32 - low) / (high - low)).clamp(0.0, 1.0);
                        divided * (1.0 - kept) + f * kept
                    })
                    .collect()
            }
            Self::LongRope {
                short,
                long,
                original,
                ..
            } => {
                let divisors = if length > *original { long } else { short };
                (0..dim / 2)
                    .zip(divisors)
                    .map(|(i, divisor)| 1.0 / (divisor * power(theta, i)))
                    .collect()
            }
        }
    }
}

impl Yarn {
    fn read(table: &Keys<'_>, original: usize, factor: f32) -> Result<Self, ModelError> {
        // Zero counts as missing, as in the reference implementation.
        let given = |name: &str| Ok::<_, ModelError>(table.f32(name)?.filter(|v| *v != 0.0));
        let sharpening = |scale: f32, weight: f32| match scale {
            scale if scale <= 1.0 => 1.0,
            scale => 0.1 * f64::from(weight) * f64::from(scale).ln() + 1.0,
        };
        let attention_factor = match table.f32("attention_factor")? {
            Some(given) => given,
            None => match (given("mscale")?, given("mscale_all_dim")?) {
                (Some(a), Some(b)) => (sharpening(factor, a) / sharpening(factor, b)) as f32,
                _ => sharpening(factor, 1.0) as f32,
            },
        };
        Ok(Self {
            factor,
            original,
            beta_fast: given("beta_fast")?.unwrap_or(32.0),
            beta_slow: given("beta_slow")?.unwrap_or(1.0),
            truncate: table.switch("truncate")?.unwrap_or(true),
            attention_factor,
        })
    }

    /// The pairs between which frequencies are blended.
    fn bounds(&self, theta: f32, dim: usize) -> (f32, f32) {
        let dim = dim as f64;
        let pair = |turns: f32| {
            dim * (self.original as f64 / (f64::from(turns) * 2.0 * PI)).ln()
                / (2.0 * f64::from(theta).ln())
        };
        let (mut low, mut high) = (pair(self.beta_fast), pair(self.beta_slow));
        if self.truncate {
            (low, high) = (low.floor(), high.ceil());
        }
        let (low, mut high) = (low.max(0.0), high.min(dim - 1.0));
        if (high - low).abs() < f64::EPSILON {
            // As the reference implementation avoids dividing by zero.
            high += 0.001;
        }
        (low as f32, high as f32)
    }
}
