//! `evalh adapter`: what adapters are, how they relate, and merging them.

mod compare;
mod inspect;
mod merge;

use crate::{
    checkpoints,
    failure::{Exit, OrFail as _, Outcome},
    flags::AdapterCommand,
    inspect::{layout, with_heads_of},
    output::Console,
};
use evalh_adapter::{Adapter, BaseModel, ModelLayout};
use evalh_checkpoint::Checkpoint;
use std::path::Path;

/// Looks at adapters.
///
/// # Errors
/// When an adapter or a model is missing or damaged, or they do not fit.
pub fn adapter(command: &AdapterCommand) -> Outcome<Exit> {
    match command {
        AdapterCommand::Inspect(flags) => inspect::inspect(flags),
        AdapterCommand::Compare(flags) => compare::compare(flags),
        AdapterCommand::Merge(flags) => merge::merge(flags),
    }
}

/// A model that adapters are seen against.
struct Base {
    checkpoint: Checkpoint,
    layout: ModelLayout,
}

impl Base {
    /// Opens the model that is named on the command line. A head that only the adapters have is laid out too.
    fn open(named: &str, adapters: &[&Adapter], console: &Console) -> Outcome<Base> {
        let checkpoint = checkpoints::open(named, "--model", console)?;
        let mut layout = layout(&checkpoint);
        for adapter in adapters {
            with_heads_of(&mut layout, adapter);
        }
        Ok(Base { checkpoint, layout })
    }

    fn model(&self) -> BaseModel<'_> {
        BaseModel::new(&self.layout, &self.checkpoint)
    }
}

fn open(dir: &Path) -> Outcome<Adapter> {
    Adapter::open(dir).or_fail()
}
