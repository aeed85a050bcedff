//! Metadata values of a GGUF file.

use super::{FormatError, reader::Reader};

/// A metadata value. Arrays stay in the file and are decoded when asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Bool(bool),
    String(String),
    Array(Array),
}

/// Where an array lies in the file; its elements have been walked over once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Array {
    kind: Kind,
    len: usize,
    start: usize,
}

/// Types of a metadata value, numbered as in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    F32,
    Bool,
    String,
    Array,
    U64,
    I64,
    F64,
}

impl Kind {
    fn read(reader: &mut Reader<'_>, key: &str) -> Result<Self, FormatError> {
        const ALL: [Kind; 13] = [
            Kind::U8,
            Kind::I8,
            Kind::U16,
            Kind::I16,
            Kind::U32,
            Kind::I32,
            Kind::F32,
            Kind::Bool,
            Kind::String,
            Kind::Array,
            Kind::U64,
            Kind::I64,
            Kind::F64,
        ];
        let n = reader.u32(key)?;
        ALL.get(n as usize)
            .copied()
            .ok_or_else(|| FormatError::new(key, format!("has the unknown value type {n}")))
    }

    /// The fewest bytes one value takes.
    fn least_bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 | Self::Bool => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::String | Self::U64 | Self::I64 | Self::F64 => 8,
            Self::Array => 12,
        }
    }
}

impl Value {
    /// Reads a type and the value that follows.
    pub(super) fn read(reader: &mut Reader<'_>, key: &str) -> Result<Self, FormatError> {
        match Kind::read(reader, key)? {
            Kind::Array => Array::read(reader, key).map(Self::Array),
            kind => Self::scalar(reader, kind, key),
        }
    }

    fn scalar(reader: &mut Reader<'_>, kind: Kind, key: &str) -> Result<Self, FormatError> {
        Ok(match kind {
            Kind::U8 => Self::Unsigned(reader.u8(key)?.into()),
            Kind::I8 => Self::Signed((reader.u8(key)? as i8).into()),
            Kind::U16 => Self::Unsigned(reader.u16(key)?.into()),
            Kind::I16 => Self::Signed((reader.u16(key)? as i16).into()),
            Kind::U32 => Self::Unsigned(reader.u32(key)?.into()),
            Kind::I32 => Self::Signed((reader.u32(key)? as i32).into()),
            // Through the shortest decimal, so that 1e-5 stored in single precision reads as 1e-5 and not as
            // 9.999999747378752e-6: config files give such values in decimal.
            Kind::F32 => {
                let single = f32::from_bits(reader.u32(key)?);
                Self::Float(single.to_string().parse().unwrap_or(single.into()))
            }
            Kind::Bool => match reader.u8(key)? {
                0 => Self::Bool(false),
                1 => Self::Bool(true),
                other => {
                    return Err(FormatError::new(
                        key,
                        format!("is a boolean of value {other}"),
                    ));
                }
            },
            Kind::String => Self::String(reader.string(key)?.to_owned()),
            Kind::U64 => Self::Unsigned(reader.u64(key)?),
            Kind::I64 => Self::Signed(reader.u64(key)? as i64),
            Kind::F64 => Self::Float(f64::from_bits(reader.u64(key)?)),
            Kind::Array => return Err(FormatError::new(key, "is an array of arrays".to_owned())),
        })
    }
}

impl Array {
    fn read(reader: &mut Reader<'_>, key: &str) -> Result<Self, FormatError> {
        let kind = Kind::read(reader, key)?;
        if kind == Kind::Array {
            return Err(FormatError::new(
                key,
                "is an array of arrays, which no known key has".to_owned(),
            ));
        }
        let len = reader.count(kind.least_bytes(), key)?;
        let start = reader.position();
        if kind == Kind::String {
            for _ in 0..len {
                let n = reader.count(1, key)?;
                reader.take(n, key)?;
            }
        } else {
            reader.take(len * kind.least_bytes(), key)?;
        }
        Ok(Self { kind, len, start })
    }

    /// The number of elements.
    pub(super) fn len(self) -> usize {
        self.len
    }

    /// The elements, which must be whole numbers, from the bytes of the file that the array was read from.
    pub(super) fn integers(self, file: &[u8], key: &str) -> Result<Vec<i64>, FormatError> {
        self.numbers(file, key, |value| match value {
            Value::Unsigned(n) => i64::try_from(n).ok(),
            Value::Signed(n) => Some(n),
            _ => None,
        })
    }

    /// The elements, which must be numbers, from the bytes of the file that the array was read from.
    pub(super) fn floats(self, file: &[u8], key: &str) -> Result<Vec<f64>, FormatError> {
        self.numbers(file, key, |value| match value {
            Value::Float(x) => Some(x),
            Value::Unsigned(n) => Some(n as f64),
            Value::Signed(n) => Some(n as f64),
            _ => None,
        })
    }

    /// The elements, which must be booleans, from the bytes of the file that the array was read from.
    pub(super) fn bools(self, file: &[u8], key: &str) -> Result<Vec<bool>, FormatError> {
        self.numbers(file, key, |value| match value {
            Value::Bool(b) => Some(b),
            Value::Unsigned(n) => Some(n != 0),
            Value::Signed(n) => Some(n != 0),
            _ => None,
        })
    }

    fn numbers<T>(
        self,
        file: &[u8],
        key: &str,
        get: impl Fn(Value) -> Option<T>,
    ) -> Result<Vec<T>, FormatError> {
        let mut reader = Reader::new(file, self.start);
        (0..self.len)
            .map(|_| {
                get(Value::scalar(&mut reader, self.kind, key)?).ok_or_else(|| {
                    FormatError::new(key, "is not an array of numbers in range".to_owned())
                })
            })
            .collect()
    }

    /// The elements, which must be strings, without copying them.
    pub(super) fn strings<'a>(
        self,
        file: &'a [u8],
        key: &str,
    ) -> Result<Vec<&'a str>, FormatError> {
        if self.kind != Kind::String {
            return Err(FormatError::new(
                key,
                "is not an array of strings".to_owned(),
            ));
        }
        let mut reader = Reader::new(file, self.start);
        (0..self.len).map(|_| reader.string(key)).collect()
    }
}
