//! Upstream's own layout: a folder for each kind of file.

use super::{
    file::{self, REMEDY},
    item::{Case, Item, imports_node},
};
use crate::TaskError;
use evalh_record::FileIdentity;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The folder of the programs.
pub(super) const BUGGY: &str = "python_programs";

/// The folders of fixes, cases and test modules.
const CORRECT: &str = "correct_python_programs";
const CASES: &str = "json_testcases";
const TESTS: &str = "python_testcases";

/// Programs whose test module does more than compare every case: it skips one, or allows a tolerance.
const SPECIAL: [&str; 3] = ["knapsack", "levenshtein", "sqrt"];

/// The programs of a checkout and the files that were read.
pub(super) fn read(root: &Path) -> Result<(Vec<Item>, Vec<FileIdentity>), TaskError> {
    let mut files = Files {
        root,
        read: Vec::new(),
    };
    let items = names(&root.join(BUGGY))?
        .iter()
        .map(|name| files.item(name))
        .collect::<Result<_, _>>()?;
    Ok((items, files.read))
}

/// The names of the programs in their order. Some commits of upstream hold test drivers beside the programs.
fn names(folder: &Path) -> Result<Vec<String>, TaskError> {
    let read_error = |source| TaskError::Read {
        path: folder.to_owned(),
        source,
        remedy: REMEDY.into(),
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(read_error)? {
        let file = entry.map_err(read_error)?.file_name();
        let name = file.to_str().and_then(|file| file.strip_suffix(".py"));
        names.extend(
            name.filter(|name| !matches!(*name, "node" | "__init__") && !name.ends_with("_test"))
                .map(str::to_owned),
        );
    }
    names.sort_unstable();
    Ok(names)
}

struct Files<'t> {
    root: &'t Path,
    read: Vec<FileIdentity>,
}

impl Files<'_> {
    fn text(&mut self, name: &str) -> Result<(PathBuf, String), TaskError> {
        let path = self.root.join(name);
        let (text, identity) = file::read(&path, name)?;
        self.read.push(identity);
        Ok((path, text))
    }

    fn item(&mut self, name: &str) -> Result<Item, TaskError> {
        let (path, buggy) = self.text(&format!("{BUGGY}/{name}.py"))?;
        let (_, correct) = self.text(&format!("{CORRECT}/{name}.py"))?;
        let cases = format!("{CASES}/{name}.json");
        let cases = if self.root.join(&cases).is_file() {
            let (path, text) = self.text(&cases)?;
            Some(parse_cases(&path, &text)?)
        } else {
            None
        };
        let pytest = if cases.is_none() || SPECIAL.contains(&name) {
            Some(self.text(&format!("{TESTS}/test_{name}.py"))?.1)
        } else {
            None
        };
        let node = if pytest.as_deref().is_some_and(imports_node) {
            Some(self.node()?)
        } else {
            None
        };
        let item = Item {
            name: name.to_owned(),
            buggy,
            correct,
            cases,
            pytest,
            node,
        };
        item.check().map_err(|(field, problem)| TaskError::Data {
            path,
            problem: format!("field `{field}` of `{name}` {problem}"),
            remedy: REMEDY.into(),
        })?;
        Ok(item)
    }

    fn node(&mut self) -> Result<String, TaskError> {
        let name = format!("{BUGGY}/node.py");
        if self.read.iter().any(|file| file.name == name) {
            return Ok(file::read(&self.root.join(&name), &name)?.0);
        }
        Ok(self.text(&name)?.1)
    }
}

/// The cases of a file, one a line.
fn parse_cases(path: &Path, text: &str) -> Result<Vec<Case>, TaskError> {
    text.lines()
        .zip(1..)
        .filter(|(line, _)| !line.trim().is_empty())
        .map(|(line, number)| {
            serde_json::from_str(line)
                .map_err(|error| format!("it is not JSON ({error})"))
                .and_then(|value| Case::parse(value).map_err(|problem| format!("it {problem}")))
                .map_err(|problem| TaskError::Line {
                    path: path.to_owned(),
                    line: number,
                    problem,
                    remedy: REMEDY.into(),
                })
        })
        .collect()
}
