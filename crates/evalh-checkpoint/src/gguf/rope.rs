//! Rotary scaling of a GGUF file as Hugging Face's `rope_scaling`.

use super::{BlockType, FormatError, facts::Facts};
use serde_json::{Value, json};
use std::f64::consts::TAU;

/// The tensor in which llama.cpp's converter stores Llama 3's scaling: what each frequency is divided by.
pub(super) const FACTORS: &str = "rope_freqs.weight";
/// The same for Phi-3's long contexts: texts that fit the original context, and longer ones.
pub(super) const SHORT_FACTORS: &str = "rope_factors_short.weight";
pub(super) const LONG_FACTORS: &str = "rope_factors_long.weight";

/// Low and high frequency factor, which every published model of Llama 3's scaling shares.
const LLAMA3: (f64, f64) = (1.0, 4.0);
/// Original contexts that are tried: first that of every published Llama 3.1, 3.2 and 3.3.
const ORIGINALS: [u64; 15] = [
    8192, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 16_384, 32_768, 65_536, 131_072, 262_144,
];

/// The shape of a model's rotary embedding.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rotary {
    /// Rotated values a head.
    pub(super) dimensions: u64,
    /// The base of the frequencies.
    pub(super) theta: f64,
    /// The longest sequence.
    pub(super) positions: u64,
}

/// `rope_scaling`, or null where the frequencies are the plain ones.
///
/// A `rope_freqs.weight` tensor becomes Llama 3's parameters where such parameters reproduce it, and otherwise
/// `longrope` with the same factors for every length and an attention factor of 1, which divides each frequency by
/// exactly the factor that the file gives.
pub(super) fn scaling(facts: &Facts<'_>, rotary: Rotary) -> Result<Value, FormatError> {
    let from_metadata = from_metadata(facts, rotary)?;
    match (factors(facts, FACTORS, rotary)?, from_metadata) {
        (None, scaling) => Ok(scaling),
        (Some(factors), Value::Null) => Ok(from_factors(&factors, rotary)),
        (Some(_), _) => Err(together(FACTORS)),
    }
}

/// `rope_scaling` of Phi-3: `longrope` where the file has factors for it.
///
/// The attention factor is left out where it is the one that transformers computes from the two context lengths.
pub(super) fn long(facts: &Facts<'_>, rotary: Rotary, original: u64) -> Result<Value, FormatError> {
    let short = factors(facts, SHORT_FACTORS, rotary)?;
    let long = factors(facts, LONG_FACTORS, rotary)?;
    let (short, long) = match (short, long) {
        (None, None) => return scaling(facts, rotary),
        (Some(short), Some(long)) => (short, long),
        (Some(_), None) => return Err(FormatError::missing(LONG_FACTORS)),
        (None, Some(_)) => return Err(FormatError::missing(SHORT_FACTORS)),
    };
    match facts.string("rope.scaling.type")? {
        None | Some("longrope") => {}
        Some(_) => return Err(together(LONG_FACTORS)),
    }
    let mut scaling = json!({
        "rope_type": "longrope",
        "short_factor": short,
        "long_factor": long,
    });
    if let Some(stated) = facts.float("rope.scaling.attn_factor")? {
        let growth = rotary.positions as f64 / original as f64;
        let computed = if growth > 1.0 {
            (1.0 + growth.ln() / (original as f64).ln()).sqrt()
        } else {
            1.0
        };
        // The file has single precision.
        if (stated - computed).abs() > 1e-6 * computed {
            scaling["attention_factor"] = json!(stated);
        }
    }
    Ok(scaling)
}

fn together(field: &str) -> FormatError {
    FormatError::unsupported(
        field,
        "given together with another scaling".to_owned(),
        "either alone is".to_owned(),
    )
}

fn from_metadata(facts: &Facts<'_>, rotary: Rotary) -> Result<Value, FormatError> {
    let kind = facts.string("rope.scaling.type")?;
    let factor = facts.float("rope.scaling.factor")?;
    let legacy = facts.float("rope.scale_linear")?;
    let original = facts.optional("rope.scaling.original_context_length")?;
    match (kind, factor, legacy) {
        (None | Some("none"), None, None) => Ok(Value::Null),
        (Some("linear"), Some(factor), None) | (None, None, Some(factor)) => {
            Ok(json!({ "rope_type": "linear", "factor": factor }))
        }
        (Some("yarn"), Some(factor), None) => {
            let original = original.unwrap_or(rotary.positions);
            yarn(facts, factor, original)
        }
        (kind, factor, legacy) => Err(FormatError::unsupported(
            &facts.key("rope.scaling"),
            format!("type {kind:?}, factor {factor:?}, scale_linear {legacy:?}"),
            "linear or yarn with a factor are".to_owned(),
        )),
    }
}

