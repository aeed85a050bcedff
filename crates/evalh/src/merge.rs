//! A model with an adapter merged into it, as a plain checkpoint.

use crate::failure::{Failure, OrFail as _, Outcome};
use evalh_adapter::{AdapterUpdate, ModelLayout, analysis::BaseModel};
use evalh_checkpoint::{
    Checkpoint, CheckpointError, PlannedTensor, StoredDtype, TensorInfo, WeightSource as _,
    WeightWriter,
};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The largest file of weights, as transformers has it.
const SHARD_BYTES: u64 = 5_000_000_000;
/// What else a checkpoint's folder holds, and the merged one needs too.
const COMPANIONS: [&str; 13] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "spiece.model",
    "chat_template.jinja",
    "chat_template.json",
    "generation_config.json",
    "preprocessor_config.json",
];

/// A merge that is about to be written.
pub struct Merge<'m> {
    checkpoint: &'m Checkpoint,
    layout: &'m ModelLayout,
    update: &'m AdapterUpdate,
    plan: Vec<PlannedTensor>,
    config: Value,
    notes: Vec<String>,
}

/// What was written.
pub struct Merged {
    /// Tensors in all.
    pub tensors: usize,
    /// Those that the adapter changes.
    pub changed: usize,
    /// Bytes of all files.
    pub bytes: u64,
    /// Files of weights.
    pub weight_files: usize,
    /// What is worth knowing.
    pub notes: Vec<String>,
}

impl<'m> Merge<'m> {
    /// Plans a merge: every tensor of the checkpoint, and those that the adapter adds to it. They keep their types, or get
    /// `dtype`; weights that were quantised become F32, as an adapter is never merged into quantised storage.
    ///
    /// # Errors
    /// When the checkpoint is no folder, or the adapter needs a tensor that a config cannot ask for.
    pub fn new(
        checkpoint: &'m Checkpoint,
        layout: &'m ModelLayout,
        update: &'m AdapterUpdate,
        dtype: Option<StoredDtype>,
    ) -> Outcome<Merge<'m>> {
        if !checkpoint.path().is_dir() {
            return Err(Failure::new(format!("merge into {}", checkpoint.path().display()))
                .cause("a GGUF file has no tokenizer and config in the form of a Hugging Face folder")
                .help("merge into the Hugging Face folder that the file was made of"));
        }
        let mut plan: Vec<PlannedTensor> = checkpoint
            .tensor_names()
            .into_iter()
            .filter_map(|name| {
                let TensorInfo {
                    shape,
                    dtype: stored,
                } = checkpoint.tensor(&name)?;
                let dtype = dtype.unwrap_or(plain(stored));
                Some(PlannedTensor { name, shape, dtype })
            })
            .collect();
        let (mut config, mut notes) = (checkpoint.config().clone(), Vec::new());
        for name in added(checkpoint, layout, update) {
            if name.ends_with(".bias") {
                return Err(Failure::new("plan the merged checkpoint")
                    .cause(format!("the adapter adds the bias `{name}`, and the model has none there"))
                    .help("apply the adapter with `evalh run --adapter`, which needs no config for it"));
            }
            notes.push(format!("{name} is now a tensor of its own"));
            plan.push(PlannedTensor {
                shape: layout.tensors.get(&name).cloned().unwrap_or_default(),
                dtype: dtype.unwrap_or_else(|| plan.first().map_or(StoredDtype::F32, |t| t.dtype)),
                name,
            });
            untie(&mut config);
        }
        let table = layout.output_head.as_ref().and_then(|head| {
            BaseModel::new(layout, checkpoint).tied_table(&format!("{head}.weight"))
        });
        let is_shared = table.is_some_and(|table| update.changes(&table)) && notes.is_empty();
        if is_shared {
            notes.push("the head shares the table of embeddings that the adapter changes, and changes with it, as in PEFT's merge".to_owned());
        }
        describe_types(&mut config, &plan);
        Ok(Merge {
            checkpoint,
            layout,
            update,
            plan,
            config,
            notes,
        })
    }

    /// Tensors that will be written and read back: twice the number of them.
    pub fn tensors(&self) -> usize {
        2 * self.plan.len()
    }

    /// Writes the folder `out`, which appears only once it is whole and checked: every value read back has the bits that
    /// were to be written.
    ///
    /// # Errors
    /// When `out` is there already, something cannot be written or read, or a value read back is another.
    pub fn write(self, out: &Path, step: &dyn Fn()) -> Outcome<Merged> {
        if out.exists() {
            return Err(Failure::new(format!("write {}", out.display()))
                .cause("it is there already")
                .help("name a folder that is not there yet with --out"));
        }
        let part = part_of(out);
        let what = || format!("write {}", part.display());
        fs::create_dir_all(&part).or_fail_to(what)?;
        let written = self.fill(&part, step);
        if written.is_err() {
            // The failure is the one to tell; a folder that is left over is named like one.
            let _ = fs::remove_dir_all(&part);
        }
        let merged = written?;
        fs::rename(&part, out)
            .or_fail_to(|| format!("rename {} to {}", part.display(), out.display()))?;
        Ok(merged)
    }

    fn fill(&self, part: &Path, step: &dyn Fn()) -> Outcome<Merged> {
        for name in COMPANIONS {
            let from = self.checkpoint.path().join(name);
            if from.is_file() {
                fs::copy(&from, part.join(name))
                    .or_fail_to(|| format!("copy {}", from.display()))?;
            }
        }
        let config = part.join("config.json");
        fs::write(&config, format!("{:#}\n", self.config))
            .or_fail_to(|| format!("write {}", config.display()))?;
        let writer = WeightWriter::plan(part, self.plan.clone(), SHARD_BYTES);
        writer
            .write(|tensor| {
                step();
                Ok::<_, CheckpointError>(self.values(tensor)?.0)
            })
            .or_fail()?;
        let changed = self.check(part, step)?;
        let files = writer.files();
        let mut bytes = 0;
        for file in &files {
            bytes += fs::metadata(file)
                .or_fail_to(|| format!("read {}", file.display()))?
                .len();
        }
        Ok(Merged {
            tensors: self.plan.len(),
            changed,
            bytes,
            weight_files: files
                .iter()
                .filter(|file| file.extension().is_some_and(|e| e == "safetensors"))
                .count(),
            notes: self.notes.clone(),
        })
    }

    /// The values of a tensor of the merged model, and whether the adapter changes it.
    fn values(&self, tensor: &PlannedTensor) -> Result<(Vec<f32>, bool), CheckpointError> {
        let own = self.checkpoint.tensor(&tensor.name).is_some();
        let table = BaseModel::new(self.layout, self.checkpoint).tied_table(&tensor.name);
        let mut values = match (own, table) {
            (true, _) => self.checkpoint.read_f32(&tensor.name)?,
            (false, Some(table)) => self.checkpoint.read_f32(&table)?,
            // A tensor that the adapter brings along whole.
            (false, None) => vec![0.0; tensor.shape.iter().product()],
        };
        let changed = self
            .update
            .merge_tensor(self.layout, &tensor.name, &mut values);
        Ok((values, changed))
    }

    /// Opens what was written and compares every value with the one that was to be written.
    fn check(&self, part: &Path, step: &dyn Fn()) -> Outcome<usize> {
        let wrong = |problem: String| {
            Failure::new(format!("check {}", part.display()))
                .cause(problem)
                .help("the disk or the memory is at fault: try again on another")
        };
        let again = Checkpoint::open(part).or_fail()?;
        let (names, planned) = (again.tensor_names().len(), self.plan.len());
        if names != planned {
            return Err(wrong(format!(
                "{names} tensors are there, and {planned} were written"
            )));
        }
        let mut changed = 0;
        for tensor in &self.plan {
            step();
            let (values, is_changed) = self.values(tensor).or_fail()?;
            changed += usize::from(is_changed);
            let found = again.read_f32(&tensor.name).or_fail()?;
            let same = found.len() == values.len()
                && found.iter().zip(&values).all(|(found, value)| {
                    found.to_bits() == tensor.dtype.round(*value).to_bits() || value.is_nan()
                });
            if !same {
                return Err(wrong(format!("`{}` is not as it was written", tensor.name)));
            }
        }
        Ok(changed)
    }
}

