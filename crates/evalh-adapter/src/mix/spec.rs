//! How a mix is written: `mix=a:0.7+b:0.3`.

use crate::AdapterError;

/// One adapter of a mix.
#[derive(Debug, Clone, PartialEq)]
pub struct MixPart {
    /// Its folder, or the name of another adapter, as it was written.
    pub adapter: String,
    /// What its updates are multiplied by.
    pub weight: f64,
}

/// A weighted stack of adapters with a name.
#[derive(Debug, Clone, PartialEq)]
pub struct MixSpec {
    /// The name before the `=`, if there is one.
    pub name: Option<String>,
    /// The adapters, in order.
    pub parts: Vec<MixPart>,
}

/// Reads `[NAME=]ADAPTER:WEIGHT+ADAPTER:WEIGHT...`.
///
/// Gives nothing for a text that has neither an unescaped `+` nor an unescaped `:`: it names a single adapter. A `+`, `:`,
/// `=` or `\` that belongs to a path is written after a `\`. A weight is a finite decimal number, and every part has one.
///
/// # Errors
/// When a part has no weight or no adapter, a weight is no finite number, or an escape is not one of those named.
pub fn parse_mix(text: &str) -> Result<Option<MixSpec>, AdapterError> {
    let refuse = |problem: String| {
        AdapterError::Mix {
        text: text.to_owned(),
        problem,
        remedy: "write NAME=ADAPTER:WEIGHT+ADAPTER:WEIGHT, with a \\ before each :, + or = that belongs to a path".into(),
    }
    };
    let marks = marks(text).map_err(refuse)?;
    if !marks.iter().any(|(_, mark)| matches!(mark, '+' | ':')) {
        return Ok(None);
    }
    let (name, start) = match marks.first() {
        Some(&(at, '=')) => (Some(unescape(&text[..at])), at + 1),
        _ => (None, 0),
    };
    if name.as_deref() == Some("") {
        return Err(refuse("the name before the `=` is empty".into()));
    }
    let mut parts = Vec::new();
    let mut from = start;
    let ends = marks
        .iter()
        .filter(|&&(at, mark)| mark == '+' && at >= start)
        .map(|&(at, _)| at)
        .chain([text.len()]);
    for end in ends {
        let part = &text[from..end];
        let colon = marks
            .iter()
            .rfind(|&&(at, mark)| mark == ':' && (from..end).contains(&at))
            .ok_or_else(|| refuse(format!("`{part}` has no weight")))?
            .0;
        if let Some((_, mark)) = marks
            .iter()
            .find(|&&(at, mark)| (from..colon).contains(&at) && mark != '+')
        {
            return Err(refuse(format!("`{part}` has a second `{mark}`")));
        }
        let adapter = unescape(&text[from..colon]);
        if adapter.is_empty() {
            return Err(refuse(format!("`{part}` names no adapter")));
        }
        let weight = number(&text[colon + 1..end]).ok_or_else(|| {
            refuse(format!(
                "`{}` is no finite decimal number",
                &text[colon + 1..end]
            ))
        })?;
        parts.push(MixPart { adapter, weight });
        from = end + 1;
    }
    Ok(Some(MixSpec { name, parts }))
}

/// The unescaped `=`, `+` and `:` with their places. Of the `=` only the first counts, and only before any other.
fn marks(text: &str) -> Result<Vec<(usize, char)>, String> {
    let mut marks = Vec::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some((_, ':' | '+' | '=' | '\\')) => {}
                Some((_, other)) => return Err(format!("`\\{other}` is no escape")),
                None => return Err("it ends in a `\\`".into()),
            },
            '=' | '+' | ':' => marks.push((at, character)),
            _ => {}
        }
    }
    Ok(marks)
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        plain.push(if character == '\\' {
            characters.next().unwrap_or(character)
        } else {
            character
        });
    }
    plain
}

/// A decimal number, without the words that Rust reads as one (`inf`, `nan`).
fn number(text: &str) -> Option<f64> {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse()
        .ok()
        .filter(|number: &f64| plain && (*number as f32).is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (Option<String>, Vec<(String, f64)>) {
        let spec = parse_mix(text).unwrap().unwrap();
        let parts = spec.parts.into_iter().map(|p| (p.adapter, p.weight));
        (spec.name, parts.collect())
    }

    #[test]
    fn a_mix_is_read() {
        let expected = vec![("a".to_owned(), 0.7), ("b/c".to_owned(), -0.3)];
        assert_eq!(
            parts("mix=a:0.7+b/c:-0.3"),
            (Some("mix".into()), expected.clone())
        );
        assert_eq!(parts("a:0.7+b/c:-0.3"), (None, expected));
        assert_eq!(parts("a:1"), (None, vec![("a".into(), 1.0)]));
        assert_eq!(parts("a:1e-3").1, [("a".to_owned(), 1e-3)]);
    }

    #[test]
    fn marks_of_a_path_are_escaped() {
        assert_eq!(
            parts(r"m\=n=C\:\\run\+1\=x:0.5").1,
            vec![(r"C:\run+1=x".to_owned(), 0.5)]
        );
    }

    #[test]
    fn a_single_adapter_is_no_mix() {
        for text in ["", "path/to/adapter", "name=path", r"C\:path\+x"] {
            assert_eq!(parse_mix(text).unwrap(), None, "{text}");
        }
    }

    #[test]
    fn what_is_unclear_is_refused() {
        for (text, problem) in [
            ("mix=a+b:1", "`a` has no weight"),
            ("mix=a:1+b", "`b` has no weight"),
            ("mix=a:1+", "`` has no weight"),
            ("=a:1", "the name before the `=` is empty"),
            ("mix=:1", "names no adapter"),
            ("mix=a:", "no finite decimal number"),
            ("mix=a:inf", "no finite decimal number"),
            ("mix=a:1e99", "no finite decimal number"),
            ("mix=C:/x:1", "has a second `:`"),
            ("mix=a=b:1", "has a second `=`"),
            (r"mix=a\b:1", r"`\b` is no escape"),
            (r"mix=a:1\", r"ends in a `\`"),
        ] {
            let error = parse_mix(text).unwrap_err().to_string();
            assert!(error.contains(problem), "{text}: {error}");
            assert!(error.contains("ADAPTER:WEIGHT+ADAPTER:WEIGHT"));
        }
    }
}
