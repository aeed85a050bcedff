//! Right and wrong answers as hexadecimal digits, four items a digit.

/// The digits of `right`: the first item is the highest bit of the first digit; the last digit is filled up with zeros.
pub(super) fn to_hex(right: &[bool]) -> String {
    right
        .chunks(4)
        .filter_map(|four| {
            let mut digit = 0;
            for (place, &is_right) in four.iter().enumerate() {
                digit |= u32::from(is_right) << (3 - place);
            }
            char::from_digit(digit, 16)
        })
        .collect()
}

/// The answers to so many items. `None` where the digits are not exactly theirs: each text has one meaning, and each
/// meaning one text.
pub(super) fn from_hex(digits: &str, items: usize) -> Option<Vec<bool>> {
    if digits.len() != items.div_ceil(4) || digits.contains(|c: char| c.is_ascii_uppercase()) {
        return None;
    }
    let mut right = Vec::with_capacity(digits.len() * 4);
    for digit in digits.chars() {
        let digit = digit.to_digit(16)?;
        right.extend((0..4).map(|place| digit >> (3 - place) & 1 == 1));
    }
    let rest = right.split_off(items);
    (!rest.contains(&true)).then_some(right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn four_items_make_a_digit() {
        assert_eq!(to_hex(&[true, false, true, false, true]), "a8");
        assert_eq!(
            from_hex("a8", 5),
            Some(vec![true, false, true, false, true])
        );
        assert_eq!(to_hex(&[]), "");
        for (digits, items) in [
            ("a9", 5),
            ("a8", 4),
            ("a", 5),
            ("A8", 5),
            ("g8", 5),
            ("é", 5),
        ] {
            assert_eq!(from_hex(digits, items), None, "{digits} {items}");
        }
    }

    proptest! {
        #[test]
        fn answers_survive(right in proptest::collection::vec(any::<bool>(), 0..50)) {
            prop_assert_eq!(from_hex(&to_hex(&right), right.len()), Some(right));
        }
    }
}
