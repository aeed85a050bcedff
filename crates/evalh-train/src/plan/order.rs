//! The jobs of a plan, in order.

use super::super::select::{Amount, Layers};
use super::{
    Arm, ArmLayers, EvaluationJob, Identity, Job, Plan, ProbeJob, ProbePlan, TrainingJob, Variant,
    Work,
};
use evalh_record::training::ProbeMethod;
use serde_json::{Value, json};
use std::fmt::Write as _;

impl Plan {
    /// The probes and then the trainings, each after everything that it needs.
    ///
    /// The trainings go seed by seed, so that a machine that grows slower over the hours does so for every arm. Within a
    /// seed each arm comes first once in turn, except for arms that are matched to another one, which follow it.
    pub fn jobs(&self, identity: &Identity) -> Vec<Job> {
        let mut jobs: Vec<Job> = Vec::new();
        for arm in &self.arms {
            let ArmLayers::Probe(probe) = &arm.layers else {
                continue;
            };
            for &seed in &self.seeds {
                let job = self.probe(probe, seed, identity);
                if jobs.iter().all(|known| known.id != job.id) {
                    jobs.push(job);
                }
            }
        }
        for (turn, &seed) in self.seeds.iter().enumerate() {
            let (matched, mut free): (Vec<usize>, Vec<usize>) =
                (0..self.arms.len()).partition(|&arm| self.arms[arm].compute_of.is_some());
            let turn = turn % free.len().max(1);
            free.rotate_left(turn);
            for arm in free.into_iter().chain(matched) {
                let job = self.training(arm, seed, identity, &jobs);
                jobs.push(job);
            }
        }
        jobs
    }

    /// The evaluation of what was trained, where the plan asks anything; `trained` are the trainings that gave something
    /// to ask, of [`Plan::jobs`]. Its folder tells its settings, so that another one never takes its place.
    pub fn evaluation(&self, identity: &Identity, trained: &[&Job]) -> Option<Job> {
        let evaluation = self.evaluate.as_ref()?;
        let mut trained: Vec<(&Job, &TrainingJob)> = trained
            .iter()
            .filter_map(|job| match &job.work {
                Work::Train(training) => Some((*job, training)),
                Work::Probe(_) | Work::Evaluate(_) => None,
            })
            .collect();
        // Arm by arm and seed by seed in the plan's order, in whatever order they were trained.
        let place = |seed: u64| self.seeds.iter().position(|known| *known == seed);
        trained.sort_by_key(|(_, training)| (training.arm, place(training.seed)));
        let variants: Vec<Variant> = trained
            .iter()
            .map(|(job, training)| Variant {
                name: job.id.clone(),
                folder: job.folder.clone(),
                method: self.arms[training.arm].method,
            })
            .collect();
        let asked: Vec<Value> = trained
            .iter()
            .map(|(job, _)| json!({ "name": job.id, "sha256": job.hash }))
            .collect();
        let settings = json!({
            "evalh": identity.evalh,
            "model": identity.model,
            "evaluation": evaluation,
            "variants": asked,
        });
        let needs = trained.iter().map(|(job, _)| job.id.clone()).collect();
        let work = Work::Evaluate(EvaluationJob { variants });
        let mut job = Job::new(String::new(), self.out.clone(), work, settings, needs);
        job.id = format!("evaluation-{}", &job.hash.as_str()[..8]);
        job.folder = self.out.join(&job.id);
        Some(job)
    }

    fn probe(&self, probe: &ProbePlan, seed: u64, identity: &Identity) -> Job {
        let seed = if probe.per_seed { seed } else { probe.seed };
        let id = format!("probe-{}", probe_label(probe, seed));
        let looks = !matches!(
            probe.method,
            ProbeMethod::Random | ProbeMethod::First | ProbeMethod::Last
        );
        let settings = json!({
            "evalh": identity.evalh,
            "model": identity.model,
            "data": if looks { self.data(identity) } else { Value::Null },
            "probe": probe,
            "seed": seed,
        });
        let folder = self.out.join("probes").join(probe_label(probe, seed));
        let work = Work::Probe(ProbeJob {
            probe: probe.clone(),
            seed,
        });
        Job::new(id, folder, work, settings, Vec::new())
    }

    /// The training of an arm; `before` holds what it needs.
    fn training(&self, arm: usize, seed: u64, identity: &Identity, before: &[Job]) -> Job {
        let Arm {
            name,
            method,
            quantize,
            layers,
            recipe,
            compute_of,
            until,
        } = &self.arms[arm];
        let id = training_id(name, seed);
        let probe = match layers {
            ArmLayers::Probe(probe) => {
                let seed = if probe.per_seed { seed } else { probe.seed };
                Some(format!("probe-{}", probe_label(probe, seed)))
            }
            ArmLayers::Given(_) => None,
        };
        let budget_of = compute_of.as_ref().map(|of| training_id(of, seed));
        let needed = |id: &Option<String>| {
            let job = id
                .as_ref()
                .and_then(|id| before.iter().find(|job| job.id == *id));
            job.map(|job| job.hash.clone())
        };
        let mut recipe = json!(recipe);
        if let Value::Object(keys) = &mut recipe {
            // How often it is saved changes nothing of what it ends with.
            keys.remove("checkpoint_every");
        }
        let settings = json!({
            "evalh": identity.evalh,
            "model": identity.model,
            "data": self.data(identity),
            "method": method,
            "quantize": quantize,
            "layers": match layers {
                ArmLayers::Given(Layers::All) => json!("all"),
                ArmLayers::Given(Layers::List(layers)) => json!(layers),
                ArmLayers::Given(Layers::File(path)) => json!({ "sha256": identity.file(path) }),
                ArmLayers::Probe(_) => json!({ "probe": needed(&probe) }),
            },
            "recipe": recipe,
            "budget_of": needed(&budget_of),
            "until": until.map(|until| json!({
                "until": until,
                "held_out": self.data.held_out.as_ref().and_then(|path| identity.file(path)),
            })),
            "seed": seed,
            "threads": self.threads,
        });
        let needs = probe.iter().chain(&budget_of).cloned().collect();
        let folder = self.out.join("trainings").join(&id);
        let work = Work::Train(TrainingJob {
            arm,
            seed,
            probe,
            budget_of,
        });
        Job::new(id, folder, work, settings, needs)
    }

    fn data(&self, identity: &Identity) -> Value {
        let data = &self.data;
        json!({
            "sha256": identity.file(&data.train),
            "loss": data.loss,
            "max_tokens": data.max_tokens,
            "chat_template": data.chat_template,
        })
    }
}

/// A training's name: comparisons take those of one arm, alike but for the number, as replicates.
fn training_id(arm: &str, seed: u64) -> String {
    format!("{arm}-s{seed}")
}

/// A probe's name, which tells everything about it that is not as usual.
fn probe_label(probe: &ProbePlan, seed: u64) -> String {
    let mut label = match probe.top {
        Amount::Ratio(_) => format!("{}-{}", probe.method, probe.top).replace('%', ""),
        Amount::Count(count) => format!("{}-{count}-layers", probe.method),
    };
    for (letter, count) in [('b', probe.batches), ('n', probe.samples)] {
        if let Some(count) = count {
            let _ = write!(label, "-{letter}{count}");
        }
    }
    match probe.method {
        ProbeMethod::First | ProbeMethod::Last => label,
        _ => format!("{label}-s{seed}"),
    }
}
