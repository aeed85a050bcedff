//! All programs, from either layout of the data.

use super::{
    checkout,
    file::{self, REMEDY},
    item::Item,
    jsonl,
};
use crate::{DataFiles, TaskError};
use evalh_record::FileIdentity;
use std::path::{Path, PathBuf};

/// Programs in the order of their names, which are distinct, and the files that they come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Items {
    all: Vec<Item>,
    files: Vec<FileIdentity>,
}

/// The file of programs, one a line.
pub(super) const JSONL: &str = "quixbugs.jsonl";

/// The file with the text of `node.py`.
pub(super) const NODE: &str = "node.json";

impl Items {
    /// Reads the programs from `quixbugs.jsonl` and `node.json`, or from a checkout of upstream, whichever is there.
    ///
    /// # Errors
    /// When neither is there, or a file cannot be read, is corrupt or lacks something.
    pub fn open(data: &DataFiles) -> Result<Items, TaskError> {
        let own = match data.files.as_slice() {
            [file] if file.extension().is_some_and(|end| end == "jsonl") => Some(file.clone()),
            _ => None,
        };
        let jsonl = own.unwrap_or_else(|| data.root.join(JSONL));
        if jsonl.is_file() {
            return Items::open_jsonl(&jsonl);
        }
        if data.root.join(checkout::BUGGY).is_dir() {
            let (all, files) = checkout::read(&data.root)?;
            return Items::of(all, files, &data.root);
        }
        Err(TaskError::Data {
            path: data.root.clone(),
            problem: format!("neither {JSONL} nor a folder {} is in it", checkout::BUGGY),
            remedy: REMEDY.into(),
        })
    }

    fn open_jsonl(path: &Path) -> Result<Items, TaskError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let (text, identity) = file::read(path, &name)?;
        let node_path = path.with_file_name(NODE);
        let node = node_path
            .is_file()
            .then(|| file::read(&node_path, NODE))
            .transpose()?;
        let node_text = node.as_ref().map(|(text, _)| (&*node_path, text.as_str()));
        let all = jsonl::parse(path, &text, node_text)?;
        let files = std::iter::once(identity)
            .chain(node.map(|(_, identity)| identity))
            .collect();
        Items::of(all, files, path)
    }

    /// Like [`Items::open`], from the texts of `quixbugs.jsonl` and, where there is one, `node.json`; the paths are for
    /// messages and for the identities.
    ///
    /// # Errors
    /// When a text is corrupt or lacks something.
    pub fn parse(
        (path, text): (&Path, &str),
        node: Option<(&Path, &str)>,
    ) -> Result<Items, TaskError> {
        let all = jsonl::parse(path, text, node)?;
        let files = std::iter::once((path, text))
            .chain(node)
            .map(|(path, text)| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                file::identity(&name, text.as_bytes())
            })
            .collect();
        Items::of(all, files, path)
    }

    fn of(mut all: Vec<Item>, files: Vec<FileIdentity>, path: &Path) -> Result<Items, TaskError> {
        if all.is_empty() {
            return Err(TaskError::Data {
                path: path.to_owned(),
                problem: "it holds no program".into(),
                remedy: REMEDY.into(),
            });
        }
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Items { all, files })
    }

    /// The programs in the order of their names; never empty.
    pub fn all(&self) -> &[Item] {
        &self.all
    }

    /// The files that were read, by their content.
    pub fn files(&self) -> &[FileIdentity] {
        &self.files
    }

    /// Refuses data that is not all of the benchmark, or more.
    pub(super) fn check_count(&self, counts: Counts, suite: &str) -> Result<(), TaskError> {
        let cases = |item: &Item| item.cases.as_ref().map(Vec::len);
        let found = Counts {
            programs: self.all.len(),
            with_cases: self.all.iter().filter_map(cases).count(),
            cases: self.all.iter().filter_map(cases).sum(),
        };
        if found == counts {
            return Ok(());
        }
        let name = |file: &FileIdentity| PathBuf::from(&file.name);
        Err(TaskError::Data {
            path: self.files.first().map(name).unwrap_or_default(),
            problem: format!("the data holds {found}, and suite `{suite}` has {counts}"),
            remedy: REMEDY.into(),
        })
    }
}

/// How much there is of a benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    /// Programs.
    pub programs: usize,
    /// Those that have cases.
    pub with_cases: usize,
    /// Cases of all of these.
    pub cases: usize,
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} programs, {} of them with cases, {} cases",
            self.programs, self.with_cases, self.cases
        )
    }
}
