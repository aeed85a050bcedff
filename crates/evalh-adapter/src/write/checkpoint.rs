//! A fully trained model as a checkpoint.

use super::{
    files::{failed, settle},
    refused,
};
use crate::{AdapterError, AdapterUpdate, BaseModel, MergeReport, MergedCheckpoint, SavedTensor};
use std::{fs, io, path::Path};

/// Writes a checkpoint that is `base` with these tensors in place of its own, each in the type that the base stores it in
/// (rounded once), beside copies of the base's other files (configuration, tokenizer) from its folder `from`.
///
/// The folder is made if need be; other files in it stay. Everything is written and read back in a folder within it first,
/// then moved, the configuration last. A head that is tied to replaced embeddings moves with them, unless it is given
/// values of its own.
///
/// # Errors
/// When a tensor is not one of the base's, has another shape, or values that are not finite; when the base is quantised;
/// when the folder cannot be written.
pub fn write_checkpoint(
    base: BaseModel<'_>,
    from: &Path,
    mut trained: Vec<SavedTensor>,
    dir: &Path,
) -> Result<MergeReport, AdapterError> {
    check(base, dir, &trained)?;
    trained.extend(tied_head(base, &trained));
    let update = AdapterUpdate {
        lora: Vec::new(),
        saved: trained,
    };
    let merged = MergedCheckpoint::plan(base, &update)?;

    let staged = dir.join(".checkpoint.partial");
    match fs::remove_dir_all(&staged) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            return Err(failed(&staged)(source));
        }
        _ => {}
    }
    fs::create_dir_all(dir).map_err(failed(dir))?;
    let mut report = merged.write(from, &staged)?;
    let mut names = fs::read_dir(&staged)
        .and_then(|entries| {
            entries
                .map(|entry| Ok(entry?.file_name()))
                .collect::<io::Result<Vec<_>>>()
        })
        .map_err(failed(&staged))?;
    names.sort_by_key(|name| (name == "config.json", name.clone()));
    for name in names {
        let path = dir.join(&name);
        fs::rename(staged.join(&name), &path).map_err(failed(&path))?;
    }
    fs::remove_dir(&staged).map_err(failed(&staged))?;
    settle(dir)?;
    for path in &mut report.weights {
        if let Some(name) = path.file_name() {
            *path = dir.join(name);
        }
    }
    Ok(report)
}

fn check(base: BaseModel<'_>, dir: &Path, trained: &[SavedTensor]) -> Result<(), AdapterError> {
    for tensor in trained {
        let name = &tensor.name;
        let stored = base.tied_table(name).unwrap_or_else(|| name.clone());
        let problem = match base.source().tensor(&stored) {
            None => "is not in the base's checkpoint".to_owned(),
            Some(info) if info.shape != tensor.shape || info.elements() != tensor.values.len() => {
                format!(
                    "has shape {:?} and {} values, but {:?} in the base's checkpoint",
                    tensor.shape,
                    tensor.values.len(),
                    info.shape
                )
            }
            Some(_) if tensor.values.iter().any(|value| !value.is_finite()) => {
                "has values that are NaN or infinite".to_owned()
            }
            Some(_) => continue,
        };
        return Err(refused(
            dir,
            format!("tensor `{name}` {problem}"),
            "give finite values for tensors of the checkpoint that the training began with",
        ));
    }
    Ok(())
}

/// The values of a head that is tied to embeddings among the trained tensors: without them the base's would stay.
fn tied_head(base: BaseModel<'_>, trained: &[SavedTensor]) -> Option<SavedTensor> {
    let name = format!("{}.weight", base.layout().output_head.as_ref()?);
    let table = base.tied_table(&name)?;
    if trained.iter().any(|tensor| tensor.name == name) {
        return None;
    }
    let embeddings = trained.iter().find(|tensor| tensor.name == table)?;
    Some(SavedTensor {
        name,
        ..embeddings.clone()
    })
}
