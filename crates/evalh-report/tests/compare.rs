//! What a comparison computes, on records made by hand.

use evalh_record::{
    AdapterPart, AdapterSettings, Answer, CheckpointSettings, FileIdentity, Finish, Generation,
    Manifest, Part, Provenance, Record, ResultRow, Sample, Settings, SuiteSettings, TaskSettings,
    Timings, VariantSettings, sha256_bytes,
};
use evalh_report::compare::{
    Against, Analysis, CompareError, ComparedMetric, Comparison, Finding, Options, Role, Run, Test,
    compare,
};
use evalh_stats::{cohens_d, mcnemar_exact, t_test, tango_interval};
use std::collections::BTreeMap;

fn file(name: &str) -> FileIdentity {
    FileIdentity {
        name: name.into(),
        bytes: 1,
        sha256: sha256_bytes(name.as_bytes()),
    }
}

/// An adapter on so many of four layers.
fn adapter(name: &str, layers: usize) -> AdapterSettings {
    AdapterSettings {
        apply: "unmerged".into(),
        parts: vec![AdapterPart {
            files: vec![file(name)],
            weight: 1.0,
        }],
        modules: layers,
        layers: (0..layers).collect(),
        of_layers: 4,
        parameters: 8,
    }
}

/// What a variant answers to each item: a label. All that is right is `yes` on even places.
type Answers<'a> = &'a dyn Fn(usize) -> bool;

fn right(place: usize) -> &'static str {
    if place.is_multiple_of(2) { "yes" } else { "no" }
}

fn sample(variant: &str, place: usize, is_right: bool) -> Sample {
    let other = if right(place) == "yes" { "no" } else { "yes" };
    let said = if is_right { right(place) } else { other };
    Sample {
        suite: "quiz".into(),
        task: format!("task{}", place % 6),
        protocol: "chat".into(),
        variant: variant.into(),
        item: format!("item{place}"),
        position: place,
        sample: 0,
        shots: Vec::new(),
        prompt_sha256: sha256_bytes(b"p"),
        prompt_tokens: 10,
        truncated_tokens: 0,
        answer: Answer::Generated(Generation {
            text: said.into(),
            tokens: 2,
            finish: Finish::Eos(0),
        }),
        extracted: Some(said.into()),
        target: Some(right(place).into()),
        program_sha256: None,
        outcome: None,
        suspicions: Vec::new(),
        score: f64::from(u8::from(is_right)),
        scores: BTreeMap::new(),
    }
}

/// F1 of `yes`, by definition.
fn f1(samples: &[&Sample]) -> f64 {
    let count = |of: &dyn Fn(&Sample) -> bool| samples.iter().filter(|s| of(s)).count() as f64;
    let said = |s: &Sample| s.extracted.as_deref() == Some("yes");
    let is = |s: &Sample| s.target.as_deref() == Some("yes");
    let both = count(&|s| said(s) && is(s));
    2.0 * both / (count(&said) + count(&is))
}

