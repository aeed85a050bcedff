//! The suites of a run, each with the settings that are for it.

use super::{join, usage};
use crate::{
    failure::{OrFail as _, Outcome},
    flags::{Names, PerSuite, QuestionFlags},
};
use evalh_task::{
    Chat, DataSource, Draw, Extra, PackSuite, Suite, TaskOptions, find_pack, find_suite, open_suite,
};
use serde::{Deserialize, Serialize};
use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The seed of a draw of items where none is given.
const DRAW_SEED: u64 = 1234;

/// A suite as it was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiteChoice {
    /// The suite.
    pub suite: SuiteSource,
    /// The protocol, or the suite's default.
    pub protocol: Option<String>,
    /// Only these tasks or groups; empty: all.
    pub tasks: Vec<String>,
    /// Only the first so many items of each task.
    pub limit: Option<usize>,
    /// Only so many items, drawn with this seed.
    pub draw: Option<(usize, u64)>,
    /// Solved examples, or the protocol's number.
    pub shots: Option<usize>,
    /// Their seed, or the protocol's.
    pub shot_seed: Option<u64>,
    /// Items are put as chats.
    pub chat: Option<ChatChoice>,
    /// Answers an item.
    pub samples: usize,
    /// 0 is greedy.
    pub temperature: f64,
    /// The probability mass kept.
    pub top_p: f64,
    /// The seed of the draws of tokens.
    pub seed: u64,
    /// Most tokens of an answer, or the protocol's.
    pub max_new_tokens: Option<usize>,
    /// Tokens of a window of a text, or the model's positions.
    pub window: Option<usize>,
    /// Tokens by which it moves, or the suite's.
    pub stride: Option<usize>,
    /// The suite's data.
    pub data: Option<PathBuf>,
}

/// Where a suite comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuiteSource {
    /// One of the program's.
    Name(String),
    /// A definition of the user's.
    File(PathBuf),
}

/// How items become chats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatChoice {
    /// The system prompt.
    pub system: Option<String>,
    /// Solved examples are earlier turns.
    pub shots_as_turns: bool,
}

impl SuiteSource {
    /// The suite.
    ///
    /// # Errors
    /// When there is none of the name, or the definition is wrong.
    pub fn open(&self) -> Outcome<Arc<dyn Suite>> {
        match self {
            SuiteSource::Name(name) => find_suite(name).or_fail(),
            SuiteSource::File(path) => open_suite(path).or_fail(),
        }
    }
}

impl SuiteChoice {
    /// What the task needs to know; `labels` are those of the checkpoint's classification head, where it has one.
    pub fn task_options(&self, has_chat_template: bool, labels: &[String]) -> TaskOptions {
        TaskOptions {
            protocol: self.protocol.clone(),
            has_chat_template,
            limit: self.limit,
            tasks: self.tasks.clone(),
            draw: self.draw.map(|(items, seed)| Draw { items, seed }),
            shots: self.shots,
            shot_seed: self.shot_seed,
            chat: self.chat.as_ref().map(|chat| Chat {
                system: chat.system.clone(),
                shots_as_turns: chat.shots_as_turns,
            }),
            samples: self.samples,
            temperature: self.temperature,
            top_p: self.top_p,
            seed: self.seed,
            max_new_tokens: self.max_new_tokens,
            window: self.window,
            stride: self.stride,
            labels: labels.to_vec(),
        }
    }
}

/// A suite that was named, with what its pack sets.
struct Named {
    source: SuiteSource,
    suite: Arc<dyn Suite>,
    pack: Option<PackSuite>,
}

/// The suites that were named, each with the settings that are for it; relative paths are taken from `here`.
///
/// # Errors
/// When there is no suite of a name, one is named twice, or a setting has an effect on none of them.
pub fn suites(named: &[String], flags: &QuestionFlags, here: &Path) -> Outcome<Vec<SuiteChoice>> {
    let named = all_named(named, here)?;
    check_tokens(&named, flags)?;
    let values = Values::of(&named, flags)?;
    let choices = (0..named.len())
        .map(|at| choice(&named, &values, at, flags, here))
        .collect::<Outcome<Vec<_>>>()?;
    check_chats(&choices, flags)?;
    Ok(choices)
}

/// What the flags say of each suite, by the suite's place.
struct Values {
    protocols: Vec<Option<String>>,
    tasks: Vec<Option<Names>>,
    limits: Vec<Option<NonZeroUsize>>,
    draws: Vec<Option<NonZeroUsize>>,
    draw_seeds: Vec<Option<u64>>,
    shots: Vec<Option<usize>>,
    shot_seeds: Vec<Option<u64>>,
    samples: Vec<Option<NonZeroUsize>>,
    lengths: Vec<Option<NonZeroUsize>>,
    windows: Vec<Option<NonZeroUsize>>,
    strides: Vec<Option<NonZeroUsize>>,
    data: Vec<Option<PathBuf>>,
}

