//! The values of a page.

use super::{
    Trouble,
    bits::{Hybrid, packed},
    budget::Budget,
    kind::Values,
};
use serde_json::{Number, Value};

/// Decodes `count` values onto `out`.
pub(super) fn decode(
    encoding: i32,
    kind: Values,
    bytes: &[u8],
    count: usize,
    dictionary: Option<&[Value]>,
    out: &mut Vec<Value>,
    budget: &mut Budget,
) -> Result<(), Trouble> {
    match (encoding, kind) {
        // PLAIN
        (0, _) => plain(kind, bytes, count, out, budget),
        // PLAIN_DICTIONARY and RLE_DICTIONARY
        (2 | 8, _) => {
            let dictionary =
                dictionary.ok_or("its values refer to a dictionary that is not there")?;
            indexed(bytes, count, dictionary, out, budget)
        }
        // RLE
        (3, Values::Bool) => {
            let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(cut)?;
            let bits = rest
                .get(..u32::from_le_bytes(*length) as usize)
                .ok_or_else(cut)?;
            let mut bits = Hybrid::new(bits, 1)?;
            for _ in 0..count {
                out.push(Value::from(bits.next()? == 1));
            }
            Ok(())
        }
        _ => {
            // The numbers of `Encoding`.
            let name = match encoding {
                3 => "RLE",
                4 => "BIT_PACKED",
                5 => "DELTA_BINARY_PACKED",
                6 => "DELTA_LENGTH_BYTE_ARRAY",
                7 => "DELTA_BYTE_ARRAY",
                9 => "BYTE_STREAM_SPLIT",
                _ => "unknown",
            };
            Err(Trouble::Unsupported(format!(
                "its values have the encoding {name} ({encoding}), and only PLAIN and dictionaries are supported"
            )))
        }
    }
}

/// Decodes `count` values that lie one after the other.
pub(super) fn plain(
    kind: Values,
    mut bytes: &[u8],
    count: usize,
    out: &mut Vec<Value>,
    budget: &mut Budget,
) -> Result<(), Trouble> {
    if kind == Values::Bool {
        if count.div_ceil(8) > bytes.len() {
            return Err(cut().into());
        }
        out.extend((0..count).map(|at| Value::from(packed(bytes, at as u64, 1) == 1)));
        return Ok(());
    }
    for _ in 0..count {
        let bytes = &mut bytes;
        let value = match kind {
            Values::I32 => i32::from_le_bytes(take(bytes)?).into(),
            Values::U32 => u32::from_le_bytes(take(bytes)?).into(),
            Values::I64 => i64::from_le_bytes(take(bytes)?).into(),
            Values::U64 => u64::from_le_bytes(take(bytes)?).into(),
            Values::F32 => float(f64::from(f32::from_le_bytes(take(bytes)?)))?,
            Values::F64 => float(f64::from_le_bytes(take(bytes)?))?,
            Values::Text | Values::Bool => Value::from(text(bytes, budget)?),
        };
        out.push(value);
    }
    Ok(())
}

/// Values as places in a dictionary.
fn indexed(
    bytes: &[u8],
    count: usize,
    dictionary: &[Value],
    out: &mut Vec<Value>,
    budget: &mut Budget,
) -> Result<(), Trouble> {
    if count == 0 {
        return Ok(());
    }
    let (width, runs) = bytes.split_first().ok_or_else(cut)?;
    let mut runs = Hybrid::new(runs, u32::from(*width))?;
    for _ in 0..count {
        let value = dictionary
            .get(runs.next()? as usize)
            .ok_or("a value lies beyond the end of its dictionary")?;
        if let Value::String(text) = value {
            budget.spend(text.len())?;
        }
        out.push(value.clone());
    }
    Ok(())
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], String> {
    let (taken, rest) = bytes.split_first_chunk::<N>().ok_or_else(cut)?;
    *bytes = rest;
    Ok(*taken)
}

fn text(bytes: &mut &[u8], budget: &mut Budget) -> Result<String, String> {
    let length = u32::from_le_bytes(take(bytes)?) as usize;
    let (text, rest) = bytes.split_at_checked(length).ok_or_else(cut)?;
    *bytes = rest;
    budget.spend(length)?;
    std::str::from_utf8(text)
        .map(str::to_owned)
        .map_err(|_| "a text is not UTF-8".to_owned())
}

/// A number that JSON can hold.
fn float(value: f64) -> Result<Value, Trouble> {
    Number::from_f64(value)
        .map(Value::Number)
        .ok_or_else(|| Trouble::Unsupported(format!("a value is {value}, which JSON cannot hold")))
}

fn cut() -> String {
    "a page is cut off".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_long_texts_ends_with_the_budget() {
        let dictionary = [Value::from("x".repeat(1000))];
        let decode = |budget: usize| {
            let (mut out, mut budget) = (Vec::new(), Budget::new(budget));
            // An index of no bits, 2^20 times.
            indexed(
                &[0, 0x80, 0x80, 0x80, 1],
                1 << 20,
                &dictionary,
                &mut out,
                &mut budget,
            )
            .map_err(|trouble| (format!("{trouble:?}"), out.len()))
        };
        let (problem, texts) = decode(1 << 20).unwrap_err();
        assert!(problem.contains("more than 1 MiB"), "{problem}");
        assert_eq!(texts, (1 << 20) / 1000);
        assert!(decode(2 << 30).is_ok());
    }
}
