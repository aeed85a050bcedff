//! Where each Hugging Face tensor lies in a GGUF file, and what of the converter's doing is undone as it is read.

use super::{
    BlockType, FormatError,
    facts::Facts,
    family::{Family, Form, Row},
    header::Tensor,
    model::Model,
    rope,
};
use crate::TensorInfo;
use rayon::prelude::*;
use std::{collections::HashSet, ops::Range};

/// Values that one thread converts at a time: enough to pay for handing it over, few enough to share a layer.
const VALUES_A_TASK: usize = 1 << 16;

/// Tensors that become part of the config.
const IN_CONFIG: &[&str] = &[rope::FACTORS, rope::SHORT_FACTORS, rope::LONG_FACTORS];

/// A tensor, or rows of one, under a Hugging Face name.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// As it is stored, outermost first.
    shape: Vec<usize>,
    block: BlockType,
    part: usize,
    data: Range<usize>,
    order: RowOrder,
    change: Change,
}

/// What is done to values once they are in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Nothing,
    /// The matrix is transposed.
    Transpose,
    /// One is taken off each value.
    MinusOne,
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
    /// First the queries of all heads, then their keys, then their values, where Hugging Face has all three of each
    /// head together (`GPTNeoXModel.modify_tensors`).
    ByKind {
        heads: usize,
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
            Self::ByKind { heads, head_rows } => {
                let (head, within) = (row / (3 * head_rows), row % (3 * head_rows));
                let (kind, k) = (within / head_rows, within % head_rows);
                (kind * heads + head) * head_rows + k
            }
        }
    }
}

/// Every tensor that is a parameter, in the file's order.
pub(super) fn all(
    facts: &Facts<'_>,
    family: &Family,
) -> Result<Vec<(String, Layout)>, FormatError> {
    let mut found = Vec::new();
    for tensor in facts.model.header.tensors() {
        if !IN_CONFIG.contains(&tensor.name.as_str()) {
            Entry::of(tensor, facts, family)?.spread(&mut found)?;
        }
    }
    let mut names = HashSet::with_capacity(found.len());
    for (name, _) in &found {
        if !names.insert(name.as_str()) {
            return Err(FormatError::new(
                name,
                "is in the file twice, by itself and as part of another tensor".to_owned(),
            ));
        }
    }
    Ok(found)
}

/// A tensor of the file and what its name says.
struct Entry<'a> {
    tensor: &'a Tensor,
    facts: &'a Facts<'a>,
    family: &'a Family,
    /// What Hugging Face's names begin with: empty, or the layer with a dot.
    prefix: String,
    /// The module's row, with the number in the module's name, or `None` for queries, keys and values in one.
    row: Option<(Row, Option<usize>)>,
    parameter: &'a str,
}

impl<'a> Entry<'a> {
    fn of(
        tensor: &'a Tensor,
        facts: &'a Facts<'a>,
        family: &'a Family,
    ) -> Result<Self, FormatError> {
        let unknown = || {
            FormatError::unsupported(
                &tensor.name,
                "a tensor".to_owned(),
                format!(
                    "models of architecture {} ({}) have none of that name",
                    family.architecture, family.model_type
                ),
            )
        };
        let (module, parameter) = tensor.name.rsplit_once('.').ok_or_else(unknown)?;
        if !matches!(parameter, "weight" | "bias") {
            return Err(unknown());
        }
        let entry = |prefix, row| Self {
            tensor,
            facts,
            family,
            prefix,
            row,
            parameter,
        };
        let Some((layer, module)) = module
            .strip_prefix("blk.")
            .and_then(|rest| rest.split_once('.'))
        else {
            let row = family.outer.iter().find(|row| row.0 == module);
            let row = row.ok_or_else(unknown)?;
            return Ok(entry(String::new(), Some((*row, None))));
        };
        let layer: u64 = layer.parse().map_err(|_| unknown())?;
        if layer >= facts.layers {
            return Err(FormatError::new(
                &tensor.name,
                format!("is of layer {layer}, but the model has {}", facts.layers),
            ));
        }
        let prefix = format!("{}.{layer}.", family.layers);
        let row = family.module(module);
        let fused = module == "attn_qkv" && family.module("attn_q").is_some();
        if row.is_none() && !fused {
            return Err(unknown());
        }
        Ok(entry(prefix, row))
    }

