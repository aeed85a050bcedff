//! How many layers.

use super::SelectError;
use std::{fmt, str::FromStr};

/// How many layers to choose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Amount {
    /// A share above 0, up to 1.
    Ratio(f64),
    /// A number, at least 1.
    Count(usize),
}

impl Amount {
    /// The number of layers out of `layers`: `floor(ratio * layers)` for every method, at least one.
    ///
    /// # Errors
    /// When there are no layers, or fewer than asked for.
    pub fn of(self, layers: usize) -> Result<usize, SelectError> {
        if layers == 0 {
            return Err(SelectError::NoLayers);
        }
        match self {
            // 0.29 * 100 is 28.999... in binary: what is as near to a whole number as that is one.
            Self::Ratio(ratio) => {
                let wanted = (ratio * layers as f64 + 1e-9).floor() as usize;
                Ok(wanted.clamp(1, layers))
            }
            Self::Count(asked) if asked > layers => Err(SelectError::TooMany { asked, layers }),
            Self::Count(asked) => Ok(asked.max(1)),
        }
    }
}

impl FromStr for Amount {
    type Err = SelectError;

    /// `50%` and `0.5` are shares, `8` is a number of layers. `1` is one layer, `1.0` all.
    fn from_str(text: &str) -> Result<Self, SelectError> {
        let refused = |problem| SelectError::Amount {
            text: text.to_owned(),
            problem,
        };
        let plain = |number: &str| {
            let digits = number
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.');
            digits.then(|| number.parse::<f64>().ok()).flatten()
        };
        let share = |number: &str, whole: f64| {
            let value = plain(number).ok_or_else(|| refused("it is not a number"))? / whole;
            if value > 0.0 && value <= 1.0 {
                Ok(Self::Ratio(value))
            } else {
                Err(refused("a share is above 0 and at most all"))
            }
        };
        if let Some(percent) = text.strip_suffix('%') {
            return share(percent.trim_end(), 100.0);
        }
        if text.contains('.') {
            return share(text, 1.0);
        }
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(refused("it is not a number"));
        }
        match text.parse() {
            Ok(0) => Err(refused("at least one layer is trained")),
            Ok(count) => Ok(Self::Count(count)),
            Err(_) => Err(refused("the number is too large")),
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // 0.07 * 100 is 7.000000000000001.
            Self::Ratio(ratio) => write!(f, "{}%", (ratio * 1e10).round() / 1e8),
            Self::Count(count) => write!(f, "{count}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Amount, String> {
        text.parse::<Amount>().map_err(|error| error.to_string())
    }

    #[test]
    fn shares_and_numbers_are_told_apart() {
        let cases = [
            ("50%", Amount::Ratio(0.5)),
            ("100 %", Amount::Ratio(1.0)),
            ("12.5%", Amount::Ratio(0.125)),
            ("0.5", Amount::Ratio(0.5)),
            (".5", Amount::Ratio(0.5)),
            ("1.0", Amount::Ratio(1.0)),
            ("1", Amount::Count(1)),
            ("8", Amount::Count(8)),
        ];
        for (text, amount) in cases {
            assert_eq!(read(text), Ok(amount), "{text}");
        }
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in [
            "", "%", ".", "0", "0%", "0.0", "101%", "1.5", "-1", "+1", "1e-1", "nan", "inf%",
            "half", "1..5",
        ] {
            let refused = read(text).unwrap_err();
            assert!(
                refused.starts_with(&format!("read --top {text}: ")),
                "{refused}"
            );
        }
        assert_eq!(
            read("150%").unwrap_err(),
            "read --top 150%: a share is above 0 and at most all; give a share (50% or 0.5) or a number of layers (8)"
        );
        assert!(read(&"9".repeat(40)).unwrap_err().contains("too large"));
    }

    #[test]
    fn shares_of_layers_are_whole_numbers_where_they_look_it() {
        for (percent, layers, count) in [
            (50, 30, 15),
            (50, 5, 2),
            (29, 100, 29),
            (7, 100, 7),
            (1, 30, 1),
            (100, 3, 3),
        ] {
            let amount: Amount = format!("{percent}%").parse().unwrap();
            assert_eq!(amount.of(layers).unwrap(), count);
            assert_eq!(amount.to_string(), format!("{percent}%"));
        }
        assert_eq!(
            Amount::Count(9).of(8).unwrap_err().to_string(),
            "choose 9 layers of 8: give at most 8 with --top"
        );
        assert!(Amount::Ratio(0.5).of(0).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,12}") {
            if let Ok(amount) = read(&text) {
                let chosen = amount.of(30);
                prop_assert!(chosen.is_err() || (1..=30).contains(&chosen.unwrap()));
            }
        }

        #[test]
        fn an_amount_reads_back(percent in 1_u32..=10_000) {
            let amount = Amount::Ratio(f64::from(percent) / 1e4);
            let Ok(Amount::Ratio(read)) = read(&amount.to_string()) else { panic!("{amount}") };
            prop_assert!((read - f64::from(percent) / 1e4).abs() < 1e-12);
        }
    }
}
