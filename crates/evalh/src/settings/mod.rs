//! What the flags of a run mean together.

mod choices;
mod suites;

pub use suites::{SuiteChoice, suite_names, suites};

pub use choices::{AdapterChoice, AdapterSource, ModelChoice, VariantChoice};

use crate::{
    failure::{Failure, Outcome},
    flags::{Apply, Kernel, MachineFlags, Precision, Quantize, QuestionFlags, RunFlags},
};
use choices::{adapters, variants};
use evalh_model::DeviceChoice;
use serde::{Deserialize, Serialize};
use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

/// The model of a run that names none.
pub const DEFAULT_MODEL: &str = "smollm2-135m-instruct";
/// The name of the variant without an adapter.
pub const BASE: &str = "base";

/// Everything about a run that can change a score, as it was asked for. It is kept in the manifest, with absolute
/// paths, so that a run can be resumed from anywhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSettings {
    /// Suites, each once, with the settings that are for it.
    pub suites: Vec<SuiteChoice>,
    /// The checkpoint.
    pub model: ModelChoice,
    /// The adapters, in the order of the command line.
    pub adapters: Vec<AdapterChoice>,
    /// Fully fine-tuned checkpoints, in the order of the command line.
    pub variants: Vec<VariantChoice>,
    /// What the weights of every checkpoint are rounded to at load.
    pub quantize: Option<Quantize>,
    /// How adapters are put on the base, where that was said.
    pub apply: Option<Apply>,
    /// The device, as on the command line.
    pub device: String,
    /// The kernels.
    pub kernel: Kernel,
    /// The arithmetic.
    pub precision: Precision,
    /// The sandbox's runtime.
    pub runtime: Option<PathBuf>,
}

/// How hard the machine works. None of it changes a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Threads.
    pub threads: NonZeroUsize,
    /// Bytes for cached keys and values.
    pub memory: Option<u64>,
    /// Most answers in progress.
    pub batch: Option<NonZeroUsize>,
    /// Variants of one checkpoint are answered one after another.
    pub one_by_one: bool,
    /// Variants' answers draft for each other.
    pub drafts: bool,
    /// No network.
    pub offline: bool,
}

impl RunSettings {
    /// What the flags mean together; relative paths are taken from `here`.
    ///
    /// # Errors
    /// When two flags contradict each other or a value is out of its range.
    pub fn resolve(flags: &RunFlags, here: &Path) -> Outcome<RunSettings> {
        let question = &flags.question;
        let settings = RunSettings {
            suites: suites(&flags.suite, question, here)?,
            model: match &flags.model {
                Some(named) => ModelChoice::of(named, here),
                None => ModelChoice::Name(DEFAULT_MODEL.to_owned()),
            },
            adapters: adapters(flags, here)?,
            variants: variants(flags, here),
            quantize: flags.quantize,
            apply: flags.apply,
            device: flags
                .machine
                .device
                .unwrap_or(DeviceChoice::Cpu)
                .to_string(),
            kernel: flags.machine.kernel.unwrap_or(Kernel::Auto),
            precision: flags.machine.precision.unwrap_or(Precision::Auto),
            runtime: flags
                .machine
                .sandbox
                .runtime
                .as_ref()
                .map(|path| join(here, path)),
        };
        check_sampling(question)?;
        settings.check_names()?;
        Ok(settings)
    }

    /// The settings that a record was begun with.
    ///
    /// # Errors
    /// When they are not those of this version.
    pub fn deserialize_from(
        arguments: &serde_json::Value,
    ) -> Result<RunSettings, serde_json::Error> {
        RunSettings::deserialize(arguments)
    }

