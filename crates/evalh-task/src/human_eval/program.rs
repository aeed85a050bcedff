//! From an answer's text to the program that runs.

use super::{Problem, Protocol};
use crate::{Program, first_python_block};

impl Protocol {
    /// The program of an answer.
    ///
    /// - completion: prompt and answer (lm-eval's `build_predictions`),
    /// - prefill: prompt and answer up to the closing fence (lm-eval's `build_predictions_instruct`),
    /// - chat: the first block of Python, or all of an answer without one, with the prompt's missing imports before it.
    pub fn program(self, problem: &Problem, answer: &str) -> Program {
        match self {
            Protocol::Completion => problem.completed(answer),
            Protocol::Prefill => problem.completed(answer.split("```").next().unwrap_or_default()),
            Protocol::Chat => {
                let code = first_python_block(answer).unwrap_or_else(|| answer.to_owned());
                Program {
                    code: with_imports(&problem.prompt, &code),
                    tests: problem.tests(),
                    effort: 1,
                }
            }
        }
    }
}

/// The code with those imports of the prompt before it that it does not have itself.
fn with_imports(prompt: &str, code: &str) -> String {
    put_first(&missing_imports(prompt, code), code)
}

/// The imports of the prompt that the code does not have itself, line for line.
pub(crate) fn missing_imports(prompt: &str, code: &str) -> String {
    let present: Vec<&str> = code.lines().map(str::trim).collect();
    imports(prompt)
        .filter(|import| !import.lines().all(|line| present.contains(&line.trim())))
        .flat_map(|import| [import.trim_end(), "\n"])
        .collect()
}

/// Puts lines before the code, but after its imports from the future, which are a syntax error anywhere else.
pub(crate) fn put_first(lines: &str, code: &str) -> String {
    let (future, rest) = code.split_at(end_of_future_imports(code));
    format!("{future}{lines}{rest}")
}

/// The import statements that begin a line of the prompt, over several lines where a bracket or a backslash says so.
fn imports(prompt: &str) -> impl Iterator<Item = &str> {
    let mut rest = prompt;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let is_candidate = rest.starts_with("import") || rest.starts_with("from");
            let length = if is_candidate {
                statement_length(rest)
            } else {
                line_length(rest)
            };
            let (statement, after) = rest.split_at(length);
            if is_candidate && is_import(statement) {
                rest = after;
                return Some(statement);
            }
            rest = &rest[line_length(rest)..];
        }
        None
    })
}

fn is_import(statement: &str) -> bool {
    let mut words = statement.split_whitespace();
    match words.next() {
        Some("import") => words.next().is_some(),
        Some("from") => words.next().is_some() && words.next() == Some("import"),
        _ => false,
    }
}

fn line_length(text: &str) -> usize {
    text.find('\n').map_or(text.len(), |at| at + 1)
}

fn statement_length(text: &str) -> usize {
    let mut end = line_length(text);
    while end < text.len() {
        let statement = text[..end].trim_end();
        let is_open = statement.contains('(') && !statement.contains(')');
        if !is_open && !statement.ends_with('\\') {
            break;
        }
        end += line_length(&text[end..]);
    }
    end
}

fn end_of_future_imports(code: &str) -> usize {
    let mut end = 0;
    let mut start = 0;
    while start < code.len() {
        let rest = &code[start..];
        if rest.starts_with("from __future__ import") {
            start += statement_length(rest);
            end = start;
        } else {
            start += line_length(rest);
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(prompt: &str) -> Problem {
        Problem {
            task_id: "T/0".into(),
            prompt: prompt.into(),
            entry_point: "f".into(),
            canonical_solution: None,
            test: "def check(candidate):\n    assert candidate() == 1\n".into(),
        }
    }

    fn chat_code(prompt: &str, answer: &str) -> String {
        Protocol::Chat.program(&problem(prompt), answer).code
    }

    #[test]
    fn completions_follow_the_prompt_as_it_is() {
        let program = Protocol::Completion.program(&problem("def f():\n"), "    return 1");
        assert_eq!(program.code, "def f():\n    return 1");
        assert_eq!(
            program.tests,
            "def check(candidate):\n    assert candidate() == 1\n\ncheck(f)"
        );
    }

    #[test]
    fn a_prefilled_answer_ends_at_its_fence() {
        let code = |answer| {
            Protocol::Prefill
                .program(&problem("def f():\n"), answer)
                .code
        };
        assert_eq!(
            code("    return 1\n```\nIt works."),
            "def f():\n    return 1\n"
        );
        assert_eq!(code("    return 1"), "def f():\n    return 1");
        assert_eq!(code("```"), "def f():\n");
    }

    #[test]
    fn a_chat_answer_gets_the_imports_it_lacks() {
        let prompt = "import math\nfrom typing import List\n\n\ndef f(x: List[int]):\n    \"\"\"import this\n    \"\"\"\n";
        assert_eq!(
            chat_code(
                prompt,
                "Here:\n```python\nimport math\n\ndef f(x: List[int]):\n    return 1\n```"
            ),
            "from typing import List\nimport math\n\ndef f(x: List[int]):\n    return 1\n"
        );
        assert_eq!(
            chat_code(prompt, "def f(): ..."),
            "import math\nfrom typing import List\ndef f(): ..."
        );
        assert_eq!(
            chat_code("def f():\n", "```\ndef f(): ...\n```"),
            "def f(): ...\n"
        );
    }

    #[test]
    fn imports_over_several_lines_are_one() {
        let prompt =
            "from typing import (\n    List,\n    Tuple,\n)\nimport os, \\\n    sys\n\ndef f():\n";
        let imports: Vec<_> = super::imports(prompt).collect();
        assert_eq!(
            imports,
            [
                "from typing import (\n    List,\n    Tuple,\n)\n",
                "import os, \\\n    sys\n"
            ]
        );
    }

    #[test]
    fn words_of_a_docstring_are_no_imports() {
        let prompt = "def f():\n    \"\"\"\nfrom here on\nimport\nimportant\n\"\"\"\n";
        assert_eq!(super::imports(prompt).count(), 0);
    }

    #[test]
    fn imports_from_the_future_stay_first() {
        let answer =
            "```python\n\"\"\"doc\"\"\"\nfrom __future__ import annotations\ndef f(): ...\n```";
        assert_eq!(
            chat_code("import math\n", answer),
            "\"\"\"doc\"\"\"\nfrom __future__ import annotations\nimport math\ndef f(): ...\n"
        );
    }
}
