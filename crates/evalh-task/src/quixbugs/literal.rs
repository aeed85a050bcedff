//! JSON as Python source.

use serde_json::Value;

/// Python source of a value. `None` for a number that does not keep its value in 64 bits: JSON and Python have whole
/// numbers of any size.
pub(super) fn python(value: &Value) -> Option<String> {
    let mut source = String::new();
    write(value, &mut source)?;
    Some(source)
}

/// Python source of a text: JSON's escapes mean the same in Python.
pub(super) fn python_text(text: &str) -> String {
    Value::from(text).to_string()
}

fn write(value: &Value, source: &mut String) -> Option<()> {
    match value {
        Value::Null => source.push_str("None"),
        Value::Bool(true) => source.push_str("True"),
        Value::Bool(false) => source.push_str("False"),
        Value::Number(number) => {
            // A whole number beyond 64 bits has become a float of at least 2^63.
            if number.is_f64() && number.as_f64()?.abs() >= 9_223_372_036_854_775_808.0 {
                return None;
            }
            source.push_str(&number.to_string());
        }
        Value::String(text) => source.push_str(&python_text(text)),
        Value::Array(items) => {
            source.push('[');
            for item in items {
                write(item, source)?;
                source.push_str(", ");
            }
            source.push(']');
        }
        Value::Object(fields) => {
            source.push('{');
            for (key, item) in fields {
                source.push_str(&python_text(key));
                source.push_str(": ");
                write(item, source)?;
                source.push_str(", ");
            }
            source.push('}');
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::python;
    use serde_json::{Value, json};

    #[test]
    fn values_keep_their_kind() {
        let value = json!([[1, -2.0, 0.1], null, true, false, {"k": "a\"\\\n\u{e9}"}, []]);
        assert_eq!(
            python(&value).unwrap(),
            "[[1, -2.0, 0.1, ], None, True, False, {\"k\": \"a\\\"\\\\\\n\u{e9}\", }, [], ]"
        );
    }

    #[test]
    fn numbers_that_lose_their_value_are_refused() {
        for text in [
            "9223372036854775807",
            "18446744073709551615",
            "-9223372036854775808",
            "1e18",
        ] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert!(python(&value).is_some(), "{text}");
        }
        for text in ["18446744073709551616", "-9223372036854775809", "[1e300]"] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(python(&value), None, "{text}");
        }
    }
}
