//! Weights that bitsandbytes has quantised, each with the tensors that belong to it.
//!
//! 4 bits (`QuantState.as_dict(packed=True)`): `NAME` packed, `NAME.absmax`, `NAME.quant_map`,
//! `NAME.quant_state.bitsandbytes__nf4` (or `fp4`), and where the scales are quantised too `NAME.nested_absmax` and
//! `NAME.nested_quant_map`. 8 bits (`Linear8bitLt`): `MODULE.weight`, `MODULE.SCB`, and mostly `MODULE.weight_format`.

mod agreement;
mod part;

use super::shards::Shards;
use crate::{
    CheckpointError, StoredDtype, TensorInfo,
    bitsandbytes::{FourBit, Nested, QuantState, int8_values},
    tensors::TensorFile,
};
pub(super) use agreement::check;
use part::{f32s, part};
use safetensors::Dtype;
use std::collections::HashMap;

const STATE: &str = ".quant_state.bitsandbytes__";
const SCALES: &str = ".SCB";

/// How far a file's code book may be from bitsandbytes' own, which its kernels use whatever the file says.
const MAP_TOLERANCE: f32 = 1e-6;

/// One quantised weight.
#[derive(Debug)]
pub(super) enum Quantised {
    FourBit {
        state: QuantState,
        /// The full name of the tensor that holds the state.
        state_name: String,
    },
    Int8 {
        rows: usize,
        columns: usize,
        has_format: bool,
    },
}

impl Quantised {
    /// Every quantised weight by its name, all parts checked against each other.
    pub(super) fn find_all(shards: &Shards) -> Result<HashMap<String, Self>, CheckpointError> {
        let mut found = HashMap::new();
        for name in shards.files().iter().flat_map(TensorFile::names) {
            if let Some((weight, _)) = name.split_once(STATE) {
                if found
                    .insert(weight.to_owned(), Self::four_bit(weight, name, shards)?)
                    .is_some()
                {
                    return Err(part(shards, weight, name)?
                        .malformed("is a second quant_state of its weight"));
                }
            } else if let Some(module) = name.strip_suffix(SCALES) {
                let weight = format!("{module}.weight");
                let quantised = Self::int8(&weight, module, shards)?;
                found.insert(weight, quantised);
            }
        }
        Ok(found)
    }

    fn four_bit(weight: &str, state_name: &str, shards: &Shards) -> Result<Self, CheckpointError> {
        let text = part(shards, weight, state_name)?;
        text.expect(Dtype::U8, None)?;
        let state = QuantState::parse(text.bytes).map_err(|problem| text.malformed(problem))?;
        if state_name.strip_prefix(weight) != Some(&format!("{STATE}{}", state.book.name())) {
            return Err(text.malformed(format!("has the quant_type {:?}", state.book.name())));
        }
        let packed = part(shards, weight, weight)?;
        let bytes = state.elements.div_ceil(2);
        if packed.bytes.len() != bytes {
            return Err(packed.malformed(format!(
                "has {} bytes, but {bytes} pack the shape {:?} of its quant_state",
                packed.bytes.len(),
                state.shape
            )));
        }
        let map = part(shards, weight, &format!("{weight}.quant_map"))?;
        map.expect(Dtype::F32, Some(16))?;
        if !f32s(map.bytes)
            .zip(state.book.values())
            .all(|(found, own)| (found - own).abs() <= MAP_TOLERANCE)
        {
            return Err(map.malformed(format!(
                "is not the code book of {}, which bitsandbytes would use all the same",
                state.book.name()
            )));
        }
        let absmax = part(shards, weight, &format!("{weight}.absmax"))?;
        match &state.nested {
            None => absmax.expect(Dtype::F32, Some(state.blocks()))?,
            Some(nested) => {
                absmax.expect(Dtype::U8, Some(state.blocks()))?;
                part(shards, weight, &format!("{weight}.nested_absmax"))?
                    .expect(Dtype::F32, Some(state.blocks().div_ceil(nested.block)))?;
                part(shards, weight, &format!("{weight}.nested_quant_map"))?
                    .expect(Dtype::F32, Some(256))?;
            }
        }
        Ok(Self::FourBit {
            state,
            state_name: state_name.to_owned(),
        })
    }

