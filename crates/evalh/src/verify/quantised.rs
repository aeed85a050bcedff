//! Quantised weights: dequantised values must be the reference's to the last bit.

use super::{Line, Proof, compare::Found};
use crate::failure::{Failure, OrFail as _, Outcome};
use evalh_checkpoint::{Checkpoint, TensorFile, WeightSource};
use safetensors::{SafeTensors, tensor::TensorView};
use serde_json::json;
use std::{fs, path::Path};

/// Weights with what they dequantise to: `NAME.weight` with its companions, and `NAME.dequant`.
const CASES: &str = "quant_cases.safetensors";
/// What the quantised linears of a checkpoint dequantise to.
const LINEARS: &str = "dequantised_linears.safetensors";

/// Whether a folder holds cases and not a checkpoint.
pub fn has_cases(folder: &Path) -> bool {
    folder.join(CASES).is_file()
}

/// Compares the dequantised linears of a folder, where it has them, with a checkpoint's.
///
/// # Errors
/// When the file is damaged, or names what the checkpoint has not.
pub fn linears(folder: &Path, checkpoint: &Checkpoint) -> Outcome<Vec<Line>> {
    let path = folder.join(LINEARS);
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let file = TensorFile::open(&path).or_fail()?;
    let mut line = Line {
        tensor: LINEARS.to_owned(),
        of: "base".to_owned(),
        found: Found::bits(&[], &[]),
    };
    for name in file.names() {
        let reference = file.read_f32(name).or_fail()?;
        let ours = checkpoint.read_f32(name).or_fail()?;
        line.found = line.found.and_bits(&ours, &reference);
    }
    Ok(vec![line])
}

/// Compares every case of a folder: each is a checkpoint of one weight.
///
/// # Errors
/// When the file is damaged, or a case is of a kind that cannot be read.
pub fn prove_cases(folder: &Path) -> Outcome<Proof> {
    let path = folder.join(CASES);
    let what = || format!("read the cases {}", path.display());
    let bytes = fs::read(&path).or_fail_to(what)?;
    let tensors = SafeTensors::deserialize(&bytes).or_fail_to(what)?;
    let mut names: Vec<&str> = tensors
        .names()
        .into_iter()
        .filter_map(|name| name.strip_suffix(".dequant"))
        .collect();
    names.sort_unstable();
    if names.is_empty() {
        return Err(Failure::new(what()).cause("no tensor of it is called NAME.dequant"));
    }
    let mut lines = Vec::new();
    for name in names {
        let found = case(&tensors, name)?;
        lines.push(Line {
            tensor: format!("{name}.dequant"),
            of: "weights".to_owned(),
            found,
        });
    }
    Ok(Proof {
        folder: folder.to_owned(),
        about: "quantised weights".to_owned(),
        footprint: None,
        written_by: super::manifest::Manifest::open(folder)?.written_by(),
        lines,
        notes: Vec::new(),
    })
}

/// The module that a case's weight becomes.
const MODULE: &str = "layer";

fn case(tensors: &SafeTensors<'_>, name: &str) -> Outcome<Found> {
    let what = || format!("read the case `{name}`");
    let dir = tempfile::tempdir().or_fail_to(what)?;
    let mut parts: Vec<(String, TensorView<'_>)> = Vec::new();
    let mut is_int8 = false;
    for full in tensors.names() {
        let part = full
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('.'));
        let Some(part) = part.filter(|part| !["orig", "dequant"].contains(part)) else {
            continue;
        };
        is_int8 |= part == "SCB";
        let view = tensors.tensor(full).or_fail_to(what)?;
        parts.push((format!("{MODULE}.{part}"), view));
    }
    let file = safetensors::serialize(parts, None).or_fail_to(what)?;
    fs::write(dir.path().join("model.safetensors"), file).or_fail_to(what)?;
    let config = json!({ "quantization_config": {
        "quant_method": "bitsandbytes", "load_in_8bit": is_int8, "load_in_4bit": !is_int8,
    } });
    fs::write(dir.path().join("config.json"), config.to_string()).or_fail_to(what)?;

    let checkpoint = Checkpoint::open(dir.path()).or_fail()?;
    let ours = checkpoint.read_f32(&format!("{MODULE}.weight")).or_fail()?;
    // Written beside it, so that the same reader widens its half types.
    let reference = dir.path().join("dequant.safetensors");
    let view = tensors
        .tensor(&format!("{name}.dequant"))
        .or_fail_to(what)?;
    let file = safetensors::serialize([("dequant", view)], None).or_fail_to(what)?;
    fs::write(&reference, file).or_fail_to(what)?;
    let reference = TensorFile::open(&reference).or_fail()?;
    Ok(Found::bits(
        &ours,
        &reference.read_f32("dequant").or_fail()?,
    ))
}
