//! Runs and packed bits: the format's hybrid of run-length encoding and bit packing (`Encodings.md`, RLE = 3).

/// Numbers of a fixed width, one after the other.
#[derive(Debug)]
pub(super) struct Hybrid<'a> {
    bytes: &'a [u8],
    /// Bits of a number, 32 at most.
    width: u32,
    run: Run<'a>,
}

#[derive(Debug)]
enum Run<'a> {
    /// One number so many times more.
    Same { left: u64, number: u32 },
    /// Packed numbers; `at` is the next one.
    Packed {
        bytes: &'a [u8],
        at: u64,
        count: u64,
    },
}

impl<'a> Hybrid<'a> {
    pub(super) fn new(bytes: &'a [u8], width: u32) -> Result<Self, String> {
        if width > 32 {
            return Err(format!("a page packs numbers of {width} bits"));
        }
        let run = Run::Same { left: 0, number: 0 };
        Ok(Self { bytes, width, run })
    }

    /// The next number.
    pub(super) fn next(&mut self) -> Result<u32, String> {
        loop {
            match &mut self.run {
                Run::Same { left, number } if *left > 0 => {
                    *left -= 1;
                    return Ok(*number);
                }
                Run::Packed { bytes, at, count } if *at < *count => {
                    let number = packed(bytes, *at * u64::from(self.width), self.width);
                    *at += 1;
                    return Ok(number);
                }
                _ => self.run = self.next_run()?,
            }
        }
    }

    fn next_run(&mut self) -> Result<Run<'a>, String> {
        let header = self.varint()?;
        let count = header >> 1;
        if header & 1 == 0 {
            let mut number = [0; 4];
            let bytes = self.take(self.width.div_ceil(8) as usize)?;
            number[..bytes.len()].copy_from_slice(bytes);
            let number = u32::from_le_bytes(number);
            return Ok(Run::Same {
                left: count,
                number,
            });
        }
        // Groups of eight numbers.
        let length = count
            .checked_mul(u64::from(self.width))
            .and_then(|length| usize::try_from(length).ok())
            .ok_or_else(cut)?;
        let bytes = self.take(length)?;
        let count = count.checked_mul(8).ok_or_else(cut)?;
        Ok(Run::Packed {
            bytes,
            at: 0,
            count,
        })
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.bytes.split_at_checked(n).ok_or_else(cut)?;
        self.bytes = rest;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("a page has a run of an impossible length".to_owned())
    }
}

/// A number of `width` bits that begins at a bit, the lowest bit first. Bits beyond the end are 0.
pub(super) fn packed(bytes: &[u8], bit: u64, width: u32) -> u32 {
    let start = usize::try_from(bit / 8).unwrap_or(usize::MAX);
    // 32 bits that begin within a byte lie in five.
    let mut window = [0; 8];
    for (to, from) in window[..5].iter_mut().zip(bytes.iter().skip(start)) {
        *to = *from;
    }
    let mask = (1_u64 << width) - 1;
    ((u64::from_le_bytes(window) >> (bit % 8)) & mask) as u32
}

fn cut() -> String {
    "a page is cut off".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(bytes: &[u8], width: u32, count: usize) -> Vec<u32> {
        let mut hybrid = Hybrid::new(bytes, width).unwrap();
        (0..count).map(|_| hybrid.next().unwrap()).collect()
    }

    #[test]
    fn the_examples_of_the_format_are_read() {
        // `Encodings.md`: the numbers 0 to 7 in three bits each.
        assert_eq!(
            numbers(&[3, 0b1000_1000, 0b1100_0110, 0b1111_1010], 3, 8),
            [0, 1, 2, 3, 4, 5, 6, 7]
        );
        assert_eq!(numbers(&[6, 9, 4, 1], 4, 5), [9, 9, 9, 1, 1]);
        assert_eq!(numbers(&[2, 1, 2, 3, 4], 32, 1), [0x0403_0201]);
        assert_eq!(numbers(&[200, 1], 0, 100), [0; 100]);
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        for bytes in [&[][..], &[2], &[3, 1], &[0xff; 20], &[0; 9]] {
            let mut hybrid = Hybrid::new(bytes, 12).unwrap();
            assert!(hybrid.next().is_err(), "{bytes:?}");
        }
        assert!(Hybrid::new(&[], 33).is_err());
    }
}
