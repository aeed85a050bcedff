//! Records of any size, made up by rule, and the comparison that goes with them.

use evalh_record::{
    Answer, ContinuationScore, Finish, Generation, ItemText, Manifest, Message, Outcome, Part,
    Prompt, Provenance, Record, Role as Speaker, Sample, Settings, SuiteSettings, TaskSettings,
    Timings, sha256_bytes,
};
use evalh_report::{
    Figure, Warning,
    compare::{
        AdapterFacts, Against, Analysis, COMPARISON_SCHEMA, ComparedMetric, ComparedPart,
        ComparedSuite, Comparison, Contrast, Costs, Finding, OutcomeCount, Range, Replicate,
        Replicated, Role, RunFacts, Scored, Test, Variant,
    },
    page::{PageInput, html},
};
use std::collections::BTreeMap;

/// The variants.
pub const VARIANTS: [(&str, Role); 3] = [
    ("base", Role::Base),
    ("small-standard", Role::Standard),
    ("small-selective", Role::Selective),
];

/// A record, what was asked, and their comparison.
pub struct Run {
    pub record: Record,
    pub items: Vec<ItemText>,
    pub comparison: Comparison,
    pub figures: Vec<Figure>,
}

impl Run {
    /// The page of it.
    pub fn page(&self, texts: bool) -> String {
        html(&PageInput {
            comparison: &self.comparison,
            records: &[&self.record],
            items: &self.items,
            figures: &self.figures,
            texts,
        })
        .unwrap()
    }

    /// A run of a suite of programs and a suite of choices, with so many items each.
    pub fn new(programs: usize, choices: usize) -> Run {
        let mut samples = Vec::new();
        for (variant, (name, _)) in VARIANTS.iter().enumerate() {
            samples.extend((0..programs).map(|item| program(name, variant, item)));
        }
        for (variant, (name, _)) in VARIANTS.iter().enumerate() {
            samples.extend((0..choices).map(|item| choice(name, variant, item)));
        }
        let record = Record {
            manifest: Manifest::new(settings(), Provenance::default()),
            samples,
            results: Vec::new(),
            timings: Timings::default(),
        };
        let mut items: Vec<_> = (0..programs).map(program_text).collect();
        items.extend((0..choices).map(choice_text));
        let comparison = comparison(&record);
        Run {
            record,
            items,
            comparison,
            figures: vec![figure()],
        }
    }

    /// The sample of a variant on an item.
    pub fn sample(&mut self, variant: &str, item: &str) -> &mut Sample {
        let mut samples = self.record.samples.iter_mut();
        samples
            .find(|sample| sample.variant == variant && sample.item == item)
            .unwrap()
    }
}

/// Whether a variant is right on an item.
pub fn is_right(variant: usize, item: usize) -> bool {
    match variant {
        0 => item % 3 == 0,
        1 => item % 3 == 0 && item % 7 != 0 || item % 11 == 1,
        _ => item % 3 == 0 || item % 13 == 2,
    }
}

fn blank(suite: &str, variant: &str, item: String, position: usize, answer: Answer) -> Sample {
    Sample {
        suite: suite.into(),
        task: suite.into(),
        protocol: "chat".into(),
        variant: variant.into(),
        item,
        position,
        sample: 0,
        shots: Vec::new(),
        prompt_sha256: sha256_bytes(b"p"),
        prompt_tokens: 180 + position % 40,
        truncated_tokens: 0,
        answer,
        extracted: None,
        target: None,
        program_sha256: None,
        outcome: None,
        suspicions: Vec::new(),
        score: 0.0,
        scores: BTreeMap::new(),
    }
}

