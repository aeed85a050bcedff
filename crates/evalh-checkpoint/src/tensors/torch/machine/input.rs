//! The bytes that a pickle's opcodes take.

use super::{Fault, broken};

/// What is left of a pickle.
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn take<const N: usize>(&mut self) -> Result<&'a [u8; N], Fault> {
        let (head, rest) = self
            .0
            .split_first_chunk()
            .ok_or_else(|| broken("ends in the middle"))?;
        self.0 = rest;
        Ok(head)
    }

    pub(super) fn text(&mut self, len: usize) -> Result<&'a str, Fault> {
        let (text, rest) = self
            .0
            .split_at_checked(len)
            .ok_or_else(|| broken("has a text that is longer than it"))?;
        self.0 = rest;
        std::str::from_utf8(text).map_err(|_| broken("has a text that is no UTF-8"))
    }

    /// A text up to the end of its line, as the names of globals are written.
    pub(super) fn line(&mut self) -> Result<&'a str, Fault> {
        const LONGEST: usize = 256;
        let end = self
            .0
            .iter()
            .take(LONGEST)
            .position(|&byte| byte == b'\n')
            .ok_or_else(|| broken("has a name without an end"))?;
        let line = self.text(end)?;
        self.take::<1>()?;
        Ok(line)
    }

    /// A little-endian two's complement of a few bytes.
    pub(super) fn long(&mut self) -> Result<i64, Fault> {
        let len = usize::from(self.take::<1>()?[0]);
        let (bytes, rest) = self
            .0
            .split_at_checked(len)
            .ok_or_else(|| broken("ends in the middle"))?;
        self.0 = rest;
        let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
        let mut wide = [if negative { 0xff } else { 0 }; 8];
        wide.get_mut(..len)
            .ok_or_else(|| broken("has an integer of more than 64 bits"))?
            .copy_from_slice(bytes);
        Ok(i64::from_le_bytes(wide))
    }
}