impl Values {
    fn of(named: &[Named], flags: &QuestionFlags) -> Outcome<Values> {
        let given = Given { named };
        let extra = |extra: Extra| move |suite: &dyn Suite| suite.honours().contains(&extra);
        Ok(Values {
            protocols: given.values("--protocol", &flags.protocol, |suite, name: &String| {
                suite.protocols().contains(&name.as_str())
            })?,
            tasks: given.of("--tasks", &flags.tasks, extra(Extra::Tasks))?,
            limits: given.of("--limit", &flags.limit, |_| true)?,
            draws: given.of("--draw", &flags.draw, extra(Extra::Draw))?,
            draw_seeds: given.of("--draw-seed", &flags.draw_seed, extra(Extra::Draw))?,
            shots: given.of("--shots", &flags.shots, extra(Extra::Shots))?,
            shot_seeds: given.of("--shot-seed", &flags.shot_seed, extra(Extra::Shots))?,
            samples: given.of("--samples", &flags.samples, extra(Extra::Samples))?,
            lengths: given.of(
                "--max-new-tokens",
                &flags.max_new_tokens,
                extra(Extra::MaxNewTokens),
            )?,
            windows: given.of("--window", &flags.window, extra(Extra::Window))?,
            strides: given.of("--stride", &flags.stride, extra(Extra::Window))?,
            data: given.of("--data", &flags.data, takes_data)?,
        })
    }
}

/// One suite with its settings. What the user chooses goes before what its pack chooses.
fn choice(
    named: &[Named],
    values: &Values,
    at: usize,
    flags: &QuestionFlags,
    here: &Path,
) -> Outcome<SuiteChoice> {
    let Named {
        source,
        suite,
        pack,
    } = &named[at];
    let pack = pack.as_ref();
    let honours = suite.honours();
    let generates = honours.contains(&Extra::Samples);
    let limit = values.limits[at].map(usize::from);
    let draw = values.draws[at].map(usize::from);
    if limit.is_some() && draw.is_some() {
        return Err(usage(format!(
            "--limit and --draw both choose items of `{}`",
            suite.name()
        ))
        .help("give one of them"));
    }
    let packed = pack.filter(|_| limit.is_none() && draw.is_none());
    let draw = draw.or(packed.and_then(|pack| pack.draw));
    let draw_seed = values.draw_seeds[at].or(packed.and_then(|pack| pack.draw_seed));
    let chat = flags.chat && honours.contains(&Extra::Chat);
    let asks_chat = flags.chat && !chat && chat_protocol(&**suite);
    let own_data = |given: &PerSuite<_>| given.suite.as_deref() == Some(suite.name());
    let shared_data = values.data.iter().flatten().count() > 1 && !flags.data.iter().any(own_data);
    Ok(SuiteChoice {
        suite: source.clone(),
        protocol: values.protocols[at]
            .clone()
            .or(asks_chat.then(|| "chat".to_owned())),
        tasks: values.tasks[at]
            .clone()
            .map(|names| names.0)
            .unwrap_or_default(),
        limit: limit.or(packed.and_then(|pack| pack.limit)),
        draw: draw.map(|items| (items, draw_seed.unwrap_or(DRAW_SEED))),
        shots: values.shots[at].or(pack.and_then(|pack| pack.shots)),
        shot_seed: values.shot_seeds[at],
        chat: chat.then(|| ChatChoice {
            system: flags.system.clone(),
            shots_as_turns: flags.shots_as_turns,
        }),
        samples: values.samples[at].map_or(1, usize::from),
        temperature: flags.temperature.filter(|_| generates).unwrap_or(0.0),
        top_p: flags
            .top_p
            .filter(|_| generates)
            .unwrap_or(TaskOptions::default().top_p),
        seed: flags.seed.filter(|_| generates).unwrap_or(0),
        max_new_tokens: values.lengths[at]
            .map(usize::from)
            .or(pack.and_then(|pack| pack.max_new_tokens)),
        window: values.windows[at].map(usize::from),
        stride: values.strides[at].map(usize::from),
        data: values.data[at]
            .as_ref()
            .map(|path| data_of(&**suite, join(here, path), shared_data))
            .transpose()?,
    })
}

/// What is said of the choice of tokens has an effect on one of the suites.
fn check_tokens(named: &[Named], flags: &QuestionFlags) -> Outcome<()> {
    let generates = |named: &Named| named.suite.honours().contains(&Extra::Samples);
    match token_flag(flags) {
        Some(flag) if !named.iter().any(generates) => Err(usage(format!(
            "{flag} has no effect: none of the suites generates text"
        ))),
        _ => Ok(()),
    }
}

/// What is said of chats has an effect on one of the suites.
fn check_chats(choices: &[SuiteChoice], flags: &QuestionFlags) -> Outcome<()> {
    let plain = |choice: &SuiteChoice| choice.chat.is_none();
    let own = |choice: &SuiteChoice| choice.protocol.as_deref() == Some("chat");
    let idle = if !choices.iter().all(plain) {
        None
    } else if flags.system.is_some() {
        Some("--system has no effect: the suites' chats have no system prompt")
    } else if flags.shots_as_turns {
        Some("--shots-as-turns has no effect: the suites' chats have no solved examples")
    } else if flags.chat && !choices.iter().any(own) {
        Some("--chat has no effect on any of the suites")
    } else {
        None
    };
    idle.map_or(Ok(()), |idle| Err(usage(idle)))
}

