//! Names of tasks.

use evalh_record::{Part, SuiteSettings};
use serde_json::{Value, json};

/// A task or group as lm-eval shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// What tables show in its place.
    pub alias: String,
    /// The version of lm-eval's task; `None` for a name of our own.
    pub version: Option<Value>,
    /// The filter of metrics that name none.
    pub filter: &'static str,
}

/// lm-eval's task for a suite in a protocol (version 0.4.13).
struct Theirs {
    suite: &'static str,
    /// Without the ending that says that a chat template was applied.
    protocol: &'static str,
    /// The name of the whole; `None` where lm-eval has a tag, which has no score.
    whole: Option<&'static str>,
    /// What goes before the names of groups and tasks.
    prefix: &'static str,
    version: f64,
    /// Of groups, which lm-eval counts in whole numbers.
    group_version: u64,
    filter: &'static str,
}

const THEIRS: [Theirs; 6] = [
    Theirs {
        suite: "mmlu",
        protocol: "lm-eval",
        whole: Some("mmlu"),
        prefix: "mmlu_",
        version: 1.0,
        group_version: 2,
        filter: "none",
    },
    Theirs {
        suite: "gsm8k",
        protocol: "lm-eval",
        whole: Some("gsm8k"),
        prefix: "",
        version: 3.0,
        group_version: 0,
        filter: "none",
    },
    Theirs {
        suite: "gsm8k_cot",
        protocol: "lm-eval",
        whole: Some("gsm8k_cot"),
        prefix: "",
        version: 3.0,
        group_version: 0,
        filter: "none",
    },
    Theirs {
        suite: "glue_prompt",
        protocol: "lm-eval",
        whole: None,
        prefix: "",
        version: 1.0,
        group_version: 0,
        filter: "none",
    },
    Theirs {
        suite: "humaneval",
        protocol: "completion",
        whole: Some("humaneval"),
        prefix: "",
        version: 1.0,
        group_version: 0,
        filter: "create_test",
    },
    Theirs {
        suite: "humaneval",
        protocol: "prefill",
        whole: Some("humaneval_instruct"),
        prefix: "",
        version: 4.0,
        group_version: 0,
        filter: "create_test",
    },
];

/// Tasks of theirs whose version is not their suite's.
const OTHER_VERSIONS: [(&str, &str, f64); 2] =
    [("glue_prompt", "qqp", 2.0), ("glue_prompt", "wnli", 2.0)];

/// Whether lm-eval has a task for the suite as it was asked, chat template apart.
pub fn is_known(suite: &SuiteSettings) -> bool {
    theirs(suite).is_some()
}

/// Whether the suite is `HumanEval` with the answer begun for the model, which is a chat where the checkpoint has a template.
pub fn is_prefilled(suite: &SuiteSettings) -> bool {
    (suite.name.as_str(), suite.protocol.as_str()) == ("humaneval", "prefill")
}

/// Whether the suite is one task, not several.
pub fn is_one_task(suite: &SuiteSettings) -> bool {
    matches!(suite.tasks.as_slice(), [only] if only.name == suite.name)
}

/// The name of a part of the suite: lm-eval's where `is_theirs` and there is one, else our own with the protocol.
///
/// `None` for a part that lm-eval has no score of although the suite is its: the mean over what is only a tag there, and the
/// whole and the groups of which only some tasks were asked.
pub fn named(suite: &SuiteSettings, part: Part, task: &str, is_theirs: bool) -> Option<Named> {
    let Some(theirs) = theirs(suite).filter(|_| is_theirs) else {
        return Some(own(suite, part, task));
    };
    let of_task = OTHER_VERSIONS
        .iter()
        .find(|(of, name, _)| *of == suite.name && *name == task)
        .map_or(theirs.version, |(_, _, version)| *version);
    let (name, alias, version) = match part {
        Part::Whole if is_one_task(suite) => (
            theirs.whole?.to_owned(),
            theirs.whole?.to_owned(),
            json!(of_task),
        ),
        Part::Whole | Part::Group if suite.options.contains_key("tasks") => return None,
        Part::Whole => (
            theirs.whole?.to_owned(),
            theirs.whole?.to_owned(),
            json!(theirs.group_version),
        ),
        Part::Group => {
            let name = format!("{}{task}", theirs.prefix);
            (name, task.replace('_', " "), json!(theirs.group_version))
        }
        Part::Task => (
            format!("{}{task}", theirs.prefix),
            task.to_owned(),
            json!(of_task),
        ),
    };
    Some(Named {
        name,
        alias,
        version: Some(version),
        filter: theirs.filter,
    })
}

fn own(suite: &SuiteSettings, part: Part, task: &str) -> Named {
    let protocol = &suite.protocol;
    let name = match part {
        Part::Whole => format!("{}@{protocol}", suite.name),
        Part::Group | Part::Task => format!("{}_{task}@{protocol}", suite.name),
    };
    let alias = if part == Part::Whole {
        name.clone()
    } else {
        task.to_owned()
    };
    Named {
        name,
        alias,
        version: None,
        filter: "none",
    }
}

fn theirs(suite: &SuiteSettings) -> Option<&'static Theirs> {
    let plain = suite.protocol.split('+').next().unwrap_or_default();
    THEIRS
        .iter()
        .find(|theirs| theirs.suite == suite.name && theirs.protocol == plain)
}
