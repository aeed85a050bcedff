//! Single members out of archives, never more bytes than were declared, and never to a path that an archive names.

mod tarball;
mod wheel;

pub(crate) use tarball::with_tar_member;
pub(crate) use wheel::with_zip_member;

use crate::Compression;
use std::io::Read;

/// Undoes a file's compression.
pub(crate) fn decompressed<'r>(
    reader: &'r mut dyn Read,
    compression: Option<Compression>,
) -> Box<dyn Read + 'r> {
    match compression {
        None => Box::new(reader),
        Some(Compression::Gzip) => Box::new(flate2::read::MultiGzDecoder::new(reader)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::FetchError;
    use flate2::{Compression as Level, write::GzEncoder};
    use proptest::prelude::*;
    use std::{fs, io::Write as _, path::Path};

    fn read_all(reader: &mut dyn Read) -> Result<Vec<u8>, FetchError> {
        let mut bytes = Vec::new();
        match reader.take(1 << 20).read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(e) => Err(FetchError::Unavailable(e.to_string())),
        }
    }

    fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, content) in members {
            zip.start_file(*name, zip::write::SimpleFileOptions::default())
                .unwrap();
            zip.write_all(content).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn tar_gz() -> Vec<u8> {
        let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Level::default()));
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        tar.append_link(&mut header, "p-1/link", "/etc/passwd")
            .unwrap();
        let mut header = tar::Header::new_gnu();
        header.set_size(5);
        header.set_cksum();
        tar.append_data(&mut header, "p-1/data/rows", &b"lines"[..])
            .unwrap();
        tar.into_inner().unwrap().finish().unwrap()
    }

    fn from_zip(bytes: &[u8], member: &str) -> Result<Vec<u8>, FetchError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.whl");
        fs::write(&path, bytes).unwrap();
        with_zip_member(&path, member, read_all)
    }

    fn from_tar(bytes: &[u8], member: &str) -> Result<Vec<u8>, FetchError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tar.gz");
        fs::write(&path, bytes).unwrap();
        with_tar_member(&path, member, read_all)
    }

    fn reason(result: Result<Vec<u8>, FetchError>) -> String {
        match result {
            Err(FetchError::Unavailable(reason)) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_the_member_of_exactly_the_name_is_read() {
        let zip = zip(&[
            ("../rows", b"evil"),
            ("data/rows", b"lines"),
            ("rows", b"other"),
        ]);
        assert_eq!(from_zip(&zip, "data/rows").unwrap(), b"lines");
        assert_eq!(reason(from_zip(&zip, "ROWS")), "a.whl has no member ROWS");
        let tar = tar_gz();
        assert_eq!(from_tar(&tar, "p-1/data/rows").unwrap(), b"lines");
        assert_eq!(
            reason(from_tar(&tar, "rows")),
            "a.tar.gz has no member rows"
        );
        assert_eq!(
            reason(from_tar(&tar, "p-1/link")),
            "p-1/link in a.tar.gz is not a regular file"
        );
    }

    #[test]
    fn compressed_members_are_undone() {
        let mut gzip = GzEncoder::new(Vec::new(), Level::default());
        gzip.write_all(b"lines").unwrap();
        let bytes = gzip.finish().unwrap();
        let undone =
            |bytes: &[u8]| read_all(&mut decompressed(&mut &*bytes, Some(Compression::Gzip)));
        assert_eq!(undone(&bytes).unwrap(), b"lines");
        assert!(
            undone(&bytes[..bytes.len() - 1]).is_err(),
            "a cut stream is an error"
        );
        assert!(undone(b"lines").is_err());
    }

    #[test]
    fn an_archive_that_is_missing_is_an_error_of_the_disk() {
        let result = with_zip_member(Path::new("no-such-archive"), "a", read_all);
        assert!(matches!(result, Err(FetchError::Fatal(_))));
    }

    proptest! {
        #[test]
        fn random_archives_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(from_zip(&bytes, "a").is_err());
            prop_assert!(from_tar(&bytes, "a").is_err());
        }

        #[test]
        fn mutated_archives_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut zip = zip(&[("data/rows", b"lines"), ("b", &[7; 100])]);
            let place = at.index(zip.len());
            zip[place] = byte;
            let _ = from_zip(&zip, "data/rows");
            let _ = from_zip(&zip, "b");
            let mut tar = tar_gz();
            let place = at.index(tar.len());
            tar[place] = byte;
            let _ = from_tar(&tar, "p-1/data/rows");
            zip.truncate(place);
            prop_assert!(from_zip(&zip, "data/rows").is_err());
        }
    }
}
