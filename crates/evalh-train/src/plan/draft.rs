//! Recipes as tables say them: evalh's own, those of `[train]` over them, those of an `[[arm]]` over both.

use super::super::optimizer::WarmUp;
use super::{PlanResult, Recipe, Targets, reader::Section, value::Value};
use evalh_record::training::{Length, Precision, Schedule};
use std::collections::BTreeMap;

/// The keys that say how is trained.
pub(super) const KEYS: [&str; 21] = [
    "rank",
    "alpha",
    "rslora",
    "dropout",
    "targets",
    "rank_pattern",
    "alpha_pattern",
    "schedule",
    "warmup",
    "learning_rate",
    "betas",
    "epsilon",
    "weight_decay",
    "clip",
    "batch_size",
    "accumulation",
    "steps",
    "epochs",
    "precision",
    "packing",
    "checkpoint_every",
];
/// Those of them that say how an adapter looks.
const OF_LORA: [&str; 7] = [
    "rank",
    "alpha",
    "rslora",
    "dropout",
    "targets",
    "rank_pattern",
    "alpha_pattern",
];

/// A recipe whose length may not be said yet.
#[derive(Clone)]
pub(super) struct Draft {
    recipe: Recipe,
    has_length: bool,
}

impl Draft {
    /// evalh's own, for an experiment without `[train]`. The length must be said somewhere.
    pub fn defaults() -> Draft {
        Draft {
            recipe: Recipe {
                rank: 16,
                alpha: 32.0,
                rslora: false,
                dropout: 0.0,
                targets: Targets::AllLinear,
                rank_pattern: BTreeMap::new(),
                alpha_pattern: BTreeMap::new(),
                schedule: Schedule::Cosine,
                warmup: WarmUp::Steps(0),
                learning_rate: 2e-4,
                betas: [0.9, 0.95],
                epsilon: 1e-7,
                weight_decay: 0.01,
                clip: Some(1.0),
                batch_size: 2,
                accumulation: 1,
                length: Length::Steps(0),
                precision: Precision::F32,
                packing: false,
                checkpoint_every: None,
            },
            has_length: false,
        }
    }

    /// The recipe with the keys of a table over it.
    pub fn with(mut self, table: &Section<'_>) -> PlanResult<Draft> {
        let recipe = &mut self.recipe;
        set(&mut recipe.rank, table.optional("rank", Value::size)?);
        set(&mut recipe.alpha, table.optional("alpha", Value::positive)?);
        set(&mut recipe.rslora, table.optional("rslora", Value::flag)?);
        set(
            &mut recipe.dropout,
            table.optional("dropout", Value::fraction)?,
        );
        set(&mut recipe.targets, targets(table)?);
        if let Some(value) = table.get("rank_pattern") {
            let entries = value.entries()?.into_iter();
            recipe.rank_pattern = entries
                .map(|(name, value)| Ok((name, value.size()?)))
                .collect::<PlanResult<_>>()?;
        }
        if let Some(value) = table.get("alpha_pattern") {
            let entries = value.entries()?.into_iter();
            recipe.alpha_pattern = entries
                .map(|(name, value)| Ok((name, value.positive()?)))
                .collect::<PlanResult<_>>()?;
        }
        set(&mut recipe.schedule, schedule(table)?);
        set(&mut recipe.warmup, warmup(table)?);
        set(
            &mut recipe.learning_rate,
            table.optional("learning_rate", Value::positive)?,
        );
        set(&mut recipe.betas, betas(table)?);
        set(
            &mut recipe.epsilon,
            table.optional("epsilon", Value::positive)?,
        );
        set(
            &mut recipe.weight_decay,
            table.optional("weight_decay", Value::not_negative)?,
        );
        set(&mut recipe.clip, table.optional("clip", clip)?);
        set(
            &mut recipe.batch_size,
            table.optional("batch_size", Value::size)?,
        );
        set(
            &mut recipe.accumulation,
            table.optional("accumulation", Value::size)?,
        );
        set(&mut recipe.precision, precision(table)?);
        set(&mut recipe.packing, table.optional("packing", Value::flag)?);
        if let Some(every) = table.optional("checkpoint_every", Value::count)? {
            recipe.checkpoint_every = Some(every);
        }
        if let Some(length) = length(table)? {
            recipe.length = length;
            self.has_length = true;
        }
        Ok(self)
    }

