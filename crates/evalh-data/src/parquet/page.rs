//! The pages of a column: header, compression, checksum.

use super::{
    Trouble,
    footer::Chunk,
    thrift::{Kind, Reader},
};
use flate2::Crc;
use std::borrow::Cow;

/// The most bytes that Snappy makes of one: a copy of 64 bytes takes three.
const MAX_RATIO: usize = 22;

/// A page, its compression undone.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) kind: PageKind,
    /// The values of a dictionary, or the entries of data.
    pub(super) count: usize,
    /// How the values are encoded.
    pub(super) encoding: i32,
    pub(super) body: Cow<'a, [u8]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageKind {
    Dictionary,
    /// Levels, each with its length before it, and values.
    Data,
    /// Repetition levels of this many bytes, definition levels of that many, and values.
    DataV2(usize, usize),
}

/// The pages of a chunk in order.
pub(super) struct Pages<'a> {
    rest: &'a [u8],
    compressed: bool,
}

impl<'a> Pages<'a> {
    /// The pages of a chunk of a file.
    pub(super) fn new(file: &'a [u8], chunk: &Chunk) -> Result<Self, Trouble> {
        let compressed = match chunk.codec {
            0 => false,
            1 => true,
            codec => {
                // The numbers of `CompressionCodec`.
                let names = ["GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4_RAW"];
                let name = usize::try_from(codec)
                    .ok()
                    .and_then(|codec| names.get(codec.checked_sub(2)?))
                    .map_or_else(|| format!("number {codec}"), |name| (*name).to_owned());
                return Err(Trouble::Unsupported(format!(
                    "its compression is {name}, and only SNAPPY and none are supported"
                )));
            }
        };
        // The dictionary comes first. 0 stands for none, and for the data of a chunk without rows.
        let start = match chunk.dictionary_offset {
            Some(offset) if offset > 0 => offset,
            _ => chunk.data_offset,
        };
        let rest = start
            .checked_add(chunk.length)
            .and_then(|end| file.get(start..end))
            .ok_or("its pages lie beyond the end of the file")?;
        Ok(Self { rest, compressed })
    }

    /// The next page with data or a dictionary.
    pub(super) fn next(&mut self) -> Result<Option<Page<'a>>, Trouble> {
        while !self.rest.is_empty() {
            let mut reader = Reader::new(self.rest);
            let header = Header::read(&mut reader)?;
            let (body, rest) = reader
                .rest()
                .split_at_checked(header.compressed)
                .ok_or("a page is cut off")?;
            self.rest = rest;
            if let Some(kind) = header.kind {
                header.check(body)?;
                return Ok(Some(Page {
                    kind,
                    count: header.count,
                    encoding: header.encoding,
                    body: self.undo(&header, kind, body)?,
                }));
            }
        }
        Ok(None)
    }

    /// Undoes the compression, of which the levels of the second version have none.
    fn undo(
        &self,
        header: &Header,
        kind: PageKind,
        body: &'a [u8],
    ) -> Result<Cow<'a, [u8]>, String> {
        let levels = match kind {
            PageKind::DataV2(repetition, definition) => repetition
                .checked_add(definition)
                .filter(|levels| *levels <= body.len())
                .ok_or("a page is shorter than its levels")?,
            _ => 0,
        };
        if !self.compressed || !header.is_compressed {
            return if body.len() == header.uncompressed {
                Ok(Cow::Borrowed(body))
            } else {
                Err("a page without compression has two lengths".to_owned())
            };
        }
        let (levels, values) = body.split_at(levels);
        if values.is_empty() {
            // A page of nothing but missing values.
            return Ok(Cow::Borrowed(levels));
        }
        let length = snap::raw::decompress_len(values).map_err(|e| broken(&e))?;
        if Some(length) != header.uncompressed.checked_sub(levels.len())
            || length / MAX_RATIO > values.len()
        {
            return Err("a page's compression has another length than its header".to_owned());
        }
        let mut whole = vec![0; levels.len() + length];
        let (start, end) = whole.split_at_mut(levels.len());
        start.copy_from_slice(levels);
        let written = snap::raw::Decoder::new()
            .decompress(values, end)
            .map_err(|e| broken(&e))?;
        if written == length {
            Ok(Cow::Owned(whole))
        } else {
            Err("a page's compression ends early".to_owned())
        }
    }
}

fn broken(error: &snap::Error) -> String {
    format!("a page's compression is broken: {error}")
}

/// `PageHeader` of the format's Thrift definition.
#[derive(Debug)]
struct Header {
    /// `None`: an index, which says nothing about the rows.
    kind: Option<PageKind>,
    compressed: usize,
    uncompressed: usize,
    checksum: Option<u32>,
    count: usize,
    encoding: i32,
    is_compressed: bool,
}

impl Header {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Trouble> {
        let (mut page_type, mut described) = (-1, -1);
        let (mut repetition, mut definition) = (0, 0);
        let mut levels = 3;
        let mut header = Self {
            kind: None,
            compressed: 0,
            uncompressed: 0,
            checksum: None,
            count: 0,
            encoding: -1,
            is_compressed: true,
        };
        reader.fields(|reader, id, kind| {
            match id {
                1 => page_type = reader.i32(kind)?,
                2 => header.uncompressed = reader.count(kind)?,
                3 => header.compressed = reader.count(kind)?,
                4 => header.checksum = Some(reader.i32(kind)? as u32),
                // Data, index, dictionary and second version of data, each with its own fields.
                5 => {
                    described = 0;
                    reader.fields(|reader, id, kind| {
                        match id {
                            1 => header.count = reader.count(kind)?,
                            2 => header.encoding = reader.i32(kind)?,
                            3 | 4 => {
                                let encoding = reader.i32(kind)?;
                                if encoding != 3 {
                                    levels = encoding;
                                }
                            }
                            _ => return Ok(false),
                        }
                        Ok(true)
                    })?;
                }
                7 => {
                    described = 2;
                    reader.fields(|reader, id, kind| {
                        match id {
                            1 => header.count = reader.count(kind)?,
                            2 => header.encoding = reader.i32(kind)?,
                            _ => return Ok(false),
                        }
                        Ok(true)
                    })?;
                }
                8 => {
                    described = 3;
                    reader.fields(|reader, id, kind| {
                        match id {
                            1 => header.count = reader.count(kind)?,
                            4 => header.encoding = reader.i32(kind)?,
                            5 => definition = reader.count(kind)?,
                            6 => repetition = reader.count(kind)?,
                            7 => header.is_compressed = kind == Kind::True,
                            _ => return Ok(false),
                        }
                        Ok(true)
                    })?;
                }
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        header.kind = match page_type {
            1 => return Ok(header),
            0 => Some(PageKind::Data),
            2 => Some(PageKind::Dictionary),
            3 => Some(PageKind::DataV2(repetition, definition)),
            _ => return Err(format!("a page is of the unknown type {page_type}").into()),
        };
        if page_type != described {
            return Err("a page has the header of another type".into());
        }
        if levels != 3 {
            return Err(Trouble::Unsupported(format!(
                "its levels have the outdated encoding {levels} instead of RLE"
            )));
        }
        Ok(header)
    }

    /// Compares the bytes with the checksum, where there is one.
    fn check(&self, body: &[u8]) -> Result<(), String> {
        let mut crc = Crc::new();
        crc.update(body);
        if self.checksum.is_none_or(|checksum| checksum == crc.sum()) {
            Ok(())
        } else {
            Err("a page differs from its checksum".to_owned())
        }
    }
}