    /// Every variant has a name of its own.
    fn check_names(&self) -> Outcome<()> {
        let adapters = self.adapters.iter().map(|a| ("adapter", &a.name));
        let variants = self.variants.iter().map(|v| ("variant", &v.name));
        let mut seen: Vec<&str> = Vec::new();
        for (kind, name) in adapters.chain(variants) {
            if name == BASE {
                return Err(usage(format!(
                    "the {kind} cannot be named `{BASE}`: that is the variant that the others are compared with"
                )));
            }
            if seen.contains(&name.as_str()) {
                return Err(usage(format!("two variants are named `{name}`"))
                    .help("give each --adapter and --variant a name of its own"));
            }
            seen.push(name);
        }
        Ok(())
    }
}

/// Whether what is asked about the choice of tokens has a meaning and an effect.
///
/// # Errors
/// When a value is out of its range, or has no effect.
pub fn check_sampling(question: &QuestionFlags) -> Outcome<()> {
    let temperature = question.temperature.unwrap_or(0.0);
    if !(temperature.is_finite() && temperature >= 0.0) {
        return Err(usage(format!(
            "--temperature {temperature} is not a number of at least 0"
        ))
        .help("0 is greedy; 0.2 and 0.8 are usual for pass@k"));
    }
    if let Some(top_p) = question.top_p.filter(|p| !(*p > 0.0 && *p <= 1.0)) {
        return Err(
            usage(format!("--top-p {top_p} is not above 0 and at most 1"))
                .help("1 draws from all tokens; 0.95 is usual"),
        );
    }
    if temperature > 0.0 {
        return Ok(());
    }
    let samples = question
        .samples
        .iter()
        .any(|samples| samples.value.get() > 1);
    let idle = [
        ("--samples", samples),
        ("--top-p", question.top_p.is_some()),
        ("--seed", question.seed.is_some()),
    ];
    match idle.iter().find(|(_, given)| *given) {
        Some((flag, _)) => Err(usage(format!(
            "{flag} has no effect on greedy answers, which are all the same"
        ))
        .help("add --temperature, such as --temperature 0.8")),
        None => Ok(()),
    }
}

impl Effort {
    /// What the flags say of the machine's work.
    pub fn resolve(flags: &MachineFlags) -> Effort {
        Effort {
            threads: flags.threads.unwrap_or_else(all_threads),
            memory: flags.memory.map(|size| size.0),
            batch: flags.batch,
            one_by_one: flags.one_by_one,
            drafts: !flags.no_drafts,
            offline: flags.sandbox.offline,
        }
    }
}

/// As many threads as the machine gives.
pub fn all_threads() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

fn usage(what: impl std::fmt::Display) -> Failure {
    Failure::new("make sense of the options").cause(what.to_string())
}

/// A path that stays right when the working directory changes, without needless dots.
fn join(here: &Path, path: impl AsRef<Path>) -> PathBuf {
    let joined = here.join(path);
    std::path::absolute(&joined).unwrap_or(joined)
}

#[cfg(test)]
mod tests {
    use super::{choices::WeightedFolder, *};
    use crate::flags::{Cli, Command};
    use clap::Parser as _;

    fn resolve(line: &str) -> Outcome<RunSettings> {
        let Command::Run(flags) = Cli::parse_from(line.split(' ')).command else {
            panic!("not a run: {line}")
        };
        RunSettings::resolve(&flags, Path::new("/here"))
    }

    #[test]
    fn nothing_but_a_suite_is_the_default_trio() {
        let settings = resolve("evalh run --suite humaneval").unwrap();
        assert_eq!(settings.model, ModelChoice::Name(DEFAULT_MODEL.into()));
        let names: Vec<_> = settings.adapters.iter().map(|a| a.name.as_str()).collect();
        assert_eq!(names, ["small-standard", "small-selective"]);
        let suite = &settings.suites[0];
        assert_eq!((suite.samples, suite.temperature), (1, 0.0));
        let json = serde_json::to_value(&settings).unwrap();
        assert_eq!(
            serde_json::from_value::<RunSettings>(json).unwrap(),
            settings
        );
    }

