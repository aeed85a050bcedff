//! From an answer's text to the program that runs.

use super::{
    super::{item::Item, source::definitions},
    RepairProtocol,
};
use crate::{
    Program, first_python_block,
    human_eval::{missing_imports, put_first},
};

/// The program whose answers may take [`EFFORT`] times the usual work. Its reference fix is exponential and takes 0.82 of
/// the usual limit (3.2e10 of 3.9e10), too close for other correct programs; the next slowest fix takes 0.07 of it. Upstream
/// has no limit; bigcode-evaluation-harness gives every program 10 s for the sake of this one.
pub(super) const SLOW: &str = "levenshtein";

/// How many times: about five times what the reference fix takes.
pub(super) const EFFORT: u32 = 4;

impl RepairProtocol {
    /// The program of an answer: the function's first line and the completion, or the first block of Python (all of an
    /// answer without one).
    pub fn program(self, item: &Item, answer: &str) -> Program {
        let code = match self {
            RepairProtocol::Completion => format!("{}{answer}", item.signature()),
            RepairProtocol::Chat => first_python_block(answer).unwrap_or_else(|| answer.to_owned()),
        };
        item.program(&code)
    }
}

impl Item {
    /// A candidate with the item's tests. Before it stands what the buggy program has around the function and the
    /// candidate has not: imports, and further functions, of which none holds the bug.
    pub fn program(&self, code: &str) -> Program {
        let buggy = self.buggy_code();
        let own = definitions(code);
        let mut before = self.prelude();
        before.push_str(&missing_imports(buggy, code));
        for (name, definition) in definitions(buggy) {
            if name != self.name && own.iter().all(|(known, _)| *known != name) {
                before.push_str(definition);
                before.push_str("\n\n");
            }
        }
        Program {
            code: put_first(&before, code),
            tests: self.tests(),
            effort: if self.name == SLOW { EFFORT } else { 1 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(buggy: &str) -> Item {
        Item {
            name: "f".into(),
            buggy: format!("{buggy}\n\"\"\"\nimport this\n\"\"\"\n"),
            correct: "def f(x):\n    return g(x)\n".into(),
            cases: Some(Vec::new()),
            pytest: None,
            node: None,
        }
    }

    const BUGGY: &str =
        "import a\nfrom b import *\n\ndef f(x):\n    return x\n\n\ndef g(x):\n    return x + 1\n";

    #[test]
    fn a_completion_follows_the_signature() {
        let program = RepairProtocol::Completion.program(&item(BUGGY), "\n    return g(x)");
        assert_eq!(
            program.code,
            "import a\nfrom b import *\ndef g(x):\n    return x + 1\n\ndef f(x):\n    return g(x)"
        );
        assert_eq!(
            RepairProtocol::Completion
                .program(&item("def f(x):\n    pass"), "")
                .code,
            "def f(x):"
        );
    }

    #[test]
    fn a_chat_answer_gets_what_it_lacks() {
        let code = |answer| RepairProtocol::Chat.program(&item(BUGGY), answer).code;
        assert_eq!(
            code("So:\n```python\nfrom __future__ import x\nimport a\ndef f(x): ...\n```"),
            "from __future__ import x\nfrom b import *\ndef g(x):\n    return x + 1\n\nimport a\ndef f(x): ...\n"
        );
        assert_eq!(
            code("import a\nfrom b import *\ndef g(x): ...\ndef f(x): ..."),
            "import a\nfrom b import *\ndef g(x): ...\ndef f(x): ..."
        );
        let other = item("def f(x):\n    return x");
        assert_eq!(
            RepairProtocol::Chat.program(&other, "It is right.").code,
            "It is right."
        );
    }
}
