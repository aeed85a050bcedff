//! The pickle's value to a list of tensors.

use super::{
    Fault,
    archive::Archive,
    damaged,
    pickle::{Object, Storage, Value, View},
    refused,
};
use crate::tensors::{StoredTensor, stored::elements};
use std::collections::HashSet;

/// The tensors of a state dict: the root itself, or the one state dict that the root holds (trainers wrap theirs as
/// `{"state_dict": ..., "epoch": ...}`).
pub(super) fn tensors(
    root: Value<'_>,
    heap: &[Object<'_>],
    archive: &Archive,
) -> Result<Vec<StoredTensor>, Fault> {
    let root = dict(root, heap).ok_or_else(|| refused("the root", "no dictionary"))?;
    let items = if holds_tensor(root, heap) || root.is_empty() {
        root
    } else {
        wrapped(root, heap)?
    };
    let mut seen = HashSet::new();
    items
        .iter()
        .map(|(key, value)| {
            let Value::Text(name) = *key else {
                return Err(refused("a key of the state dict", "no text"));
            };
            if !seen.insert(name) {
                return Err(damaged(name, "occurs twice in the state dict"));
            }
            match object(*value, heap) {
                Some(Object::Tensor(view)) => stored(name, view, heap, archive),
                _ => Err(refused(name, "a value that is no tensor")),
            }
        })
        .collect()
}

type Items<'h, 'a> = &'h [(Value<'a>, Value<'a>)];

fn object<'h, 'a>(value: Value<'a>, heap: &'h [Object<'a>]) -> Option<&'h Object<'a>> {
    match value {
        Value::Object(place) => heap.get(place),
        _ => None,
    }
}

fn dict<'h, 'a>(value: Value<'a>, heap: &'h [Object<'a>]) -> Option<Items<'h, 'a>> {
    match object(value, heap) {
        Some(Object::Dict(items)) => Some(items),
        _ => None,
    }
}

fn holds_tensor(items: Items<'_, '_>, heap: &[Object<'_>]) -> bool {
    items
        .iter()
        .any(|(_, value)| matches!(object(*value, heap), Some(Object::Tensor(_))))
}

fn wrapped<'h, 'a>(root: Items<'h, 'a>, heap: &'h [Object<'a>]) -> Result<Items<'h, 'a>, Fault> {
    let inner: Vec<_> = root
        .iter()
        .filter_map(|(key, value)| Some((*key, dict(*value, heap)?)))
        .filter(|(_, items)| holds_tensor(items, heap))
        .collect();
    match inner.as_slice() {
        [(_, items)] => Ok(items),
        [] => Err(refused("the root", "a dictionary without tensors")),
        several => {
            let names: Vec<_> = several
                .iter()
                .map(|(key, _)| match key {
                    Value::Text(name) => *name,
                    _ => "?",
                })
                .collect();
            Err(refused(
                "the root",
                format!("a dictionary of several state dicts, {}", names.join(", ")),
            ))
        }
    }
}

/// Checks a tensor against its storage, and that against the archive.
fn stored(
    name: &str,
    view: &View,
    heap: &[Object<'_>],
    archive: &Archive,
) -> Result<StoredTensor, Fault> {
    let Some(Object::Storage(storage)) = heap.get(view.storage) else {
        return Err(damaged(name, "has no storage"));
    };
    let Storage { dtype, key, values } = *storage;
    let record = archive
        .record(&format!("data/{key}"))
        .ok_or_else(|| damaged(name, format!("is in data/{key}, which the archive lacks")))?;
    let width = dtype.bitsize() / 8;
    if values.checked_mul(width) != Some(record.len()) {
        return Err(damaged(
            name,
            format!(
                "is in a storage of {values} values, but data/{key} has {} bytes",
                record.len()
            ),
        ));
    }
    let count = elements(&view.shape)
        .ok_or_else(|| damaged(name, format!("has the impossible shape {:?}", view.shape)))?;
    let extent = extent(&view.shape, &view.strides)
        .filter(|extent| {
            view.offset
                .checked_add(*extent)
                .is_some_and(|end| end <= values)
        })
        .ok_or_else(|| damaged(name, format!("reaches past its storage of {values} values")))?;
    if count > values {
        return Err(refused(
            name,
            format!("an expanded view of {count} values over a storage of {values}"),
        ));
    }
    let start = record.start + view.offset * width;
    Ok(StoredTensor {
        name: name.to_owned(),
        dtype,
        data: start..start + extent * width,
        strides: (!is_row_major(&view.shape, &view.strides)).then(|| view.strides.clone()),
        shape: view.shape.clone(),
    })
}

/// The values from a view's first to its last, or `None` where they cannot be counted.
fn extent(shape: &[usize], strides: &[usize]) -> Option<usize> {
    if shape.contains(&0) {
        return Some(0);
    }
    shape
        .iter()
        .zip(strides)
        .try_fold(1usize, |extent, (n, stride)| {
            (n - 1)
                .checked_mul(*stride)
                .and_then(|reach| extent.checked_add(reach))
        })
}

/// Whether the strides are those of the shape; an extent of 1 has none.
fn is_row_major(shape: &[usize], strides: &[usize]) -> bool {
    // An empty tensor has no values to misplace.
    if shape.contains(&0) {
        return true;
    }
    let mut expected = 1;
    shape.iter().zip(strides).rev().all(|(n, stride)| {
        let fits = *n == 1 || *stride == expected;
        expected *= n;
        fits
    })
}
