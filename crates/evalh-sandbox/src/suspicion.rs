//! Words that programs use to fool the tests that run in the same interpreter.
//!
//! A program and its tests share one Python process, here as in every public harness, so a program can return an object
//! that equals everything, or read the expected values from the frames of its tests. No harness can tell that from
//! honest Python for sure. This list finds the plain attempts; a pass stays a pass, and the words are shown beside it.

use serde::{Deserialize, Serialize};

/// A kind of word found in a program's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suspicion {
    /// Defines how its objects compare: `__eq__`, `__ne__` and the like.
    OverridesComparison,
    /// Names the built-in functions as a module: `builtins`, `__builtins__`.
    ChangesBuiltins,
    /// Looks at other code's frames or code objects.
    ReadsFrames,
    /// Names the module table or the import system.
    ChangesModules,
    /// Ends the interpreter.
    Exits,
    /// Runs code when an object dies or the collector runs.
    HooksLifetimes,
    /// Names a part of the sandbox.
    NamesTheSandbox,
}

impl Suspicion {
    /// The stable name, as serialised.
    pub fn name(self) -> &'static str {
        match self {
            Self::OverridesComparison => "overrides_comparison",
            Self::ChangesBuiltins => "changes_builtins",
            Self::ReadsFrames => "reads_frames",
            Self::ChangesModules => "changes_modules",
            Self::Exits => "exits",
            Self::HooksLifetimes => "hooks_lifetimes",
            Self::NamesTheSandbox => "names_the_sandbox",
        }
    }
}

const WORDS: &[(Suspicion, &[&str])] = &[
    (
        Suspicion::OverridesComparison,
        &["__eq__", "__ne__", "__instancecheck__", "total_ordering"],
    ),
    (Suspicion::ChangesBuiltins, &["builtins"]),
    (
        Suspicion::ReadsFrames,
        &[
            "_getframe",
            "_current_frames",
            "currentframe",
            "tb_frame",
            "f_back",
            "f_locals",
            "f_globals",
            "co_consts",
        ],
    ),
    (
        Suspicion::ChangesModules,
        &["sys.modules", "meta_path", "__import__", "_imp."],
    ),
    (
        Suspicion::Exits,
        &[
            "sys.exit",
            "os._exit",
            "os.abort",
            "SystemExit",
            "excepthook",
        ],
    ),
    (
        Suspicion::HooksLifetimes,
        &[
            "__del__",
            "weakref.finalize",
            "gc.callbacks",
            "addaudithook",
            "settrace",
            "setprofile",
        ],
    ),
    (
        Suspicion::NamesTheSandbox,
        &["evalh", "wit_world", "componentize"],
    ),
];

/// The kinds of suspicious words in a program's text, each once, in a fixed order. It reads text only: a program that
/// means to hide a word can, and an honest class may well define `__eq__`.
pub fn suspicions(program: &str) -> Vec<Suspicion> {
    WORDS
        .iter()
        .filter(|(_, words)| words.iter().any(|word| program.contains(word)))
        .map(|(kind, _)| *kind)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_words_and_leaves_plain_programs_alone() {
        assert_eq!(suspicions("def f(x):\n    return sorted(x)\n"), []);
        assert_eq!(
            suspicions("import sys\nclass A:\n    def __eq__(self, o): return True\nsys.exit(0)\n"),
            [Suspicion::OverridesComparison, Suspicion::Exits]
        );
    }
}
