//! The parts of a program's text.

/// A program: its code, and the text in triple quotes after it. After a buggy program that is its specification; after a
/// reference fix it mostly holds other fixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Source<'t> {
    /// Everything before the first line that begins with three quotes, without blank lines around it.
    pub code: &'t str,
    /// From these quotes to the closing ones; `None` where there is no such line or the quotes do not close.
    pub specification: Option<&'t str>,
    /// What follows.
    pub rest: &'t str,
}

const QUOTES: &str = "\"\"\"";

impl Source<'_> {
    pub fn of(text: &str) -> Source<'_> {
        let begin = line_starts(text).find(|&start| text[start..].starts_with(QUOTES));
        let (code, after) = text.split_at(begin.unwrap_or(text.len()));
        let end = after
            .get(QUOTES.len()..)
            .and_then(|inside| inside.find(QUOTES))
            .map(|length| length + 2 * QUOTES.len());
        let (specification, rest) = match end {
            Some(end) => (Some(&after[..end]), &after[end..]),
            None => (None, after),
        };
        Source {
            code: trimmed(code),
            specification,
            rest,
        }
    }
}

/// Without blank lines at both ends, and without white space at the end.
fn trimmed(code: &str) -> &str {
    let code = code.trim_end();
    let first = line_starts(code).find(|&start| !line_at(code, start).trim().is_empty());
    &code[first.unwrap_or(code.len())..]
}

fn line_starts(text: &str) -> impl Iterator<Item = usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1))
}

fn line_at(text: &str, start: usize) -> &str {
    text[start..].lines().next().unwrap_or_default()
}

/// The line that begins the function of this name at the left margin, where all of its signature is in that line.
pub(super) fn signature<'t>(code: &'t str, name: &str) -> Option<&'t str> {
    code.lines().map(str::trim_end).find(|line| {
        let after = line
            .strip_prefix("def ")
            .and_then(|rest| rest.strip_prefix(name));
        after.is_some_and(|after| after.starts_with('(')) && line.ends_with(':')
    })
}

/// The functions and classes at the left margin, each with its name, its decorators before it, and all lines that are
/// indented after it.
pub(super) fn definitions(code: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut decorators = None;
    let mut starts = line_starts(code).peekable();
    while let Some(start) = starts.next() {
        let line = line_at(code, start);
        if line.starts_with('@') {
            decorators.get_or_insert(start);
            continue;
        }
        let begin = decorators.take().unwrap_or(start);
        let Some(name) = defined_name(line) else {
            continue;
        };
        while starts
            .next_if(|&next| continues_block(line_at(code, next)))
            .is_some()
        {}
        let end = starts.peek().copied().unwrap_or(code.len());
        found.push((name, code[begin..end].trim_end()));
    }
    found
}

fn defined_name(line: &str) -> Option<&str> {
    let after = ["def ", "class ", "async def "]
        .iter()
        .find_map(|word| line.strip_prefix(word))?;
    let end = after.find(['(', ':', '[', ' ']).unwrap_or(after.len());
    Some(&after[..end])
}

fn continues_block(line: &str) -> bool {
    line.trim().is_empty() || line.starts_with([' ', '\t', ')', ']', '}', '#'])
}

/// The code without comments, without white space at the ends of lines, and without the lines that were comments only.
/// A string that goes over several lines must not hold a `#`.
pub(super) fn without_comments(code: &str) -> String {
    let mut kept = String::with_capacity(code.len());
    for line in code.lines() {
        let bare = line[..comment_start(line)].trim_end();
        if bare.is_empty() && !line.trim().is_empty() {
            continue;
        }
        kept.push_str(bare);
        kept.push('\n');
    }
    trimmed(&kept).to_owned()
}

/// Where the line's comment begins, or its end. A `#` within quotes begins none.
fn comment_start(line: &str) -> usize {
    let mut open = None;
    let mut is_escaped = false;
    for (at, character) in line.char_indices() {
        match (open, character) {
            _ if is_escaped => is_escaped = false,
            (Some(_), '\\') => is_escaped = true,
            (Some(quote), _) if quote == character => open = None,
            (None, '"' | '\'') => open = Some(character),
            (None, '#') => return at,
            _ => {}
        }
    }
    line.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_code_then_specification() {
        let source = Source::of(
            "\n  \ndef f(x):\n    \"\"\"inner\"\"\"\n    return x\n\n\n\"\"\"\nF\n\"\"\"\n\n",
        );
        assert_eq!(
            source.code,
            "def f(x):\n    \"\"\"inner\"\"\"\n    return x"
        );
        assert_eq!(source.specification, Some("\"\"\"\nF\n\"\"\""));
        assert_eq!(source.rest, "\n\n");
        for (text, code, rest) in [
            ("def f(): ...\n", "def f(): ...", ""),
            ("x\n\"\"\"open\n", "x", "\"\"\"open\n"),
            ("\"\"\"", "", "\"\"\""),
            ("", "", ""),
        ] {
            let expected = Source {
                code,
                specification: None,
                rest,
            };
            assert_eq!(Source::of(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_signature_is_one_line_at_the_margin() {
        let code = "def fine(x):\n    def f(y):\n        pass\ndef f(x, y=1):  \n    pass";
        assert_eq!(signature(code, "f"), Some("def f(x, y=1):"));
        assert_eq!(signature(code, "fin"), None);
        assert_eq!(signature("def f(x,\n      y):\n    pass", "f"), None);
    }

    #[test]
    fn definitions_are_blocks_at_the_margin() {
        let code = "import a\ndef f(x):\n    return g(x)\n\n@cache\n@other\ndef g(x):\n\n    return 1\nx = 2\nclass C:\n    pass\n";
        assert_eq!(
            definitions(code),
            [
                ("f", "def f(x):\n    return g(x)"),
                ("g", "@cache\n@other\ndef g(x):\n\n    return 1"),
                ("C", "class C:\n    pass"),
            ]
        );
        let split = "def f(\n    x\n):\n    return 1\ny";
        assert_eq!(
            definitions(split),
            [("f", "def f(\n    x\n):\n    return 1")]
        );
        assert_eq!(definitions("@a\nx\ndef f(): ..."), [("f", "def f(): ...")]);
    }

    #[test]
    fn comments_go_and_strings_stay() {
        let code = "# one\nx = '#' # two\n\ny = \"\\\"#\"  \n    # three\nz";
        assert_eq!(without_comments(code), "x = '#'\n\ny = \"\\\"#\"\nz");
    }
}
