//! The code in a model's answer.

/// Marks of a fence that open a block of Python, in lower case. A bare fence counts as one.
const PYTHON: [&str; 5] = ["", "python", "python3", "py", "py3"];

/// The content of the first Markdown block of Python, to the end of the text where the block is not closed.
///
/// A block opens with a line of three or more backticks and `python`, `py` or nothing after them; blocks of other
/// languages are passed over. It closes with a line that begins with as many backticks, or at backticks that end a line
/// of code. A fence that is indented, as in a list, takes as much indentation off its lines. `None` where there is no
/// such block.
pub fn first_python_block(text: &str) -> Option<String> {
    let mut lines = text.split_inclusive('\n');
    while let Some(line) = lines.next() {
        let Some(fence) = Fence::open(line) else {
            continue;
        };
        let code = fence.content(&mut lines);
        if fence.is_python {
            return Some(code);
        }
    }
    None
}

struct Fence {
    /// Spaces and tabs before the backticks.
    indent: usize,
    /// Backticks.
    length: usize,
    is_python: bool,
}

impl Fence {
    fn open(line: &str) -> Option<Fence> {
        let fence = line.trim_start_matches([' ', '\t']);
        let mark = fence.trim_start_matches('`');
        let length = fence.len() - mark.len();
        // Backticks later in the line are inline code, not the mark of a fence.
        if length < 3 || mark.contains('`') {
            return None;
        }
        let language = mark
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_lowercase();
        Some(Fence {
            indent: line.len() - fence.len(),
            length,
            is_python: PYTHON.contains(&language.as_str()),
        })
    }

    /// Takes the block's lines, with the one that closes it, from `lines`.
    fn content<'t>(&self, lines: &mut impl Iterator<Item = &'t str>) -> String {
        let ticks = "`".repeat(self.length);
        let mut code = String::new();
        for line in lines {
            let line = self.dedent(line);
            if line.trim_start().starts_with(&ticks) {
                break;
            }
            if let Some(last) = line.trim_end().strip_suffix(&ticks) {
                code.push_str(last.trim_end_matches('`'));
                code.push('\n');
                break;
            }
            code.push_str(line);
        }
        code
    }

    fn dedent<'t>(&self, line: &'t str) -> &'t str {
        let blank = line.len() - line.trim_start_matches([' ', '\t']).len();
        &line[blank.min(self.indent)..]
    }
}

#[cfg(test)]
mod tests {
    use super::first_python_block as block;

    #[test]
    fn the_first_block_of_python_is_taken() {
        for mark in ["", "python", "py", "Python", "python3", " python title=a"] {
            let text = format!("Sure:\n```{mark}\nx = 1\n```\nand\n```python\ny = 2\n```\n");
            assert_eq!(block(&text).as_deref(), Some("x = 1\n"), "{mark:?}");
        }
    }

    #[test]
    fn blocks_of_other_languages_are_passed_over() {
        let text = "```bash\npip install x\n```\n```python\nx = 1\n```";
        assert_eq!(block(text).as_deref(), Some("x = 1\n"));
        assert_eq!(block("```bash\npip install x\n"), None);
    }

    #[test]
    fn an_open_block_goes_to_the_end() {
        assert_eq!(
            block("```python\nx = 1\ny =").as_deref(),
            Some("x = 1\ny =")
        );
        assert_eq!(block("text ends in a fence\n```").as_deref(), Some(""));
    }

    #[test]
    fn text_without_a_block_has_none() {
        for text in [
            "",
            "x = 1",
            "use ```x``` here",
            "```inline``` code",
            "``\nx\n``",
        ] {
            assert_eq!(block(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_fence_may_stand_in_a_list_or_end_a_line_of_code() {
        assert_eq!(
            block("1. so\n   ```python\n   if x:\n       y\n\n   ```\n").as_deref(),
            Some("if x:\n    y\n\n")
        );
        assert_eq!(
            block("```python\nreturn 1```\nDone").as_deref(),
            Some("return 1\n")
        );
    }

    #[test]
    fn a_longer_fence_may_hold_a_shorter_one() {
        assert_eq!(
            block("````\na\n```\nb\n````\n").as_deref(),
            Some("a\n```\nb\n")
        );
    }

    #[test]
    fn line_ends_of_windows_are_kept() {
        assert_eq!(
            block("```python\r\nx = 1\r\n```\r\n").as_deref(),
            Some("x = 1\r\n")
        );
    }
}
