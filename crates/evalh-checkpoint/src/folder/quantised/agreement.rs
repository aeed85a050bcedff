//! Whether `config.json` and the weight files say the same.

use super::Quantised;
use crate::{CheckpointError, folder::quantization_config::QuantizationConfig};
use std::{collections::HashMap, path::Path};

/// Compares what the config says with what the files hold.
pub(in crate::folder) fn check(
    config: Option<&QuantizationConfig>,
    quantised: &HashMap<String, Quantised>,
    path: &Path,
) -> Result<(), CheckpointError> {
    let mut names: Vec<_> = quantised.iter().collect();
    names.sort_by_key(|(name, _)| *name);
    let disagreement = match config {
        None => names.first().map(|(name, weight)| {
            let found = weight.info().dtype;
            (String::new(), format!("is missing, but {name} is {found}"))
        }),
        Some(_) if names.is_empty() => Some((
            ".quant_method".to_owned(),
            "is bitsandbytes, but no weight is quantised".to_owned(),
        )),
        Some(config) => names.iter().find_map(|(name, weight)| {
            let (field, found) = denial(weight, config)?;
            let dtype = weight.info().dtype;
            Some((
                format!(".{field}"),
                format!("is {found}, but {name} is {dtype}"),
            ))
        }),
    };
    disagreement.map_or(Ok(()), |(field, problem)| {
        Err(CheckpointError::Malformed {
            path: path.to_owned(),
            field: format!("quantization_config{field}"),
            problem,
            remedy: "fetch config.json again, or save the model anew",
        })
    })
}

/// The field of the config that says otherwise, and what it says.
fn denial(weight: &Quantised, config: &QuantizationConfig) -> Option<(&'static str, &'static str)> {
    match weight {
        Quantised::Int8 { .. } => (!config.eight_bit).then_some(("load_in_8bit", "not true")),
        Quantised::FourBit { .. } if !config.four_bit => Some(("load_in_4bit", "not true")),
        Quantised::FourBit { state, .. } => {
            let other = |given: bool| given.then_some("another");
            let book = config
                .quant_type
                .as_deref()
                .is_some_and(|name| name != state.book.name());
            let double = config
                .double
                .is_some_and(|double| double != state.nested.is_some());
            other(book)
                .map(|found| ("bnb_4bit_quant_type", found))
                .or_else(|| other(double).map(|found| ("bnb_4bit_use_double_quant", found)))
        }
    }
}
