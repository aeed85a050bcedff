//! Files of the data, read whole.

use crate::TaskError;
use evalh_record::{FileIdentity, sha256_bytes};
use std::{fs::File, io::Read, path::Path};

/// Most bytes of a file. The largest of upstream's has 6 KB, all of them in one file 100 KB.
const MOST_BYTES: u64 = 16 << 20;

/// A file's text with line feeds only, as Python reads it, and its identity. `name` is what the record calls it.
pub(super) fn read(path: &Path, name: &str) -> Result<(String, FileIdentity), TaskError> {
    let data_error = |problem: &str, remedy: &str| TaskError::Data {
        path: path.to_owned(),
        problem: problem.to_owned(),
        remedy: remedy.to_owned(),
    };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|source| TaskError::Read {
            path: path.to_owned(),
            source,
            remedy: REMEDY.to_owned(),
        })?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(data_error("it is larger than 16 MiB", REMEDY));
    }
    let identity = identity(name, &bytes);
    let text = String::from_utf8(bytes).map_err(|_| data_error("it is not UTF-8", REMEDY))?;
    Ok((text.replace("\r\n", "\n"), identity))
}

pub(super) fn identity(name: &str, bytes: &[u8]) -> FileIdentity {
    FileIdentity {
        name: name.to_owned(),
        bytes: bytes.len() as u64,
        sha256: sha256_bytes(bytes),
    }
}

/// What helps where the data is not as it should be.
pub(super) const REMEDY: &str = "give a checkout of QuixBugs or a folder with quixbugs.jsonl and node.json, or fetch the data again";