fn yarn(facts: &Facts<'_>, factor: f64, original: u64) -> Result<Value, FormatError> {
    const EXTRAPOLATION: &str = "rope.scaling.yarn_ext_factor";
    let mut scaling = json!({
        "rope_type": "yarn",
        "factor": factor,
        "original_max_position_embeddings": original,
    });
    for (key, name) in [
        ("rope.scaling.yarn_attn_factor", "attention_factor"),
        ("rope.scaling.yarn_beta_fast", "beta_fast"),
        ("rope.scaling.yarn_beta_slow", "beta_slow"),
    ] {
        if let Some(value) = facts.float(key)? {
            scaling[name] = json!(value);
        }
    }
    match facts.float(EXTRAPOLATION)? {
        Some(mix) if (mix - 1.0).abs() > f64::EPSILON => Err(FormatError::unsupported(
            &facts.key(EXTRAPOLATION),
            mix.to_string(),
            "1 is, as transformers has it".to_owned(),
        )),
        _ => Ok(scaling),
    }
}

fn factors(facts: &Facts<'_>, name: &str, rotary: Rotary) -> Result<Option<Vec<f32>>, FormatError> {
    let Some(tensor) = facts.model.tensor(name) else {
        return Ok(None);
    };
    if tensor.block != BlockType::F32 || tensor.extents != [(rotary.dimensions / 2) as usize] {
        return Err(FormatError::new(
            name,
            format!(
                "is {} of extents {:?}, not F32 of one factor for each of {} frequencies",
                tensor.block.name(),
                tensor.extents,
                rotary.dimensions / 2
            ),
        ));
    }
    let factors = facts.model.values(tensor);
    if factors
        .iter()
        .any(|factor| !factor.is_normal() || *factor < 0.0)
    {
        return Err(FormatError::new(
            name,
            "has a factor that is not a positive number".to_owned(),
        ));
    }
    Ok(Some(factors))
}

fn from_factors(factors: &[f32], rotary: Rotary) -> Value {
    let (low, high) = LLAMA3;
    let factor = f64::from(factors.iter().copied().fold(1.0, f32::max));
    let reproduced = |original: &u64| {
        (0..factors.len()).all(|i| {
            let wavelength = TAU * rotary.theta.powf(2.0 * i as f64 / rotary.dimensions as f64);
            let expected = llama3_factor(wavelength, factor, *original);
            (f64::from(factors[i]) - expected).abs() <= 1e-5 * expected
        })
    };
    if let Some(original) = ORIGINALS.into_iter().find(reproduced) {
        json!({
            "rope_type": "llama3",
            "factor": factor,
            "low_freq_factor": low,
            "high_freq_factor": high,
            "original_max_position_embeddings": original,
        })
    } else {
        json!({
            "rope_type": "longrope",
            "short_factor": factors,
            "long_factor": factors,
            "attention_factor": 1.0,
            "original_max_position_embeddings": rotary.positions,
        })
    }
}

/// What Llama 3's scaling divides the frequency of a wavelength by (transformers' `_compute_llama3_parameters`).
fn llama3_factor(wavelength: f64, factor: f64, original: u64) -> f64 {
    let (low, high) = LLAMA3;
    let original = original as f64;
    if wavelength < original / high {
        1.0
    } else if wavelength > original / low {
        factor
    } else {
        let smooth = (original / wavelength - low) / (high - low);
        1.0 / ((1.0 - smooth) / factor + smooth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LLAMA_3_2: Rotary = Rotary {
        dimensions: 64,
        theta: 500_000.0,
        positions: 131_072,
    };

    fn llama3_factors(rotary: Rotary, factor: f64) -> Vec<f32> {
        (0..rotary.dimensions / 2)
            .map(|i| TAU * rotary.theta.powf(2.0 * i as f64 / rotary.dimensions as f64))
            .map(|wavelength| llama3_factor(wavelength, factor, 8192) as f32)
            .collect()
    }

    #[test]
    fn factors_of_a_published_llama_3_become_its_parameters() {
        let scaling = from_factors(&llama3_factors(LLAMA_3_2, 32.0), LLAMA_3_2);
        assert_eq!(scaling["rope_type"], "llama3");
        assert_eq!(scaling["factor"], 32.0);
        assert_eq!(scaling["original_max_position_embeddings"], 8192);
    }

    #[test]
    fn other_factors_are_handed_on_one_by_one() {
        let mut factors = llama3_factors(LLAMA_3_2, 32.0);
        factors[20] *= 1.001;
        let scaling = from_factors(&factors, LLAMA_3_2);
        assert_eq!(scaling["rope_type"], "longrope");
        assert_eq!(scaling["long_factor"], json!(factors));
        assert_eq!(scaling["attention_factor"], 1.0);
    }
}
