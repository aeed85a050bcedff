//! A set of module names: a list of names and suffixes, or a full-match regular expression.

use super::pattern::translate;
use regex::Regex;

/// `target_modules` or `exclude_modules`.
#[derive(Debug, Clone)]
pub enum NameSet {
    /// Names, each matched exactly or as the end of a name after a dot.
    List(Vec<String>),
    /// The whole name has to match.
    FullMatch(Regex),
}

impl NameSet {
    /// A set from a Python expression for `re.fullmatch`.
    ///
    /// # Errors
    /// What the expression uses that cannot be honoured.
    pub fn full_match(pattern: &str) -> Result<NameSet, String> {
        translate(pattern, &format!(r"\A(?:{pattern})\z")).map(NameSet::FullMatch)
    }

    /// Whether the name is in the set.
    pub fn contains(&self, module: &str) -> bool {
        match self {
            NameSet::List(names) => names.iter().any(|name| {
                module
                    .strip_suffix(name.as_str())
                    .is_some_and(|head| head.is_empty() || head.ends_with('.'))
            }),
            NameSet::FullMatch(regex) => regex.is_match(module),
        }
    }

    /// Whether the whole name stands in the list.
    pub fn contains_exactly(&self, module: &str) -> bool {
        matches!(self, NameSet::List(names) if names.iter().any(|name| name == module))
    }
}