/// A record of one model whose variants answer so.
fn record(model: &str, items: usize, variants: &[(&str, usize, Answers<'_>)]) -> Record {
    let mut samples = Vec::new();
    let mut results = Vec::new();
    for (name, _, answers) in variants {
        samples.extend((0..items).map(|place| sample(name, place, answers(place))));
    }
    for (name, _, _) in variants {
        let own: Vec<&Sample> = samples.iter().filter(|s| s.variant == *name).collect();
        let accuracy = own.iter().map(|s| s.score).sum::<f64>() / items as f64;
        for (metric, value) in [("acc", accuracy), ("f1", f1(&own))] {
            results.push(ResultRow {
                suite: "quiz".into(),
                task: "quiz".into(),
                part: Part::Whole,
                protocol: "chat".into(),
                variant: (*name).into(),
                metric: metric.into(),
                value,
                stderr: None,
                n: items,
                chance: (metric == "acc").then_some(0.5),
            });
        }
    }
    let tasks = (0..6).map(|task| TaskSettings {
        name: format!("task{task}"),
        group: None,
        items: items.div_ceil(6),
    });
    Record {
        manifest: Manifest::new(
            Settings {
                evalh: "0.1.0".into(),
                suites: vec![SuiteSettings {
                    name: "quiz".into(),
                    protocol: "chat".into(),
                    tasks: tasks.collect(),
                    shots: 0,
                    items,
                    limit: None,
                    samples: 1,
                    sampling: None,
                    max_new_tokens: None,
                    options: serde_json::Map::new(),
                    data: Vec::new(),
                }],
                checkpoints: vec![CheckpointSettings {
                    name: model.into(),
                    files: vec![file(model)],
                    stored: "BF16".into(),
                    parameters: 100,
                    quantized: None,
                    chat_template_sha256: None,
                    chat_template_moment: None,
                }],
                variants: variants
                    .iter()
                    .map(|(name, layers, _)| VariantSettings {
                        name: (*name).into(),
                        checkpoint: model.into(),
                        adapter: (*layers > 0)
                            .then(|| adapter(&format!("{model}/{name}"), *layers)),
                    })
                    .collect(),
                device: "cpu".into(),
                kernel: "auto".into(),
                dtype: "f32".into(),
                sandbox: None,
            },
            Provenance::default(),
        ),
        samples,
        results,
        timings: Timings::default(),
    }
}

fn compared(records: &[(&str, Record)]) -> Comparison {
    let runs: Vec<Run<'_>> = records
        .iter()
        .map(|(name, record)| Run { name, record })
        .collect();
    // Enough for what is asserted, and quick without optimisation.
    let analysis = Analysis {
        resamples: 1000,
        ..Analysis::default()
    };
    let options = Options {
        analysis,
        ..Options::default()
    };
    compare(&runs, &options).unwrap()
}

fn metric<'c>(comparison: &'c Comparison, name: &str) -> &'c ComparedMetric {
    let mut metrics = comparison.suites[0].parts[0].metrics.iter();
    metrics.find(|metric| metric.metric == name).unwrap()
}

const ITEMS: usize = 120;

#[test]
fn right_and_wrong_answers_are_tested_exactly() {
    // Of 120 items the base gets 60, the adapter gains 20 and loses 5.
    let record = record(
        "small",
        ITEMS,
        &[
            ("base", 0, &|place| place < 60),
            ("tuned", 4, &|place| (5..80).contains(&place)),
        ],
    );
    let comparison = compared(&[("run", record)]);
    let contrast = &metric(&comparison, "acc").contrasts[0];
    assert_eq!(
        (contrast.won, contrast.lost, contrast.same_answers),
        (20, 5, 95)
    );
    assert!((contrast.value - 15.0 / 120.0).abs() < 1e-12);
    assert_eq!(contrast.test, Some(Test::Mcnemar));
    assert_eq!(contrast.p, Some(mcnemar_exact(20, 5)));
    // Alone in its family, it is not corrected.
    assert_eq!(contrast.p_holm, contrast.p);
    assert_eq!(contrast.finding, Finding::Better);
    let tango = tango_interval(20, 5, 120, 0.95).unwrap();
    let interval = contrast.interval.unwrap();
    assert_eq!((interval.low, interval.high), (tango.low, tango.high));
    // Six tasks: drawn as wholes they give an interval too, around the same difference.
    let clustered = contrast.clustered.unwrap();
    assert!(clustered.low < contrast.value && contrast.value < clustered.high);
    let flips = &comparison.suites[0].flips;
    assert_eq!(flips.iter().filter(|flip| flip.won).count(), 20);
    assert_eq!(
        (flips[0].base.as_str(), flips[0].here.as_str()),
        ("yes", "no")
    );
}

