//! What a training's record says of it.

use super::{Choices, Material, data::TrainingData, modules::Chosen, session::Course};
use crate::usage;
use evalh_record::FileIdentity;
use evalh_record::training::{
    DataSettings, Energy, LayerChoice, Layers, LoraSettings, Method, ModelSettings, Objective,
    OptimizerSettings, Seconds, Status, TRAINING_SCHEMA, Target, Training, TrainingSettings,
};
use evalh_train::{plan::Targets, run::now, select};

/// The settings that make a training what it is.
pub fn settings<E>(
    choices: &Choices,
    material: &Material,
    (data, objective): (&TrainingData<E>, Objective),
    chosen: &Chosen,
    course: &Course,
    held_out: &[FileIdentity],
) -> TrainingSettings {
    let recipe = &choices.recipe;
    let lora = (choices.method == Method::Lora).then(|| LoraSettings {
        rank: recipe.rank,
        alpha: recipe.alpha,
        rslora: recipe.rslora,
        dropout: recipe.dropout,
        targets: match &recipe.targets {
            Targets::AllLinear => vec!["all-linear".to_owned()],
            Targets::Named(names) => names.clone(),
        },
        rank_pattern: recipe.rank_pattern.clone(),
        alpha_pattern: recipe.alpha_pattern.clone(),
        initial_sha256: chosen.initial.clone(),
    });
    TrainingSettings {
        evalh: env!("CARGO_PKG_VERSION").to_owned(),
        model: model(material, choices),
        data: DataSettings {
            name: data.name.clone(),
            files: data.files.clone(),
            loss: choices.data.loss,
            max_tokens: data.max_tokens,
            chat_template: choices.data.chat_template,
            packing: recipe.packing,
            examples: data.examples.len() as u64,
        },
        objective,
        method: choices.method,
        lora,
        layers: Layers {
            trained: chosen.layers.clone(),
            of_layers: chosen.of_layers,
            chosen: match (&choices.layers, &chosen.selection) {
                (_, Some((sha256, selection))) => LayerChoice::Probe {
                    sha256: sha256.clone(),
                    method: selection.method,
                },
                (select::Layers::All, None) => LayerChoice::All,
                (_, None) => LayerChoice::List,
            },
        },
        optimizer: OptimizerSettings {
            name: "adamw".to_owned(),
            learning_rate: recipe.learning_rate,
            schedule: recipe.schedule,
            warmup_steps: course.warm_up_steps,
            betas: recipe.betas,
            epsilon: recipe.epsilon,
            weight_decay: recipe.weight_decay,
            clip: recipe.clip,
            batch_size: recipe.batch_size,
            accumulation: recipe.accumulation,
            precision: recipe.precision,
        },
        length: recipe.length,
        planned_steps: course.steps,
        seed: choices.seed,
        budget: choices.budget.clone(),
        target: choices.until.map(|until| Target {
            metric: until.metric,
            value: until.target,
            data: held_out.to_vec(),
            every: until.every,
        }),
    }
}

/// The checkpoint as a record names it.
pub fn model(material: &Material, choices: &Choices) -> ModelSettings {
    ModelSettings {
        name: material.name.clone(),
        files: material.files.clone(),
        quantized: choices.quantize.map(|to| to.to_string()),
    }
}

/// The record of a training that begins.
pub fn record(
    choices: &Choices,
    settings: TrainingSettings,
    trainable_parameters: u64,
    total_parameters: u64,
) -> Training {
    Training {
        schema: TRAINING_SCHEMA,
        settings,
        trainable_parameters,
        total_parameters,
        command: choices.command.clone(),
        machine: usage::machine(),
        threads: rayon::current_num_threads(),
        sessions: 1,
        started: now(),
        ended: None,
        seconds: Seconds::default(),
        steps: 0,
        tokens: 0,
        loss_tokens: 0,
        loss: None,
        peak_rss_bytes: None,
        energy: Energy::Unavailable {
            reason: "the training is not over".to_owned(),
        },
        status: Status::Running,
    }
}
