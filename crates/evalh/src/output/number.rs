//! Numbers as people read them.

/// A small number: `1.2e-5`, and plain 0.
pub fn exponent(x: f32) -> String {
    if x == 0.0 || !x.is_finite() {
        x.to_string()
    } else {
        format!("{x:.1e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_are_short() {
        let shown = [0.0, 1.234e-5, 1e-4, 12.0, f32::NAN, f32::INFINITY].map(exponent);
        assert_eq!(shown, ["0", "1.2e-5", "1.0e-4", "1.2e1", "NaN", "inf"]);
    }
}
