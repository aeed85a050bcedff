//! Comparisons for tests, with numbers made up by a formula.

use crate::{
    Warning,
    compare::{
        Against, Analysis, COMPARISON_SCHEMA, ComparedMetric, ComparedPart, ComparedSuite,
        Comparison, Contrast, Costs, Finding, Flip, OutcomeCount, Range, Replicate, Replicated,
        Role, RunFacts, Scored, Test, Variant,
    },
};
use evalh_record::Part;

/// A fraction in [0, 1) that looks random and is always the same.
pub fn noise(seed: usize) -> f64 {
    let x = (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((x ^ (x >> 32)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// A variant of the first run.
pub fn variant(name: &str, model: &str, role: Role, base: Option<usize>) -> Variant {
    Variant {
        also_in: Vec::new(),
        name: name.into(),
        name_in_run: name.into(),
        run: 0,
        model: model.into(),
        role,
        adapter: None,
        base,
    }
}

/// A score with an interval around it.
pub fn scored(variant: usize, value: f64, half: f64, n: usize) -> Scored {
    Scored {
        variant,
        value,
        stderr: Some(half / 1.96),
        interval: Some(Range {
            low: value - half,
            high: value + half,
        }),
        n,
        is_chance: false,
    }
}

/// A contrast with an interval around it.
pub fn contrast(
    variant: usize,
    other: usize,
    against: Against,
    value: f64,
    half: f64,
    finding: Finding,
) -> Contrast {
    Contrast {
        variant,
        other,
        against,
        value,
        stderr: Some(half / 1.96),
        interval: Some(Range {
            low: value - half,
            high: value + half,
        }),
        clustered: None,
        p: Some(0.25),
        p_holm: Some(0.75),
        test: Some(Test::Mcnemar),
        items: 200,
        won: 12,
        lost: 9,
        same_answers: 150,
        detectable: Some(0.07),
        items_needed: Some(2500),
        finding,
    }
}

/// One metric of a part.
pub fn metric(name: &str, scores: Vec<Scored>, contrasts: Vec<Contrast>) -> ComparedMetric {
    let is_loss = name == "nats_per_token";
    ComparedMetric {
        metric: name.into(),
        is_share: !is_loss && name != "mcc",
        lower_is_better: is_loss,
        chance: (name == "acc").then_some(0.25),
        scores,
        contrasts,
    }
}

/// A part of one metric.
pub fn part(part: Part, name: &str, metric: ComparedMetric) -> ComparedPart {
    ComparedPart {
        part,
        name: name.into(),
        detail: part == Part::Task,
        metrics: vec![metric],
    }
}

/// A suite of these parts.
pub fn suite(name: &str, protocol: &str, items: usize, parts: Vec<ComparedPart>) -> ComparedSuite {
    ComparedSuite {
        name: name.into(),
        protocol: protocol.into(),
        asked: format!("{items} items, greedy"),
        items,
        parts,
        flips: Vec::new(),
        outcomes: Vec::new(),
    }
}

/// A comparison of nothing.
pub fn empty() -> Comparison {
    Comparison {
        schema: COMPARISON_SCHEMA,
        analysis: Analysis::default(),
        runs: vec![RunFacts {
            name: "run".into(),
            command: "evalh run".into(),
            evalh: "0.1.0".into(),
            machine: "a machine".into(),
            device: "cpu".into(),
            kernel: "auto".into(),
            dtype: "f32".into(),
        }],
        forced: Vec::new(),
        variants: Vec::new(),
        suites: Vec::new(),
        replicated: Vec::new(),
        costs: Vec::new(),
        warnings: vec![Warning {
            what: "few items".into(),
            remedy: "ask more".into(),
        }],
    }
}

/// A metric of three variants, with all their contrasts.
fn of(name: &str, scores: [f64; 3], half: f64, findings: [Finding; 3]) -> ComparedMetric {
    let [base, standard, selective] = scores;
    let contrasts = vec![
        contrast(
            1,
            0,
            Against::Base,
            standard - base,
            half * 0.8,
            findings[0],
        ),
        contrast(
            2,
            0,
            Against::Base,
            selective - base,
            half * 0.7,
            findings[1],
        ),
        contrast(
            2,
            1,
            Against::Standard,
            selective - standard,
            half * 0.75,
            findings[2],
        ),
    ];
    let scores = (0..)
        .zip(scores)
        .map(|(at, value)| scored(at, value, half, 200));
    metric(name, scores.collect(), contrasts)
}

/// A base, a standard and a selective adapter of one model on four suites, as of the pack `seed`.
pub fn three() -> Comparison {
    use Finding::{Better, Identical, Inconclusive, Worse};
    let mut found = empty();
    found.variants = vec![
        variant("base", "smollm2", Role::Base, None),
        variant("standard", "smollm2", Role::Standard, Some(0)),
        variant("selective", "smollm2", Role::Selective, Some(0)),
    ];
    let mut mmlu = of(
        "acc",
        [0.315, 0.285, 0.305],
        0.062,
        [Inconclusive, Inconclusive, Inconclusive],
    );
    for contrast in &mut mmlu.contrasts {
        contrast.clustered = Some(Range {
            low: contrast.value - 0.06,
            high: contrast.value + 0.055,
        });
    }
    let subjects = [
        "abstract_algebra",
        "anatomy",
        "high_school_government_and_politics",
        "virology",
    ];
    let mut parts = vec![part(Part::Whole, "mmlu", mmlu)];
    parts.extend(subjects.iter().enumerate().map(|(at, name)| {
        let scores = (0..3)
            .map(|v| scored(v, 0.2 + 0.3 * noise(3 * at + v), 0.2, 4))
            .collect();
        part(Part::Task, name, metric("acc", scores, Vec::new()))
    }));
    let gsm = of(
        "exact_match,strict-match",
        [0.02, 0.095, 0.06],
        0.03,
        [Better, Inconclusive, Inconclusive],
    );
    let human = of(
        "pass@1",
        [0.067, 0.067, 0.018],
        0.035,
        [Identical, Worse, Worse],
    );
    let loss = of(
        "nats_per_token",
        [1.52, 1.31, 1.36],
        0.04,
        [Better, Better, Worse],
    );
    found.suites = vec![
        suite("mmlu", "lm-eval", 200, parts),
        suite(
            "gsm8k",
            "lm-eval",
            200,
            vec![part(Part::Whole, "gsm8k", gsm)],
        ),
        suite(
            "humaneval",
            "chat",
            164,
            vec![part(Part::Whole, "humaneval", human)],
        ),
        suite(
            "gsm8k_loss",
            "rolling",
            200,
            vec![part(Part::Whole, "gsm8k_loss", loss)],
        ),
    ];
    fill_in(&mut found);
    found
}

/// Flips, outcomes and costs.
fn fill_in(found: &mut Comparison) {
    found.suites[1].flips = vec![Flip {
        variant: 1,
        task: "gsm8k".into(),
        item: "gsm8k/7".into(),
        won: true,
        base: "=12, or more".into(),
        here: "18".into(),
    }];
    found.suites[2].outcomes = vec![OutcomeCount {
        variant: 0,
        outcome: "passed".into(),
        count: 11,
    }];
    found.costs = (0..3)
        .map(|at| Costs {
            variant: at,
            prefill_tokens_per_second: Some(410.0 - 12.0 * at as f64),
            decode_tokens_per_second: Some(62.5 - 3.5 * at as f64),
            cpu_seconds: Some(1200.0 + 60.0 * at as f64),
            beside: 3,
            ..Costs::default()
        })
        .collect();
}

/// Two models with three adapters of each kind, and their differences on one suite.
pub fn replicated() -> Comparison {
    let mut found = empty();
    for model in ["smollm2-135m", "qwen2.5-0.5b"] {
        let base = found.variants.len();
        found.variants.push(variant(model, model, Role::Base, None));
        for role in [Role::Standard, Role::Selective] {
            for seed in 1..=3 {
                found.variants.push(variant(
                    &format!("{model}-{role}-{seed}"),
                    model,
                    role,
                    Some(base),
                ));
            }
        }
    }
    let scores: Vec<Scored> = (0..found.variants.len())
        .map(|at| scored(at, 0.3 + 0.1 * noise(at), 0.03, 200))
        .collect();
    let of = |role: Role, against: Against| {
        let each: Vec<Replicate> = (found.variants.iter().enumerate())
            .filter(|(_, variant)| variant.role == role)
            .map(|(at, variant)| Replicate {
                variant: at,
                other: variant.base.unwrap_or(0),
                model: variant.model.clone(),
                value: 0.08 * (noise(at + 50) - 0.6),
            })
            .collect();
        let mean = each.iter().map(|each| each.value).sum::<f64>() / each.len() as f64;
        Replicated {
            suite: "mmlu".into(),
            metric: "acc".into(),
            is_share: true,
            name: role.name().into(),
            role,
            against,
            wins: each.iter().filter(|each| each.value > 0.0).count(),
            ties: 0,
            losses: each.iter().filter(|each| each.value < 0.0).count(),
            each,
            mean,
            sd: Some(0.01),
            interval: Some(Range {
                low: mean - 0.03,
                high: mean + 0.03,
            }),
            t: Some(1.5),
            df: Some(1.0),
            p: Some(0.37),
            d: Some(1.06),
            models: 2,
        }
    };
    let all = vec![
        of(Role::Standard, Against::Base),
        of(Role::Selective, Against::Base),
        of(Role::Selective, Against::Standard),
    ];
    found.replicated = all;
    let bases = |at: usize| found.variants[at].base;
    let contrasts = (0..found.variants.len())
        .filter_map(|at| {
            let base = bases(at)?;
            let value = scores[at].value - scores[base].value;
            Some(contrast(
                at,
                base,
                Against::Base,
                value,
                0.04,
                Finding::Inconclusive,
            ))
        })
        .collect();
    found.costs = (0..found.variants.len())
        .map(|variant| Costs {
            variant,
            prefill_tokens_per_second: Some(300.0 + 100.0 * noise(variant + 9)),
            beside: 1,
            ..Costs::default()
        })
        .collect();
    found.suites = vec![suite(
        "mmlu",
        "lm-eval",
        200,
        vec![part(Part::Whole, "mmlu", metric("acc", scores, contrasts))],
    )];
    found
}

/// Many subjects, three variants.
pub fn many_subjects(subjects: usize) -> Comparison {
    let mut found = three();
    found.suites.truncate(1);
    found.suites[0].parts.truncate(1);
    let parts = (0..subjects).map(|at| {
        let scores = (0..3)
            .map(|v| scored(v, 0.15 + 0.5 * noise(3 * at + v), 0.1, 40))
            .collect();
        part(
            Part::Task,
            &format!("subject_number_{at}"),
            metric("acc", scores, Vec::new()),
        )
    });
    found.suites[0].parts.extend(parts.collect::<Vec<_>>());
    found
}
