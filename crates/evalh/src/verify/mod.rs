//! Compares a checkpoint with what transformers and PEFT computed for it.

mod compare;
mod decoder;
mod manifest;
mod reference;
mod subject;

pub use compare::Found;

use crate::{
    failure::{Failure, OrFail as _, Outcome},
    flags::Apply,
};
use evalh_adapter::{Adapter, AdapterUpdate, ModelLayout, combine};
use evalh_checkpoint::{Checkpoint, WeightSource as _};
use evalh_model::{DeviceChoice, Footprint, LoadOptions};
use manifest::{Manifest, Source};
use reference::{Inputs, Reference};
use std::path::{Path, PathBuf};
use subject::{Subject, Way};

/// Merged and unmerged logits of one model differ by rounding, never by as much.
const FAR_BEYOND_ROUNDING: f32 = 0.01;

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
    /// `model_type` of the checkpoint.
    pub family: String,
    /// The kernels that computed.
    pub kernel: String,
    /// What the model takes.
    pub footprint: Footprint,
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
    let reference = Reference::open(folder)?;
    let manifest = Manifest::open(folder)?;
    let checkpoint = Checkpoint::open(model.unwrap_or(folder)).or_fail()?;
    let inputs = reference.inputs()?;
    let subject = subject::load(&checkpoint, device, options)?;
    let mut bench = Bench {
        reference,
        manifest,
        inputs,
        layout: subject.layout(),
        subject,
        lines: Vec::new(),
        notes: Vec::new(),
    };
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
        family: family.to_owned(),
        kernel: bench.subject.kernel(),
        footprint: bench.subject.footprint(),
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
        let another_model = self.merging_changes_the_model(name)?;
        for (how, key) in [(Apply::Unmerged, "unmerged"), (Apply::Merged, "merged")] {
            let tensor = format!("logits_{name}_{key}");
            if !self.reference.has(&tensor)? {
                continue;
            }
            self.subject.apply(&update, how)?;
            let of = format!("{name}, {key}");
            self.logits(&tensor, &of)?;
            // The reference's greedy run is unmerged, and merging is not always the same model.
            if how == Apply::Unmerged || !another_model {
                self.greedy(&format!("greedy_{name}"), None, &of)?;
            }
            self.subject.restore();
            let again = self.subject.logits(&self.inputs)?;
            self.lines.push(Line {
                tensor: "logits".to_owned(),
                of: format!("base after {of}"),
                found: Found::bits(&again, &before),
            });
        }
        Ok(())
    }

    /// Whether the reference's merged and unmerged logits are those of two models: a LoRA on an embedding whose table is
    /// the head too changes the head only when it is merged.
    fn merging_changes_the_model(&mut self, name: &str) -> Outcome<bool> {
        let [unmerged, merged] = ["unmerged", "merged"].map(|key| format!("logits_{name}_{key}"));
        if !(self.reference.has(&unmerged)? && self.reference.has(&merged)?) {
            return Ok(false);
        }
        let unmerged = self.reference.values(&unmerged)?;
        let merged = self.reference.values(&merged)?;
        let changes = !Found::numbers(&merged.values, &unmerged.values).passes(FAR_BEYOND_ROUNDING);
        if changes {
            self.notes.push(format!(
                "greedy_{name} is compared unmerged only: in the reference, merging gives another model (a head tied to an embedding that the adapter changes)"
            ));
        }
        Ok(changes)
    }

    fn logits(&mut self, tensor: &str, of: &str) -> Outcome<()> {
        let theirs = self.reference.values(tensor)?;
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
