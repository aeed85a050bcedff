//! The rows that classifiers are trained on: the training files of the official download.

use super::{
    data::{Gold, Item, items},
    form::tasks,
};
use crate::{DataFiles, TaskError};
use evalh_record::Prompt;
use std::path::Path;

/// A row of a training file.
#[derive(Debug, Clone, PartialEq)]
pub struct GlueRow {
    /// One text, or two.
    pub texts: Vec<String>,
    /// What is right.
    pub label: GlueLabel,
}

/// What a row's label is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum GlueLabel {
    /// A class, by its place among the task's on the hub.
    Class(usize),
    /// A number (STS-B).
    Number(f64),
}

/// The rows of a GLUE task's training file, such as `RTE/train.tsv`; `None` for any other file.
///
/// # Errors
/// When the file cannot be read, or a row has no text or a label that is none of the task's.
pub fn glue_training(path: &Path) -> Option<Result<Vec<GlueRow>, TaskError>> {
    let folder = path.parent()?;
    if path.file_name()? != "train.tsv" {
        return None;
    }
    let name = folder.file_name()?.to_str()?;
    let asked = format!("{name}/dev.tsv");
    let task = tasks().iter().find_map(|task| {
        let own = task.layouts.iter().find(|l| l.items.file == asked)?;
        Some((task, own))
    });
    let (task, layout) = task?;
    let mut rows = layout.items.clone();
    rows.file = format!("{name}/train.tsv");
    let files = DataFiles {
        root: folder.parent().unwrap_or(Path::new("")).to_owned(),
        ..DataFiles::default()
    };
    let read = items(&files, &rows, task);
    Some(read.map(|items| items.into_iter().map(row).collect()))
}

fn row(item: Item) -> GlueRow {
    GlueRow {
        texts: match item.prompt {
            Prompt::Pair { first, second } => vec![first, second],
            Prompt::Text(text) => vec![text],
            // A task has texts only.
            Prompt::Chat { .. } => Vec::new(),
        },
        label: match item.gold {
            Gold::Label(place) => GlueLabel::Class(place),
            Gold::Number(number) => GlueLabel::Number(number),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn written(folder: &str, text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(folder).join("train.tsv");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        (dir, path)
    }

    #[test]
    fn rows_have_the_hub_s_labels() {
        let (_dir, path) = written("CoLA", "a\t1\t\tHe sings.\nb\t0\t*\tSings he him.\n");
        let rows = glue_training(&path).unwrap().unwrap();
        let labels: Vec<GlueLabel> = rows.iter().map(|row| row.label).collect();
        assert_eq!(labels, [GlueLabel::Class(1), GlueLabel::Class(0)]);
        assert_eq!(rows[0].texts, ["He sings."]);

        let header = "index\tsentence1\tsentence2\tlabel\n";
        let (_dir, path) = written("RTE", &format!("{header}0\tA.\tB.\tnot_entailment\n"));
        let rows = glue_training(&path).unwrap().unwrap();
        assert_eq!(rows[0].label, GlueLabel::Class(1));
        assert_eq!(rows[0].texts, ["A.", "B."]);

        let (_dir, path) = written("RTE", &format!("{header}0\tA.\tB.\tmaybe\n"));
        let error = glue_training(&path).unwrap().unwrap_err().to_string();
        assert!(error.contains("maybe"), "{error}");
    }

    #[test]
    fn other_files_are_none_of_glue() {
        assert!(glue_training(Path::new("RTE/dev.tsv")).is_none());
        assert!(glue_training(Path::new("Mine/train.tsv")).is_none());
        assert!(glue_training(Path::new("train.tsv")).is_none());
    }
}
