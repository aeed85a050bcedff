//! Compares a checkpoint with what transformers and PEFT computed for it.

mod compare;
mod decoder;
mod encoder;
mod manifest;
mod quantised;
mod reference;
mod subject;

pub use compare::Found;

use crate::{
    failure::{Failure, OrFail as _, Outcome},
    flags::Apply,
};
use evalh_adapter::{Adapter, AdapterUpdate, BaseModel, LoraUpdate, ModelLayout, combine};
use evalh_checkpoint::{Checkpoint, WeightSource as _};
use evalh_model::{DeviceChoice, Footprint, LoadOptions};
use manifest::{Manifest, Source};
use reference::{Inputs, Reference};
use std::path::{Path, PathBuf};
use subject::{Subject, Way};

/// One comparison.
pub struct Line {
    /// The reference's tensor.
    pub tensor: String,
    /// What computed ours: `base`, `all, merged`.
    pub of: String,
    /// How far they are apart.
    pub found: Found,
}

/// All comparisons of one folder.
pub struct Proof {
    /// The folder of the reference.
    pub folder: PathBuf,
    /// The checkpoint and what computed, in words.
    pub about: String,
    /// What the model takes, where one was loaded.
    pub footprint: Option<Footprint>,
    /// The programs that wrote the reference.
    pub written_by: Option<String>,
    /// The comparisons.
    pub lines: Vec<Line>,
    /// What is worth knowing besides.
    pub notes: Vec<String>,
}

impl Proof {
    /// Whether every comparison is near enough.
    pub fn passes(&self, tolerance: f32) -> bool {
        self.lines.iter().all(|line| line.found.passes(tolerance))
    }
}

/// Compares the checkpoint `model`, or that of the folder itself, with the folder's reference.
///
/// # Errors
/// When the reference, the checkpoint or an adapter is missing, damaged or not supported.
pub fn prove(
    folder: &Path,
    model: Option<&Path>,
    device: DeviceChoice,
    options: LoadOptions,
) -> Outcome<Proof> {
    if quantised::has_cases(folder) {
        return quantised::prove_cases(folder);
    }
    let reference = Reference::open(folder)?;
    let manifest = Manifest::open(folder)?;
    let checkpoint = Checkpoint::open(model.unwrap_or(folder)).or_fail()?;
    let inputs = reference.inputs()?;
    let subject = subject::load(&checkpoint, device, options)?;
    let layout = subject.layout();
    let mut bench = Bench {
        reference,
        manifest,
        inputs,
        tied_table: tied_table(&layout, &checkpoint),
        layout,
        subject,
        lines: Vec::new(),
        notes: Vec::new(),
    };
    bench.lines = quantised::linears(folder, &checkpoint)?;
    bench.base()?;
    for adapter in bench.reference.adapters()? {
        bench.adapter(&adapter)?;
    }
    let family = checkpoint.config()["model_type"].as_str().unwrap_or("");
    let mut notes = std::mem::take(&mut bench.notes);
    notes.extend(bench.reference.left_out()?.map(str::to_owned));
    notes.extend(bench.adapters_without_reference(folder)?);
    Ok(Proof {
        folder: folder.to_owned(),
        about: format!(
            "{family}, {} kernels, weights held in {}",
            bench.subject.kernel(),
            bench.subject.footprint().dtype
        ),
        footprint: Some(bench.subject.footprint()),
        written_by: bench.manifest.written_by(),
        lines: bench.lines,
        notes,
    })
}

/// A model and a reference side by side.
struct Bench {
    reference: Reference,
    manifest: Manifest,
    inputs: Inputs,
    layout: ModelLayout,
    /// The table of embeddings that is the head too.
    tied_table: Option<String>,
    subject: Box<dyn Subject>,
    lines: Vec<Line>,
    notes: Vec<String>,
}

impl Bench {
    fn base(&mut self) -> Outcome<()> {
        self.logits("logits", "base")?;
        self.greedy("greedy", Some("greedy_logprobs"), "base")
    }

    fn adapter(&mut self, name: &str) -> Outcome<()> {
        let update = self.update(name, &mut Vec::new())?;
        let before = self.subject.logits(&self.inputs)?;
        let moves_head = self.merging_moves_the_head(name, &update)?;
        for (how, key) in [(Apply::Unmerged, "unmerged"), (Apply::Merged, "merged")] {
            let mut tensor = format!("logits_{name}_{key}");
            if !self.reference.has(&tensor)? {
                continue;
            }
            if moves_head && how == Apply::Merged {
                tensor = format!("logits_{name}_unmerged");
            }
            self.subject.apply(&update, how)?;
            let of = format!("{name}, {key}");
            self.logits(&tensor, &of)?;
            self.greedy(&format!("greedy_{name}"), None, &of)?;
            self.subject.restore();
            let again = self.subject.logits(&self.inputs)?;
            let found = Found::bits(&again, &before);
            self.push("logits", &format!("base after {of}"), found);
        }
        Ok(())
    }