fn program(variant: &str, of: usize, item: usize) -> Sample {
    let right = is_right(of, item);
    let text = format!(
        "```python\ndef task_{item}(numbers: list[float], threshold: float) -> bool:\n    for i, a in enumerate(numbers):\n        for b in numbers[i + 1:]:\n            if abs(a - b) < threshold:\n                return {}\n    return {}\n```\n\nThis compares every pair of numbers once.",
        if right { "True" } else { "a" },
        if of == 1 { "None" } else { "False" },
    );
    let answer = Answer::Generated(Generation {
        text,
        tokens: 90 + item % 50,
        finish: match item % 10 {
            9 => Finish::Length,
            8 => Finish::Stop("\nclass".into()),
            _ => Finish::Eos(2),
        },
    });
    let mut sample = blank(
        "programs",
        variant,
        format!("Programs/{item}"),
        item,
        answer,
    );
    sample.score = f64::from(u8::from(right));
    sample.outcome = Some(match (right, item % 4) {
        (true, _) => Outcome::Passed,
        (_, 1) => Outcome::Failed {
            message: format!("assert task_{item}([1.0, 2.0], 0.5) == False"),
        },
        (_, 2) => Outcome::Error {
            class: "NameError".into(),
            message: "name 'List' is not defined".into(),
        },
        _ => Outcome::TimedOut,
    });
    if item == 6 {
        sample.suspicions.push("overrides_comparison".into());
        sample.truncated_tokens = 17;
    }
    sample
}

fn program_text(item: usize) -> ItemText {
    ItemText {
        suite: "programs".into(),
        task: "programs".into(),
        item: format!("Programs/{item}"),
        position: item,
        prompt: Prompt::Chat {
            messages: vec![
                Message {
                    role: Speaker::System,
                    content: "Write a Python function.".into(),
                },
                Message {
                    role: Speaker::User,
                    content: format!(
                        "Complete `task_{item}`, which tells whether any two of the numbers are closer to each other than the threshold.\n\n```python\ndef task_{item}(numbers: list[float], threshold: float) -> bool:\n```"
                    ),
                },
            ],
            prefill: Some("```python".into()),
        },
        choices: Vec::new(),
        reference: Some(format!(
            "def task_{item}(numbers: list[float], threshold: float) -> bool:\n    for i, a in enumerate(numbers):\n        for b in numbers[i + 1:]:\n            if abs(a - b) < threshold:\n                return True\n    return False"
        )),
    }
}

const SUBJECTS: [&str; 4] = ["astronomy", "botany", "chess", "drawing"];

fn choice(variant: &str, of: usize, item: usize) -> Sample {
    let target = item % 4;
    let picked = if is_right(of, item) {
        target
    } else {
        (target + 1) % 4
    };
    let scores = (0..4).map(|choice| ContinuationScore {
        log_prob: if choice == picked {
            -0.9
        } else {
            -1.5 - 0.01 * (item % 60 + choice) as f64
        },
        tokens: 1,
        is_greedy: choice == picked,
    });
    let id = format!("{}/{item}", SUBJECTS[item % 4]);
    let mut sample = blank(
        "choices",
        variant,
        id,
        item,
        Answer::Scored(scores.collect()),
    );
    sample.task = SUBJECTS[item % 4].into();
    sample.shots = vec![0, 1];
    sample.score = f64::from(u8::from(picked == target));
    sample.extracted = Some(["A", "B", "C", "D"][picked].into());
    sample.target = Some(["A", "B", "C", "D"][target].into());
    sample.scores.insert("acc_norm".into(), sample.score);
    sample
}

fn choice_text(item: usize) -> ItemText {
    let subject = SUBJECTS[item % 4];
    ItemText {
        suite: "choices".into(),
        task: subject.into(),
        item: format!("{subject}/{item}"),
        position: item,
        prompt: Prompt::Text(format!(
            "The following are multiple choice questions (with answers) about {subject}.\n\nA worked question?\nA. one\nB. two\nC. three\nD. four\nAnswer: A\n\nAnother one?\nA. one\nB. two\nC. three\nD. four\nAnswer: D\n\nQuestion {item} of this made-up suite asks which of four is the one.\nA. item {item}\nB. two\nC. three\nD. four\nAnswer:"
        )),
        choices: [" A", " B", " C", " D"].map(str::to_owned).to_vec(),
        reference: Some(["A", "B", "C", "D"][item % 4].into()),
    }
}

