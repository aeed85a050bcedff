//! Metadata and tensor directory of a GGUF file.

use super::{
    BlockType, FormatError,
    reader::Reader,
    value::{Array, Value},
};
use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

const MAGIC: &[u8] = b"GGUF";
const DEFAULT_ALIGNMENT: u64 = 32;
const MOST_DIMENSIONS: u32 = 4;

/// What precedes the tensor data. Every range has been checked against the file.
#[derive(Debug)]
pub(crate) struct Header {
    metadata: HashMap<String, Value>,
    tensors: Vec<Tensor>,
}

/// A directory entry.
#[derive(Debug)]
pub(super) struct Tensor {
    /// The name llama.cpp gives it.
    pub(super) name: String,
    /// Extents, innermost first (ggml's order).
    pub(super) extents: Vec<usize>,
    pub(super) block: BlockType,
    /// The part of the model whose file it lies in, from 0.
    pub(super) part: usize,
    /// Where its data lies in the file.
    pub(super) data: Range<usize>,
}

impl Header {
    /// Reads and checks everything up to the tensor data.
    pub(crate) fn parse(file: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new(file, 0);
        if reader.take(4, "magic")? != MAGIC {
            return Err(FormatError::new(
                "magic",
                "is not GGUF: this is no GGUF file".to_owned(),
            ));
        }
        check_version(reader.u32("version")?)?;
        let tensor_count = reader.count(24, "tensor count")?;
        let metadata_count = reader.count(13, "metadata count")?;
        let metadata = read_metadata(&mut reader, metadata_count)?;
        let alignment = alignment(&metadata)?;
        let directory = (0..tensor_count)
            .map(|i| Entry::read(&mut reader, i))
            .collect::<Result<Vec<_>, FormatError>>()?;
        let data_start = (reader.position() as u64).next_multiple_of(alignment);
        let tensors = directory
            .into_iter()
            .map(|entry| entry.locate(data_start, alignment, file.len()))
            .collect::<Result<Vec<_>, _>>()?;
        check_distinct(&tensors)?;
        Ok(Self { metadata, tensors })
    }

    /// Takes in the tensors of a later part.
    pub(super) fn append(&mut self, other: Self, part: usize) -> Result<(), FormatError> {
        let names: HashSet<&str> = self.tensors.iter().map(|t| t.name.as_str()).collect();
        if let Some(twice) = other
            .tensors
            .iter()
            .find(|t| names.contains(t.name.as_str()))
        {
            return Err(FormatError::new(
                &twice.name,
                "is in an earlier part too".to_owned(),
            ));
        }
        self.tensors.extend(
            other
                .tensors
                .into_iter()
                .map(|tensor| Tensor { part, ..tensor }),
        );
        Ok(())
    }

    pub(super) fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.metadata.keys().map(String::as_str)
    }

    /// A text, or `None` where the key is absent.
    pub(super) fn string(&self, key: &str) -> Result<Option<&str>, FormatError> {
        self.typed(key, "a string", |value| match value {
            Value::String(text) => Some(text.as_str()),
            _ => None,
        })
    }

    pub(super) fn bool(&self, key: &str) -> Result<Option<bool>, FormatError> {
        self.typed(key, "a boolean", |value| match value {
            Value::Bool(b) => Some(*b),
            _ => None,
        })
    }

    /// A number that is not negative.
    pub(super) fn unsigned(&self, key: &str) -> Result<Option<u64>, FormatError> {
        self.typed(key, "a number of 0 or more", |value| match value {
            Value::Unsigned(n) => Some(*n),
            Value::Signed(n) => u64::try_from(*n).ok(),
            _ => None,
        })
    }

    pub(super) fn float(&self, key: &str) -> Result<Option<f64>, FormatError> {
        self.typed(key, "a finite number", |value| match value {
            Value::Float(x) if x.is_finite() => Some(*x),
            Value::Unsigned(n) => Some(*n as f64),
            Value::Signed(n) => Some(*n as f64),
            _ => None,
        })
    }

    pub(super) fn array(&self, key: &str) -> Result<Option<Array>, FormatError> {
        self.typed(key, "an array", |value| match value {
            Value::Array(array) => Some(*array),
            _ => None,
        })
    }

    /// A token id, which must be one of the `vocabulary` first.
    pub(super) fn token_id(
        &self,
        key: &str,
        vocabulary: usize,
    ) -> Result<Option<u32>, FormatError> {
        let Some(id) = self.unsigned(key)? else {
            return Ok(None);
        };
        match u32::try_from(id) {
            Ok(small) if (small as usize) < vocabulary => Ok(Some(small)),
            _ => Err(FormatError::new(
                key,
                format!("is {id}, but the vocabulary has {vocabulary} tokens"),
            )),
        }
    }

    fn typed<'a, T>(
        &'a self,
        key: &str,
        wanted: &str,
        get: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, FormatError> {
        let Some(value) = self.metadata.get(key) else {
            return Ok(None);
        };
        match get(value) {
            Some(found) => Ok(Some(found)),
            None => Err(FormatError::new(key, format!("is not {wanted}"))),
        }
    }
}