    /// Whether PEFT's merge makes another model than the adapter was trained as: it adds a LoRA on an embedding to the table
    /// that is the head too, which the unmerged adapter leaves alone. evalh's merged weights are the model as trained, so
    /// they are compared with the unmerged reference.
    fn merging_moves_the_head(&mut self, name: &str, update: &AdapterUpdate) -> Outcome<bool> {
        let Some(table) = &self.tied_table else {
            return Ok(false);
        };
        let on_table = |lora: &LoraUpdate| format!("{}.weight", lora.module) == *table;
        let unmerged = format!("logits_{name}_unmerged");
        if !update.lora.iter().any(on_table) || !self.reference.has(&unmerged)? {
            return Ok(false);
        }
        self.notes.push(format!(
            "{name} changes an embedding whose table is the head too: PEFT's merge moves the head with it, evalh's keeps the model as it was trained, so merged weights are compared with {unmerged}"
        ));
        Ok(true)
    }

    fn logits(&mut self, tensor: &str, of: &str) -> Outcome<()> {
        let theirs = self.reference.values(tensor)?.of_tokens(&self.inputs)?;
        let ours = self.subject.logits(&self.inputs)?;
        if ours.len() != theirs.values.len() {
            let problem = format!(
                "has shape {:?}, but the checkpoint gives {} values",
                theirs.shape,
                ours.len()
            );
            return Err(self.reference.wrong(tensor, &problem));
        }
        self.push(tensor, of, Found::numbers(&ours, &theirs.values));
        Ok(())
    }

    fn greedy(&mut self, tensor: &str, log_probs: Option<&str>, of: &str) -> Outcome<()> {
        if !self.reference.has(tensor)? {
            return Ok(());
        }
        // Where a cache gives other tokens than whole sequences do, each is compared with its own kind.
        let differ = self.reference.has("greedy_cached")?;
        let way = if differ { Way::Whole } else { Way::Cached };
        let chosen = self.chosen(tensor)?;
        let run = self.subject.greedy(&self.inputs.ids, &chosen, way)?;
        self.push(tensor, of, run.found);
        if let Some(name) = log_probs.filter(|_| of == "base") {
            let theirs = self.reference.values(name)?;
            if theirs.values.len() != run.log_probs.len() {
                return Err(self
                    .reference
                    .wrong(name, "has another shape than the greedy tokens"));
            }
            self.push(name, of, Found::numbers(&run.log_probs, &theirs.values));
            if differ {
                let chosen = self.chosen("greedy_cached")?;
                let run = self
                    .subject
                    .greedy(&self.inputs.ids, &chosen, Way::Cached)?;
                self.push("greedy_cached", of, run.found);
            }
        }
        Ok(())
    }

    fn chosen(&self, tensor: &str) -> Outcome<Vec<Vec<u32>>> {
        let chosen = self.reference.ids(tensor)?;
        if chosen.len() == self.inputs.ids.len() {
            Ok(chosen)
        } else {
            Err(self
                .reference
                .wrong(tensor, "has another number of rows than input_ids"))
        }
    }

    fn push(&mut self, tensor: &str, of: &str, found: Found) {
        let (tensor, of) = (tensor.to_owned(), of.to_owned());
        self.lines.push(Line { tensor, of, found });
    }

    /// What an adapter or a mix does to the model; `around` are the mixes it is a part of.
    fn update(&self, name: &str, around: &mut Vec<String>) -> Outcome<AdapterUpdate> {
        match self.manifest.adapter(name)? {
            Source::Folder(path) => Adapter::open(&path)
                .or_fail()?
                .resolve(&self.layout)
                .or_fail(),
            Source::Mix(_) if around.iter().any(|mix| mix == name) => Err(Failure::new(format!(
                "build the mix `{name}` of the reference"
            ))
            .cause("it is a part of itself")),
            Source::Mix(parts) => {
                around.push(name.to_owned());
                let parts = parts
                    .iter()
                    .map(|(part, weight)| Ok((self.update(part, around)?, *weight)))
                    .collect::<Outcome<Vec<_>>>()?;
                around.pop();
                combine(name, parts).or_fail()
            }
        }
    }

    /// Adapters in the folder that the reference says nothing of.
    fn adapters_without_reference(&self, folder: &Path) -> Outcome<Vec<String>> {
        let known = self.reference.adapters()?;
        let Ok(entries) = std::fs::read_dir(folder.join("adapters")) else {
            return Ok(Vec::new());
        };
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| !known.contains(name))
            .collect();
        names.sort();
        Ok(names
            .iter()
            .map(|name| {
                format!("adapters/{name} is not compared: the reference has no logits of it")
            })
            .collect())
    }
}

/// The table of embeddings that is the head too, by its tensor's name.
fn tied_table(layout: &ModelLayout, checkpoint: &Checkpoint) -> Option<String> {
    let head = format!("{}.weight", layout.output_head.as_ref()?);
    BaseModel::new(layout, checkpoint).tied_table(&head)
}