fn settings() -> Settings {
    let suite = |name: &str| SuiteSettings {
        name: name.into(),
        protocol: "chat".into(),
        tasks: vec![TaskSettings {
            name: name.into(),
            group: None,
            items: 0,
        }],
        shots: 0,
        items: 0,
        limit: None,
        samples: 1,
        sampling: None,
        max_new_tokens: None,
        options: serde_json::Map::new(),
        data: Vec::new(),
    };
    Settings {
        evalh: "0.1.0".into(),
        suites: vec![suite("programs"), suite("choices")],
        checkpoints: Vec::new(),
        variants: Vec::new(),
        device: "cpu".into(),
        kernel: "auto".into(),
        dtype: "f32".into(),
        sandbox: None,
    }
}

fn figure() -> Figure {
    Figure {
        title: "Differences from the base".into(),
        caption: "A dot a variant, with its 95 % interval.".into(),
        svg: "<svg viewBox=\"0 0 600 80\" role=\"img\" aria-label=\"differences\"><style>.dot{fill:var(--accent,#2456a6)}</style><line x1=\"300\" x2=\"300\" y1=\"5\" y2=\"75\" stroke=\"currentColor\" stroke-opacity=\"0.4\"/><line x1=\"210\" x2=\"330\" y1=\"25\" y2=\"25\" stroke=\"currentColor\"/><circle class=\"dot\" cx=\"270\" cy=\"25\" r=\"5\"/><line x1=\"290\" x2=\"420\" y1=\"55\" y2=\"55\" stroke=\"currentColor\"/><circle class=\"dot\" cx=\"355\" cy=\"55\" r=\"5\"/></svg>".into(),
    }
}

/// A comparison with the counts of the record; its intervals are made up, they are not what is tested.
pub fn comparison(record: &Record) -> Comparison {
    let suites = record.manifest.settings.suites.iter().map(|suite| {
        let of: Vec<_> = record
            .samples
            .iter()
            .filter(|sample| sample.suite == suite.name)
            .collect();
        let metric = if of.iter().any(|s| s.outcome.is_some()) {
            "pass@1"
        } else {
            "acc"
        };
        compared(&suite.name, metric, &of)
    });
    let suites: Vec<_> = suites.filter(|suite| suite.items > 0).collect();
    let replicated = suites.iter().map(|suite| Replicated {
        name: "standard".into(),
        suite: suite.name.clone(),
        metric: "acc".into(),
        is_share: true,
        role: Role::Standard,
        against: Against::Base,
        each: vec![
            Replicate {
                variant: 1,
                other: 0,
                model: "small".into(),
                value: -0.031,
            },
            Replicate {
                variant: 2,
                other: 0,
                model: "large".into(),
                value: 0.012,
            },
        ],
        mean: -0.0095,
        sd: Some(0.0304),
        interval: Some(Range {
            low: -0.283,
            high: 0.264,
        }),
        t: Some(-0.442),
        df: Some(1.0),
        p: Some(0.735),
        d: Some(-0.31),
        models: 2,
        wins: 1,
        ties: 0,
        losses: 1,
    });
    let replicated = replicated.take(1).collect();
    Comparison {
        schema: COMPARISON_SCHEMA,
        analysis: Analysis::default(),
        runs: vec![RunFacts {
            name: "nightly".into(),
            command: "evalh run --suite programs --suite choices --adapter small-standard=a --adapter small-selective=b".into(),
            evalh: "0.1.0".into(),
            machine: "2 x CPU, 23 GiB".into(),
            device: "cpu".into(),
            kernel: "auto".into(),
            dtype: "bf16, f32".into(),
        }],
        forced: Vec::new(),
        variants: VARIANTS.iter().enumerate().map(|(place, (name, role))| Variant {
            also_in: Vec::new(),
            name: (*name).into(),
            name_in_run: (*name).into(),
            run: 0,
            model: "SmallLM".into(),
            role: *role,
            adapter: (place > 0).then(|| AdapterFacts {
                apply: "merged".into(),
                modules: 210 / place,
                parameters: 4_884_480 / place as u64,
                base_parameters: 134_515_008,
                layers: if place == 1 { (0..30).collect() } else { (4..9).chain([12, 20, 21]).collect() },
                of_layers: 30,
                orthogonality_a: Some(0.0123),
                orthogonality_b: Some(0.214),
            }),
            base: (place > 0).then_some(0),
        }).collect(),
        suites,
        replicated,
        costs: (0..3).map(|variant| Costs {
            variant,
            prefill_tokens_per_second: Some(1893.0),
            decode_tokens_per_second: Some(61.4 - variant as f64),
            cpu_seconds: Some(812.0),
            kept_tokens_per_cpu_second: Some(38.25),
            peak_memory_bytes: Some(734_003_200),
            beside: 3,
            weight_bytes: Some(269_030_016),
            bench: None,
        }).collect(),
        warnings: vec![Warning {
            what: "answers to programs ended at the limit of 512 new tokens: base 16 of 164 (9.8 %)".into(),
            remedy: "they may be cut short: raise --max-new-tokens and see whether the score changes".into(),
        }],
    }
}

