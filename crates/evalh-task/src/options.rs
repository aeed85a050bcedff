//! Settings of a run that a task needs.

use crate::TaskError;
use evalh_record::{Sampling, SamplingSettings, sha256_bytes};

/// How a suite is put to a model.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskOptions {
    /// The protocol; `None` takes the suite's default for the checkpoint.
    pub protocol: Option<String>,
    /// Whether the checkpoint has a chat template.
    pub has_chat_template: bool,
    /// Only the first so many items of each task.
    pub limit: Option<usize>,
    /// Only these tasks of the suite, by name; empty: all.
    pub tasks: Vec<String>,
    /// Only a drawn part of the items, in place of all of them.
    pub draw: Option<Draw>,
    /// Solved examples before each item; `None` takes the protocol's.
    pub shots: Option<usize>,
    /// Seed with which they are drawn; `None` takes the protocol's. Has no effect where the protocol takes the first ones.
    pub shot_seed: Option<u64>,
    /// Put every item as a chat, in a suite that is plain text by itself.
    pub chat: Option<Chat>,
    /// Answers an item.
    pub samples: usize,
    /// 0 is greedy.
    pub temperature: f64,
    /// The probability mass kept while sampling. 0.95 in Chen et al. 2021 and in lm-eval's `humaneval_64`.
    pub top_p: f64,
    /// The run's seed, from which every request's own is derived.
    pub seed: u64,
    /// Most tokens of an answer; `None` takes the protocol's.
    pub max_new_tokens: Option<usize>,
    /// Most tokens that a window of a text reads whose loss is taken; `None` takes the model's positions.
    pub window: Option<usize>,
    /// Tokens by which that window moves; `None` takes the suite's, or whole windows.
    pub stride: Option<usize>,
    /// Names of the labels of the checkpoint's classification head, in the order of its outputs; empty where there is none
    /// or it is not known. No setting of the user's: the command line reads them off the checkpoint.
    pub labels: Vec<String>,
}

/// Items drawn at random over all tasks of a suite, each task with its share (largest remainders), in the data's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw {
    /// How many in all.
    pub items: usize,
    /// The seed of the draw.
    pub seed: u64,
}

/// How an item of a plain-text suite becomes a chat, as in lm-eval's `--apply_chat_template`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chat {
    /// A message of the system before everything else.
    pub system: Option<String>,
    /// Solved examples are earlier turns (lm-eval's `--fewshot_as_multiturn`), not part of the one request.
    pub shots_as_turns: bool,
}

/// A setting that not every suite can honour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extra {
    /// [`TaskOptions::tasks`].
    Tasks,
    /// [`TaskOptions::draw`].
    Draw,
    /// [`TaskOptions::shots`] and [`TaskOptions::shot_seed`].
    Shots,
    /// [`TaskOptions::chat`].
    Chat,
    /// [`TaskOptions::samples`] and how tokens are chosen: the suite generates text.
    Samples,
    /// [`TaskOptions::max_new_tokens`]: the suite generates text.
    MaxNewTokens,
    /// [`TaskOptions::window`] and [`TaskOptions::stride`]: the suite takes the loss of texts.
    Window,
}

impl Default for TaskOptions {
    /// One greedy answer to every item.
    fn default() -> Self {
        TaskOptions {
            protocol: None,
            has_chat_template: false,
            limit: None,
            tasks: Vec::new(),
            draw: None,
            shots: None,
            shot_seed: None,
            chat: None,
            samples: 1,
            temperature: 0.0,
            top_p: 0.95,
            seed: 0,
            max_new_tokens: None,
            window: None,
            stride: None,
            labels: Vec::new(),
        }
    }
}

