//! The zip archive's directory. Every entry must be stored as it is, so that none can unpack to more than the file holds.

use super::{Fault, damaged, refused};
use rawzip::{CompressionMethod, ZipArchive};
use std::{collections::HashMap, ops::Range};

/// The entries below the archive's one folder, by their names in it, and where their bytes are in the file.
#[derive(Debug)]
pub(super) struct Archive {
    records: HashMap<String, Record>,
}

#[derive(Debug)]
struct Record {
    data: Range<usize>,
    /// 0 where the writer left it out.
    crc: u32,
}

impl Archive {
    pub(super) fn open(file: &[u8]) -> Result<Self, Fault> {
        let broken = |e: rawzip::Error| damaged("zip directory", e.to_string());
        let zip = ZipArchive::from_slice(file).map_err(broken)?;
        let mut records = HashMap::new();
        let mut folder: Option<String> = None;
        let mut entries = zip.entries();
        let mut count = 0u64;
        while let Some(entry) = entries.next_entry().map_err(broken)? {
            count += 1;
            let path = entry.file_path();
            let name = std::str::from_utf8(path.as_ref())
                .map_err(|_| damaged("zip directory", "names an entry in no UTF-8"))?;
            if entry.is_dir() {
                continue;
            }
            if entry.flags().is_encrypted() {
                return Err(refused(name, "an encrypted entry"));
            }
            if entry.compression_method() != CompressionMethod::STORE {
                return Err(refused(name, "a compressed entry"));
            }
            if entry.compressed_size_hint() != entry.uncompressed_size_hint() {
                return Err(damaged(
                    name,
                    format!(
                        "is stored in {} bytes but said to have {}",
                        entry.compressed_size_hint(),
                        entry.uncompressed_size_hint()
                    ),
                ));
            }
            let (start, end) = zip
                .get_entry(entry.wayfinder())
                .map_err(|e| damaged(name, e.to_string()))?
                .compressed_data_range();
            // Both fit: the library has checked them against the slice.
            let data = start as usize..end as usize;
            let (root, record) = name
                .split_once('/')
                .ok_or_else(|| damaged(name, "is outside of the archive's folder"))?;
            if *folder.get_or_insert_with(|| root.to_owned()) != root {
                return Err(damaged(name, "is outside of the archive's folder"));
            }
            let crc = entry.crc32();
            if records
                .insert(record.to_owned(), Record { data, crc })
                .is_some()
            {
                return Err(damaged(name, "occurs twice in the archive"));
            }
        }
        if count != zip.entries_hint() {
            return Err(damaged(
                "zip directory",
                format!("lists {count} entries instead of {}", zip.entries_hint()),
            ));
        }
        no_overlap(&records)?;
        Ok(Self { records })
    }

    /// Where an entry's bytes are.
    pub(super) fn record(&self, name: &str) -> Option<Range<usize>> {
        self.records.get(name).map(|record| record.data.clone())
    }

    /// Compares a small entry with its checksum. Those of the weights would cost a pass over the whole file.
    pub(super) fn check_crc(&self, file: &[u8], name: &str) -> Result<(), Fault> {
        match self.records.get(name) {
            Some(record)
                if record.crc != 0 && rawzip::crc32(&file[record.data.clone()]) != record.crc =>
            {
                Err(damaged(name, "does not match its checksum"))
            }
            _ => Ok(()),
        }
    }
}

fn no_overlap(records: &HashMap<String, Record>) -> Result<(), Fault> {
    let mut places: Vec<_> = records
        .iter()
        .map(|(name, record)| (record.data.start, record.data.end, name))
        .filter(|(start, end, _)| start != end)
        .collect();
    places.sort_unstable();
    for pair in places.windows(2) {
        if pair[0].1 > pair[1].0 {
            return Err(damaged(
                pair[1].2,
                format!("overlaps {} in the archive", pair[0].2),
            ));
        }
    }
    Ok(())
}
