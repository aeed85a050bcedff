//! From the text of a regular expression of Python's to the same one in the form of the crate `fancy-regex`.
//!
//! The two differ in: the end that `$` finds (Python: also before a last newline), white space (Python: also the
//! information separators), letters of words (Python: all numbers, no marks), braces and brackets that are no operators (Python: literal), operations on classes (Python:
//! none), which escapes of letters there are (Python: few, the rest are errors), and where flags may stand.

use std::{fmt::Write as _, iter::Peekable, str::Chars};

/// Python's `\w`, in a class too: letters, numbers of all kinds, the underscore.
const WORD: &str = r"[\p{L}\p{N}_]";

/// Python's `\W`, in a class too.
const NO_WORD: &str = r"[^\p{L}\p{N}_]";

/// Python's `\b`, which goes by its `\w`.
const BOUNDARY: &str =
    r"(?:(?<=[\p{L}\p{N}_])(?![\p{L}\p{N}_])|(?<![\p{L}\p{N}_])(?=[\p{L}\p{N}_]))";

/// Python's `\B`.
const NO_BOUNDARY: &str =
    r"(?:(?<=[\p{L}\p{N}_])(?=[\p{L}\p{N}_])|(?<![\p{L}\p{N}_])(?![\p{L}\p{N}_]))";

/// Python's `\s`, in a class too.
const SPACE: &str = r"[\s\x1c-\x1f]";

/// Python's `\S`, in a class too.
const NO_SPACE: &str = r"[^\s\x1c-\x1f]";

/// Translates; `(flags, expression)`, the flags as a group of their own. The error says what Python does not know or evalh
/// does not support.
pub fn translate(pattern: &str) -> Result<(String, String), String> {
    let mut translator = Translator {
        rest: pattern.chars().peekable(),
        out: String::with_capacity(pattern.len() + 8),
        multi_line: vec![false],
    };
    let flags = translator.leading_flags(pattern)?;
    while let Some(c) = translator.rest.next() {
        translator.one(c)?;
    }
    Ok((flags, translator.out))
}

struct Translator<'p> {
    rest: Peekable<Chars<'p>>,
    out: String,
    /// Whether `$` finds the end of every line, for each open group.
    multi_line: Vec<bool>,
}

