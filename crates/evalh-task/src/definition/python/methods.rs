//! Methods of Python's values in templates: `question.strip()`.

use super::text::is_space;
use minijinja::{
    Error, ErrorKind, State,
    value::{Value, from_args},
};

/// Calls a method that minijinja does not know. Those that minijinja-contrib gives other results than Python for are done
/// here: places in a string count characters, white space includes the information separators, a search for the empty
/// string ends, and lists have `index`.
pub fn call(state: &State, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    if let Some(text) = value.as_str() {
        match (method, args.len()) {
            ("strip", 0) => return Ok(text.trim_matches(is_space).into()),
            ("lstrip", 0) => return Ok(text.trim_start_matches(is_space).into()),
            ("rstrip", 0) => return Ok(text.trim_end_matches(is_space).into()),
            ("split", 0) => {
                let parts = text.split(is_space).filter(|part| !part.is_empty());
                return Ok(parts.map(Value::from).collect());
            }
            ("isspace", 0) => {
                return Ok((!text.is_empty() && text.chars().all(is_space)).into());
            }
            ("count", _) => {
                let (part,): (&str,) = from_args(args)?;
                return Ok(count(text, part).into());
            }
            ("find" | "rfind" | "index" | "rindex", _) => return place(text, method, args),
            _ => {}
        }
    } else if method == "index"
        && let Ok(items) = value.try_iter()
    {
        let (wanted,): (Value,) = from_args(args)?;
        return items
            .zip(0_usize..)
            .find_map(|(item, place)| (item == wanted).then(|| place.into()))
            .ok_or_else(|| absent(&wanted));
    }
    minijinja_contrib::pycompat::unknown_method_callback(state, value, method, args)
}

fn count(text: &str, part: &str) -> usize {
    if part.is_empty() {
        return text.chars().count() + 1;
    }
    text.matches(part).count()
}

fn place(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let (part,): (&str,) = from_args(args)?;
    let found = if method.starts_with('r') {
        text.rfind(part)
    } else {
        text.find(part)
    };
    match found {
        Some(at) => Ok(text[..at].chars().count().into()),
        None if method.ends_with("find") => Ok((-1).into()),
        None => Err(absent(&part.into())),
    }
}

fn absent(wanted: &Value) -> Error {
    Error::new(
        ErrorKind::InvalidOperation,
        format!("{wanted:?} is not in it"),
    )
}