impl TaskOptions {
    /// Refuses settings that no suite can honour, and those that this one cannot: all that are not `honoured`.
    pub(crate) fn check(&self, suite: &str, honoured: &[Extra]) -> Result<(), TaskError> {
        self.check_honoured(suite, honoured)?;
        let refuse = |setting, problem: String, remedy: &str| {
            Err(TaskError::Setting {
                suite: suite.to_owned(),
                setting,
                problem,
                remedy: remedy.to_owned(),
            })
        };
        if self.limit == Some(0) {
            return refuse(
                "limit",
                "is 0, which leaves no item".into(),
                "give at least 1",
            );
        }
        if self.samples == 0 {
            return refuse("samples", "is 0".into(), "give at least 1");
        }
        if self.max_new_tokens == Some(0) {
            return refuse("max new tokens", "is 0".into(), "give at least 1");
        }
        if self.window == Some(0) {
            return refuse("window", "is 0".into(), "give at least 1");
        }
        let window = self.window.unwrap_or(usize::MAX);
        if let Some(stride) = self.stride.filter(|&by| by == 0 || by > window) {
            return refuse(
                "stride",
                format!("is {stride}"),
                "give at least 1 and at most the window, so that no token is left out",
            );
        }
        // The engine works in f32: a temperature that is 0 or infinite there is none.
        let temperature = self.temperature as f32;
        if !temperature.is_finite()
            || self.temperature < 0.0
            || (self.temperature > 0.0 && temperature == 0.0)
        {
            return refuse(
                "temperature",
                format!("is {}", self.temperature),
                "give 0 for greedy answers, or a number above",
            );
        }
        if !(self.top_p > 0.0 && self.top_p <= 1.0) {
            return refuse(
                "top-p",
                format!("is {}", self.top_p),
                "give a number above 0 and at most 1",
            );
        }
        if self.samples > 1 && self.is_greedy() {
            return refuse(
                "samples",
                format!(
                    "is {}, but the temperature is 0, so all samples of an item would be the same",
                    self.samples
                ),
                "give a temperature above 0, such as 0.2 for pass@1 or 0.8 for pass@10 and more",
            );
        }
        Ok(())
    }

    fn check_honoured(&self, suite: &str, honoured: &[Extra]) -> Result<(), TaskError> {
        let asked = [
            (
                Extra::Tasks,
                !self.tasks.is_empty(),
                "tasks",
                "has one task only",
            ),
            (
                Extra::Draw,
                self.draw.is_some(),
                "draw",
                "is always asked in the order of its data",
            ),
            (
                Extra::Shots,
                self.shots.is_some(),
                "shots",
                "has no solved examples",
            ),
            (
                Extra::Shots,
                self.shot_seed.is_some(),
                "shot seed",
                "has no solved examples",
            ),
            (
                Extra::Chat,
                self.chat.is_some(),
                "chat",
                "has protocols of its own for chats, or none",
            ),
            (
                Extra::Samples,
                self.samples > 1,
                "samples",
                "generates no text",
            ),
            (
                Extra::Samples,
                !self.is_greedy(),
                "temperature",
                "generates no text",
            ),
            (
                Extra::MaxNewTokens,
                self.max_new_tokens.is_some(),
                "max new tokens",
                "generates no text",
            ),
            (
                Extra::Window,
                self.window.is_some(),
                "window",
                "takes no loss of texts",
            ),
            (
                Extra::Window,
                self.stride.is_some(),
                "stride",
                "takes no loss of texts",
            ),
        ];
        for (extra, given, setting, problem) in asked {
            if given && !honoured.contains(&extra) {
                return Err(TaskError::Setting {
                    suite: suite.to_owned(),
                    setting,
                    problem: format!("has no effect here: the suite {problem}"),
                    remedy: "leave it out, or name the suites that it is for".to_owned(),
                });
            }
        }
        Ok(())
    }

    fn is_greedy(&self) -> bool {
        self.temperature <= 0.0
    }

    /// How tokens are chosen for one sample of one item.
    pub(crate) fn sampling(&self, suite: &str, item: &str, sample: usize) -> Sampling {
        if self.is_greedy() {
            return Sampling::Greedy;
        }
        Sampling::Random {
            temperature: self.temperature as f32,
            top_p: self.top_p as f32,
            seed: derived_seed(self.seed, suite, item, sample),
        }
    }

    /// What a record keeps of them. Where tokens are chosen greedily, `top_p` and the seed have no effect and are neutral.
    pub(crate) fn sampling_settings(&self) -> SamplingSettings {
        if self.is_greedy() {
            SamplingSettings {
                temperature: 0.0,
                top_p: 1.0,
                seed: 0,
            }
        } else {
            SamplingSettings {
                temperature: self.temperature,
                top_p: self.top_p,
                seed: self.seed,
            }
        }
    }
}

