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