    /// Adds each Hugging Face tensor that the tensor holds.
    fn spread(&self, found: &mut Vec<(String, Layout)>) -> Result<(), FormatError> {
        let whole = Layout::of(self.tensor);
        let Some((row, number)) = self.row else {
            return self.split(&whole, found);
        };
        match row.2 {
            Form::StackedExperts | Form::StackedHeads => {
                let dimensions = if row.2 == Form::StackedHeads { 2 } else { 3 };
                if whole.shape.len() != dimensions {
                    return Err(self.misshapen(&format!("not {dimensions}")));
                }
                let each = &whole.shape[1..];
                for i in 0..whole.shape[0] {
                    let slice = whole.slice(i, each.to_vec());
                    found.push((self.named(row.1, Some(i)), slice));
                }
            }
            form => found.push((self.named(row.1, number), self.formed(whole, form)?)),
        }
        Ok(())
    }

    /// Queries, keys and values from one tensor, in which they follow each other.
    fn split(&self, whole: &Layout, found: &mut Vec<(String, Layout)>) -> Result<(), FormatError> {
        let facts = self.facts;
        let sizes = [facts.heads, facts.kv_heads, facts.kv_heads]
            .map(|heads| heads.checked_mul(facts.head_dim).map_or(0, |n| n as usize));
        let total = sizes.iter().try_fold(0usize, |sum, &n| sum.checked_add(n));
        let one_dimension = whole.shape.len() == 1;
        if Some(whole.shape[0]) != total || (one_dimension && whole.block.len() > 1) {
            return Err(self.misshapen(&format!("not {sizes:?} rows of queries, keys and values")));
        }
        let mut at = 0;
        for (name, rows) in ["attn_q", "attn_k", "attn_v"].into_iter().zip(sizes) {
            if let Some((row, _)) = self.family.module(name) {
                let slice = whole.rows(at, rows);
                found.push((self.named(row.1, None), self.formed(slice, row.2)?));
            }
            at += rows;
        }
        Ok(())
    }

    fn named(&self, module: &str, number: Option<usize>) -> String {
        let module = match number {
            Some(number) => module.replace("{}", &number.to_string()),
            None => module.to_owned(),
        };
        format!("{}{module}.{}", self.prefix, self.parameter)
    }

    /// A layout with what the converter did undone.
    fn formed(&self, layout: Layout, form: Form) -> Result<Layout, FormatError> {
        let is_weight = self.parameter == "weight";
        let facts = self.facts;
        match form {
            Form::Queries => self.interleaved(layout, facts.heads),
            Form::Keys => self.interleaved(layout, facts.kv_heads),
            Form::QueriesKeysValues => {
                let rows = layout.shape[0];
                let heads = facts.heads as usize;
                if layout.shape.len() > 2 || !rows.is_multiple_of(3 * heads) {
                    return Err(self.misshapen(&format!(
                        "which do not divide into queries, keys and values of {heads} heads"
                    )));
                }
                let head_rows = rows / (3 * heads);
                Ok(layout.ordered(RowOrder::ByKind { heads, head_rows }))
            }
            Form::Conv1d if is_weight => {
                if layout.shape.len() != 2 {
                    return Err(self.misshapen("not two"));
                }
                Ok(layout.changed(Change::Transpose))
            }
            Form::PlusOne if is_weight => Ok(layout.changed(Change::MinusOne)),
            _ => Ok(layout),
        }
    }

    fn interleaved(&self, layout: Layout, heads: u64) -> Result<Layout, FormatError> {
        let (rows, heads) = (layout.shape[0], heads as usize);
        if layout.shape.len() > 2 || !rows.is_multiple_of(2 * heads) {
            return Err(self.misshapen(&format!(
                "which do not divide into {heads} heads of an even number of rows"
            )));
        }
        let head_rows = rows / heads;
        Ok(layout.ordered(RowOrder::Interleaved { head_rows }))
    }

    fn misshapen(&self, wanted: &str) -> FormatError {
        FormatError::new(
            &self.tensor.name,
            format!("has extents {:?}, {wanted}", self.tensor.extents),
        )
    }
}

impl Layout {
    fn of(tensor: &Tensor) -> Self {
        Self {
            shape: tensor.extents.iter().rev().copied().collect(),
            block: tensor.block,
            part: tensor.part,
            data: tensor.data.clone(),
            order: RowOrder::AsIs,
            change: Change::Nothing,
        }
    }

    fn ordered(self, order: RowOrder) -> Self {
        Self { order, ..self }
    }

    fn changed(self, change: Change) -> Self {
        Self { change, ..self }
    }

    /// Rows `from` to `from + count`, which must be within the tensor and of whole blocks.
    fn rows(&self, from: usize, count: usize) -> Self {
        let bytes = self.data.len() / self.shape[0];
        let start = self.data.start + from * bytes;
        let mut part = self.clone();
        part.shape[0] = count;
        part.data = start..start + count * bytes;
        part
    }

    /// The `i`th of the tensors of a shape that are stacked in this one.
    fn slice(&self, i: usize, shape: Vec<usize>) -> Self {
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
        let data = &model.part(self.part)[self.data.clone()];
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