    fn int8(weight: &str, module: &str, shards: &Shards) -> Result<Self, CheckpointError> {
        let codes = part(shards, weight, weight)?;
        codes.expect(Dtype::I8, None)?;
        let [rows, columns] = codes.tensor.shape[..] else {
            return Err(
                codes.malformed(format!("has the shape {:?}, no matrix", codes.tensor.shape))
            );
        };
        part(shards, weight, &format!("{module}{SCALES}"))?.expect(Dtype::F32, Some(rows))?;
        let format_name = format!("{module}.weight_format");
        let has_format = shards.find(&format_name).is_some();
        if has_format {
            let format = part(shards, weight, &format_name)?;
            format.expect(Dtype::U8, Some(1))?;
            let layout = ["row", "col32", "col_turing", "col_ampere"];
            match format.bytes {
                [0] => {}
                other => {
                    return Err(CheckpointError::Unsupported {
                        path: format.file.path().to_owned(),
                        field: format_name,
                        found: other
                            .first()
                            .and_then(|code| layout.get(usize::from(*code)))
                            .map_or_else(|| format!("{other:?}"), |name| (*name).to_owned()),
                        supported: "row is; save the model with a bitsandbytes of 0.45 or later"
                            .to_owned(),
                    });
                }
            }
        }
        Ok(Self::Int8 {
            rows,
            columns,
            has_format,
        })
    }

    /// Logical shape and storage.
    pub(super) fn info(&self) -> TensorInfo {
        match self {
            Self::FourBit { state, .. } => TensorInfo {
                shape: state.shape.clone(),
                dtype: state.book.stored(state.nested.is_some()),
            },
            Self::Int8 { rows, columns, .. } => TensorInfo {
                shape: vec![*rows, *columns],
                dtype: StoredDtype::Int8,
            },
        }
    }

    /// The names of all tensors that make up the weight.
    pub(super) fn parts(&self, weight: &str) -> Vec<String> {
        match self {
            Self::FourBit { state, state_name } => {
                let suffixes: &[&str] = if state.nested.is_some() {
                    &[
                        "",
                        ".absmax",
                        ".quant_map",
                        ".nested_absmax",
                        ".nested_quant_map",
                    ]
                } else {
                    &["", ".absmax", ".quant_map"]
                };
                suffixes
                    .iter()
                    .map(|suffix| format!("{weight}{suffix}"))
                    .chain([state_name.clone()])
                    .collect()
            }
            Self::Int8 { has_format, .. } => {
                let module = weight.strip_suffix(".weight").unwrap_or(weight);
                let mut parts = vec![weight.to_owned(), format!("{module}{SCALES}")];
                parts.extend(has_format.then(|| format!("{module}.weight_format")));
                parts
            }
        }
    }

    /// The bytes that the weight and what belongs to it take up.
    pub(super) fn bytes(&self, weight: &str, shards: &Shards) -> usize {
        self.parts(weight)
            .iter()
            .filter_map(|name| shards.find(name))
            .map(|(_, tensor)| tensor.data.len())
            .sum()
    }

    /// The dequantised values, row-major.
    pub(super) fn values(
        &self,
        weight: &str,
        shards: &Shards,
    ) -> Result<Vec<f32>, CheckpointError> {
        let bytes = |name: &str| part(shards, weight, name).map(|part| part.bytes);
        let of = |suffix: &str| bytes(&format!("{weight}{suffix}"));
        match self {
            Self::Int8 { columns, .. } => {
                let module = weight.strip_suffix(".weight").unwrap_or(weight);
                let scales: Vec<f32> = f32s(bytes(&format!("{module}{SCALES}"))?).collect();
                Ok(int8_values(bytes(weight)?, &scales, *columns))
            }
            Self::FourBit { state, .. } => {
                let absmax = match &state.nested {
                    None => f32s(of(".absmax")?).collect(),
                    Some(nested) => {
                        let mut map = [0.0; 256];
                        map.iter_mut()
                            .zip(f32s(of(".nested_quant_map")?))
                            .for_each(|(to, from)| *to = from);
                        Nested {
                            codes: of(".absmax")?,
                            map: &map,
                            absmax: &f32s(of(".nested_absmax")?).collect::<Vec<_>>(),
                            block: nested.block,
                            offset: nested.offset,
                        }
                        .values()
                    }
                };
                Ok(FourBit {
                    codes: of("")?,
                    book: state.book,
                    absmax: &absmax,
                    block: state.block,
                    dtype: state.dtype,
                }
                .values(state.elements))
            }
        }
    }
}
