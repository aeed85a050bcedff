//! Numbers as people read them.

/// A small number: `1.2e-5`, and plain 0.
pub fn exponent(x: f32) -> String {
    if x == 0.0 || !x.is_finite() {
        x.to_string()
    } else {
        format!("{x:.1e}")
    }
}

/// Bytes in decimal units: `513.4 MB`.
pub fn bytes(count: u64) -> String {
    let units = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    let count = count as f64;
    units.iter().find(|(unit, _)| count >= *unit).map_or_else(
        || format!("{count} B"),
        |(unit, name)| format!("{:.1} {name}", count / unit),
    )
}

/// A count with its thousands apart: `134,515,008`.
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut shown = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_are_short() {
        let shown = [0.0, 1.234e-5, 1e-4, 12.0, f32::NAN, f32::INFINITY].map(exponent);
        assert_eq!(shown, ["0", "1.2e-5", "1.0e-4", "1.2e1", "NaN", "inf"]);
    }

    #[test]
    fn large_numbers_are_read_at_a_glance() {
        let shown = [0, 999, 1000, 134_515_008].map(thousands);
        assert_eq!(shown, ["0", "999", "1,000", "134,515,008"]);
        let shown = [0, 999, 1000, 513_400_000, 7_000_000_000].map(bytes);
        assert_eq!(shown, ["0 B", "999 B", "1.0 kB", "513.4 MB", "7.0 GB"]);
    }
}
