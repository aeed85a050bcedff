//! `reference.safetensors`: what another program computed for a checkpoint.

use crate::failure::{Failure, Outcome};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// The file's name in a folder.
pub const FILE: &str = "reference.safetensors";
/// What bitsandbytes' CPU kernel computes: it is wrong where a row is no multiple of the block, so nothing is compared.
const OF_BROKEN_KERNEL: &str = "logits_bnb_cpu_forward";
const REMEDY: &str = "write it with tools/write_reference.py";

/// The reference of one checkpoint, in memory.
pub struct Reference {
    path: PathBuf,
    bytes: Vec<u8>,
}

/// Token ids, a row a prompt, all of one length.
pub type Ids = Vec<Vec<u32>>;

/// Numbers with their shape.
pub struct Values {
    /// Shape, outermost first.
    pub shape: Vec<usize>,
    /// Row-major.
    pub values: Vec<f32>,
}

/// What was put to the model.
pub struct Inputs {
    /// Prompts.
    pub ids: Ids,
    /// 1 for tokens and 0 for padding; without it all are tokens.
    pub mask: Option<Ids>,
    /// Sentence of each token, for encoders.
    pub types: Option<Ids>,
}

impl Reference {
    /// Reads the reference of a folder.
    ///
    /// # Errors
    /// When it is missing or damaged, or has a tensor that would not be compared.
    pub fn open(folder: &Path) -> Outcome<Reference> {
        let path = folder.join(FILE);
        let bytes = std::fs::read(&path).map_err(|error| {
            Failure::new(format!("read the reference {}", path.display()))
                .because(&error)
                .help(REMEDY)
        })?;
        let reference = Reference { path, bytes };
        reference.check_names()?;
        Ok(reference)
    }