    /// The whole recipe of an arm.
    pub fn whole(self, arm: &Section<'_>) -> PlanResult<Recipe> {
        if !self.has_length {
            return Err(arm.missing(
                "steps",
                "steps = 200 or epochs = 1, in [train] for all arms or here",
            ));
        }
        // Said now and not when the arm's turn comes, hours into the experiment.
        if let Length::Steps(steps) = self.recipe.length
            && let Err(error) = self.recipe.warmup.steps(steps)
        {
            return Err(arm.wrong(
                "warmup",
                format!("does not fit: {error}"),
                "write fewer steps, or a share such as \"3%\"",
            ));
        }
        Ok(self.recipe)
    }
}

/// The first key of a table that says how an adapter looks, which an arm without an adapter does not have.
pub(super) fn adapter_key(table: &Section<'_>) -> Option<&'static str> {
    OF_LORA.into_iter().find(|key| table.get(key).is_some())
}

fn set<T>(to: &mut T, from: Option<T>) {
    if let Some(value) = from {
        *to = value;
    }
}

fn targets(table: &Section<'_>) -> PlanResult<Option<Targets>> {
    table.optional("targets", |value| match value.toml.as_str() {
        Some("all-linear") => Ok(Targets::AllLinear),
        Some(_) => Err(value.wrong(
            "is one name and not a list",
            "write targets = [\"q_proj\", \"v_proj\"], or \"all-linear\" for every linear of a layer",
        )),
        None => Ok(Targets::Named(value.texts()?)),
    })
}

fn schedule(table: &Section<'_>) -> PlanResult<Option<Schedule>> {
    table.optional("schedule", |value| {
        value.one_of(&[
            ("cosine", Schedule::Cosine),
            ("linear", Schedule::Linear),
            ("constant", Schedule::Constant),
        ])
    })
}

fn precision(table: &Section<'_>) -> PlanResult<Option<Precision>> {
    table.optional("precision", |value| {
        value.one_of(&[("f32", Precision::F32), ("bf16", Precision::Bf16)])
    })
}

fn warmup(table: &Section<'_>) -> PlanResult<Option<WarmUp>> {
    table.optional("warmup", |value| {
        if value.toml.is_str() {
            value.share().map(WarmUp::Ratio)
        } else {
            value.whole().map(WarmUp::Steps)
        }
    })
}

fn betas(table: &Section<'_>) -> PlanResult<Option<[f64; 2]>> {
    table.optional("betas", |value| match value.list()?.as_slice() {
        [first, second] => Ok([first.fraction()?, second.fraction()?]),
        _ => Err(value.wrong("are not two numbers", "write betas = [0.9, 0.95]")),
    })
}

/// The norm to clip to, or none where that is said.
fn clip(value: &Value<'_, '_>) -> PlanResult<Option<f64>> {
    match value.toml.as_bool() {
        Some(false) => Ok(None),
        Some(true) => Err(value.wrong(
            "does not say to what norm",
            "write clip = 1.0, or false for none",
        )),
        None => value.positive().map(Some),
    }
}

fn length(table: &Section<'_>) -> PlanResult<Option<Length>> {
    let steps = table.optional("steps", Value::count)?;
    let epochs = table.optional("epochs", Value::positive)?;
    match (steps, epochs) {
        (Some(_), Some(_)) => Err(table.wrong(
            "epochs",
            "and `steps` both say how long is trained",
            "write one of the two",
        )),
        (Some(steps), None) => Ok(Some(Length::Steps(steps))),
        (None, epochs) => Ok(epochs.map(Length::Epochs)),
    }
}
