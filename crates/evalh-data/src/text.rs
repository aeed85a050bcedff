//! Bytes to text.

use crate::{Place, error::Fault};
use flate2::read::MultiGzDecoder;
use std::io::Read as _;

/// Undoes gzip; `None` where more than `limit` bytes would come out.
pub(crate) fn gunzip(bytes: &[u8], limit: u64) -> Result<Option<Vec<u8>>, Fault> {
    let mut text = Vec::new();
    MultiGzDecoder::new(bytes)
        .take(limit.saturating_add(1))
        .read_to_end(&mut text)
        .map_err(|error| {
            Fault::new(
                Place::File,
                format!("its gzip compression is broken: {error}"),
                "fetch it again",
            )
        })?;
    Ok((text.len() as u64 <= limit).then_some(text))
}

/// The text of a file, without a byte order mark.
pub(crate) fn decode(bytes: &[u8]) -> Result<&str, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes[..error.valid_up_to()].split(|b| *b == b'\n');
        let line = before.count() as u64;
        Fault::new(Place::Line(line), "it is not UTF-8", "save it as UTF-8")
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write as _;

    #[test]
    fn compression_is_undone_up_to_a_limit() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(&[b'x'; 1000]).unwrap();
        let bytes = gzip.finish().unwrap();
        assert_eq!(gunzip(&bytes, 1000).unwrap().unwrap().len(), 1000);
        assert_eq!(gunzip(&bytes, 999).unwrap(), None);
        assert!(gunzip(&bytes[..bytes.len() - 1], 1000).is_err());
        let twice = [bytes.clone(), bytes].concat();
        assert_eq!(
            gunzip(&twice, 2000).unwrap().unwrap().len(),
            2000,
            "members are joined"
        );
    }

    #[test]
    fn a_mark_is_dropped_and_other_encodings_are_placed() {
        assert_eq!(decode(b"\xef\xbb\xbfa").unwrap(), "a");
        assert_eq!(decode(b"a\nb\n\xe9").unwrap_err().place, Place::Line(3));
    }
}
