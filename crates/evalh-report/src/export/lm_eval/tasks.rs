//! Scores and settings by task.

use super::{
    chat::Told,
    names::{Named, is_known, is_one_task, named},
};
use evalh_record::{Answer, Part, Record, ResultRow, SuiteSettings, VariantSettings};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Everything that lm-eval tells of tasks and groups.
#[derive(Debug, Default)]
pub struct Tasks {
    results: Map<String, Value>,
    groups: Map<String, Value>,
    group_subtasks: Map<String, Value>,
    configs: BTreeMap<String, Value>,
    versions: BTreeMap<String, Value>,
    shots: BTreeMap<String, Value>,
    higher_is_better: BTreeMap<String, Value>,
    samples: Map<String, Value>,
}

/// One suite of the record.
struct Of<'r> {
    record: &'r Record,
    suite: &'r SuiteSettings,
    /// Whether its scores may have lm-eval's names.
    is_theirs: bool,
}

impl Tasks {
    /// Those of one variant.
    pub fn of(record: &Record, variant: &VariantSettings, told: &Told) -> Tasks {
        let settings = &record.manifest.settings;
        let checkpoint = settings
            .checkpoints
            .iter()
            .find(|checkpoint| checkpoint.name == variant.checkpoint);
        let has_template =
            checkpoint.is_some_and(|checkpoint| checkpoint.chat_template_sha256.is_some());
        let mut tasks = Tasks::default();
        for suite in &settings.suites {
            let of = Of {
                record,
                suite,
                is_theirs: is_known(suite) && told.holds_for(suite, has_template),
            };
            let is_own = |row: &&ResultRow| {
                row.suite == suite.name
                    && row.protocol == suite.protocol
                    && row.variant == variant.name
            };
            let rows: Vec<&ResultRow> = record.results.iter().filter(is_own).collect();
            tasks.add_suite(&of, &rows);
        }
        tasks
    }

    /// Puts them where lm-eval has them.
    pub fn write(self, all: &mut Map<String, Value>) {
        let sorted = |map: BTreeMap<String, Value>| Value::Object(map.into_iter().collect());
        all.insert("results".into(), Value::Object(self.results));
        if !self.groups.is_empty() {
            all.insert("groups".into(), Value::Object(self.groups));
        }
        all.insert("group_subtasks".into(), Value::Object(self.group_subtasks));
        all.insert("configs".into(), sorted(self.configs));
        all.insert("versions".into(), sorted(self.versions));
        all.insert("n-shot".into(), sorted(self.shots));
        all.insert("higher_is_better".into(), sorted(self.higher_is_better));
        all.insert("n-samples".into(), Value::Object(self.samples));
    }

    fn add_suite(&mut self, of: &Of<'_>, rows: &[&ResultRow]) {
        let mut parts: Vec<(Part, &str)> = Vec::new();
        for row in rows {
            let part = (row.part, row.task.as_str());
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
        for (part, name) in parts {
            let rows: Vec<&ResultRow> = rows
                .iter()
                .copied()
                .filter(|row| row.part == part && row.task == name)
                .collect();
            if let Some(named) = named(of.suite, part, name, of.is_theirs) {
                self.add_part(of, part, name, &named, &rows);
            }
        }
    }

    fn add_part(
        &mut self,
        of: &Of<'_>,
        part: Part,
        task: &str,
        named: &Named,
        rows: &[&ResultRow],
    ) {
        let name = &named.name;
        let is_group = part == Part::Group || (part == Part::Whole && !is_one_task(of.suite));
        let items = of.items(part, task);
        let mut scores = Map::new();
        scores.insert("name".into(), json!(name));
        scores.insert("alias".into(), json!(named.alias));
        scores.insert("sample_len".into(), json!(items));
        let (mut counts, mut directions) = (Map::new(), Map::new());
        for row in rows {
            let (metric, filter) = row
                .metric
                .split_once(',')
                .unwrap_or((&row.metric, named.filter));
            scores.insert(format!("{metric},{filter}"), json!(row.value));
            // lm-eval's own word for an error that it does not tell
            let stderr = row
                .stderr
                .map_or_else(|| json!("N/A"), |stderr| json!(stderr));
            scores.insert(format!("{metric}_stderr,{filter}"), stderr);
            counts.insert(format!("{metric},{filter}"), json!(row.n));
            directions.insert(metric.to_owned(), json!(higher_is_better(metric)));
        }
        if is_group {
            scores.insert("sample_count".into(), Value::Object(counts));
            self.groups
                .insert(name.clone(), Value::Object(scores.clone()));
            self.group_subtasks
                .insert(name.clone(), json!(of.below(part, task)));
        } else {
            self.configs.insert(name.clone(), of.config(task, named));
            let sizes = json!({ "original": of.original(items), "effective": items });
            self.samples.insert(name.clone(), sizes);
        }
        self.results.insert(name.clone(), Value::Object(scores));
        self.shots.insert(name.clone(), json!(of.suite.shots));
        self.higher_is_better
            .insert(name.clone(), Value::Object(directions));
        if let Some(version) = &named.version {
            self.versions.insert(name.clone(), version.clone());
        }
    }
}

impl Of<'_> {
    /// Items of a part.
    fn items(&self, part: Part, task: &str) -> usize {
        let tasks = self.suite.tasks.iter();
        let of_part = tasks.filter(|of| match part {
            Part::Whole => true,
            Part::Group => of.group.as_deref() == Some(task),
            Part::Task => of.name == task,
        });
        of_part.map(|of| of.items).sum()
    }

