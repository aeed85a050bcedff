//! What reading a file may cost.

/// What any file may cost in bytes.
const FLOOR: usize = 128 << 20;
/// What a long file may cost beyond that, for each of its bytes. Snappy alone may make 22 of one.
const FACTOR: usize = 64;

/// Memory left for the rows of a file. A few bytes of run lengths or of a dictionary can stand for any number of values.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
    limit: usize,
}

impl Budget {
    pub(super) fn for_file(bytes: usize) -> Self {
        Self::new(bytes.saturating_mul(FACTOR).max(FLOOR))
    }

    pub(super) fn new(limit: usize) -> Self {
        Self { left: limit, limit }
    }

    /// Takes bytes out of it before they are used.
    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), String> {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(format!(
                "its rows need more than {} MiB of memory, out of all proportion to the file",
                self.limit >> 20
            )),
        }
    }
}
