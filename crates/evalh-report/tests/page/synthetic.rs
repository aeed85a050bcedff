//! Records of any size, made up by rule.

use crate::comparison;
use evalh_record::{
    Answer, ContinuationScore, Finish, Generation, ItemText, Manifest, Message, Outcome, Prompt,
    Provenance, Record, Role as Speaker, Sample, Settings, SuiteSettings, TaskSettings, Timings,
    sha256_bytes,
};
use evalh_report::{
    Figure,
    compare::{Comparison, Role},
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
        let comparison = comparison::of(&record);
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
        0 => item.is_multiple_of(3),
        1 => item.is_multiple_of(3) && !item.is_multiple_of(7) || item % 11 == 1,
        _ => item.is_multiple_of(3) || item % 13 == 2,
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

/// Words in an order of their own for each item, so that texts are about as hard to compress as real ones.
fn words(item: usize, count: usize) -> String {
    const VOWELS: [char; 5] = ['a', 'e', 'i', 'o', 'u'];
    let mut state = item as u64 + 1;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let words = (0..count).map(|_| {
        // A few thousand words, the early ones more often.
        let mut rank = next() % 4000 * (next() % 4000) / 4000;
        let mut word = String::new();
        while rank > 0 || word.is_empty() {
            word.push(char::from(b"bcdfghklmnprstvw"[rank % 16]));
            word.push(VOWELS[rank / 16 % 5]);
            rank /= 80;
        }
        word
    });
    words.collect::<Vec<_>>().join(" ")
}

fn choice_text(item: usize) -> ItemText {
    let subject = SUBJECTS[item % 4];
    ItemText {
        suite: "choices".into(),
        task: subject.into(),
        item: format!("{subject}/{item}"),
        position: item,
        prompt: Prompt::Text(format!(
            "The following are multiple choice questions (with answers) about {subject}.\n\nA worked question?\nA. one\nB. two\nC. three\nD. four\nAnswer: A\n\nAnother one?\nA. one\nB. two\nC. three\nD. four\nAnswer: D\n\nQuestion {item} of this made-up suite asks {}?\nA. item {item}\nB. {}\nC. {}\nD. {}\nAnswer:",
            words(item, 60),
            words(item + 1, 6),
            words(item + 2, 6),
            words(item + 3, 6)
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
