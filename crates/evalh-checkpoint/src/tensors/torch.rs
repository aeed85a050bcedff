//! What `torch.save` writes since PyTorch 1.6: a zip archive of a pickle (`data.pkl`) that describes the tensors, and one
//! uncompressed entry a storage.
//!
//! Nothing is executed. The pickle is interpreted by a machine that knows the steps of a state dict and no other
//! ([`pickle`]); the storages stay in the mapped file until a tensor is read.

mod archive;
mod machine;
mod pickle;
mod state_dict;

use super::StoredTensor;
use crate::{CheckpointError, error::FETCH_AGAIN};
use archive::Archive;
use std::path::Path;

/// The largest `data.pkl` that is interpreted: that of some 50 000 tensors. A hostile one of this size makes the machine
/// hold some 260 MB (measured), 32 bytes for each of its own.
const LARGEST_PICKLE: usize = 8 << 20;

/// What a message of refusal ends with.
const SUPPORTED: &str = "a state dict of tensors as torch.save writes it is; save model.state_dict() anew with a current \
                         PyTorch, or better as safetensors";

/// Why a file cannot be used.
#[derive(Debug)]
enum Fault {
    /// The field that contradicts the rest, and how.
    Damaged(String, String),
    /// A field and its value that are not supported.
    Refused(String, String),
}

fn damaged(field: impl Into<String>, problem: impl Into<String>) -> Fault {
    Fault::Damaged(field.into(), problem.into())
}

fn refused(field: impl Into<String>, found: impl Into<String>) -> Fault {
    Fault::Refused(field.into(), found.into())
}

/// Whether the file was written by `torch.save`, today's or an older one.
pub(super) fn is_torch(file: &[u8]) -> bool {
    // A safetensors header of 128 bytes begins as a pickle does.
    let safetensors = file.get(8) == Some(&b'{');
    !safetensors && (is_zip(file) || is_pickle(file) || is_tar(file))
}

fn is_zip(file: &[u8]) -> bool {
    file.starts_with(b"PK\x03\x04") || file.starts_with(b"PK\x05\x06")
}

fn is_pickle(file: &[u8]) -> bool {
    matches!(file, [0x80, 0..=5, ..])
}

fn is_tar(file: &[u8]) -> bool {
    file.get(257..262) == Some(b"ustar")
}

/// The tensors of a PyTorch file in the order of its state dict.
pub(super) fn directory(path: &Path, file: &[u8]) -> Result<Vec<StoredTensor>, CheckpointError> {
    read(file).map_err(|fault| match fault {
        Fault::Damaged(field, problem) => CheckpointError::Malformed {
            path: path.to_owned(),
            field,
            problem,
            remedy: FETCH_AGAIN,
        },
        Fault::Refused(field, found) => CheckpointError::Unsupported {
            path: path.to_owned(),
            field,
            found,
            supported: SUPPORTED.to_owned(),
        },
    })
}

fn read(file: &[u8]) -> Result<Vec<StoredTensor>, Fault> {
    if !is_zip(file) {
        return Err(refused(
            "the file format",
            if is_tar(file) {
                "PyTorch's tar archive of before version 0.1.10"
            } else {
                "a bare pickle, PyTorch's format of before version 1.6"
            },
        ));
    }
    let archive = Archive::open(file)?;
    if archive.record("constants.pkl").is_some() {
        return Err(refused("the archive", "a TorchScript program"));
    }
    if let Some(order) = archive.record("byteorder")
        && &file[order.clone()] != b"little"
    {
        return Err(refused(
            "byteorder",
            format!("{:?}", String::from_utf8_lossy(&file[order])),
        ));
    }
    let pickle = archive
        .record("data.pkl")
        .ok_or_else(|| damaged("data.pkl", "is missing from the archive"))?;
    if pickle.len() > LARGEST_PICKLE {
        return Err(refused(
            "data.pkl",
            format!("a pickle of {} bytes", pickle.len()),
        ));
    }
    archive.check_crc(file, "data.pkl")?;
    let (root, heap) = machine::run(&file[pickle])?;
    state_dict::tensors(root, &heap, &archive)
}

#[cfg(test)]
mod tests;
