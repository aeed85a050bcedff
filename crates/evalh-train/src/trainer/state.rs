//! Everything that a training goes on from, to the bit.

use super::{TrainError, TrainableModel, Trainer, parameter};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// What of a trainer is no tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainerState {
    /// Steps taken.
    pub steps: u64,
    /// Micro-batches computed, which dropout masks are drawn by.
    pub micro_batches: u64,
}

/// The values and the moments, as their names begin.
const KINDS: [&str; 3] = ["value:", "first:", "second:"];

impl<M: TrainableModel> Trainer<M> {
    /// Writes values and moments to a safetensors file, and gives what is no tensor.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<TrainerState, TrainError> {
        let mut tensors = Vec::new();
        for part in &self.trained {
            let all = [&part.values, &part.first, &part.second];
            for (kind, values) in KINDS.iter().zip(all) {
                let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
                tensors.push((format!("{kind}{}", part.name), bytes));
            }
        }
        let views = tensors.iter().map(|(name, bytes)| {
            let shape = vec![bytes.len() / size_of::<f32>()];
            TensorView::new(Dtype::F32, shape, bytes).map(|view| (name, view))
        });
        let written = views
            .collect::<Result<Vec<_>, _>>()
            .and_then(|views| safetensors::serialize(views, None))
            .map_err(std::io::Error::other)
            .and_then(|bytes| fs::write(path, bytes));
        written.map_err(|source| TrainError::File {
            doing: "write",
            path: path.to_owned(),
            source,
        })?;
        Ok(TrainerState {
            steps: self.steps,
            micro_batches: self.micro_batches,
        })
    }

    /// Goes on from what [`save`](Self::save) wrote.
    ///
    /// # Errors
    /// When the file cannot be read, or is not of these parameters.
    pub fn restore(&mut self, path: &Path, state: TrainerState) -> Result<(), TrainError> {
        let wrong = |problem: String| TrainError::State {
            path: path.to_owned(),
            problem,
        };
        let bytes = fs::read(path).map_err(|source| TrainError::File {
            doing: "read",
            path: path.to_owned(),
            source,
        })?;
        let file = SafeTensors::deserialize(&bytes).map_err(|error| wrong(error.to_string()))?;
        let mut found: HashMap<String, Vec<f32>> = HashMap::new();
        for (name, view) in file.tensors() {
            if view.dtype() != Dtype::F32 {
                return Err(wrong(format!("tensor {name} is not f32")));
            }
            let values = view.data().as_chunks::<4>().0.iter();
            found.insert(name, values.map(|b| f32::from_le_bytes(*b)).collect());
        }
        // All are looked up before any is taken over.
        let mut all = Vec::with_capacity(self.trained.len());
        for part in &self.trained {
            let mut take = |kind: &str| {
                let name = format!("{kind}{}", part.name);
                let values = found
                    .remove(&name)
                    .ok_or_else(|| wrong(format!("it has no tensor {name}")))?;
                if values.len() != part.values.len() {
                    let (found, wanted) = (values.len(), part.values.len());
                    let problem = format!("tensor {name} has {found} values instead of {wanted}");
                    return Err(wrong(problem));
                }
                Ok(values)
            };
            all.push([take(KINDS[0])?, take(KINDS[1])?, take(KINDS[2])?]);
        }
        if let Some(name) = found.keys().next() {
            return Err(wrong(format!("tensor {name} is nothing that is trained")));
        }
        for (part, [values, first, second]) in self.trained.iter_mut().zip(all) {
            (part.values, part.first, part.second) = (values, first, second);
        }
        self.steps = state.steps;
        self.micro_batches = state.micro_batches;
        parameter::publish(&self.trained, &mut self.model);
        Ok(())
    }
}
