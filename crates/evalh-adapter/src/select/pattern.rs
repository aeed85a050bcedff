//! Python's regular expressions, as far as they mean the same here.

use regex::Regex;

/// Values by pattern (`rank_pattern`, `alpha_pattern`); the first pattern that matches counts.
#[derive(Debug, Clone)]
pub struct PatternTable<T>(Vec<(Regex, T)>);

impl<T> Default for PatternTable<T> {
    fn default() -> Self {
        PatternTable(Vec::new())
    }
}

impl<T: Copy> PatternTable<T> {
    /// Appends a pattern, matched like PEFT's `get_pattern_key`: against the whole name or its end after a dot.
    ///
    /// # Errors
    /// What the pattern uses that cannot be honoured.
    pub fn push(&mut self, pattern: &str, value: T) -> Result<(), String> {
        self.0.push((
            translate(pattern, &format!(r"\A(?:(.*\.)?({pattern})$)"))?,
            value,
        ));
        Ok(())
    }

    /// The value of the first pattern that matches.
    pub fn first_match(&self, module: &str) -> Option<T> {
        self.0
            .iter()
            .find(|(regex, _)| regex.is_match(module))
            .map(|&(_, value)| value)
    }
}

/// Compiles `expression`, in which the user's Python `pattern` stands.
///
/// # Errors
/// What the pattern uses that is not supported, or that means something else in Python.
pub fn translate(pattern: &str, expression: &str) -> Result<Regex, String> {
    if let Some(construct) = differs_from_python(pattern) {
        return Err(format!(
            "has the regular expression `{pattern}`, in which {construct} is not supported"
        ));
    }
    // The pattern has to stand by itself, too: `a)|(b` would change what surrounds it.
    Regex::new(pattern)
        .and_then(|_| Regex::new(expression))
        .map_err(|error| {
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default();
            format!(
                "has the regular expression `{pattern}`, which is not supported ({})",
                reason.trim_start_matches("error: ")
            )
        })
}

/// The first construct that both dialects accept with different meanings.
fn differs_from_python(pattern: &str) -> Option<&'static str> {
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(first) = rest.chars().next() {
        let construct = if first == '\\' {
            escape(rest)
        } else if in_class {
            class_item(rest)
        } else {
            None
        };
        if construct.is_some() {
            return construct;
        }
        let mut length = first.len_utf8();
        match first {
            '\\' => length += rest[1..].chars().next().map_or(0, char::len_utf8),
            '[' if !in_class => {
                in_class = true;
                // A `]` that comes first is an ordinary character in both dialects.
                length += if rest[1..].starts_with("^]") {
                    2
                } else {
                    usize::from(rest[1..].starts_with(']'))
                };
            }
            ']' => in_class = false,
            '(' if !in_class && rest.starts_with("(?U") => return Some("the flag `U`"),
            _ => {}
        }
        rest = &rest[length..];
    }
    None
}

fn escape(rest: &str) -> Option<&'static str> {
    match rest[1..].chars().next() {
        Some('p' | 'P') => Some("a Unicode property (`\\p`)"),
        Some('<' | '>') => Some("an escaped angle bracket"),
        Some('b') if rest[2..].starts_with('{') => Some("`\\b{`"),
        _ => None,
    }
}

fn class_item(rest: &str) -> Option<&'static str> {
    if rest.starts_with('[') {
        Some("`[` within a set, unescaped,")
    } else if ["&&", "--", "~~"]
        .iter()
        .any(|operator| rest.starts_with(operator))
    {
        Some("`&&`, `--` or `~~` within a set")
    } else {
        None
    }
}