    fn tensors(&self) -> Outcome<SafeTensors<'_>> {
        SafeTensors::deserialize(&self.bytes).map_err(|error| {
            Failure::new(format!("read the reference {}", self.path.display()))
                .because(&error)
                .help(REMEDY)
        })
    }

    fn check_names(&self) -> Outcome<()> {
        let tensors = self.tensors()?;
        let mut names: Vec<_> = tensors.names().into_iter().map(str::to_owned).collect();
        names.sort();
        let fixed = [
            "input_ids",
            "attention_mask",
            "token_type_ids",
            "logits",
            "greedy",
            "greedy_logprobs",
            "greedy_cached",
            OF_BROKEN_KERNEL,
        ];
        let known = |name: &String| {
            fixed.contains(&name.as_str())
                || adapter_of_logits(name).is_some()
                || name.starts_with("greedy_")
        };
        match names.iter().find(|name| !known(name)) {
            Some(stranger) => Err(self.wrong(stranger, "is not one that can be compared")),
            None => Ok(()),
        }
    }

    /// Whether there is a tensor of this name.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn has(&self, name: &str) -> Outcome<bool> {
        Ok(self.tensors()?.tensor(name).is_ok())
    }

    /// Names of the adapters that there are logits of, sorted.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn adapters(&self) -> Outcome<BTreeSet<String>> {
        let tensors = self.tensors()?;
        let names = tensors.names().into_iter().filter_map(adapter_of_logits);
        Ok(names.map(str::to_owned).collect())
    }

    /// What is not compared, and why.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn left_out(&self) -> Outcome<Option<&'static str>> {
        Ok(self.has(OF_BROKEN_KERNEL)?.then_some(
            "logits_bnb_cpu_forward is not compared: bitsandbytes' CPU kernel is wrong where a row is no multiple of the block",
        ))
    }

    /// What was put to the model.
    ///
    /// # Errors
    /// When ids are missing, or the parts differ in shape.
    pub fn inputs(&self) -> Outcome<Inputs> {
        let ids = self.ids("input_ids")?;
        let optional = |name: &str| -> Outcome<Option<Ids>> {
            if !self.has(name)? {
                return Ok(None);
            }
            let part = self.ids(name)?;
            let same = part.len() == ids.len() && part[0].len() == ids[0].len();
            if same {
                Ok(Some(part))
            } else {
                Err(self.wrong(name, "has another shape than input_ids"))
            }
        };
        let (mask, types) = (optional("attention_mask")?, optional("token_type_ids")?);
        Ok(Inputs { ids, mask, types })
    }

    /// A tensor `[B, N]` of ids, neither of them 0.
    ///
    /// # Errors
    /// When it is missing, of another shape or type, or an id does not fit into 32 bits.
    pub fn ids(&self, name: &str) -> Outcome<Ids> {
        let tensors = self.tensors()?;
        let view = self.view(&tensors, name)?;
        let &[_, length] = view.shape() else {
            return Err(self.wrong(name, &format!("has shape {:?}, not [B, N]", view.shape())));
        };
        if view.dtype() != Dtype::I64 {
            return Err(self.wrong(name, &format!("is of type {:?}, not I64", view.dtype())));
        }
        if view.data().is_empty() {
            return Err(self.wrong(name, "is empty"));
        }
        let ids = view
            .data()
            .as_chunks::<8>()
            .0
            .iter()
            .map(|bytes| u32::try_from(i64::from_le_bytes(*bytes)))
            .collect::<Result<Vec<u32>, _>>()
            .map_err(|_| self.wrong(name, "has an id below 0 or above 2^32"))?;
        Ok(ids.chunks(length).map(<[u32]>::to_vec).collect())
    }

    /// A tensor of f32.
    ///
    /// # Errors
    /// When it is missing or of another type.
    pub fn values(&self, name: &str) -> Outcome<Values> {
        let tensors = self.tensors()?;
        let view = self.view(&tensors, name)?;
        if view.dtype() != Dtype::F32 {
            return Err(self.wrong(name, &format!("is of type {:?}, not F32", view.dtype())));
        }
        let values = view.data().as_chunks::<4>().0;
        Ok(Values {
            shape: view.shape().to_vec(),
            values: values
                .iter()
                .map(|bytes| f32::from_le_bytes(*bytes))
                .collect(),
        })
    }

    fn view<'t>(&self, tensors: &SafeTensors<'t>, name: &str) -> Outcome<TensorView<'t>> {
        tensors.tensor(name).map_err(|_| {
            Failure::new(format!("read the reference {}", self.path.display()))
                .cause(format!("it has no tensor `{name}`"))
                .help(REMEDY)
        })
    }

    /// A failure about one tensor.
    pub fn wrong(&self, tensor: &str, problem: &str) -> Failure {
        Failure::new(format!("read the reference {}", self.path.display()))
            .cause(format!("the tensor `{tensor}` {problem}"))
            .help(REMEDY)
    }
}

impl Inputs {
    /// Tokens of each prompt, its padding left out.
    ///
    /// # Errors
    /// When padding is not at the end, or there is nothing else.
    pub fn lengths(&self) -> Outcome<Vec<usize>> {
        let length = |row: usize| -> Outcome<usize> {
            let all = self.ids[row].len();
            let Some(mask) = &self.mask else {
                return Ok(all);
            };
            let length = mask[row].iter().take_while(|&&one| one == 1).count();
            if length > 0 && mask[row][length..].iter().all(|&one| one == 0) {
                return Ok(length);
            }
            Err(Failure::new("read the reference's attention_mask")
                .cause(format!("row {row} is not ones and then zeros"))
                .help(REMEDY))
        };
        (0..self.ids.len()).map(length).collect()
    }
}

impl Values {
    /// The values of tokens, where there are values a token: those of padding mean nothing.
    ///
    /// # Errors
    /// When padding is not at the end.
    pub fn of_tokens(self, inputs: &Inputs) -> Outcome<Values> {
        let &[_, places, width] = &self.shape[..] else {
            return Ok(self);
        };
        if inputs.mask.is_none() {
            return Ok(self);
        }
        let rows = self.values.chunks((places * width).max(1));
        let values = rows
            .zip(inputs.lengths()?)
            .flat_map(|(row, length)| row[..(length * width).min(row.len())].iter().copied())
            .collect();
        Ok(Values { values, ..self })
    }
}

fn adapter_of_logits(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("logits_")?;
    rest.strip_suffix("_unmerged")
        .or_else(|| rest.strip_suffix("_merged"))
        .filter(|adapter| !adapter.is_empty())
}