    #[test]
    fn a_model_or_an_adapter_of_ones_own_replaces_the_trio() {
        let settings = resolve("evalh run --suite humaneval,mini_humaneval --model ./m").unwrap();
        assert_eq!(settings.model, ModelChoice::Path("/here/m".into()));
        assert!(settings.adapters.is_empty());
        assert_eq!(settings.suites.len(), 2);
        let settings = resolve("evalh run --suite mini_humaneval --adapter x=p/q").unwrap();
        assert_eq!(settings.model, ModelChoice::Name(DEFAULT_MODEL.into()));
        assert_eq!(
            settings.adapters[0].source,
            AdapterSource::Folder("/here/p/q".into())
        );
    }

    #[test]
    fn a_mix_takes_adapters_by_name_or_folder() {
        let settings =
            resolve("evalh run --suite mini_humaneval --adapter x=p --adapter m=x:0.7+q:0.3 --variant t=./full")
                .unwrap();
        let part = |folder: &str, weight| WeightedFolder {
            folder: folder.into(),
            weight,
        };
        let mix = AdapterSource::Mix(vec![part("/here/p", 0.7), part("/here/q", 0.3)]);
        assert_eq!(settings.adapters[1].source, mix);
        assert_eq!(
            settings.variants[0].model,
            ModelChoice::Path("/here/full".into())
        );
        let json = serde_json::to_value(&settings).unwrap();
        assert_eq!(RunSettings::deserialize_from(&json).unwrap(), settings);
    }

    #[test]
    fn what_has_no_effect_or_no_meaning_is_refused() {
        for (line, said) in [
            (
                "--suite mini_humaneval --samples 5",
                "--samples has no effect",
            ),
            ("--suite mini_humaneval --seed 5", "--seed has no effect"),
            (
                "--suite mini_humaneval --top-p 0.5",
                "--top-p has no effect",
            ),
            (
                "--suite mini_humaneval --temperature nan",
                "--temperature NaN",
            ),
            (
                "--suite mini_humaneval --temperature 0.5 --top-p 0",
                "--top-p 0",
            ),
            (
                "--suite mini_humaneval --model ./m --apply merged",
                "--apply has no effect",
            ),
            (
                "--suite mini_humaneval --adapter base=x",
                "cannot be named `base`",
            ),
            (
                "--suite mini_humaneval --adapter x=y --adapter x=z",
                "two variants are named `x`",
            ),
            (
                "--suite mini_humaneval --adapter x=y --variant x=z",
                "two variants are named `x`",
            ),
            (
                "--suite mini_humaneval --variant base=x",
                "cannot be named `base`",
            ),
            (
                "--suite mini_humaneval --adapter m=x:1 --adapter n=m:0.5+y:0.5",
                "is a mix itself",
            ),
            ("--suite mini_humaneval,mini_humaneval", "named twice"),
            (
                "--suite mini_humaneval --limit 1 --draw 2",
                "both choose items",
            ),
        ] {
            let error = resolve(&format!("evalh run {line}"))
                .expect_err(line)
                .to_string();
            assert!(error.contains(said), "{line}: {error}");
        }
        assert!(
            resolve("evalh run --suite mini_humaneval --samples 5 --temperature 0.2 --top-p 0.9 --seed 3")
                .is_ok()
        );
    }

    #[test]
    fn resume_takes_no_setting_that_could_change_a_score() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' '));
        assert!(
            parse("evalh run --resume d --threads 1 --batch 3 --memory 1g --offline --json -q")
                .is_ok()
        );
        for flag in [
            "--suite mini_humaneval",
            "--seed 1",
            "--device cpu",
            "--data x",
            "--out y",
            "--apply merged",
            "--variant a=b",
            "--quantize nf4",
            "--limit 1",
        ] {
            assert!(
                parse(&format!("evalh run --resume d {flag}")).is_err(),
                "{flag}"
            );
        }
    }
}
