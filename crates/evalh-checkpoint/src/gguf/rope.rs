//! Rotary scaling of a GGUF file as Hugging Face's `rope_scaling`.

use super::{BlockType, FormatError, header::Header};
use serde_json::{Value, json};
use std::f64::consts::TAU;

/// The tensor in which llama.cpp's converter stores Llama 3's scaling: what each frequency is divided by.
pub(super) const FACTORS: &str = "rope_freqs.weight";

/// Parameters that every published Llama 3.1, 3.2 and 3.3 shares: low and high frequency factor, original context.
const LLAMA3: (f64, f64, u64) = (1.0, 4.0, 8192);

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
/// A `rope_freqs.weight` tensor becomes Llama 3's parameters where those of the published models reproduce it, and
/// otherwise `longrope` with the same factors for every length and an attention factor of 1, which divides each
/// frequency by exactly the factor that the file gives.
pub(super) fn scaling(
    header: &Header,
    file: &[u8],
    architecture: &str,
    rotary: Rotary,
) -> Result<Value, FormatError> {
    let key = |name: &str| format!("{architecture}.rope.{name}");
    let kind = header.string(&key("scaling.type"))?;
    let factor = header.float(&key("scaling.factor"))?;
    let legacy = header.float(&key("scale_linear"))?;
    let from_metadata = match (kind, factor, legacy) {
        (None | Some("none"), None, None) => Value::Null,
        (Some("linear"), Some(factor), None) | (None, None, Some(factor)) => {
            json!({ "rope_type": "linear", "factor": factor })
        }
        (Some("yarn"), Some(factor), None) => {
            let original = header.unsigned(&key("scaling.original_context_length"))?;
            json!({
                "rope_type": "yarn",
                "factor": factor,
                "original_max_position_embeddings": original.unwrap_or(rotary.positions),
            })
        }
        (kind, factor, legacy) => {
            return Err(FormatError::unsupported(
                &key("scaling"),
                format!("type {kind:?}, factor {factor:?}, scale_linear {legacy:?}"),
                "linear or yarn with a factor are".to_owned(),
            ));
        }
    };
    match (factors(header, file, rotary)?, from_metadata) {
        (None, scaling) => Ok(scaling),
        (Some(factors), Value::Null) => Ok(from_factors(&factors, rotary)),
        (Some(_), _) => Err(FormatError::unsupported(
            FACTORS,
            "given together with another scaling".to_owned(),
            "either alone is".to_owned(),
        )),
    }
}

fn factors(header: &Header, file: &[u8], rotary: Rotary) -> Result<Option<Vec<f32>>, FormatError> {
    let Some(tensor) = header
        .tensors()
        .iter()
        .find(|tensor| tensor.name == FACTORS)
    else {
        return Ok(None);
    };
    if tensor.block != BlockType::F32 || tensor.extents != [(rotary.dimensions / 2) as usize] {
        return Err(FormatError::new(
            FACTORS,
            format!(
                "is {} of extents {:?}, not F32 of one factor for each of {} frequencies",
                tensor.block.name(),
                tensor.extents,
                rotary.dimensions / 2
            ),
        ));
    }
    let mut factors = vec![0.0; tensor.extents[0]];
    tensor
        .block
        .dequantise(&file[tensor.data.clone()], &mut factors);
    if factors
        .iter()
        .any(|factor| !factor.is_normal() || *factor < 0.0)
    {
        return Err(FormatError::new(
            FACTORS,
            "has a factor that is not a positive number".to_owned(),
        ));
    }
    Ok(Some(factors))
}

fn from_factors(factors: &[f32], rotary: Rotary) -> Value {
    let (low, high, original) = LLAMA3;
    let factor = f64::from(factors.iter().copied().fold(1.0, f32::max));
    let reproduced = (0..factors.len()).all(|i| {
        let wavelength = TAU * rotary.theta.powf(2.0 * i as f64 / rotary.dimensions as f64);
        let expected = llama3_factor(wavelength, factor);
        (f64::from(factors[i]) - expected).abs() <= 1e-5 * expected
    });
    if reproduced {
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
fn llama3_factor(wavelength: f64, factor: f64) -> f64 {
    let (low, high, original) = LLAMA3;
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
            .map(|wavelength| llama3_factor(wavelength, factor) as f32)
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
