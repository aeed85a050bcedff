//! Links from the tables into the sample browser: the browser's state is in the address after `#`.

use std::fmt::Write as _;

/// The address of the samples that pass these filters, `#view=samples&suite=humaneval&flip=won`.
pub(super) fn samples(filters: &[(&str, &str)]) -> String {
    let mut out = "#view=samples".to_owned();
    for (name, value) in filters {
        let _ = write!(out, "&{name}=");
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn values_are_percent_encoded() {
        assert_eq!(
            super::samples(&[("suite", "a b&c=d"), ("flip", "won")]),
            "#view=samples&suite=a%20b%26c%3Dd&flip=won"
        );
    }
}
