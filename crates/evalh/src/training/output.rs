//! Writes what was trained.

use super::{Choices, Material, session::AdapterKind};
use crate::failure::{Failure, OrFail as _, Outcome};
use evalh_adapter::{BaseModel, LoraFolder, ModuleChoice, write_checkpoint, write_lora};
use evalh_record::training::Method;
use evalh_train::{TrainableModel, Trainer};

/// Writes an adapter or a checkpoint into the training's folder.
///
/// # Errors
/// When the folder cannot be written, or a GGUF file was trained in full.
pub fn write(
    choices: &Choices,
    material: &Material,
    base: BaseModel<'_>,
    trainer: &Trainer<impl TrainableModel>,
    adapter: AdapterKind,
) -> Outcome<()> {
    if choices.method == Method::Full {
        let from = material.checkpoint.path();
        if !from.is_dir() {
            return Err(Failure::new(format!("write a checkpoint like {}", from.display()))
                .cause("a GGUF file has no tokenizer and config in the form of a Hugging Face folder")
                .help("train the Hugging Face folder that the file was made of"));
        }
        return write_checkpoint(base, from, trainer.tensors(), &choices.out)
            .or_fail()
            .map(drop);
    }
    let modules = trainer.modules();
    let names: Vec<&str> = modules.iter().map(|module| module.name.as_str()).collect();
    let recipe = &choices.recipe;
    let folder = LoraFolder {
        base_model: Some(material.name.clone()),
        task: adapter.task,
        rank: recipe.rank,
        alpha: recipe.alpha,
        use_rslora: recipe.rslora,
        dropout: recipe.dropout,
        fan_in_fan_out: adapter.fan_in_fan_out,
        choice: ModuleChoice::of(base.layout(), &names),
        modules,
        modules_to_save: adapter.modules_to_save,
        saved: trainer.tensors(),
    };
    write_lora(&choices.out, &folder).or_fail()
}