impl Translator<'_> {
    /// `(?is)` at the beginning holds for all of the expression.
    fn leading_flags(&mut self, pattern: &str) -> Result<String, String> {
        let Some(inner) = pattern.strip_prefix("(?") else {
            return Ok(String::new());
        };
        let flags: String = inner
            .chars()
            .take_while(char::is_ascii_alphabetic)
            .collect();
        if flags.is_empty() || !inner[flags.len()..].starts_with(')') {
            return Ok(String::new());
        }
        self.multi_line = vec![flags.contains('m')];
        let kept = supported_flags(&flags)?;
        for _ in 0..flags.len() + "(?)".len() {
            self.rest.next();
        }
        Ok(if kept.is_empty() {
            kept
        } else {
            format!("(?{kept})")
        })
    }

    fn one(&mut self, c: char) -> Result<(), String> {
        match c {
            '\\' => self.escape(),
            '[' => self.class(),
            '(' => self.group(),
            ')' => {
                if self.multi_line.len() > 1 {
                    self.multi_line.pop();
                }
                self.out.push(')');
                Ok(())
            }
            '$' => {
                let multi_line = self.multi_line.last() == Some(&true);
                self.out
                    .push_str(if multi_line { "$" } else { r"(?=\n?\z)" });
                Ok(())
            }
            '{' => {
                self.brace();
                Ok(())
            }
            '}' | ']' => {
                self.out.push('\\');
                self.out.push(c);
                Ok(())
            }
            c => {
                self.out.push(c);
                Ok(())
            }
        }
    }

    /// A repetition, or a brace that stands for itself.
    fn brace(&mut self) {
        let mut ahead = self.rest.clone();
        let mut digits = |stop: &mut Option<char>| {
            let mut found = String::new();
            for c in ahead.by_ref() {
                if !c.is_ascii_digit() {
                    *stop = Some(c);
                    break;
                }
                found.push(c);
            }
            found
        };
        let mut stop = None;
        let low = digits(&mut stop);
        let bounds = match stop {
            Some('}') if !low.is_empty() => Some(low),
            Some(',') => {
                let mut stop = None;
                let high = digits(&mut stop);
                let low = if low.is_empty() { "0" } else { &low };
                (stop == Some('}')).then(|| format!("{low},{high}"))
            }
            _ => None,
        };
        match bounds {
            Some(bounds) => {
                self.rest = ahead;
                self.out.push('{');
                self.out.push_str(&bounds);
                self.out.push('}');
            }
            None => self.out.push_str(r"\{"),
        }
    }

    /// After `(`: what kind of group it is.
    fn group(&mut self) -> Result<(), String> {
        self.out.push('(');
        let mut multi_line = self.multi_line.last() == Some(&true);
        if self.rest.peek() == Some(&'?') {
            let ahead: String = self.rest.clone().skip(1).collect();
            let is_known = ["P<", "P=", "=", "!", "<=", "<!", ":", ">", "("]
                .iter()
                .any(|known| ahead.starts_with(known));
            if ahead.starts_with('#') {
                self.out.pop();
                for c in self.rest.by_ref() {
                    if c == ')' {
                        return Ok(());
                    }
                }
                return Err("it has a comment without an end".into());
            }
            if !is_known {
                let Some((flags, _)) = ahead.split_once(':') else {
                    return Err(format!("`(?{}` is no group of Python's", first(&ahead)));
                };
                let (on, off) = flags.split_once('-').unwrap_or((flags, ""));
                if flags.is_empty()
                    || !flags.chars().all(|c| c.is_ascii_alphabetic() || c == '-')
                    || off.contains('-')
                {
                    return Err(format!("`(?{}` is no group of Python's", first(&ahead)));
                }
                multi_line = (multi_line || on.contains('m')) && !off.contains('m');
                let (on, off) = (supported_flags(on)?, supported_flags(off)?);
                let dash = if off.is_empty() { "" } else { "-" };
                let _ = write!(self.out, "?{on}{dash}{off}:");
                for _ in 0..flags.len() + "?:".len() {
                    self.rest.next();
                }
            } else if let Some(named) = ahead.strip_prefix('(') {
                // a condition has no contents to translate
                let name: String = named.chars().take_while(|&c| c != ')').collect();
                let _ = write!(self.out, "?({name})");
                for _ in 0..name.chars().count() + "?()".len() {
                    self.rest.next();
                }
            } else {
                let kind = if ahead.starts_with("<=") || ahead.starts_with("<!") {
                    "?<="
                } else {
                    "?="
                };
                for _ in 0..kind.len() {
                    self.out.extend(self.rest.next());
                }
            }
        }
        self.multi_line.push(multi_line);
        Ok(())
    }

    /// After a backslash outside of a class.
    fn escape(&mut self) -> Result<(), String> {
        let Some(c) = self.rest.next() else {
            return Err("it ends in a single backslash".into());
        };
        match c {
            's' => self.out.push_str(SPACE),
            'S' => self.out.push_str(NO_SPACE),
            'w' => self.out.push_str(WORD),
            'W' => self.out.push_str(NO_WORD),
            'b' => self.out.push_str(BOUNDARY),
            'B' => self.out.push_str(NO_BOUNDARY),
            'Z' => self.out.push_str(r"\z"),
            'A' | 'd' | 'D' | '1'..='9' => {
                self.out.push('\\');
                self.out.push(c);
            }
            c => {
                let literal = self.escaped_char(c)?;
                self.out.push_str(&quoted(literal));
            }
        }
        Ok(())
    }

    /// The character that an escape stands for, inside and outside of classes.
    fn escaped_char(&mut self, c: char) -> Result<char, String> {
        Ok(match c {
            'a' => '\u{7}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'x' => self.code(2)?,
            'u' => self.code(4)?,
            'U' => self.code(8)?,
            '0' => {
                let mut value = 0;
                for _ in 0..2 {
                    match self.rest.peek().and_then(|c| c.to_digit(8)) {
                        Some(digit) => {
                            value = value * 8 + digit;
                            self.rest.next();
                        }
                        None => break,
                    }
                }
                char::from_u32(value).unwrap_or_default()
            }
            c if c.is_ascii_alphanumeric() => {
                return Err(format!(
                    r"`\{c}` is no escape that Python's `re` and evalh know"
                ));
            }
            c => c,
        })
    }

    fn code(&mut self, digits: usize) -> Result<char, String> {
        let text: String = self.rest.by_ref().take(digits).collect();
        let code = (text.chars().count() == digits && text.chars().all(|c| c.is_ascii_hexdigit()))
            .then(|| u32::from_str_radix(&text, 16).ok().and_then(char::from_u32))
            .flatten();
        code.ok_or_else(|| format!("`{text}` is no code of a character in {digits} digits"))
    }

    /// After `[`: all of the class.
    fn class(&mut self) -> Result<(), String> {
        let unended = || "it has a `[` without a `]`".to_owned();
        self.out.push('[');
        if self.rest.peek() == Some(&'^') {
            self.rest.next();
            self.out.push('^');
        }
        let mut is_first = true;
        loop {
            let c = self.rest.next().ok_or_else(unended)?;
            if c == ']' && !is_first {
                self.out.push(']');
                return Ok(());
            }
            is_first = false;
            let Some(low) = self.class_item(c)? else {
                continue;
            };
            self.out.push_str(&quoted(low));
            let mut ahead = self.rest.clone();
            if ahead.next() == Some('-') && ahead.next().is_some_and(|c| c != ']') {
                self.rest.next();
                let c = self.rest.next().ok_or_else(unended)?;
                self.out.push('-');
                match self.class_item(c)? {
                    Some(high) => self.out.push_str(&quoted(high)),
                    None => return Err("a range in it ends in a class".into()),
                }
            }
        }
    }

    /// One member of a class: its character, or nothing where it was a class of its own.
    fn class_item(&mut self, c: char) -> Result<Option<char>, String> {
        if c != '\\' {
            return Ok(Some(c));
        }
        let Some(c) = self.rest.next() else {
            return Err("it ends in a single backslash".into());
        };
        match c {
            's' => self.out.push_str(SPACE),
            'S' => self.out.push_str(NO_SPACE),
            'w' => self.out.push_str(WORD),
            'W' => self.out.push_str(NO_WORD),
            'd' | 'D' => {
                self.out.push('\\');
                self.out.push(c);
            }
            'b' => return Ok(Some('\u{8}')),
            c => return self.escaped_char(c).map(Some),
        }
        Ok(None)
    }
}

/// The flags that mean the same to both; `u` is always on.
fn supported_flags(flags: &str) -> Result<String, String> {
    let mut kept = String::new();
    for flag in flags.chars() {
        match flag {
            'i' | 'm' | 's' => kept.push(flag),
            'u' => {}
            _ => {
                return Err(format!(
                    "its flag `{flag}` is not supported; i, m and s are"
                ));
            }
        }
    }
    Ok(kept)
}

/// A character that stands for itself inside and outside of classes.
fn quoted(c: char) -> String {
    if c.is_ascii() && !c.is_ascii_alphanumeric() {
        format!(r"\x{:02x}", c as u32)
    } else {
        c.to_string()
    }
}

fn first(text: &str) -> String {
    text.chars().take(1).collect()
}
