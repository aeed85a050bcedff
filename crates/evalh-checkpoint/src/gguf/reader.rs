//! Little-endian fields of a GGUF file, every length checked against the bytes that are there.

use super::FormatError;

/// A place in a file's bytes.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// The offset of the next byte from the file's start.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// The number of bytes after this place.
    pub(super) fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    /// The next `n` bytes.
    pub(super) fn take(&mut self, n: usize, what: &str) -> Result<&'a [u8], FormatError> {
        let slice = self
            .at
            .checked_add(n)
            .and_then(|end| self.bytes.get(self.at..end))
            .ok_or_else(|| {
                FormatError::new(
                    what,
                    format!(
                        "needs {n} bytes at offset {}, but only {} are left",
                        self.at,
                        self.remaining()
                    ),
                )
            })?;
        self.at += n;
        Ok(slice)
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], FormatError> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N, what)?);
        Ok(out)
    }

    pub(super) fn u8(&mut self, what: &str) -> Result<u8, FormatError> {
        self.array::<1>(what).map(|[b]| b)
    }

    pub(super) fn u16(&mut self, what: &str) -> Result<u16, FormatError> {
        self.array(what).map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self, what: &str) -> Result<u32, FormatError> {
        self.array(what).map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self, what: &str) -> Result<u64, FormatError> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// A count of things that each take at least `least` bytes, so that it may size an allocation.
    pub(super) fn count(&mut self, least: usize, what: &str) -> Result<usize, FormatError> {
        let n = self.u64(what)?;
        match usize::try_from(n) {
            Ok(n)
                if n.checked_mul(least)
                    .is_some_and(|bytes| bytes <= self.remaining()) =>
            {
                Ok(n)
            }
            _ => Err(FormatError::new(
                what,
                format!(
                    "says {n} entries of {least} bytes or more, but only {} bytes are left",
                    self.remaining()
                ),
            )),
        }
    }

    /// A length-prefixed string.
    pub(super) fn string(&mut self, what: &str) -> Result<&'a str, FormatError> {
        let n = self.count(1, what)?;
        std::str::from_utf8(self.take(n, what)?)
            .map_err(|e| FormatError::new(what, format!("is not UTF-8: {e}")))
    }
}
