//! Names that have to fit.

use super::{escape::plain, width::width};

/// What stands for what was left out.
const GAP: char = '…';

/// The name, or where it is wider than `most` its beginning and its end: names of adapters often differ in the last letters.
pub fn clipped(name: &str, size: f64, most: f64) -> String {
    let name = plain(name);
    if width(&name, size) <= most {
        return name;
    }
    let chars: Vec<char> = name.chars().collect();
    for kept in (1..chars.len()).rev() {
        let tail = kept / 2;
        let short: String = chars[..kept - tail]
            .iter()
            .chain([&GAP])
            .chain(&chars[chars.len() - tail..])
            .collect();
        if width(&short, size) <= most {
            return short;
        }
    }
    GAP.to_string()
}

/// `a − b`, each clipped to the room that the other leaves, at least to half of it.
pub fn difference(a: &str, b: &str, size: f64, most: f64) -> String {
    let minus = " \u{2212} ";
    let room = most - width(minus, size);
    let [wide_a, wide_b] = [a, b].map(|name| width(&plain(name), size));
    let half = room / 2.0;
    let for_a = half.max(room - wide_b);
    let for_b = half.max(room - wide_a);
    format!(
        "{}{minus}{}",
        clipped(a, size, for_a),
        clipped(b, size, for_b)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_ends_of_a_long_name_stay() {
        let name = "smollm2-360m-instruct-lora-standard-seed-17";
        let short = clipped(name, 13.0, 150.0);
        assert!(
            short.starts_with("smollm2") && short.ends_with("seed-17"),
            "{short}"
        );
        assert_eq!(clipped("base", 13.0, 150.0), "base");
        assert_eq!(
            difference("selective", "base", 13.0, 150.0),
            "selective \u{2212} base"
        );
        let short = difference(name, "base", 13.0, 150.0);
        assert!(
            short.ends_with("… base") || short.ends_with("17 \u{2212} base"),
            "{short}"
        );
    }

    proptest! {
        #[test]
        fn a_clipped_name_fits(name in any::<String>(), other in any::<String>(), most in 20.0..200.0) {
            prop_assert!(width(&clipped(&name, 13.0, most), 13.0) <= most);
            prop_assert!(width(&difference(&name, &other, 13.0, most + 40.0), 13.0) <= most + 40.0);
        }
    }
}
