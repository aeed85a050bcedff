//! Where each Hugging Face tensor lies in a GGUF file, and how its rows are ordered.

use super::{
    BlockType, FormatError,
    family::Family,
    header::{Header, Tensor},
    rope,
};
use crate::TensorInfo;
use rayon::prelude::*;
use std::ops::Range;

/// Values that one thread converts at a time: enough to pay for handing it over, few enough to share a layer.
const VALUES_A_TASK: usize = 1 << 16;

/// A tensor of the file under its Hugging Face name.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    shape: Vec<usize>,
    block: BlockType,
    data: Range<usize>,
    order: RowOrder,
}

/// How the rows of a matrix (or the values of its bias) are ordered in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RowOrder {
    AsIs,
    /// Within each head of this many rows, the two halves that rotate together are interleaved: row `2k + j` of the
    /// file is row `j * rows / 2 + k` of Hugging Face. llama.cpp's converter does this (`LlamaModel.permute`).
    Interleaved {
        head_rows: usize,
    },
}

impl RowOrder {
    /// The row of the file that holds a row of Hugging Face's order.
    fn stored(self, row: usize) -> usize {
        match self {
            Self::AsIs => row,
            Self::Interleaved { head_rows } => {
                let (head, within) = (row / head_rows, row % head_rows);
                let (half, k) = (within / (head_rows / 2), within % (head_rows / 2));
                head * head_rows + 2 * k + half
            }
        }
    }
}

/// Every tensor that is a parameter, in the file's order.
pub(super) fn all(
    header: &Header,
    family: &Family,
    config: &serde_json::Value,
) -> Result<Vec<(String, Layout)>, FormatError> {
    header
        .tensors()
        .iter()
        // Becomes part of the config.
        .filter(|tensor| tensor.name != rope::FACTORS)
        .map(|tensor| {
            let name = family.hugging_face_name(&tensor.name).ok_or_else(|| {
                FormatError::unsupported(
                    &tensor.name,
                    "a tensor".to_owned(),
                    format!(
                        "models of architecture {} have none of that name",
                        family.architecture
                    ),
                )
            })?;
            let layout = Layout::new(tensor, row_order(tensor, &name, family, config)?);
            Ok((name, layout))
        })
        .collect()
}

fn row_order(
    tensor: &Tensor,
    name: &str,
    family: &Family,
    config: &serde_json::Value,
) -> Result<RowOrder, FormatError> {
    let heads_key = if name.contains(".self_attn.q_proj.") {
        "num_attention_heads"
    } else if name.contains(".self_attn.k_proj.") {
        "num_key_value_heads"
    } else {
        return Ok(RowOrder::AsIs);
    };
    if !family.interleaved_rotary {
        return Ok(RowOrder::AsIs);
    }
    let heads = config[heads_key].as_u64().unwrap_or(0) as usize;
    let rows = tensor.extents.get(1).copied().unwrap_or(tensor.extents[0]);
    if heads == 0 || tensor.extents.len() > 2 || rows % (2 * heads) != 0 {
        return Err(FormatError::new(
            &tensor.name,
            format!(
                "has extents {:?}, which do not divide into {heads} heads of an even number of rows",
                tensor.extents
            ),
        ));
    }
    Ok(RowOrder::Interleaved {
        head_rows: rows / heads,
    })
}

impl Layout {
    fn new(tensor: &Tensor, order: RowOrder) -> Self {
        Self {
            shape: tensor.extents.iter().rev().copied().collect(),
            block: tensor.block,
            data: tensor.data.clone(),
            order,
        }
    }

    pub(super) fn info(&self) -> TensorInfo {
        TensorInfo {
            shape: self.shape.clone(),
            dtype: self.block.dtype(),
        }
    }

    pub(super) fn byte_len(&self) -> usize {
        self.data.len()
    }

    /// All values, in Hugging Face's order, from the bytes of the file.
    pub(super) fn read(&self, file: &[u8]) -> Vec<f32> {
        let data = &file[self.data.clone()];
        let mut out = vec![0.0; self.shape.iter().product()];
        match (self.order, self.shape.as_slice()) {
            (RowOrder::AsIs, _) => self.read_in_order(data, &mut out),
            (order, [_, row_len]) => self.read_rows(data, *row_len, order, &mut out),
            (order, _) => {
                let mut stored = vec![0.0; out.len()];
                self.block.dequantise(data, &mut stored);
                for (row, value) in out.iter_mut().enumerate() {
                    *value = stored[order.stored(row)];
                }
            }
        }
        out
    }

    fn read_in_order(&self, data: &[u8], out: &mut [f32]) {
        let blocks = VALUES_A_TASK / self.block.len();
        out.par_chunks_mut(blocks * self.block.len())
            .zip(data.par_chunks(blocks * self.block.bytes()))
            .for_each(|(out, data)| self.block.dequantise(data, out));
    }

    fn read_rows(&self, data: &[u8], row_len: usize, order: RowOrder, out: &mut [f32]) {
        let row_bytes = row_len / self.block.len() * self.block.bytes();
        let rows_a_task = (VALUES_A_TASK / row_len).max(1);
        out.par_chunks_mut(rows_a_task * row_len)
            .enumerate()
            .for_each(|(task, out)| {
                for (i, out) in out.chunks_mut(row_len).enumerate() {
                    let stored = order.stored(task * rows_a_task + i);
                    self.block
                        .dequantise(&data[stored * row_bytes..][..row_bytes], out);
                }
            });
    }
}