/// The seed of one sample: the first 8 bytes of a hash over the run's seed and the sample's names. It depends neither on
/// the limit nor on the variant, so variants are compared with the same draws.
fn derived_seed(seed: u64, suite: &str, item: &str, sample: usize) -> u64 {
    let digest = sha256_bytes(format!("{seed}\n{suite}\n{item}\n{sample}").as_bytes());
    digest.as_str().bytes().take(16).fold(0, |value, digit| {
        (value << 4) | u64::from((digit as char).to_digit(16).unwrap_or(0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_stable_and_distinct() {
        // sha256 of "7\nhumaneval\nHumanEval/0\n0", computed apart.
        assert_eq!(
            derived_seed(7, "humaneval", "HumanEval/0", 0),
            0x2c3c_67bd_e1cb_8055
        );
        let mut seeds: Vec<u64> = (0..10)
            .flat_map(|item| {
                (0..10).map(move |sample| {
                    derived_seed(7, "humaneval", &format!("HumanEval/{item}"), sample)
                })
            })
            .collect();
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), 100);
    }

    #[test]
    fn impossible_settings_are_refused_with_the_remedy() {
        let default = TaskOptions::default;
        let cases = [
            (
                TaskOptions {
                    limit: Some(0),
                    ..default()
                },
                "limit is 0",
            ),
            (
                TaskOptions {
                    samples: 0,
                    ..default()
                },
                "samples is 0",
            ),
            (
                TaskOptions {
                    samples: 5,
                    ..default()
                },
                "give a temperature above 0",
            ),
            (
                TaskOptions {
                    max_new_tokens: Some(0),
                    ..default()
                },
                "max new tokens is 0",
            ),
            (
                TaskOptions {
                    temperature: -1.0,
                    ..default()
                },
                "temperature is -1",
            ),
            (
                TaskOptions {
                    temperature: f64::NAN,
                    ..default()
                },
                "temperature is NaN",
            ),
            (
                TaskOptions {
                    temperature: 1e300,
                    ..default()
                },
                "temperature is 1",
            ),
            (
                TaskOptions {
                    temperature: 1e-300,
                    ..default()
                },
                "temperature is 0.0000",
            ),
            (
                TaskOptions {
                    top_p: 0.0,
                    ..default()
                },
                "top-p is 0",
            ),
            (
                TaskOptions {
                    top_p: f64::NAN,
                    ..default()
                },
                "top-p is NaN",
            ),
        ];
        for (options, message) in cases {
            let error = options
                .check("humaneval", &[Extra::Samples, Extra::MaxNewTokens])
                .unwrap_err()
                .to_string();
            assert!(error.contains(message), "{error}");
        }
        default().check("humaneval", &[]).unwrap();
    }

    #[test]
    fn impossible_windows_are_refused() {
        for (window, stride, message) in [
            (Some(0), None, "window is 0"),
            (Some(4), Some(5), "stride is 5"),
            (None, Some(0), "stride is 0"),
        ] {
            let options = TaskOptions {
                window,
                stride,
                ..TaskOptions::default()
            };
            let error = options.check("perplexity", &[Extra::Window]).unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
        }
    }

    #[test]
    fn a_setting_that_the_suite_cannot_honour_is_refused() {
        let options = TaskOptions {
            shots: Some(2),
            ..TaskOptions::default()
        };
        let error = options.check("humaneval", &[Extra::Samples]).unwrap_err();
        assert!(
            error.to_string().contains("has no solved examples"),
            "{error}"
        );
        options.check("mmlu", &[Extra::Shots]).unwrap();
    }

    #[test]
    fn greedy_answers_record_no_seed() {
        let options = TaskOptions {
            seed: 9,
            ..TaskOptions::default()
        };
        assert_eq!(options.sampling("s", "i", 0), Sampling::Greedy);
        assert_eq!(
            options.sampling_settings(),
            SamplingSettings {
                temperature: 0.0,
                top_p: 1.0,
                seed: 0
            }
        );
    }
}
