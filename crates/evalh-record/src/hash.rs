//! Content hashes, the only identity that files and prompts have in a record.

use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use std::{fmt, fs::File, io, path::Path};

/// A SHA-256 digest in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Sha256(String);

/// A text that is not 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a SHA-256 digest (64 lower-case hexadecimal digits)")]
pub struct Sha256ParseError(String);

impl TryFrom<String> for Sha256 {
    type Error = Sha256ParseError;

    fn try_from(text: String) -> Result<Sha256, Sha256ParseError> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 64 && text.bytes().all(digit) {
            Ok(Sha256(text))
        } else {
            Err(Sha256ParseError(text))
        }
    }
}

impl Sha256 {
    /// The 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Hash of a byte string.
pub fn sha256_bytes(bytes: &[u8]) -> Sha256 {
    Sha256(format!("{:x}", sha2::Sha256::digest(bytes)))
}

/// Hash of a file's content, read as a stream.
///
/// # Errors
/// When the file cannot be opened or read.
pub fn sha256_file(path: &Path) -> io::Result<Sha256> {
    let mut hasher = sha2::Sha256::new();
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(Sha256(format!("{:x}", hasher.finalize())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digests_are_read() {
        let digest = sha256_bytes(b"x");
        assert_eq!(Sha256::try_from(digest.to_string()), Ok(digest.clone()));
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!(serde_json::from_str::<Sha256>(&json).unwrap(), digest);
        for wrong in [
            "",
            "abc",
            &digest.as_str().to_uppercase(),
            &format!("{digest}0"),
        ] {
            assert!(Sha256::try_from(wrong.to_owned()).is_err(), "{wrong}");
            assert!(serde_json::from_str::<Sha256>(&format!("\"{wrong}\"")).is_err());
        }
    }

    #[test]
    fn the_empty_string_has_the_published_digest() {
        assert_eq!(
            sha256_bytes(b"").as_str(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