fn compared(name: &str, metric: &str, of: &[&Sample]) -> ComparedSuite {
    let scores = |variant: usize| -> BTreeMap<usize, f64> {
        let of = of
            .iter()
            .filter(|sample| sample.variant == VARIANTS[variant].0);
        of.map(|sample| (sample.position, sample.score)).collect()
    };
    let all: Vec<_> = (0..3).map(scores).collect();
    let items = all.iter().map(BTreeMap::len).max().unwrap_or(0);
    let contrasts = [
        (1, 0, Against::Base),
        (2, 0, Against::Base),
        (2, 1, Against::Standard),
    ]
    .map(|(variant, other, against)| {
        let pairs = all[variant]
            .iter()
            .filter_map(|(item, score)| Some(score - all[other].get(item)?));
        let differences: Vec<f64> = pairs.collect();
        let value = differences.iter().sum::<f64>() / differences.len().max(1) as f64;
        Contrast {
            variant,
            other,
            against,
            value,
            stderr: Some(0.015),
            interval: Some(Range {
                low: value - 0.03,
                high: value + 0.03,
            }),
            clustered: None,
            p: Some(0.02),
            p_holm: Some(0.04),
            test: Some(Test::Mcnemar),
            items: differences.len(),
            won: differences.iter().filter(|d| **d > 0.0).count(),
            lost: differences.iter().filter(|d| **d < 0.0).count(),
            same_answers: 0,
            detectable: Some(0.042),
            items_needed: Some(1840),
            finding: if value.abs() < 0.01 {
                Finding::Inconclusive
            } else if value > 0.0 {
                Finding::Better
            } else {
                Finding::Worse
            },
        }
    });
    let mut outcomes: BTreeMap<(usize, String), usize> = BTreeMap::new();
    for sample in of {
        let variant = VARIANTS
            .iter()
            .position(|(name, _)| *name == sample.variant)
            .unwrap();
        if let Some(outcome) = &sample.outcome {
            let name = match outcome {
                Outcome::Error { class, .. } => class.clone(),
                other => other.kind().to_owned(),
            };
            *outcomes.entry((variant, name)).or_default() += 1;
        }
    }
    ComparedSuite {
        name: name.into(),
        protocol: "chat".into(),
        asked: format!("{items} items, greedy, at most 512 new tokens"),
        items,
        parts: vec![ComparedPart {
            part: Part::Whole,
            name: name.into(),
            detail: false,
            metrics: vec![ComparedMetric {
                metric: metric.into(),
                is_share: true,
                lower_is_better: false,
                chance: (metric == "acc").then_some(0.25),
                scores: (0..3)
                    .filter(|v| !all[*v].is_empty())
                    .map(|variant| {
                        let value = all[variant].values().sum::<f64>() / all[variant].len() as f64;
                        Scored {
                            variant,
                            value,
                            stderr: Some(0.02),
                            interval: Some(Range {
                                low: value - 0.04,
                                high: value + 0.04,
                            }),
                            n: items,
                            is_chance: false,
                        }
                    })
                    .collect(),
                contrasts: contrasts
                    .into_iter()
                    .filter(|contrast| contrast.items > 0)
                    .collect(),
            }],
        }],
        flips: Vec::new(),
        outcomes: outcomes
            .into_iter()
            .map(|((variant, outcome), count)| OutcomeCount {
                variant,
                outcome,
                count,
            })
            .collect(),
    }
}
