//! `str(x)` and `repr(x)` of what templates print.

use minijinja::value::{Value, ValueKind};
use std::fmt::Write as _;

/// `str(value)`, as jinja2 prints it: `True`, `None`, `1e+16`, `['a', 'b']`.
pub fn show(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None => repr(value),
    }
}

fn repr(value: &Value) -> String {
    match value.kind() {
        ValueKind::None => "None".into(),
        ValueKind::Bool => if value.is_true() { "True" } else { "False" }.into(),
        ValueKind::Number if !value.is_integer() => {
            f64::try_from(value.clone()).map_or_else(|_| value.to_string(), float)
        }
        ValueKind::String => quote(value.as_str().unwrap_or_default()),
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().map(|items| {
                let shown: Vec<String> = items.map(|item| repr(&item)).collect();
                format!("[{}]", shown.join(", "))
            });
            items.unwrap_or_else(|_| value.to_string())
        }
        ValueKind::Map => {
            let keys = value.try_iter().map(|keys| {
                let shown: Vec<String> = keys
                    .map(|key| {
                        let held = value.get_item(&key).unwrap_or_default();
                        format!("{}: {}", repr(&key), repr(&held))
                    })
                    .collect();
                format!("{{{}}}", shown.join(", "))
            });
            keys.unwrap_or_else(|_| value.to_string())
        }
        _ => value.to_string(),
    }
}

/// The shortest digits that give the number back, with an exponent below 1e-4 and from 1e16.
fn float(value: f64) -> String {
    if value.is_nan() {
        return "nan".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.into();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        return format!("{value:?}")
            .parse::<f64>()
            .map_or(scientific.clone(), |value| {
                let plain = format!("{value}");
                if plain.contains('.') {
                    plain
                } else {
                    plain + ".0"
                }
            });
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// A string literal: in single quotes, unless only double ones need no escape.
fn quote(text: &str) -> String {
    let mark = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut quoted = String::from(mark);
    for c in text.chars() {
        match c {
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c == mark => {
                quoted.push('\\');
                quoted.push(c);
            }
            c if (c as u32) < 0x20 || (0x7f..0xa0).contains(&(c as u32)) || c == '\u{ad}' => {
                let _ = write!(quoted, "\\x{:02x}", c as u32);
            }
            c => quoted.push(c),
        }
    }
    quoted.push(mark);
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Each right side is what `str(json.loads(...))` of Python 3.11 gives.
    #[test]
    fn values_are_printed_as_python_prints_them() {
        for (value, shown) in [
            (json!(true), "True"),
            (json!(null), "None"),
            (json!(7), "7"),
            (json!(-2.0), "-2.0"),
            (json!(0.1), "0.1"),
            (json!(1e16), "1e+16"),
            (json!(123_456_789_012_345.6), "123456789012345.6"),
            (json!(1e15), "1000000000000000.0"),
            (json!(0.0001), "0.0001"),
            (json!(0.00001), "1e-05"),
            (json!(1.5e-300), "1.5e-300"),
            (json!("it's \"so\""), "it's \"so\""),
            (
                json!(["a", "it's", "\"", "'\""]),
                r#"['a', "it's", '"', '\'"']"#,
            ),
            (json!(["\n\t\\\u{7f}é"]), r"['\n\t\\\x7fé']"),
            (json!({"k": [1, {"b": false}]}), "{'k': [1, {'b': False}]}"),
            (json!([]), "[]"),
        ] {
            assert_eq!(show(&Value::from_serialize(&value)), shown);
        }
    }
}
