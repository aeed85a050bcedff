//! What the flags of a run mean together.

mod choices;

pub use choices::{AdapterChoice, AdapterSource, ModelChoice, VariantChoice};

use crate::{
    failure::{Failure, Outcome},
    flags::{Apply, Kernel, MachineFlags, Protocol, Quantize, RunFlags},
};
use choices::{adapters, variants};
use evalh_model::DeviceChoice;
use evalh_task::TaskOptions;
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
    /// Suites by name, each once.
    pub suites: Vec<String>,
    /// The checkpoint.
    pub model: ModelChoice,
    /// The adapters, in the order of the command line.
    pub adapters: Vec<AdapterChoice>,
    /// Fully fine-tuned checkpoints, in the order of the command line.
    pub variants: Vec<VariantChoice>,
    /// What the weights of every checkpoint are rounded to at load.
    pub quantize: Option<Quantize>,
    /// How adapters are put on the base.
    pub apply: Apply,
    /// The protocol, or the checkpoint's default.
    pub protocol: Option<Protocol>,
    /// Only the first so many items.
    pub limit: Option<usize>,
    /// Answers an item.
    pub samples: usize,
    /// 0 is greedy.
    pub temperature: f64,
    /// The probability mass kept.
    pub top_p: f64,
    /// The seed.
    pub seed: u64,
    /// Most tokens of an answer, or the protocol's default.
    pub max_new_tokens: Option<usize>,
    /// The suite's data file.
    pub data: Option<PathBuf>,
    /// The device, as on the command line.
    pub device: String,
    /// The kernels.
    pub kernel: Kernel,
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
            suites: suites(&flags.suite)?,
            model: match &flags.model {
                Some(named) => ModelChoice::of(named, here),
                None => ModelChoice::Name(DEFAULT_MODEL.to_owned()),
            },
            adapters: adapters(flags, here)?,
            variants: variants(flags, here),
            quantize: flags.quantize,
            apply: flags.apply.unwrap_or(Apply::Merged),
            protocol: question.protocol,
            limit: question.limit.map(NonZeroUsize::get),
            samples: question.samples.map_or(1, NonZeroUsize::get),
            temperature: question.temperature.unwrap_or(0.0),
            top_p: question.top_p.unwrap_or(TaskOptions::default().top_p),
            seed: question.seed.unwrap_or(0),
            max_new_tokens: question.max_new_tokens.map(NonZeroUsize::get),
            data: question.data.as_ref().map(|path| join(here, path)),
            device: flags
                .machine
                .device
                .unwrap_or(DeviceChoice::Cpu)
                .to_string(),
            kernel: flags.machine.kernel.unwrap_or(Kernel::Auto),
            runtime: flags
                .machine
                .sandbox
                .runtime
                .as_ref()
                .map(|path| join(here, path)),
        };
        settings.check_sampling(flags)?;
        settings.check_names()?;
        if settings.data.is_some() && settings.suites.len() > 1 {
            return Err(
                usage("--data names the data of one suite, and --suite names several")
                    .help("run the suites one by one"),
            );
        }
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

    /// What a task needs to know of them.
    pub fn task_options(&self, has_chat_template: bool) -> TaskOptions {
        TaskOptions {
            protocol: self.protocol.map(|protocol| protocol.to_string()),
            has_chat_template,
            limit: self.limit,
            samples: self.samples,
            temperature: self.temperature,
            top_p: self.top_p,
            seed: self.seed,
            max_new_tokens: self.max_new_tokens,
        }
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

    fn check_sampling(&self, flags: &RunFlags) -> Outcome<()> {
        let question = &flags.question;
        if !(self.temperature.is_finite() && self.temperature >= 0.0) {
            return Err(usage(format!(
                "--temperature {} is not a number of at least 0",
                self.temperature
            ))
            .help("0 is greedy; 0.2 and 0.8 are usual for pass@k"));
        }
        if !(self.top_p > 0.0 && self.top_p <= 1.0) {
            return Err(usage(format!(
                "--top-p {} is not above 0 and at most 1",
                self.top_p
            ))
            .help("1 draws from all tokens; 0.95 is usual"));
        }
        if self.temperature > 0.0 {
            return Ok(());
        }
        let idle = [
            ("--samples", self.samples > 1),
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
}

impl Effort {
    /// What the flags say of the machine's work.
    pub fn resolve(flags: &MachineFlags) -> Effort {
        Effort {
            threads: flags.threads.unwrap_or_else(all_threads),
            memory: flags.memory.map(|size| size.0),
            batch: flags.batch,
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

fn suites(named: &[String]) -> Outcome<Vec<String>> {
    let mut suites: Vec<String> = Vec::new();
    for name in named.iter().map(|name| name.trim()) {
        if suites.iter().any(|suite| suite == name) {
            return Err(usage(format!("suite `{name}` is named twice")));
        }
        suites.push(name.to_owned());
    }
    Ok(suites)
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
        assert_eq!((settings.samples, settings.temperature), (1, 0.0));
        let json = serde_json::to_value(&settings).unwrap();
        assert_eq!(
            serde_json::from_value::<RunSettings>(json).unwrap(),
            settings
        );
    }

    #[test]
    fn a_model_or_an_adapter_of_ones_own_replaces_the_trio() {
        let settings = resolve("evalh run --suite a,b --model ./m").unwrap();
        assert_eq!(settings.model, ModelChoice::Path("/here/m".into()));
        assert!(settings.adapters.is_empty());
        assert_eq!(settings.suites, ["a", "b"]);
        let settings = resolve("evalh run --suite a --adapter x=p/q").unwrap();
        assert_eq!(settings.model, ModelChoice::Name(DEFAULT_MODEL.into()));
        assert_eq!(
            settings.adapters[0].source,
            AdapterSource::Folder("/here/p/q".into())
        );
    }

    #[test]
    fn a_mix_takes_adapters_by_name_or_folder() {
        let settings =
            resolve("evalh run --suite a --adapter x=p --adapter m=x:0.7+q:0.3 --variant t=./full")
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
            ("--suite a --samples 5", "--samples has no effect"),
            ("--suite a --seed 5", "--seed has no effect"),
            ("--suite a --top-p 0.5", "--top-p has no effect"),
            ("--suite a --temperature nan", "--temperature NaN"),
            ("--suite a --temperature 0.5 --top-p 0", "--top-p 0"),
            (
                "--suite a --model ./m --apply merged",
                "--apply has no effect",
            ),
            ("--suite a --adapter base=x", "cannot be named `base`"),
            (
                "--suite a --adapter x=y --adapter x=z",
                "two variants are named `x`",
            ),
            (
                "--suite a --adapter x=y --variant x=z",
                "two variants are named `x`",
            ),
            ("--suite a --variant base=x", "cannot be named `base`"),
            (
                "--suite a --adapter m=x:1 --adapter n=m:0.5+y:0.5",
                "is a mix itself",
            ),
            ("--suite a,a", "named twice"),
            ("--suite a,b --data x", "--data names"),
        ] {
            let error = resolve(&format!("evalh run {line}"))
                .expect_err(line)
                .to_string();
            assert!(error.contains(said), "{line}: {error}");
        }
        assert!(
            resolve("evalh run --suite a --samples 5 --temperature 0.2 --top-p 0.9 --seed 3")
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
            "--suite a",
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
