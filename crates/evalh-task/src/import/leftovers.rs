//! The keys that no part of the form is made of.

use super::{config::Config, notes::Notes, prompt::unusable, yaml::Node};

/// Where a definition comes from, with the version in `metadata`.
pub(super) fn source(config: &mut Config, task: &str, notes: &mut Notes) -> String {
    let mut source = format!("lm-eval's task {task}");
    let Some(node) = config.take("metadata") else {
        return source;
    };
    let Node::Map(entries) = node else {
        notes.lost("metadata", "it has no effect on scores");
        return source;
    };
    for (key, node) in entries {
        let version = match (key.as_str(), node) {
            ("version", Node::Float(version)) => format!("{version:?}"),
            ("version", Node::Int(version)) => version.to_string(),
            ("version", Node::Text(version)) => version,
            _ => {
                notes.lost(format!("metadata.{key}"), "it has no effect on scores");
                continue;
            }
        };
        source = format!("{source}, version {version}");
    }
    source
}

/// Notes all that is left.
pub(super) fn note(config: Config, notes: &mut Notes) {
    for (key, node) in config.rest() {
        let decontamination = "data are not searched for contamination here";
        match (key.as_str(), &node) {
            // What they say when they are given is what holds without them.
            ("should_decontaminate" | "unsafe_code", Node::Bool(false))
            | ("repeats", Node::Int(1)) => {}
            ("should_decontaminate" | "doc_to_decontamination_query", _) => {
                notes.lost(key, decontamination);
            }
            ("tag" | "group", _) => {
                notes.lost(key, "suites are named together in `--suite` or a pack");
            }
            ("task_alias" | "group_alias", _) => notes.lost(key, "rows bear the suite's name"),
            ("generation_kwargs", _) => {
                notes.lost(key, "it has no effect where no text is generated");
            }
            ("process_docs" | "process_results", _) => notes.changes(key, unusable(&node)),
            ("doc_to_image" | "doc_to_audio", _) => {
                notes.changes(key, "models are asked in text only");
            }
            ("repeats", _) => notes.changes(
                key,
                format!("it is {}: give `--samples` to the run", node.describe()),
            ),
            ("unsafe_code", _) => notes.changes(key, "answers are not run as code by a definition"),
            ("use_prompt", _) => notes.changes(
                key,
                "its prompt is in another library: write it out as `context`",
            ),
            _ => notes.changes(
                key,
                format!(
                    "it is {}, and lm-eval 0.4.13 has no such key",
                    node.describe()
                ),
            ),
        }
    }
}