#[test]
fn a_metric_that_is_no_mean_is_drawn_anew() {
    let record = record(
        "small",
        ITEMS,
        &[
            ("base", 0, &|place| place % 3 != 0),
            ("tuned", 4, &|place| place % 7 != 0),
        ],
    );
    let comparison = compared(&[("run", record)]);
    let f1 = metric(&comparison, "f1");
    let contrast = &f1.contrasts[0];
    assert_eq!(contrast.test, Some(Test::Bootstrap));
    let interval = contrast.interval.unwrap();
    assert!(interval.low < contrast.value && contrast.value < interval.high);
    // The normal approximation is close to the bootstrap at this size.
    let stderr = contrast.stderr.unwrap();
    assert!((interval.high - interval.low) / (2.0 * 1.96 * stderr) > 0.9);
    assert!((interval.high - interval.low) / (2.0 * 1.96 * stderr) < 1.1);
    assert!(f1.scores.iter().all(|scored| scored.interval.is_some()));
    // Not a headline, so of no family.
    assert_eq!(contrast.p_holm, None);
}

#[test]
fn a_metric_that_cannot_be_computed_anew_has_no_interval_and_no_test() {
    let mut record = record(
        "small",
        ITEMS,
        &[("base", 0, &|_| true), ("tuned", 4, &|place| place > 9)],
    );
    for row in &mut record.results {
        if row.metric == "f1" {
            row.value += 0.01;
        }
    }
    let comparison = compared(&[("run", record)]);
    let f1 = metric(&comparison, "f1");
    assert!(f1.scores.iter().all(|scored| scored.interval.is_none()));
    assert_eq!(f1.contrasts[0].finding, Finding::Untested);
    assert_eq!(f1.contrasts[0].lost, 10, "items are counted all the same");
}

#[test]
fn seeds_of_one_model_count_once_over_models() {
    // The standard adapters lose so many items, by model and seed; the selective ones a third of that.
    let losses = [("a", [12, 18]), ("b", [30, 24]), ("c", [6, 0])];
    let records = losses.map(|(model, [one, two])| {
        let record = record(
            model,
            ITEMS,
            &[
                ("base", 0, &|_| true),
                ("standard-1", 4, &move |place| place >= one),
                ("selective-1", 2, &move |place| place >= one / 3),
                ("standard-2", 4, &move |place| place >= two),
                ("selective-2", 2, &move |place| place >= two / 3),
            ],
        );
        (model, record)
    });
    let comparison = compared(&records);
    let roles: Vec<Role> = comparison.variants.iter().map(|of| of.role).collect();
    assert_eq!(roles[..3], [Role::Base, Role::Standard, Role::Selective]);
    let by_model: Vec<f64> = losses
        .iter()
        .map(|(_, [one, two])| -((one + two) as f64) / 2.0 / ITEMS as f64)
        .collect();
    let of = |role, against| {
        let mut all = comparison.replicated.iter();
        all.find(|of| of.role == role && of.against == against)
            .unwrap()
    };
    let standard = of(Role::Standard, Against::Base);
    let expected = t_test(&by_model).unwrap();
    assert_eq!((standard.models, standard.each.len()), (3, 6));
    assert!((standard.mean - expected.mean).abs() < 1e-12);
    assert!((standard.t.unwrap() - expected.t).abs() < 1e-9);
    assert_eq!(standard.df, Some(2.0));
    assert!((standard.d.unwrap() - cohens_d(&by_model).unwrap()).abs() < 1e-9);
    assert_eq!((standard.wins, standard.ties, standard.losses), (0, 1, 5));
    // Each selective adapter is set against the standard one of its model and seed.
    let extra = of(Role::Selective, Against::Standard);
    for replicate in &extra.each {
        let name = |place: usize| comparison.variants[place].name.clone();
        assert_eq!(
            name(replicate.variant).replace("selective", "standard"),
            name(replicate.other)
        );
    }
    assert!((extra.mean + standard.mean * 2.0 / 3.0).abs() < 1e-9);
}