/// The names of all suites that are named, those of packs among them.
///
/// # Errors
/// When there is no such suite, or it is named twice.
pub fn suite_names(named: &[String], here: &Path) -> Outcome<Vec<String>> {
    let all = all_named(named, here)?;
    Ok(all
        .iter()
        .map(|named| named.suite.name().to_owned())
        .collect())
}

fn all_named(named: &[String], here: &Path) -> Outcome<Vec<Named>> {
    let mut all: Vec<Named> = Vec::new();
    for name in named.iter().map(|name| name.trim()) {
        let ending = Path::new(name).extension();
        let is_file = name.contains(['/', '\\'])
            || ending.is_some_and(|ending| ending.eq_ignore_ascii_case("toml"));
        let parts: Vec<(SuiteSource, Option<PackSuite>)> = match find_pack(name) {
            _ if is_file => vec![(SuiteSource::File(join(here, name)), None)],
            Some(pack) => pack
                .suites
                .into_iter()
                .map(|part| (SuiteSource::Name(part.name.clone()), Some(part)))
                .collect(),
            None => vec![(SuiteSource::Name(name.to_owned()), None)],
        };
        for (source, pack) in parts {
            let suite = source.open()?;
            if all.iter().any(|other| other.suite.name() == suite.name()) {
                return Err(usage(format!("suite `{}` is named twice", suite.name())));
            }
            all.push(Named {
                source,
                suite,
                pack,
            });
        }
    }
    Ok(all)
}

/// Finds out which suite a value is for.
struct Given<'n> {
    named: &'n [Named],
}

impl Given<'_> {
    /// A value a suite, where there is one for it.
    fn of<T: Clone>(
        &self,
        flag: &str,
        given: &[PerSuite<T>],
        has_effect: impl Fn(&dyn Suite) -> bool,
    ) -> Outcome<Vec<Option<T>>> {
        self.values(flag, given, |suite, _| has_effect(suite))
    }

    /// The same, where it depends on the value whether it has an effect.
    fn values<T: Clone>(
        &self,
        flag: &str,
        given: &[PerSuite<T>],
        has_effect: impl Fn(&dyn Suite, &T) -> bool,
    ) -> Outcome<Vec<Option<T>>> {
        let mut found = vec![None; self.named.len()];
        let mut general = None;
        for one in given {
            let Some(name) = &one.suite else {
                if general.replace(&one.value).is_some() {
                    return Err(usage(format!("{flag} is given twice"))
                        .help(format!("name the suite that it is for: {flag} SUITE=...")));
                }
                continue;
            };
            let at = self.named.iter().position(|n| n.suite.name() == name);
            let Some(at) = at else {
                return Err(usage(format!(
                    "{flag} is for the suite `{name}`, which is not one of this run"
                )));
            };
            if found[at].replace(one.value.clone()).is_some() {
                return Err(usage(format!("{flag} is given twice for `{name}`")));
            }
        }
        if let Some(value) = general {
            let mut any = self.named.len() == 1;
            for (named, found) in self.named.iter().zip(&mut found) {
                // A single suite says itself what is wrong with a value.
                if has_effect(&*named.suite, value) || self.named.len() == 1 {
                    any = true;
                    found.get_or_insert_with(|| value.clone());
                }
            }
            if !any {
                return Err(usage(format!("{flag} has no effect on any of the suites")));
            }
        }
        Ok(found)
    }
}

/// The first flag about how tokens are chosen.
fn token_flag(flags: &QuestionFlags) -> Option<&'static str> {
    let given = [
        ("--temperature", flags.temperature.is_some()),
        ("--top-p", flags.top_p.is_some()),
        ("--seed", flags.seed.is_some()),
    ];
    given
        .iter()
        .find(|(_, given)| *given)
        .map(|(flag, _)| *flag)
}

fn chat_protocol(suite: &dyn Suite) -> bool {
    suite.protocols().contains(&"chat")
}

fn takes_data(suite: &dyn Suite) -> bool {
    matches!(suite.data(), DataSource::Artifact(_) | DataSource::User)
}

/// A suite's own part of a folder: the folder below it that is named for the suite's artifact, or the folder itself.
fn data_of(suite: &dyn Suite, path: PathBuf, shared: bool) -> Outcome<PathBuf> {
    let DataSource::Artifact(artifact) = suite.data() else {
        return Ok(path);
    };
    let below = path.join(&artifact);
    if below.is_dir() {
        return Ok(below);
    }
    if shared && path.is_dir() && path.file_name().is_some_and(|name| *name != *artifact) {
        return Err(usage(format!(
            "--data {} is for several suites, and it has no folder `{artifact}` for `{}`",
            path.display(),
            suite.name()
        ))
        .help(format!(
            "name each suite's own: --data {}=PATH",
            suite.name()
        )));
    }
    Ok(path)
}
