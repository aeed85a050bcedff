//! The tests of a program as they run in the sandbox.

use super::{item::Item, literal};
use serde_json::Value;

/// The Python that checks a program.
const CHECK: &str = include_str!("guest/check.py");

/// Programs whose tests take the result through `list`: upstream's tests of the first two call it, and that of the third
/// iterates over the result.
const AS_LIST: [&str; 3] = ["flatten", "kheapsort", "topological_ordering"];

impl Item {
    /// Tests that raise unless the program's function is right, to run after the program in its namespace.
    ///
    /// They run in a namespace of their own with a copy of the builtins, made before any function of the program is
    /// called by them: a name that the program defines, or a builtin that its function replaces, is not theirs.
    pub fn tests(&self) -> String {
        let text = |text: Option<&str>| text.map_or("None".to_owned(), literal::python_text);
        let names = [
            ("__name__", "\"check\"".to_owned()),
            ("name", literal::python_text(&self.name)),
            ("cases", self.cases_source()),
            (
                "as_list",
                if AS_LIST.contains(&self.name.as_str()) {
                    "True"
                } else {
                    "False"
                }
                .to_owned(),
            ),
            ("module", text(self.pytest.as_deref())),
            ("node", text(self.node.as_deref())),
        ];
        let names: String = names
            .iter()
            .map(|(name, value)| format!(", \"{name}\": {value}"))
            .collect();
        format!(
            "__builtins__[\"exec\"](__builtins__[\"compile\"]({check}, \"<check>\", \"exec\"), \
             {{\"__builtins__\": __builtins__[\"dict\"](__builtins__), \
             \"program\": __builtins__[\"globals\"](){names}}})",
            check = literal::python_text(CHECK),
        )
    }

    fn cases_source(&self) -> String {
        let Some(cases) = &self.cases else {
            return "None".to_owned();
        };
        let cases = cases.iter().map(|case| {
            Value::from(vec![
                Value::from(case.arguments.clone()),
                case.expected.clone(),
            ])
        });
        // A case was refused on reading where this is not possible.
        literal::python(&cases.collect()).unwrap_or_default()
    }

    /// Lines that make the module `node` importable for the program, where upstream's tests have it.
    pub(super) fn prelude(&self) -> String {
        let Some(node) = &self.node else {
            return String::new();
        };
        // One line that leaves no name behind, so that a program cannot lean on an import that is not its own; and
        // without the words that the sandbox looks for in a program's text.
        let make = format!(
            "import sys as s, types as t\nexec({}, vars(s.modules.setdefault('node', t.ModuleType('node'))))",
            literal::python_text(node),
        );
        format!("exec({}, {{}})\n", literal::python_text(&make))
    }
}
