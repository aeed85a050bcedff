//! A job of an experiment, and what its result depends on.

use super::super::select::Layers;
use super::{Plan, PlanError, PlanResult, ProbePlan, arm::ArmLayers};
use evalh_record::{Sha256, sha256_bytes, sha256_file, training::Method};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Something to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its name, unique in the experiment; of a training the name of its variant: `selective-s1`.
    pub id: String,
    /// The folder that it writes.
    pub folder: PathBuf,
    /// What is done.
    pub work: Work,
    /// Everything that its result depends on.
    pub settings: Value,
    /// Hash of `settings`.
    pub hash: Sha256,
    /// The jobs that must be done before, by name.
    pub needs: Vec<String>,
}

/// What a job does.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// Scores layers and selects some; writes `layers.json` to the job's folder.
    Probe(ProbeJob),
    /// Trains.
    Train(TrainingJob),
    /// Asks the base and every trained variant.
    Evaluate(EvaluationJob),
}

/// A probe of layers.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeJob {
    /// How.
    pub probe: ProbePlan,
    /// The seed.
    pub seed: u64,
}

/// One arm with one seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainingJob {
    /// The arm's place in [`Plan::arms`].
    pub arm: usize,
    /// The seed.
    pub seed: u64,
    /// The probe's job, for an arm that has one.
    pub probe: Option<String>,
    /// The training whose wall time it spends, for an arm that is matched to one.
    pub budget_of: Option<String>,
}

/// An evaluation of everything that was trained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluationJob {
    /// What is asked beside the base.
    pub variants: Vec<Variant>,
}

/// A training's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// The training's job, which names the variant.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// An adapter, or a checkpoint of its own.
    pub method: Method,
}

/// The content of everything that an experiment reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The program's version.
    pub evalh: String,
    /// Hash of the checkpoint's content.
    pub model: Sha256,
    files: BTreeMap<PathBuf, Sha256>,
}

impl Identity {
    /// Reads the files of a plan; `model` is the hash of the checkpoint's content, which the caller knows.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read(plan: &Plan, evalh: &str, model: Sha256) -> PlanResult<Identity> {
        let data = &plan.data;
        let layers = plan.arms.iter().filter_map(|arm| match &arm.layers {
            ArmLayers::Given(Layers::File(path)) => Some(path),
            ArmLayers::Given(Layers::All | Layers::List(_)) | ArmLayers::Probe(_) => None,
        });
        let paths = [&data.train]
            .into_iter()
            .chain(&data.held_out)
            .chain(layers);
        let files = paths.map(|path| match sha256_file(path) {
            Ok(hash) => Ok((path.clone(), hash)),
            Err(source) => Err(PlanError::Read {
                path: path.clone(),
                source,
            }),
        });
        Ok(Identity {
            evalh: evalh.to_owned(),
            model,
            files: files.collect::<PlanResult<_>>()?,
        })
    }

    /// The hash of a file of the plan.
    pub fn file(&self, path: &Path) -> Option<&Sha256> {
        self.files.get(path)
    }
}

impl Job {
    pub(super) fn new(
        id: String,
        folder: PathBuf,
        work: Work,
        settings: Value,
        needs: Vec<String>,
    ) -> Job {
        let hash = sha256_bytes(settings.to_string().as_bytes());
        Job {
            id,
            folder,
            work,
            settings,
            hash,
            needs,
        }
    }
}