#[test]
fn suites_of_several_runs_are_put_together() {
    let answers: [(&str, usize, Answers<'_>); 2] =
        [("base", 0, &|_| true), ("tuned", 4, &|place| place > 3)];
    let first = record("small", ITEMS, &answers);
    let mut second = record("small", 30, &answers);
    let rename = |name: &mut String| *name = name.replace("quiz", "exam");
    rename(&mut second.manifest.settings.suites[0].name);
    second
        .samples
        .iter_mut()
        .for_each(|of| rename(&mut of.suite));
    for row in &mut second.results {
        rename(&mut row.suite);
        rename(&mut row.task);
    }
    let comparison = compared(&[("one", first.clone()), ("two", second)]);
    assert_eq!(comparison.variants.len(), 2);
    assert_eq!(comparison.variants[1].also_in[0].name, "tuned");
    let suites: Vec<_> = comparison
        .suites
        .iter()
        .map(|suite| (suite.name.as_str(), suite.items))
        .collect();
    assert_eq!(suites, [("quiz", ITEMS), ("exam", 30)]);

    // The same suite with other items is refused, and compared on the common ones where that is forced.
    let other = record("large", 30, &answers);
    let runs = [("one", &first), ("two", &other)].map(|(name, record)| Run { name, record });
    let refused = compare(&runs, &Options::default()).unwrap_err();
    let CompareError::Different { differences, .. } = &refused else {
        panic!("{refused}");
    };
    let fields: Vec<_> = differences.iter().map(|of| of.field.as_str()).collect();
    assert!(fields.contains(&"quiz.items"), "{fields:?}");
    let options = Options {
        force: true,
        ..Options::default()
    };
    let forced = compare(&runs, &options).unwrap();
    assert_eq!(forced.forced.len(), differences.len());
    assert_eq!(forced.variants.len(), 4);
}

#[test]
fn a_run_that_contradicts_an_earlier_one_is_told() {
    let first = record("small", ITEMS, &[("base", 0, &|_| true)]);
    let second = record("small", ITEMS, &[("base", 0, &|place| place > 0)]);
    let comparison = compared(&[("one", first.clone()), ("two", second)]);
    let told = |comparison: &Comparison| {
        let mut warnings = comparison.warnings.iter();
        warnings.any(|warning| {
            warning
                .what
                .starts_with("two holds other answers of base to quiz")
        })
    };
    assert!(told(&comparison));
    assert!(!told(&compared(&[("one", first.clone()), ("two", first)])));
}

/// Two ways of selecting layers, three seeds each: rank alone would set the later ones against nothing.
#[test]
fn each_way_of_selecting_is_set_against_the_standard_of_its_seed() {
    let names =
        ["standard", "gradient", "cka"].map(|arm| [1, 2, 3].map(|seed| format!("{arm}-s{seed}")));
    let all: Answers<'_> = &|_| true;
    let mut variants: Vec<(&str, usize, Answers<'_>)> = vec![("base", 0, all)];
    for (arm, names) in names.iter().enumerate() {
        // Seeds stand in another order for each arm.
        for turn in 0..3 {
            let layers = if arm == 0 { 4 } else { 2 };
            variants.push((&names[(arm + turn) % 3], layers, all));
        }
    }
    let comparison = compared(&[("a", record("a", 12, &variants))]);
    let name = |place: usize| comparison.variants[place].name.as_str();
    let contrasts = &metric(&comparison, "acc").contrasts;
    let extras = contrasts
        .iter()
        .filter(|of| of.against == Against::Standard);
    let mut pairs: Vec<(&str, &str)> = extras
        .map(|of| (name(of.variant), name(of.other)))
        .collect();
    pairs.sort_unstable();
    assert_eq!(
        pairs,
        [
            ("cka-s1", "standard-s1"),
            ("cka-s2", "standard-s2"),
            ("cka-s3", "standard-s3"),
            ("gradient-s1", "standard-s1"),
            ("gradient-s2", "standard-s2"),
            ("gradient-s3", "standard-s3"),
        ]
    );
    let extras = comparison
        .replicated
        .iter()
        .filter(|of| of.against == Against::Standard);
    let arms: Vec<(&str, usize)> = extras.map(|of| (of.name.as_str(), of.each.len())).collect();
    assert_eq!(arms, [("cka", 3), ("gradient", 3)]);
}
