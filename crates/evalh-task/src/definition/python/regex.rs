//! Regular expressions with the results of Python's `re`.

use super::pattern::translate;
use fancy_regex::Captures;

/// A compiled expression.
#[derive(Debug, Clone)]
pub struct Regex {
    search: fancy_regex::Regex,
    /// The same, but no empty match where the search begins: what Python looks for after an empty match there.
    advance: fancy_regex::Regex,
}

impl Regex {
    /// `re.compile(pattern)`.
    ///
    /// # Errors
    /// When it is not an expression of Python's, or uses what is not supported, with the reason.
    pub fn new(pattern: &str) -> Result<Regex, String> {
        let (flags, expression) = translate(pattern)?;
        let compile = |pattern: &str| {
            fancy_regex::Regex::new(pattern).map_err(|error| error.to_string().replace('\n', " "))
        };
        Ok(Regex {
            search: compile(&format!("{flags}{expression}"))?,
            advance: compile(&format!(r"{flags}(?:{expression})(?!\G)"))?,
        })
    }

    /// `findall(text)`: for each match its groups, the empty text for one that took no part; all of the match where the
    /// expression has no groups.
    ///
    /// # Errors
    /// When the search takes too many steps.
    pub fn find_all(&self, text: &str) -> Result<Vec<Vec<String>>, String> {
        let mut all = Vec::new();
        self.each(text, |found| {
            let text_of = |group| {
                let group: Option<fancy_regex::Match<'_>> = found.get(group);
                group.map_or(String::new(), |group| group.as_str().to_owned())
            };
            let groups = found.len();
            all.push(match groups {
                1 => vec![text_of(0)],
                _ => (1..groups).map(text_of).collect(),
            });
            true
        })?;
        Ok(all)
    }

    /// `sub("", text)`.
    ///
    /// # Errors
    /// When the search takes too many steps.
    pub fn remove(&self, text: &str) -> Result<String, String> {
        self.replace_with(text, 0, |_| String::new())
    }

    /// `sub(replacement, text, count)`; all matches where `count` is 0.
    ///
    /// # Errors
    /// When the replacement names a group that is not there or an unknown escape, or the search takes too many steps.
    pub fn replace(&self, text: &str, replacement: &str, count: usize) -> Result<String, String> {
        let parts = self.replacement(replacement)?;
        self.replace_with(text, count, |found| {
            let text_of = |part: &Part| match part {
                Part::Text(text) => text.clone(),
                Part::Group(group) => found
                    .get(*group)
                    .map_or(String::new(), |group| group.as_str().to_owned()),
            };
            parts.iter().map(text_of).collect()
        })
    }

