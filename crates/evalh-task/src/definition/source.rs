//! The rows of a suite's files.

use super::{
    form::{Layout, Rows},
    template::{Fields, Formula, Scope, TaskValues, Text},
};
use crate::{DataFiles, TaskError};
use evalh_data::ReadOptions;
use evalh_record::{FileIdentity, sha256_bytes};
use serde_json::Value as Json;
use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
};

/// A file that is part of the program: the name that layouts use, and its text.
pub type BuiltInFile = (&'static str, &'static str);

/// Where files are.
#[derive(Debug, Clone, Copy)]
pub enum Place<'p> {
    /// On disk.
    Disk(&'p DataFiles),
    /// In the program.
    BuiltIn(&'static [BuiltInFile]),
}

/// One row of a split.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its number in its file, from 1, for messages.
    pub in_file: usize,
    /// Its fields.
    pub fields: Fields,
}

/// The rows of a split, with the file that they came from.
#[derive(Debug, Clone)]
pub struct Split {
    /// The file, for messages.
    pub path: PathBuf,
    /// The rows that `where` lets pass, in their order.
    pub rows: Vec<Row>,
}

/// Reads files, each once.
pub struct Source<'p> {
    place: Place<'p>,
    tables: HashMap<(String, Vec<String>), Arc<Vec<Fields>>>,
    identities: BTreeMap<String, FileIdentity>,
}

impl<'p> Source<'p> {
    /// A source of which nothing has been read yet.
    pub fn new(place: Place<'p>) -> Source<'p> {
        Source {
            place,
            tables: HashMap::new(),
            identities: BTreeMap::new(),
        }
    }

    /// All files that were read, by name.
    pub fn identities(&self) -> Vec<FileIdentity> {
        self.identities.values().cloned().collect()
    }

    /// The first layout whose files are there; else the files of each that are not.
    ///
    /// # Errors
    /// When a file's template fails, with the problem.
    pub fn layout<'l>(
        &self,
        layouts: &'l [Layout],
        values: &TaskValues,
        needs_shots: bool,
    ) -> Result<Result<&'l Layout, Vec<Vec<String>>>, String> {
        let mut missing = Vec::new();
        for layout in layouts {
            let shots = layout.shots.as_ref().filter(|_| needs_shots);
            let mut absent = Vec::new();
            for rows in [Some(&layout.items), shots].into_iter().flatten() {
                let name = file_name(rows, values)?;
                if !self.has(&name) {
                    absent.push(name);
                }
            }
            if absent.is_empty() {
                return Ok(Ok(layout));
            }
            missing.push(absent);
        }
        Ok(Err(missing))
    }

    /// Reads the rows of a split for a task.
    ///
    /// # Errors
    /// When the file cannot be read, a computed field fails, or there is another number of rows than stated.
    pub fn split(&mut self, rows: &Rows, values: &TaskValues) -> Result<Split, TaskError> {
        let name = file_name(rows, values).map_err(|problem| TaskError::Data {
            path: PathBuf::from(&rows.file),
            problem: format!("its name cannot be told: {problem}"),
            remedy: "correct the template in the suite's definition".into(),
        })?;
        let path = self.path(&name);
        let table = self.table(&name, &rows.columns)?;
        let computing = Computing::new(rows).map_err(|problem| data_fault(&path, &problem))?;
        let mut kept = Vec::new();
        for (fields, in_file) in table.iter().zip(1..) {
            let row = computing
                .row(fields, values)
                .map_err(|problem| TaskError::Row {
                    path: path.clone(),
                    row: in_file,
                    problem,
                    remedy: field_remedy(fields),
                })?;
            kept.extend(row.map(|fields| Row { in_file, fields }));
        }
        if let Some(stated) = rows.rows.filter(|&stated| stated != kept.len()) {
            return Err(wrong_count(&path, kept.len(), stated));
        }
        Ok(Split { path, rows: kept })
    }

    /// A file's rows as read.
    fn table(&mut self, name: &str, columns: &[String]) -> Result<Arc<Vec<Fields>>, TaskError> {
        let key = (name.to_owned(), columns.to_vec());
        if let Some(known) = self.tables.get(&key) {
            return Ok(Arc::clone(known));
        }
        let path = self.path(name);
        let bytes = match self.place {
            Place::Disk(_) => std::fs::read(&path).map_err(|source| TaskError::Read {
                path: path.clone(),
                source,
                remedy: "check that it is there and that you may read it".into(),
            })?,
            Place::BuiltIn(files) => {
                let file = files.iter().find(|(known, _)| *known == name);
                file.map_or(Vec::new(), |(_, text)| text.as_bytes().to_vec())
            }
        };
        self.identities.insert(
            name.to_owned(),
            FileIdentity {
                name: name.to_owned(),
                bytes: bytes.len() as u64,
                sha256: sha256_bytes(&bytes),
            },
        );
        let ending = Path::new(name).extension();
        let rows = if ending.is_some_and(|ending| ending.eq_ignore_ascii_case("txt")) {
            vec![whole_text(&path, bytes)?]
        } else {
            evalh_data::parse(&path, &bytes, &ReadOptions { columns })?.rows
        };
        let rows = rows.into_iter().map(|row| Fields::new(Arc::new(row)));
        let rows = Arc::new(rows.collect::<Vec<_>>());
        self.tables.insert(key, Arc::clone(&rows));
        Ok(rows)
    }

    fn has(&self, name: &str) -> bool {
        match self.place {
            Place::Disk(files) => on_disk(files, name).is_some(),
            Place::BuiltIn(files) => files.iter().any(|(known, _)| *known == name),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        match self.place {
            Place::Disk(files) => on_disk(files, name).unwrap_or_else(|| files.root.join(name)),
            Place::BuiltIn(_) => PathBuf::from(name),
        }
    }
}

