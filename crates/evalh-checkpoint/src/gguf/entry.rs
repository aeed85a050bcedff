//! What a tensor's name says: which Hugging Face tensors it holds, and in what form.

use super::{
    FormatError,
    facts::Facts,
    family::{Family, Form, Row},
    header::Tensor,
    layout::{Change, Layout, RowOrder},
    rope,
};
use std::collections::HashSet;

/// Tensors that become part of the config.
const IN_CONFIG: &[&str] = &[rope::FACTORS, rope::SHORT_FACTORS, rope::LONG_FACTORS];

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
