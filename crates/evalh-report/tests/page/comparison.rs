//! A comparison that goes with a record, with something in every section.

use crate::synthetic::VARIANTS;
use evalh_record::{Outcome, Part, Record, Sample};
use evalh_report::{
    Comparison, Warning,
    compare::{
        AdapterFacts, Against, Analysis, COMPARISON_SCHEMA, ComparedMetric, ComparedPart,
        ComparedSuite, Contrast, Costs, Finding, OutcomeCount, Range, Replicate, Replicated, Role,
        RunFacts, Scored, Test, Variant,
    },
};
use std::collections::BTreeMap;

/// A comparison with the counts of the record; its intervals are made up, they are not what is tested.
pub fn of(record: &Record) -> Comparison {
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
    let replicated = suites.iter().take(1).map(replicated).collect();
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
            name: (*name).into(),
            name_in_run: (*name).into(),
            run: 0,
            also_in: Vec::new(),
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

/// Differences over two models.
fn replicated(suite: &ComparedSuite) -> Replicated {
    Replicated {
        suite: suite.name.clone(),
        metric: "acc".into(),
        is_share: true,
        name: "small-standard".into(),
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
        outcomes: outcomes(of),
    }
}

/// How programs ended, by variant.
fn outcomes(of: &[&Sample]) -> Vec<OutcomeCount> {
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
    outcomes
        .into_iter()
        .map(|((variant, outcome), count)| OutcomeCount {
            variant,
            outcome,
            count,
        })
        .collect()
}