    fn replace_with(
        &self,
        text: &str,
        count: usize,
        with: impl Fn(&Captures<'_, str>) -> String,
    ) -> Result<String, String> {
        let mut replaced = String::with_capacity(text.len());
        let (mut kept, mut matches) = (0, 0);
        self.each(text, |found| {
            if let Some(whole) = found.get(0) {
                replaced.push_str(&text[kept..whole.start()]);
                replaced.push_str(&with(found));
                kept = whole.end();
            }
            matches += 1;
            matches != count
        })?;
        replaced.push_str(&text[kept..]);
        Ok(replaced)
    }

    /// Calls `take` for each match in turn until it says no.
    fn each(
        &self,
        text: &str,
        mut take: impl FnMut(&Captures<'_, str>) -> bool,
    ) -> Result<(), String> {
        let (mut at, mut regex) = (0, &self.search);
        loop {
            let found = regex.captures_from_pos(text, at);
            let Some(found) = found.map_err(|error| error.to_string())? else {
                return Ok(());
            };
            let Some(whole) = found.get(0) else {
                return Ok(());
            };
            if !take(&found) {
                return Ok(());
            }
            at = whole.end();
            let is_empty = whole.start() == whole.end();
            regex = if is_empty {
                &self.advance
            } else {
                &self.search
            };
        }
    }

    /// A replacement's text in parts: `\1`, `\g<name>` and `\n` are not themselves.
    fn replacement(&self, text: &str) -> Result<Vec<Part>, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('\\') {
            parts.push(Part::Text(before.to_owned()));
            let c = after
                .chars()
                .next()
                .ok_or("it ends in a single backslash")?;
            let mut taken = c.len_utf8();
            parts.push(match c {
                '\\' => Part::Text("\\".into()),
                'n' => Part::Text("\n".into()),
                't' => Part::Text("\t".into()),
                'r' => Part::Text("\r".into()),
                '1'..='9' => {
                    let digits = after.bytes().take(2).take_while(u8::is_ascii_digit).count();
                    taken = digits;
                    self.group(&after[..digits])?
                }
                'g' => {
                    let name = after[1..]
                        .strip_prefix('<')
                        .and_then(|rest| rest.split_once('>'));
                    let (name, _) = name.ok_or(r"`\g` is not followed by a group's name in <>")?;
                    taken = name.len() + "g<>".len();
                    self.group(name)?
                }
                c if c.is_ascii_alphanumeric() => {
                    return Err(format!(r"`\{c}` is no escape of a replacement"));
                }
                c => Part::Text(format!("\\{c}")),
            });
            rest = &after[taken..];
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(parts)
    }

    fn group(&self, name: &str) -> Result<Part, String> {
        let named = || {
            self.search
                .capture_names()
                .position(|known| known == Some(name))
        };
        let number = name.parse().ok().or_else(named);
        number
            .filter(|&number| number < self.search.captures_len())
            .map(Part::Group)
            .ok_or_else(|| format!("it has no group `{name}`"))
    }
}

enum Part {
    Text(String),
    Group(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, text: &str) -> Vec<Vec<String>> {
        Regex::new(pattern).unwrap().find_all(text).unwrap()
    }

    /// The table is what Python 3.11 finds (`tools/make_suite_reference.py`).
    #[test]
    fn findings_and_removals_are_pythons() {
        let table: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/data/python_re.json")).unwrap();
        let texts: Vec<String> = serde_json::from_value(table["texts"].clone()).unwrap();
        let mut differing = Vec::new();
        for row in table["patterns"].as_array().unwrap() {
            let pattern = row["pattern"].as_str().unwrap();
            let regex = Regex::new(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
            for (place, text) in texts.iter().enumerate() {
                let found = serde_json::json!(regex.find_all(text).unwrap());
                let removed = serde_json::json!(regex.remove(text).unwrap());
                if found != row["found"][place] || removed != row["removed"][place] {
                    differing.push(format!(
                        "{pattern} in {text:?}: {found} {removed}, Python {} {}",
                        row["found"][place], row["removed"][place]
                    ));
                }
            }
        }
        assert!(differing.is_empty(), "{}", differing.join("\n"));
    }

    #[test]
    fn a_replacement_knows_groups_and_escapes() {
        let regex = Regex::new(r"(?P<a>\w)(\d)?").unwrap();
        assert_eq!(
            regex.replace("x1 y", r"\2\g<a>\\\n", 0).unwrap(),
            "1x\\\n y\\\n"
        );
        assert_eq!(regex.replace("xyz", r"-", 2).unwrap(), "--z");
        for wrong in [r"\3", r"\g<b>", r"\g", r"\q", "\\"] {
            assert!(regex.replace("x", wrong, 0).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_end_is_also_before_a_last_newline() {
        assert_eq!(found(r"b$", "b\nb\n"), [["b"]]);
        assert_eq!(found(r"(?m)b$", "b\nb\n"), [["b"], ["b"]]);
        assert_eq!(found(r"(?:(?m:b$)|c$)", "b\nc\nb"), [["b"], ["b"]]);
        assert!(found(r"b\Z", "b\n").is_empty());
    }

    #[test]
    fn what_is_not_supported_is_named() {
        for (pattern, named) in [
            (r"(?x) a", "flag `x`"),
            (r"a(?i)b", "no group"),
            (r"\z", r"`\z`"),
            (r"\p{L}", r"`\p`"),
            (r"[a", "without a `]`"),
            (r"a\", "single backslash"),
            (r"(?<n>a)", "no group"),
            (r"[\d-a]b[a-\d]", "ends in a class"),
            (r"(a", ""),
            (r"*", ""),
        ] {
            let error = Regex::new(pattern).unwrap_err();
            assert!(error.contains(named), "{pattern}: {error}");
        }
    }

    #[test]
    fn endless_backtracking_is_an_error() {
        let regex = Regex::new(r"(a|a)*\1b(?=c)").unwrap();
        assert!(regex.find_all(&"a".repeat(60)).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_pattern_is_searched_or_refused(
            pattern in "[\\x20-\\x7eé\\n]{0,16}",
            replacement in "[\\x20-\\x7e]{0,6}",
            text in "[\\x20-\\x7eé\\n]{0,24}",
        ) {
            if let Ok(regex) = Regex::new(&pattern) {
                let _ = regex.find_all(&text);
                let _ = regex.replace(&text, &replacement, 2);
            }
        }

        #[test]
        fn patterns_of_operators_are_searched_or_refused(
            pattern in r"([ab]|\(\?[:=!<>imP#(]|[()\[\]{}|*+?.^$,0-9-]|\\[sSwWbBdDZA1-9]){0,10}",
            text in "[ab,\n ]{0,12}",
        ) {
            if let Ok(regex) = Regex::new(&pattern) {
                let _ = regex.find_all(&text);
            }
        }
    }
}
