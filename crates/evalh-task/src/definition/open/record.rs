//! What a record keeps of an opened suite: everything that can change a score.

use super::Opening;
use crate::definition::{
    effective::Kind,
    form::{Form, Shots},
    task::OpenTask,
};
use evalh_record::{FileIdentity, Sha256, SuiteSettings, TaskSettings, sha256_bytes};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

impl Opening<'_> {
    pub(super) fn settings(&self, tasks: &[OpenTask], data: Vec<FileIdentity>) -> SuiteSettings {
        let is_generated = self.forms.iter().any(|form| form.kind() == Kind::Generate);
        let most = tasks.iter().filter_map(|task| task.form.generate.as_ref());
        let most = most.map(|generate| generate.max_new_tokens).max();
        SuiteSettings {
            name: self.definition.name.clone(),
            protocol: self.protocol_name(),
            tasks: tasks
                .iter()
                .map(|task| TaskSettings {
                    name: task.name.clone(),
                    group: task.group.clone(),
                    items: task.items.len(),
                })
                .collect(),
            shots: self
                .forms
                .iter()
                .map(|form| self.shot_count(form))
                .max()
                .unwrap_or(0),
            items: tasks.iter().map(|task| task.items.len()).sum(),
            limit: self.options.limit,
            samples: self.options.samples,
            sampling: is_generated.then(|| self.options.sampling_settings()),
            max_new_tokens: self
                .options
                .max_new_tokens
                .or(most)
                .filter(|_| is_generated),
            options: self.others(tasks),
            data,
        }
    }

    fn others(&self, tasks: &[OpenTask]) -> Map<String, Value> {
        let mut options = Map::new();
        options.insert("definition_sha256".into(), json!(self.sha256));
        if tasks.iter().any(|task| !task.solved.is_empty()) {
            options.insert("shots_sha256".into(), json!(hash_of_shots(tasks)));
            let random = self
                .forms
                .iter()
                .filter_map(|form: &Form| form.shots.as_ref());
            if let Some(shots) = random.into_iter().find(|shots: &&Shots| shots.is_random()) {
                let seed = self.options.shot_seed.unwrap_or(shots.seed());
                options.insert("shot_seed".into(), json!(seed));
            }
        }
        if let Some(chat) = &self.options.chat {
            options.insert(
                "chat".into(),
                json!({ "system": chat.system, "shots_as_turns": chat.shots_as_turns }),
            );
        }
        for (name, tokens) in [
            ("window", self.options.window),
            ("stride", self.options.stride),
        ] {
            if let Some(tokens) = tokens {
                options.insert(name.into(), json!(tokens));
            }
        }
        if !self.options.tasks.is_empty() {
            let names: Vec<&str> = tasks.iter().map(|task| task.name.as_str()).collect();
            options.insert("tasks".into(), json!(names));
        }
        if let Some(draw) = self.options.draw {
            options.insert(
                "draw".into(),
                json!({ "items": draw.items, "seed": draw.seed }),
            );
        }
        options
    }
}

/// Of all solved examples' texts, and of which go before which item.
fn hash_of_shots(tasks: &[OpenTask]) -> Sha256 {
    let mut text = String::new();
    for task in tasks {
        for (number, solved) in &task.solved {
            let (question, target) = (&solved.question, &solved.target);
            let _ = writeln!(
                text,
                "{}\t{number}\t{question:?}\t{target:?}\t{:?}",
                task.name, solved.prefill
            );
        }
        for (_, item) in &task.items {
            let _ = writeln!(text, "{}\t{:?}", item.id, item.shots);
        }
    }
    sha256_bytes(text.as_bytes())
}
