//! Thrift's compact protocol, as far as Parquet's headers need it.
//!
//! Format: <https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>. Nothing is reserved
//! for a length before its bytes have been seen, and every element of a list takes at least a byte.

/// How deep what is skipped may nest.
const MAX_DEPTH: usize = 32;

/// A type as it is written before a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    True,
    False,
    Byte,
    I16,
    I32,
    I64,
    Double,
    Binary,
    List,
    Set,
    Map,
    Struct,
    Uuid,
}

impl Kind {
    fn of(code: u8) -> Result<Self, String> {
        Ok(match code {
            1 => Self::True,
            2 => Self::False,
            3 => Self::Byte,
            4 => Self::I16,
            5 => Self::I32,
            6 => Self::I64,
            7 => Self::Double,
            8 => Self::Binary,
            9 => Self::List,
            10 => Self::Set,
            11 => Self::Map,
            12 => Self::Struct,
            13 => Self::Uuid,
            _ => return Err(format!("a header has a value of the unknown type {code}")),
        })
    }
}

/// A place in a header.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// What has not been read.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self
            .bytes
            .split_at_checked(n)
            .ok_or("a header is cut off")?;
        self.bytes = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("a header has a number of too many bytes".to_owned())
    }

    fn zigzag(&mut self) -> Result<i64, String> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// Reads a struct: `field` is given each field's number and type, reads its value and returns whether it did;
    /// values that it leaves are skipped.
    pub(super) fn fields(
        &mut self,
        mut field: impl FnMut(&mut Self, i16, Kind) -> Result<bool, String>,
    ) -> Result<(), String> {
        let mut id: i16 = 0;
        loop {
            let header = self.byte()?;
            if header == 0 {
                return Ok(());
            }
            let kind = Kind::of(header & 0xf)?;
            id = match header >> 4 {
                0 => i16::try_from(self.zigzag()?).ok(),
                delta => id.checked_add(i16::from(delta)),
            }
            .ok_or("a header has a field of an impossible number")?;
            if !field(self, id, kind)? {
                self.skip(kind, 0)?;
            }
        }
    }

    /// Reads a list of structs.
    pub(super) fn structs<T>(
        &mut self,
        kind: Kind,
        mut item: impl FnMut(&mut Self) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        expect(kind, Kind::List)?;
        let (kind, size) = self.list()?;
        if size > 0 {
            expect(kind, Kind::Struct)?;
        }
        let mut items = Vec::new();
        for _ in 0..size {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// Reads a list of texts.
    pub(super) fn texts(&mut self, kind: Kind) -> Result<Vec<&'a str>, String> {
        expect(kind, Kind::List)?;
        let (kind, size) = self.list()?;
        let mut texts = Vec::new();
        for _ in 0..size {
            texts.push(self.text(kind)?);
        }
        Ok(texts)
    }

    pub(super) fn i32(&mut self, kind: Kind) -> Result<i32, String> {
        expect(kind, Kind::I32)?;
        i32::try_from(self.zigzag()?).map_err(|_| "a header has a number out of range".to_owned())
    }

    pub(super) fn i64(&mut self, kind: Kind) -> Result<i64, String> {
        expect(kind, Kind::I64)?;
        self.zigzag()
    }

    /// A length or count.
    pub(super) fn count(&mut self, kind: Kind) -> Result<usize, String> {
        let value = match kind {
            Kind::I32 => i64::from(self.i32(kind)?),
            _ => self.i64(kind)?,
        };
        usize::try_from(value).map_err(|_| "a header has a negative length".to_owned())
    }

    pub(super) fn text(&mut self, kind: Kind) -> Result<&'a str, String> {
        expect(kind, Kind::Binary)?;
        let length = usize::try_from(self.varint()?).map_err(|_| "a header is cut off")?;
        std::str::from_utf8(self.take(length)?)
            .map_err(|_| "a header has a text that is not UTF-8".to_owned())
    }

    fn list(&mut self) -> Result<(Kind, u64), String> {
        let header = self.byte()?;
        let size = match header >> 4 {
            15 => self.varint()?,
            size => u64::from(size),
        };
        // Some writers leave the type of an empty list open.
        let kind = if size == 0 {
            Kind::Struct
        } else {
            Kind::of(header & 0xf)?
        };
        Ok((kind, size))
    }

    fn skip(&mut self, kind: Kind, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err("a header nests too deep".to_owned());
        }
        match kind {
            Kind::True | Kind::False => {}
            Kind::Byte => drop(self.take(1)?),
            Kind::I16 | Kind::I32 | Kind::I64 => drop(self.varint()?),
            Kind::Double => drop(self.take(8)?),
            Kind::Uuid => drop(self.take(16)?),
            Kind::Binary => {
                let length = usize::try_from(self.varint()?).map_err(|_| "a header is cut off")?;
                self.take(length)?;
            }
            Kind::Struct => self.fields(|reader, _, kind| {
                reader.skip(kind, depth + 1)?;
                Ok(true)
            })?,
            Kind::List | Kind::Set => {
                let (kind, size) = self.list()?;
                for _ in 0..size {
                    self.skip_element(kind, depth)?;
                }
            }
            Kind::Map => {
                let size = self.varint()?;
                if size > 0 {
                    let kinds = self.byte()?;
                    let (key, value) = (Kind::of(kinds >> 4)?, Kind::of(kinds & 0xf)?);
                    for _ in 0..size {
                        self.skip_element(key, depth)?;
                        self.skip_element(value, depth)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// In a collection a boolean takes a byte; as a field its type is its value.
    fn skip_element(&mut self, kind: Kind, depth: usize) -> Result<(), String> {
        match kind {
            Kind::True | Kind::False => self.skip(Kind::Byte, depth + 1),
            kind => self.skip(kind, depth + 1),
        }
    }
}

fn expect(kind: Kind, expected: Kind) -> Result<(), String> {
    if kind == expected {
        Ok(())
    } else {
        Err(format!(
            "a header has a {kind:?} where a {expected:?} belongs"
        ))
    }
}
