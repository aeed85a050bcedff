//! What a comparison holds. Renderers read this and nothing else; it is also `comparison.json`.

use super::{Contrast, Costs, Replicated, Role, Scored};
use crate::Warning;
use evalh_record::Part;
use serde::Serialize;

/// The version of `comparison.json`.
pub const COMPARISON_SCHEMA: u32 = 1;

/// Variants of one or more runs, compared over the same items.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The format's version, [`COMPARISON_SCHEMA`].
    pub schema: u32,
    /// How it was computed.
    pub analysis: Analysis,
    /// The runs, in the order given.
    pub runs: Vec<RunFacts>,
    /// What differs between the runs and can change a score; empty unless that was allowed.
    pub forced: Vec<Forced>,
    /// Every variant of every run; others refer to them by their place here. A base that several runs of one checkpoint
    /// share stands once.
    pub variants: Vec<Variant>,
    /// The scores, suite by suite.
    pub suites: Vec<ComparedSuite>,
    /// Differences over several models or seeds; empty where there is one of each.
    pub replicated: Vec<Replicated>,
    /// What each variant costs, in the order of [`Comparison::variants`].
    pub costs: Vec<Costs>,
    /// What a reader must know before believing a score.
    pub warnings: Vec<Warning>,
}

/// How a comparison is computed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Analysis {
    /// Confidence of intervals, 0.95.
    pub confidence: f64,
    /// The power at which detectable effects and needed items are told, 0.8.
    pub power: f64,
    /// Resamples of the bootstrap.
    pub resamples: u32,
    /// Its seed.
    pub seed: u64,
}

impl Default for Analysis {
    fn default() -> Self {
        Analysis {
            confidence: 0.95,
            power: 0.8,
            resamples: 10_000,
            seed: 0,
        }
    }
}

/// A run, for the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunFacts {
    /// The name it goes by here: its folder's.
    pub name: String,
    /// The command that made it.
    pub command: String,
    /// The program's version.
    pub evalh: String,
    /// The machine: processor, memory, system.
    pub machine: String,
    /// The device that computed.
    pub device: String,
    /// The kernels.
    pub kernel: String,
    /// The types that the weights were held in.
    pub dtype: String,
}

/// A setting in which a run differs from the first one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Forced {
    /// The run's name.
    pub run: String,
    /// The setting's place in the manifest.
    pub field: String,
    /// Its value in the first run.
    pub first: String,
    /// Its value in this run.
    pub here: String,
}

/// A variant of the comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Variant {
    /// Its name, unique in the comparison: as in its run, after the run's name and a slash where two runs use one name.
    pub name: String,
    /// Its name in its run.
    pub name_in_run: String,
    /// The place of its run in [`Comparison::runs`].
    pub run: usize,
    /// Other runs that answered for it too. Each suite's answers are of the first run that has them.
    pub also_in: Vec<InRun>,
    /// The base checkpoint's name: what the model is called.
    pub model: String,
    /// What it is in the comparison.
    pub role: Role,
    /// Its adapter, where it is one on a base.
    pub adapter: Option<AdapterFacts>,
    /// The place of the base that it is compared with; `None` for a base.
    pub base: Option<usize>,
}

/// A variant in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InRun {
    /// The run's place in [`Comparison::runs`].
    pub run: usize,
    /// The variant's name there.
    pub name: String,
}

/// What an adapter changes, and how it was put on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AdapterFacts {
    /// `merged` or `unmerged`.
    pub apply: String,
    /// Modules that it changes.
    pub modules: usize,
    /// Parameters that it adds: what was trained.
    pub parameters: u64,
    /// Parameters of the base.
    pub base_parameters: u64,
    /// The layers that it changes, from 0, ascending.
    pub layers: Vec<usize>,
    /// Layers of the base.
    pub of_layers: usize,
    /// How far the rank directions of its `A` factors are from orthogonal, as `evalh adapter inspect` tells it (0: orthogonal
    /// rows of one length), the mean over modules; `None` where it has no such factors.
    pub orthogonality_a: Option<f64>,
    /// The same of its `B` factors.
    pub orthogonality_b: Option<f64>,
}

/// One suite as all compared variants answered it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComparedSuite {
    /// The suite's name.
    pub name: String,
    /// How items were put to the model.
    pub protocol: String,
    /// How it was asked, in one line: `the first 20 items (--limit), greedy, at most 512 new tokens`.
    pub asked: String,
    /// Items asked.
    pub items: usize,
    /// Its parts: the whole first, then groups, then tasks.
    pub parts: Vec<ComparedPart>,
    /// Items whose score differs from the base's, by variant, in the suite's order.
    pub flips: Vec<Flip>,
    /// Of each variant: how many of its answers ended in which way, where answers are generated.
    pub outcomes: Vec<OutcomeCount>,
}

/// One part of a suite.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComparedPart {
    /// The whole, a group, a task.
    pub part: Part,
    /// The part's name: the suite's own, a group's or a task's.
    pub name: String,
    /// Whether it is one of so many that it is shown in detail only: a task of a suite with groups.
    pub detail: bool,
    /// Its metrics, the headline first.
    pub metrics: Vec<ComparedMetric>,
}

/// One metric of one part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComparedMetric {
    /// Its name in the record, `exact_match,strict-match`.
    pub metric: String,
    /// Whether it is a share of items (shown in percent) or a plain number.
    pub is_share: bool,
    /// Whether a lower value is better: losses.
    pub lower_is_better: bool,
    /// What one who guesses gets, where that can be told.
    pub chance: Option<f64>,
    /// One score a variant that answered it, by variant.
    pub scores: Vec<Scored>,
    /// Differences: of each variant from its base, and of the selective from the standard adapter of one model.
    pub contrasts: Vec<Contrast>,
}

/// An item on which a variant scores otherwise than its base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flip {
    /// The variant.
    pub variant: usize,
    /// The task that the item is of.
    pub task: String,
    /// The item.
    pub item: String,
    /// Won, or lost.
    pub won: bool,
    /// What the base answered, in a few words: what was read out of it, or how its program ended.
    pub base: String,
    /// What the variant answered.
    pub here: String,
}

/// How many answers of a variant ended so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutcomeCount {
    /// The variant.
    pub variant: usize,
    /// `passed`, `timed out`; for an exception its class, `NameError`; for generated text `ended by stop string`,
    /// `ended by end of sequence`, `ended by token limit`.
    pub outcome: String,
    /// Answers.
    pub count: usize,
}

impl ComparedSuite {
    /// The headline metric: the first of the whole suite.
    pub fn headline(&self) -> Option<&ComparedMetric> {
        let whole = self.parts.iter().find(|part| part.part == Part::Whole)?;
        whole.metrics.first()
    }

    /// The metrics of all parts.
    pub fn metrics(&self) -> impl Iterator<Item = &ComparedMetric> {
        self.parts.iter().flat_map(|part| &part.metrics)
    }
}

impl Comparison {
    /// The comparison without what models answered: flips tell items only. What is left may be published where the texts of
    /// a benchmark may not.
    #[must_use]
    pub fn without_answers(mut self) -> Comparison {
        for flip in self.suites.iter_mut().flat_map(|suite| &mut suite.flips) {
            flip.base.clear();
            flip.here.clear();
        }
        self
    }

    /// The base of the first model: what a verdict in one line is against.
    pub fn base(&self) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.base.is_none())
    }

    /// The headline metric of each suite.
    pub fn headlines(&self) -> impl Iterator<Item = (&ComparedSuite, &ComparedMetric)> {
        let suites = self.suites.iter();
        suites.filter_map(|suite| Some((suite, suite.headline()?)))
    }
}