    /// Items of the data set, where all of them were asked; the record does not say how many were left out.
    fn original(&self, items: usize) -> Option<usize> {
        let is_all = self.suite.limit.is_none() && !self.suite.options.contains_key("draw");
        is_all.then_some(items)
    }

    /// Names of what a group consists of.
    fn below(&self, part: Part, group: &str) -> Vec<String> {
        let mut below: Vec<String> = Vec::new();
        for task in &self.suite.tasks {
            let (part, name) = match (part, &task.group) {
                (Part::Whole, Some(group)) => (Part::Group, group.as_str()),
                (Part::Whole, None) => (Part::Task, task.name.as_str()),
                (_, of) if of.as_deref() == Some(group) => (Part::Task, task.name.as_str()),
                _ => continue,
            };
            let named = named(self.suite, part, name, self.is_theirs);
            below.extend(
                named
                    .map(|named| named.name)
                    .filter(|name| !below.contains(name)),
            );
        }
        below
    }

    /// A task's settings, as far as the record holds them.
    fn config(&self, task: &str, named: &Named) -> Value {
        let suite = self.suite;
        let mut config = Map::new();
        config.insert("task".into(), json!(named.name));
        config.insert("task_alias".into(), json!(named.alias));
        if let Some(kind) = self.output_type(task) {
            config.insert("output_type".into(), json!(kind));
        }
        config.insert("num_fewshot".into(), json!(suite.shots));
        config.insert("repeats".into(), json!(suite.samples));
        if let Some(sampling) = suite.sampling {
            let is_drawn = sampling.temperature > 0.0;
            let mut generation = Map::new();
            if let Some(most) = suite.max_new_tokens {
                generation.insert("max_gen_toks".into(), json!(most));
            }
            generation.insert("do_sample".into(), json!(is_drawn));
            generation.insert("temperature".into(), json!(sampling.temperature));
            if is_drawn {
                generation.insert("top_p".into(), json!(sampling.top_p));
            }
            config.insert("generation_kwargs".into(), Value::Object(generation));
        }
        let mut metadata = Map::new();
        if let Some(version) = &named.version {
            metadata.insert("version".into(), version.clone());
        }
        metadata.insert("suite".into(), json!(suite.name));
        metadata.insert("protocol".into(), json!(suite.protocol));
        metadata.insert("limit".into(), json!(suite.limit));
        metadata.insert("options".into(), json!(suite.options));
        config.insert("metadata".into(), Value::Object(metadata));
        Value::Object(config)
    }

    /// lm-eval's word for the kind of question, by an answer to it.
    fn output_type(&self, task: &str) -> Option<&'static str> {
        let mut samples = self.record.samples.iter();
        let sample =
            samples.find(|sample| sample.suite == self.suite.name && sample.task == task)?;
        match sample.answer {
            Answer::Generated(_) => Some("generate_until"),
            Answer::Scored(_) => Some("multiple_choice"),
            Answer::Loss(_) => Some("loglikelihood_rolling"),
            Answer::Classified(_) => None,
        }
    }
}

fn higher_is_better(metric: &str) -> bool {
    !matches!(
        metric,
        "nats_per_token" | "bits_per_byte" | "word_perplexity"
    )
}