/// The tensors of the merged model that the checkpoint has not: a head that was tied, or one that the adapter brings.
fn added(checkpoint: &Checkpoint, layout: &ModelLayout, update: &AdapterUpdate) -> Vec<String> {
    let mut names: Vec<String> = update
        .saved
        .iter()
        .map(|saved| saved.name.clone())
        .collect();
    for lora in &update.lora {
        names.push(format!("{}.weight", lora.module));
        names.extend(lora.bias.is_some().then(|| format!("{}.bias", lora.module)));
    }
    // As in PEFT, a saved embedding is one of its own: a head that shared the old one keeps it.
    let head = layout
        .output_head
        .as_ref()
        .map(|head| format!("{head}.weight"));
    names.extend(head.filter(|head| {
        let table = BaseModel::new(layout, checkpoint).tied_table(head);
        table.is_some_and(|table| update.saved.iter().any(|saved| saved.name == table))
    }));
    names.sort();
    names.dedup();
    names.retain(|name| {
        checkpoint.tensor(name).is_none()
            && (layout.tensors.contains_key(name) || name.ends_with(".bias"))
    });
    names
}

fn untie(config: &mut Value) {
    config["tie_word_embeddings"] = Value::Bool(false);
}

/// The stored type, or F32 for one that no plain checkpoint has.
fn plain(stored: StoredDtype) -> StoredDtype {
    match stored {
        StoredDtype::F16 | StoredDtype::BF16 => stored,
        _ => StoredDtype::F32,
    }
}

/// Says in the config what most of the values are stored in, and forgets that they were quantised.
fn describe_types(config: &mut Value, plan: &[PlannedTensor]) {
    let count = |dtype: StoredDtype| -> usize {
        let of = plan.iter().filter(|tensor| tensor.dtype == dtype);
        of.map(|tensor| tensor.shape.iter().product::<usize>())
            .sum()
    };
    let names = [
        (StoredDtype::F32, "float32"),
        (StoredDtype::BF16, "bfloat16"),
        (StoredDtype::F16, "float16"),
    ];
    let most = names.into_iter().max_by_key(|(dtype, _)| count(*dtype));
    let Some(fields) = config.as_object_mut() else {
        return;
    };
    fields.remove("quantization_config");
    let key = if fields.contains_key("torch_dtype") {
        "torch_dtype"
    } else {
        "dtype"
    };
    if let Some((_, name)) = most {
        fields.insert(key.to_owned(), name.into());
    }
}

/// The folder's name while it is written, beside it so that it can be renamed.
fn part_of(out: &Path) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    out.with_file_name(name)
}
