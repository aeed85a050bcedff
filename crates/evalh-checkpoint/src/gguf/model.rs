//! All parts of a model: metadata of the first, tensors of all.

use super::{
    FormatError,
    header::{Header, Tensor},
};
use crate::{CheckpointError, map::MappedFile};
use std::ops::Range;
use std::path::{Path, PathBuf};

const COUNT: &str = "split.count";
const NUMBER: &str = "split.no";
const TENSORS: &str = "split.tensors.count";

/// Metadata and tensor directory of a model, and the files that they are about.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) header: Header,
    files: Vec<MappedFile>,
}

impl Model {
    /// Opens a file, and the others that it names as parts of the same model.
    pub(super) fn open(path: &Path) -> Result<Self, CheckpointError> {
        let (file, mut header) = read(path)?;
        let count = whole(&header, COUNT, 1).map_err(|e| e.at(path))?;
        let mut files = vec![file];
        if count > 1 {
            let parts = parts(path, &header, count).map_err(|e| e.at(path))?;
            for (i, part) in parts.iter().enumerate().skip(1) {
                if !part.is_file() {
                    return Err(CheckpointError::MissingFile {
                        path: part.clone(),
                        needed_by: format!("it is part {} of {count} of {}", i + 1, path.display()),
                        remedy: "fetch all parts into one folder",
                    });
                }
                let (file, other) = read(part)?;
                check_part(&other, i, count).map_err(|e| e.at(part))?;
                header.append(other, i).map_err(|e| e.at(part))?;
                files.push(file);
            }
            let listed = header.tensors().len();
            let stated = whole(&header, TENSORS, listed).map_err(|e| e.at(path))?;
            if stated != listed {
                let problem = format!("is {stated}, but the parts hold {listed} tensors");
                return Err(FormatError::new(TENSORS, problem).at(path));
            }
        }
        Ok(Self { header, files })
    }

    /// The bytes that the metadata's arrays lie in.
    pub(super) fn metadata(&self) -> &[u8] {
        self.files[0].bytes()
    }

    pub(super) fn path(&self) -> &Path {
        self.files[0].path()
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(MappedFile::path)
    }

    /// Lets the system take back the memory of some bytes of a part.
    pub(super) fn release(&self, part: usize, range: Range<usize>) {
        self.files[part].release(range);
    }

    /// The bytes of a part.
    pub(super) fn part(&self, part: usize) -> &[u8] {
        self.files[part].bytes()
    }

    pub(super) fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.header
            .tensors()
            .iter()
            .find(|tensor| tensor.name == name)
    }

    /// A tensor's values, in the file's order.
    pub(super) fn values(&self, tensor: &Tensor) -> Vec<f32> {
        let mut values = vec![0.0; tensor.extents.iter().product()];
        let data = &self.part(tensor.part)[tensor.data.clone()];
        tensor.block.dequantise(data, &mut values);
        values
    }
}

fn read(path: &Path) -> Result<(MappedFile, Header), CheckpointError> {
    let file = MappedFile::open(path)?;
    let header = Header::parse(file.bytes()).map_err(|e| e.at(path))?;
    Ok((file, header))
}

fn whole(header: &Header, key: &str, default: usize) -> Result<usize, FormatError> {
    let n = header.unsigned(key)?;
    n.map_or(Ok(default), |n| {
        usize::try_from(n).map_err(|_| FormatError::new(key, format!("is {n}")))
    })
}

/// The paths of all parts, as llama.cpp names them: `NAME-00001-of-00003.gguf`.
fn parts(path: &Path, header: &Header, count: usize) -> Result<Vec<PathBuf>, FormatError> {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let number = whole(header, NUMBER, 0)?;
    let stem = name.strip_suffix(&format!("-00001-of-{count:05}.gguf"));
    match stem {
        Some(stem) if number == 0 => Ok((1..=count)
            .map(|i| path.with_file_name(format!("{stem}-{i:05}-of-{count:05}.gguf")))
            .collect()),
        _ => Err(FormatError::unsupported(
            NUMBER,
            format!("{number} of {count} parts in a file called {name}"),
            format!(
                "name the first part, whose name ends in -00001-of-{count:05}.gguf, with the others beside it; or join \
                 them with llama.cpp's llama-gguf-split --merge"
            ),
        )),
    }
}

fn check_part(header: &Header, number: usize, count: usize) -> Result<(), FormatError> {
    let (stated_number, stated_count) = (whole(header, NUMBER, 0)?, whole(header, COUNT, 1)?);
    if (stated_number, stated_count) == (number, count) {
        return Ok(());
    }
    Err(FormatError::new(
        NUMBER,
        format!(
            "is {stated_number} of {stated_count}, where part {number} of {count} (from 0) belongs"
        ),
    ))
}

/// Whether a file's name is that of a later part, which is opened through the first.
pub(crate) fn is_later_part(path: &Path) -> bool {
    let name = path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default();
    let mut words = name.rsplit('-');
    let (count, of, number) = (words.next(), words.next(), words.next());
    let digits = |word: Option<&str>| {
        word.filter(|w| w.len() == 5 && w.bytes().all(|b| b.is_ascii_digit()))
            .map(str::to_owned)
    };
    of == Some("of")
        && digits(count).is_some()
        && digits(number).is_some_and(|number| number != "00001")
}