/// A file of plain text: one row, of which it is the field `text`.
fn whole_text(path: &Path, bytes: Vec<u8>) -> Result<serde_json::Map<String, Json>, TaskError> {
    let text = String::from_utf8(bytes).map_err(|_| TaskError::Data {
        path: path.to_owned(),
        problem: "it is not UTF-8".into(),
        remedy: "store the file in UTF-8".into(),
    })?;
    Ok([("text".to_owned(), Json::String(text))]
        .into_iter()
        .collect())
}

/// Below the root, or among the files that are known by name.
fn on_disk(files: &DataFiles, name: &str) -> Option<PathBuf> {
    let below = (!files.root.as_os_str().is_empty()).then(|| files.root.join(name));
    let known = || {
        files
            .files
            .iter()
            .find(|file| file.ends_with(Path::new(name)))
            .cloned()
    };
    below.filter(|path| path.is_file()).or_else(known)
}

/// The name of the file of a task's rows.
fn file_name(rows: &Rows, values: &TaskValues) -> Result<String, String> {
    Text::new(&rows.file)?.render(&values.scope())
}

/// The expressions of a split.
struct Computing<'r> {
    filter: Option<Formula>,
    fields: Vec<(&'r str, Formula)>,
}

impl<'r> Computing<'r> {
    fn new(rows: &'r Rows) -> Result<Computing<'r>, String> {
        let fields = rows.fields.iter();
        Ok(Computing {
            filter: rows.filter.as_deref().map(Formula::new).transpose()?,
            fields: fields
                .map(|(name, source)| Ok((name.as_str(), Formula::new(source)?)))
                .collect::<Result<_, String>>()?,
        })
    }

    /// A row with its computed fields; `None` where it is not the task's.
    fn row(&self, fields: &Fields, values: &TaskValues) -> Result<Option<Fields>, String> {
        if let Some(name) = values.hidden_by(fields) {
            return Err(format!(
                "its field `{name}` hides the task's value of that name"
            ));
        }
        let scope = values.with(fields);
        if let Some(filter) = &self.filter {
            let is_in = filter
                .value(&scope)
                .map_err(|problem| format!("`where`: {problem}"))?;
            if !is_in.is_true() {
                return Ok(None);
            }
        }
        if self.fields.is_empty() {
            return Ok(Some(fields.clone()));
        }
        self.compute(fields, &scope).map(Some)
    }

    fn compute(&self, fields: &Fields, scope: &Scope) -> Result<Fields, String> {
        let mut computed = BTreeMap::new();
        for (name, formula) in &self.fields {
            let value = formula
                .value(scope)
                .map_err(|problem| format!("field `{name}`: {problem}"))?;
            computed.insert((*name).to_owned(), value);
        }
        Ok(fields.with(computed))
    }
}

/// What to do about a row that a template or expression cannot use.
pub fn field_remedy(fields: &Fields) -> String {
    let names: Vec<String> = fields
        .names()
        .map(|name| format!("`{}`", name.escape_debug()))
        .collect();
    format!(
        "correct the row or the suite's definition; the row has the fields {}",
        names.join(", ")
    )
}

/// Another number of rows than stated.
pub fn wrong_count(path: &Path, found: usize, stated: usize) -> TaskError {
    TaskError::Data {
        path: path.to_owned(),
        problem: format!("it holds {found} rows for the suite, and {stated} are expected"),
        remedy: "fetch the file again; a score over other rows would be another benchmark's".into(),
    }
}

fn data_fault(path: &Path, problem: &str) -> TaskError {
    TaskError::Data {
        path: path.to_owned(),
        problem: problem.to_owned(),
        remedy: "correct the expression in the suite's definition".into(),
    }
}
