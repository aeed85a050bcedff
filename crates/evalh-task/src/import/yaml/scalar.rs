//! What a plain scalar means in YAML 1.1, by the regular expressions of `PyYAML`'s resolver.

use super::Node;

/// The meaning of a scalar without quotes and tag.
pub(super) fn resolve(text: &str) -> Node {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Node::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Node::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Node::Bool(false)
        }
        _ if !text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) => {
            Node::Text(text.to_owned())
        }
        _ => integer(text)
            .or_else(|| float(text))
            .or_else(|| special(text))
            .unwrap_or_else(|| Node::Text(text.to_owned())),
    }
}

fn unsigned(text: &str) -> (bool, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

fn integer(text: &str) -> Option<Node> {
    let (negative, digits) = unsigned(text);
    let all = |digits: &str, allowed: &str| {
        !digits.is_empty() && digits.chars().all(|digit| allowed.contains(digit))
    };
    let (digits, radix) = if let Some(digits) = digits.strip_prefix("0b") {
        (digits, 2)
    } else if let Some(digits) = digits.strip_prefix("0x") {
        (digits, 16)
    } else if digits.len() > 1 && digits.starts_with('0') {
        (&digits[1..], 8)
    } else {
        (digits, 10)
    };
    let allowed = match radix {
        2 => "01_",
        8 => "01234567_",
        10 => "0123456789_",
        _ => "0123456789abcdefABCDEF_",
    };
    if !all(digits, allowed) || (radix == 10 && digits.starts_with('_')) {
        return None;
    }
    let plain = digits.replace('_', "");
    let sign = if negative { "-" } else { "" };
    Some(
        match i64::from_str_radix(&format!("{sign}{plain}"), radix) {
            Ok(value) => Node::Int(value),
            Err(_) => other("a number out of range", text),
        },
    )
}

fn float(text: &str) -> Option<Node> {
    let (negative, digits) = unsigned(text);
    match digits {
        ".inf" | ".Inf" | ".INF" => {
            return Some(Node::Float(if negative {
                f64::NEG_INFINITY
            } else {
                f64::INFINITY
            }));
        }
        ".nan" | ".NaN" | ".NAN" if digits == text => return Some(Node::Float(f64::NAN)),
        _ => {}
    }
    let (mantissa, exponent) = match digits.find(['e', 'E']) {
        Some(at) => (&digits[..at], Some(&digits[at + 1..])),
        None => (digits, None),
    };
    // An exponent needs its sign, and a mantissa its point.
    if let Some(exponent) = exponent {
        let power = exponent.strip_prefix(['+', '-'])?;
        if power.is_empty() || !power.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
    }
    let (whole, part) = mantissa.split_once('.')?;
    let digits_only = |text: &str| {
        text.bytes()
            .all(|digit| digit.is_ascii_digit() || digit == b'_')
    };
    let begins = |text: &str| text.starts_with(|first: char| first.is_ascii_digit());
    // A number without a whole part takes no sign.
    let known = digits_only(whole)
        && digits_only(part)
        && (begins(whole) || (whole.is_empty() && begins(part) && digits == text));
    let plain = text.replace('_', "");
    known.then(|| {
        plain
            .parse()
            .map_or_else(|_| other("a number", text), Node::Float)
    })
}

/// Dates and numbers to the base of 60, which no field of a task takes.
fn special(text: &str) -> Option<Node> {
    let bytes = text.as_bytes();
    let shape = |pattern: &[u8]| {
        bytes.len() >= pattern.len()
            && pattern.iter().zip(bytes).all(|(&want, &byte)| match want {
                b'0' => byte.is_ascii_digit(),
                other => byte == other,
            })
    };
    if shape(b"0000-00-00") {
        let rest = &text[10..];
        let time = rest.starts_with(['T', 't', ' ', '\t']) && rest.contains(':');
        return (rest.is_empty() || time).then(|| other("a date", text));
    }
    let (_, digits) = unsigned(text);
    let mut places = digits.split('.').next()?.split(':');
    let first = places.next()?;
    let sixty = |place: &str| match place.as_bytes() {
        [digit] => digit.is_ascii_digit(),
        [ten, digit] => (b'0'..=b'5').contains(ten) && digit.is_ascii_digit(),
        _ => false,
    };
    let count = places.clone().count();
    (count > 0
        && first.starts_with(|digit: char| digit.is_ascii_digit())
        && first
            .bytes()
            .all(|digit| digit.is_ascii_digit() || digit == b'_')
        && places.all(sixty)
        && digits.split_once('.').is_none_or(|(_, part)| {
            part.bytes()
                .all(|digit| digit.is_ascii_digit() || digit == b'_')
        }))
    .then(|| other("a number to the base of 60", text))
}

fn other(kind: &str, text: &str) -> Node {
    Node::Other {
        kind: kind.to_owned(),
        text: text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_are_those_of_yaml_1_1() {
        let text = |text: &str| Node::Text(text.to_owned());
        let cases = [
            ("no", Node::Bool(false)),
            ("On", Node::Bool(true)),
            ("y", text("y")),
            ("~", Node::Null),
            ("nUll", text("nUll")),
            ("0", Node::Int(0)),
            ("-12", Node::Int(-12)),
            ("1_000", Node::Int(1000)),
            ("017", Node::Int(15)),
            ("09", text("09")),
            ("0x1F", Node::Int(31)),
            ("-0b101", Node::Int(-5)),
            ("_1", text("_1")),
            ("1.", Node::Float(1.0)),
            ("0.0", Node::Float(0.0)),
            ("-2.5e-3", Node::Float(-0.0025)),
            ("1e-3", text("1e-3")),
            ("1.0e3", text("1.0e3")),
            (".5", Node::Float(0.5)),
            ("-.5", text("-.5")),
            ("-.inf", Node::Float(f64::NEG_INFINITY)),
            ("+.nan", text("+.nan")),
            ("-", text("-")),
            ("1.2.3", text("1.2.3")),
            ("1:30", other("a number to the base of 60", "1:30")),
            ("1:75", text("1:75")),
            ("2024-01-31", other("a date", "2024-01-31")),
            (
                "99999999999999999999",
                other("a number out of range", "99999999999999999999"),
            ),
        ];
        for (given, expected) in cases {
            assert_eq!(resolve(given), expected, "{given}");
        }
        assert!(matches!(resolve(".NaN"), Node::Float(value) if value.is_nan()));
    }
}
