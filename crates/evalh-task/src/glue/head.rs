//! The labels of a checkpoint's head and those of a task.

use super::form::HeadTask;
use crate::TaskError;
use evalh_record::Answer;

/// How a head's outputs answer a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// For each output the place of its label among the task's; empty for a regression.
    labels: Vec<usize>,
}

/// What a head answered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Predicted {
    /// A label, by its place in the task's.
    Label(usize),
    /// A number.
    Number(f64),
}

impl Head {
    /// Matches a head's label names, in the order of its outputs, with a task's.
    ///
    /// As in `run_glue`, names that are the task's in another order or case are mapped by name; names that say nothing
    /// (`LABEL_0`, `0`, or none known) are the task's in its order. Where `run_glue` warns and takes other names for the
    /// task's in its order, they are refused here: a wrong order gives a score like any other.
    ///
    /// # Errors
    /// When the head has another number of outputs, or labels of another meaning.
    pub fn new(suite: &str, task: &HeadTask, names: &[String]) -> Result<Head, TaskError> {
        let refuse = |problem: String, remedy: String| {
            Err(TaskError::Setting {
                suite: suite.to_owned(),
                setting: "tasks",
                problem,
                remedy,
            })
        };
        let own = || Head {
            labels: (0..task.labels.len()).collect(),
        };
        if names.is_empty() {
            return Ok(own());
        }
        if names.len() != task.outputs() {
            let needs = match task.outputs() {
                1 => "one output, a number".to_owned(),
                several => format!("{several} labels"),
            };
            return refuse(
                format!("names `{}`, which needs a head of {needs}, and the checkpoint's has {}", task.name, names.len()),
                "choose a task that the head was trained for with --tasks, or a checkpoint with a head for this one".into(),
            );
        }
        if task.is_regression() || says_nothing(names) {
            return Ok(own());
        }
        let place = |name: &String| {
            let name = name.to_lowercase();
            task.labels.iter().position(|label| *label == name)
        };
        let labels: Option<Vec<usize>> = names.iter().map(place).collect();
        let mut sorted = labels.clone().unwrap_or_default();
        sorted.sort_unstable();
        sorted.dedup();
        match labels {
            Some(labels) if sorted.len() == labels.len() => Ok(Head { labels }),
            _ => refuse(
                format!(
                    "names `{}`, whose labels are {}, and the head's are {}",
                    task.name,
                    task.labels.join(", "),
                    names.join(", ")
                ),
                "choose the task that the head was trained for with --tasks; if it is this one, name its labels so in `id2label` of config.json, in the order of its outputs".into(),
            ),
        }
    }

    /// The task's labels in the order of the head's outputs.
    pub fn names<'t>(&self, task: &'t HeadTask) -> Vec<&'t str> {
        let labels = self.labels.iter();
        labels.map(|&label| task.labels[label].as_str()).collect()
    }

    /// What an answer says: the label of the largest output, the first of equal ones, or the number.
    ///
    /// # Errors
    /// When it is no answer of such a head.
    pub fn read(&self, task: &HeadTask, answer: &Answer) -> Result<Predicted, String> {
        let Answer::Classified(outputs) = answer else {
            return Err("it is no answer of a classification head".into());
        };
        if outputs.len() != task.outputs() {
            return Err(format!(
                "it has {} outputs, and task `{}` needs {}",
                outputs.len(),
                task.name,
                task.outputs()
            ));
        }
        if outputs.iter().any(|output| !output.is_finite()) {
            return Err("one of its outputs is no number".into());
        }
        if task.is_regression() {
            return Ok(Predicted::Number(f64::from(outputs[0])));
        }
        let mut best = 0;
        for (place, output) in outputs.iter().enumerate() {
            if *output > outputs[best] {
                best = place;
            }
        }
        Ok(Predicted::Label(self.labels[best]))
    }
}

/// Whether names are `LABEL_0`, `LABEL_1`, ... or 0, 1, ...: their places only.
fn says_nothing(names: &[String]) -> bool {
    let numbered = |prefix: &str| {
        (names.iter().enumerate()).all(|(place, name)| *name == format!("{prefix}{place}"))
    };
    numbered("LABEL_") || numbered("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glue::form::tasks;

    fn task(name: &str) -> &'static HeadTask {
        tasks().iter().find(|task| task.name == name).unwrap()
    }

    fn head(name: &str, labels: &[&str]) -> Result<Head, String> {
        let labels: Vec<String> = labels.iter().map(ToString::to_string).collect();
        Head::new("glue", task(name), &labels).map_err(|error| error.to_string())
    }

    #[test]
    fn labels_are_mapped_by_name_and_else_by_place() {
        let mapped = head("mnli", &["CONTRADICTION", "entailment", "Neutral"]).unwrap();
        assert_eq!(mapped.labels, [2, 0, 1]);
        let answer = Answer::Classified(vec![0.1, 0.3, 0.2]);
        assert_eq!(mapped.read(task("mnli"), &answer), Ok(Predicted::Label(0)));
        for names in [
            vec![],
            vec!["LABEL_0", "LABEL_1", "LABEL_2"],
            vec!["0", "1", "2"],
        ] {
            assert_eq!(head("mnli", &names).unwrap().labels, [0, 1, 2]);
        }
        assert_eq!(
            head("rte", &["not_entailment", "entailment"])
                .unwrap()
                .labels,
            [1, 0]
        );
        let tie = Answer::Classified(vec![0.5, 0.5]);
        let rte = head("rte", &[]).unwrap();
        assert_eq!(rte.read(task("rte"), &tie), Ok(Predicted::Label(0)));
    }

    #[test]
    fn a_head_of_another_task_is_refused_by_name() {
        let error = head("mnli", &["LABEL_0", "LABEL_1"]).unwrap_err();
        assert!(
            error.contains("`mnli`, which needs a head of 3 labels, and the checkpoint's has 2"),
            "{error}"
        );
        let error = head("stsb", &["LABEL_0", "LABEL_1"]).unwrap_err();
        assert!(error.contains("one output, a number"), "{error}");
        for names in [
            ["negative", "positive"],
            ["LABEL_1", "LABEL_0"],
            ["entailment", "Entailment"],
        ] {
            let error = head("rte", &names).unwrap_err();
            assert!(
                error.contains("whose labels are entailment, not_entailment"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_regression_reads_its_one_output() {
        let stsb = head("stsb", &["LABEL_0"]).unwrap();
        let read = |outputs: Vec<f32>| stsb.read(task("stsb"), &Answer::Classified(outputs));
        assert_eq!(read(vec![3.5]), Ok(Predicted::Number(3.5)));
        assert!(read(vec![3.5, 1.0]).is_err() && read(vec![f32::NAN]).is_err());
    }
}