fn check_version(version: u32) -> Result<(), FormatError> {
    let supported = || "versions 2 and 3, little-endian, are; convert the model anew".to_owned();
    match version {
        2 | 3 => Ok(()),
        _ if matches!(version.swap_bytes(), 1..=3) => Err(FormatError::unsupported(
            "version",
            "big-endian".to_owned(),
            supported(),
        )),
        _ => Err(FormatError::unsupported(
            "version",
            version.to_string(),
            supported(),
        )),
    }
}

fn read_metadata(
    reader: &mut Reader<'_>,
    count: usize,
) -> Result<HashMap<String, Value>, FormatError> {
    let mut metadata = HashMap::with_capacity(count);
    for i in 0..count {
        let key = reader.string(&format!("metadata key {i}"))?;
        let value = Value::read(reader, key)?;
        if metadata.insert(key.to_owned(), value).is_some() {
            return Err(FormatError::new(
                key,
                "occurs twice in the metadata".to_owned(),
            ));
        }
    }
    Ok(metadata)
}

fn alignment(metadata: &HashMap<String, Value>) -> Result<u64, FormatError> {
    const KEY: &str = "general.alignment";
    match metadata.get(KEY) {
        None => Ok(DEFAULT_ALIGNMENT),
        Some(Value::Unsigned(n)) if n.is_power_of_two() && *n <= 1 << 20 => Ok(*n),
        Some(other) => Err(FormatError::new(
            KEY,
            format!("is {other:?}, not a power of two up to 2^20"),
        )),
    }
}

/// A directory entry as it is written.
struct Entry {
    name: String,
    extents: Vec<usize>,
    block: BlockType,
    offset: u64,
}

impl Entry {
    fn read(reader: &mut Reader<'_>, index: usize) -> Result<Self, FormatError> {
        let name = reader
            .string(&format!("name of tensor {index}"))?
            .to_owned();
        let dimensions = reader.u32(&name)?;
        if !(1..=MOST_DIMENSIONS).contains(&dimensions) {
            return Err(FormatError::new(
                &name,
                format!("has {dimensions} dimensions, not 1 to {MOST_DIMENSIONS}"),
            ));
        }
        let extents = (0..dimensions)
            .map(|_| {
                let n = reader.u64(&name)?;
                usize::try_from(n).ok().filter(|&n| n > 0).ok_or_else(|| {
                    FormatError::new(&name, format!("has the impossible extent {n}"))
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let block = BlockType::from_id(reader.u32(&name)?, &name)?;
        let offset = reader.u64(&name)?;
        Ok(Self {
            name,
            extents,
            block,
            offset,
        })
    }

    /// Checks the entry against the file and finds its bytes.
    fn locate(
        self,
        data_start: u64,
        alignment: u64,
        file_len: usize,
    ) -> Result<Tensor, FormatError> {
        let Self {
            name,
            extents,
            block,
            offset,
        } = self;
        if extents[0] % block.len() != 0 {
            return Err(FormatError::new(
                &name,
                format!(
                    "has rows of {} values, no multiple of {}'s block of {}",
                    extents[0],
                    block.name(),
                    block.len()
                ),
            ));
        }
        if offset % alignment != 0 {
            return Err(FormatError::new(
                &name,
                format!("has offset {offset}, no multiple of {alignment}"),
            ));
        }
        let elements = extents
            .iter()
            .try_fold(1usize, |product, &n| product.checked_mul(n))
            // All values are read as f32 at once, so their size must be a size too.
            .filter(|n| n.checked_mul(size_of::<f32>()).is_some())
            .ok_or_else(|| {
                FormatError::new(&name, format!("has the impossible extents {extents:?}"))
            })?;
        let len = (elements / block.len()).checked_mul(block.bytes());
        let start = data_start
            .checked_add(offset)
            .and_then(|start| usize::try_from(start).ok());
        match (
            start,
            start
                .zip(len)
                .and_then(|(start, len)| start.checked_add(len)),
        ) {
            (Some(start), Some(end)) if end <= file_len => Ok(Tensor {
                name,
                extents,
                block,
                part: 0,
                data: start..end,
            }),
            _ => Err(FormatError::new(
                &name,
                format!(
                    "{} of extents {extents:?} at data offset {offset} reaches past the file's end at {file_len} \
                     bytes: the file is truncated or its directory is wrong",
                    block.name()
                ),
            )),
        }
    }
}

fn check_distinct(tensors: &[Tensor]) -> Result<(), FormatError> {
    let mut names = HashSet::with_capacity(tensors.len());
    for tensor in tensors {
        if !names.insert(tensor.name.as_str()) {
            return Err(FormatError::new(
                &tensor.name,
                "occurs twice in the tensor directory".to_owned(),
            ));
        }
    }
    let mut by_place: Vec<&Tensor> = tensors.iter().collect();
    by_place.sort_by_key(|tensor| tensor.data.start);
    for pair in by_place.windows(2) {
        if pair[0].data.end > pair[1].data.start {
            return Err(FormatError::new(
                &pair[1].name,
                format!("overlaps the data of {}", pair[0].name),
            ));
        }
    }
    Ok(())
}
