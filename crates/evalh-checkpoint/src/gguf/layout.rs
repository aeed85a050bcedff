//! Where each Hugging Face tensor lies in a GGUF file, and what of the converter's doing is undone as it is read.

use super::{BlockType, coded::CodedRows, header::Tensor, model::Model};
use crate::{CodedTensor, TensorInfo};
use rayon::prelude::*;
use std::ops::Range;

/// Values that one thread converts at a time: enough to pay for handing it over, few enough to share a layer.
const VALUES_A_TASK: usize = 1 << 16;

/// A tensor, or rows of one, under a Hugging Face name.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// As it is stored, outermost first.
    pub(super) shape: Vec<usize>,
    pub(super) block: BlockType,
    part: usize,
    data: Range<usize>,
    order: RowOrder,
    change: Change,
}

/// What is done to values once they are in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Nothing,
    /// The matrix is transposed.
    Transpose,
    /// One is taken off each value.
    MinusOne,
}

/// How the rows of a matrix (or the values of its bias) are ordered in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowOrder {
    AsIs,
    /// Within each head of this many rows, the two halves that rotate together are interleaved: row `2k + j` of the
    /// file is row `j * rows / 2 + k` of Hugging Face. llama.cpp's converter does this (`LlamaModel.permute`).
    Interleaved {
        head_rows: usize,
    },
    /// First the queries of all heads, then their keys, then their values, where Hugging Face has all three of each
    /// head together (`GPTNeoXModel.modify_tensors`).
    ByKind {
        heads: usize,
        head_rows: usize,
    },
}

impl RowOrder {
    /// The row of the file that holds a row of Hugging Face's order.
    pub(super) fn stored(self, row: usize) -> usize {
        match self {
            Self::AsIs => row,
            Self::Interleaved { head_rows } => {
                let (head, within) = (row / head_rows, row % head_rows);
                let (half, k) = (within / (head_rows / 2), within % (head_rows / 2));
                head * head_rows + 2 * k + half
            }
            Self::ByKind { heads, head_rows } => {
                let (head, within) = (row / (3 * head_rows), row % (3 * head_rows));
                let (kind, k) = (within / head_rows, within % head_rows);
                (kind * heads + head) * head_rows + k
            }
        }
    }
}

impl Layout {
    pub(super) fn of(tensor: &Tensor) -> Self {
        Self {
            shape: tensor.extents.iter().rev().copied().collect(),
            block: tensor.block,
            part: tensor.part,
            data: tensor.data.clone(),
            order: RowOrder::AsIs,
            change: Change::Nothing,
        }
    }

    pub(super) fn ordered(self, order: RowOrder) -> Self {
        Self { order, ..self }
    }

    pub(super) fn changed(self, change: Change) -> Self {
        Self { change, ..self }
    }

    /// Rows `from` to `from + count`, which must be within the tensor and of whole blocks.
    pub(super) fn rows(&self, from: usize, count: usize) -> Self {
        let bytes = self.data.len() / self.shape[0];
        let start = self.data.start + from * bytes;
        let mut part = self.clone();
        part.shape[0] = count;
        part.data = start..start + count * bytes;
        part
    }

    /// The `i`th of the tensors of a shape that are stacked in this one.
    pub(super) fn slice(&self, i: usize, shape: Vec<usize>) -> Self {
        let data = self.rows(i, 1).data;
        Self {
            shape,
            data,
            ..self.clone()
        }
    }

    pub(super) fn info(&self) -> TensorInfo {
        let mut shape = self.shape.clone();
        if self.change == Change::Transpose {
            shape.reverse();
        }
        TensorInfo {
            shape,
            dtype: self.block.dtype(),
        }
    }

    pub(super) fn byte_len(&self) -> usize {
        self.data.len()
    }

    /// All values, in Hugging Face's order.
    pub(super) fn read(&self, model: &Model) -> Vec<f32> {
        let out = self.values(&model.part(self.part)[self.data.clone()]);
        model.release(self.part, self.data.clone());
        out
    }

    /// All codes, in Hugging Face's order: of matrices whose values are what is stored.
    pub(super) fn read_codes(&self, model: &Model) -> Option<CodedTensor> {
        let [rows, columns] = self.shape[..] else {
            return None;
        };
        if self.change != Change::Nothing {
            return None;
        }
        let coded = CodedRows {
            data: &model.part(self.part)[self.data.clone()],
            rows,
            columns,
            block: self.block,
            order: self.order,
        }
        .read()?;
        model.release(self.part, self.data.clone());
        Some(coded)
    }

    fn values(&self, data: &[u8]) -> Vec<f32> {
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
        match (self.change, self.shape.as_slice()) {
            (Change::Transpose, [rows, columns]) => return transposed(&out, *rows, *columns),
            (Change::MinusOne, _) => out.iter_mut().for_each(|value| *value -= 1.0),
            _ => {}
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

/// A row-major matrix with its columns as rows.
fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut out = vec![0.0; values.len()];
    out.par_chunks_mut(rows)
        .enumerate()
        .for_each(|(column, out)| {
            for (row, value) in out.iter_mut().enumerate() {
                *value = values[row * columns + column];
            }
        });
    out
}
