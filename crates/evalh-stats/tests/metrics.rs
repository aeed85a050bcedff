//! Metrics against scikit-learn and `SciPy`, standard errors against lm-eval's own; `data/metrics.json` says which
//! versions and `tools/make_stats_reference.py` writes it.

use evalh_stats::{Bootstrap, Estimate, classification as class, correlation, loss, pooled};
use serde_json::Value;

fn cases(name: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("data/metrics.json")).unwrap();
    let cases = all[name].as_array().unwrap().clone();
    assert!(!cases.is_empty());
    cases
}

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().unwrap();
    list.iter().map(|x| x.as_f64().unwrap()).collect()
}

fn places(value: &Value) -> Vec<usize> {
    let list = value.as_array().unwrap();
    list.iter().map(|x| x.as_u64().unwrap() as usize).collect()
}

#[track_caller]
fn assert_value(found: Option<Estimate>, expected: &Value, what: &str) {
    assert_near(found.unwrap().value, expected.as_f64().unwrap(), what);
}

#[track_caller]
fn assert_near(found: f64, expected: f64, what: &str) {
    let allowed = 1e-12 * expected.abs().max(1e-3);
    assert!(
        (found - expected).abs() <= allowed,
        "{what}: {found} is not {expected}"
    );
}

/// The standard errors of `metric` are lm-eval's for each number of resamples that the case has. Returns how many it has.
#[track_caller]
fn assert_errors(
    case: &Value,
    name: &str,
    metric: impl Fn(Bootstrap) -> Option<Estimate>,
) -> usize {
    let Some(errors) = case[name].as_array() else {
        return 0;
    };
    for error in errors {
        let resamples = error[0].as_u64().unwrap() as u32;
        let found = metric(Bootstrap { resamples, seed: 0 }).unwrap();
        assert_near(found.stderr.unwrap(), error[1].as_f64().unwrap(), name);
    }
    errors.len()
}

type OfLabels = fn(&[usize], &[usize], usize, Bootstrap) -> Option<Estimate>;
type OfTexts = fn(&[f64], &[usize], Bootstrap) -> Option<Estimate>;

const NONE: Bootstrap = Bootstrap {
    resamples: 0,
    seed: 0,
};

#[test]
fn labels_are_scored_as_by_scikit_learn() {
    for case in cases("classification") {
        let (gold, predicted) = (places(&case["gold"]), places(&case["predicted"]));
        assert_value(
            class::accuracy(&gold, &predicted),
            &case["accuracy"],
            "accuracy",
        );
        let balanced = class::balanced_accuracy(&gold, &predicted, NONE);
        assert_value(balanced, &case["balanced_accuracy"], "balanced accuracy");
        assert_value(
            class::matthews(&gold, &predicted, NONE),
            &case["matthews"],
            "matthews",
        );
        for label in case["positive"].as_array().unwrap() {
            let positive = label["label"].as_u64().unwrap() as usize;
            let metrics: [(&str, OfLabels); 3] = [
                ("f1", class::f1),
                ("precision", class::precision),
                ("recall", class::recall),
            ];
            for (name, metric) in metrics {
                let found = metric(&gold, &predicted, positive, NONE);
                assert_value(found, &label[name], name);
            }
        }
    }
}

#[test]
fn standard_errors_of_labels_are_lm_evals() {
    let mut compared = 0;
    for case in cases("classification") {
        let (gold, predicted) = (places(&case["gold"]), places(&case["predicted"]));
        if let Some(expected) = case["accuracy_stderr"].as_f64() {
            let found = class::accuracy(&gold, &predicted).unwrap().stderr.unwrap();
            assert_near(found, expected, "accuracy");
        }
        compared += assert_errors(&case, "matthews_stderr", |bootstrap| {
            class::matthews(&gold, &predicted, bootstrap)
        });
        compared += assert_errors(&case, "f1_stderr", |bootstrap| {
            class::f1(&gold, &predicted, 1, bootstrap)
        });
    }
    assert_eq!(compared, 12);
}

#[test]
fn correlations_are_scipys_with_errors_from_lm_evals_draws() {
    let mut compared = 0;
    for case in cases("correlation") {
        let (gold, predicted) = (numbers(&case["gold"]), numbers(&case["predicted"]));
        let pearson = |bootstrap| correlation::pearson(&gold, &predicted, bootstrap);
        let spearman = |bootstrap| correlation::spearman(&gold, &predicted, bootstrap);
        assert_value(pearson(NONE), &case["pearson"], "pearson");
        assert_value(spearman(NONE), &case["spearman"], "spearman");
        compared += assert_errors(&case, "pearson_stderr", pearson);
        compared += assert_errors(&case, "spearman_stderr", spearman);
    }
    assert_eq!(compared, 8);
}

#[test]
fn losses_are_lm_evals_with_errors_from_its_draws() {
    for case in cases("loss") {
        let (log_probs, lengths) = (numbers(&case["log_probs"]), places(&case["lengths"]));
        let metrics: [(&str, OfTexts); 3] = [
            ("nats_per_token", loss::nats_per_token),
            ("bits_per_byte", loss::bits_per_byte),
            ("word_perplexity", loss::word_perplexity),
        ];
        for (name, metric) in metrics {
            assert_value(metric(&log_probs, &lengths, NONE), &case[name], name);
            let compared = assert_errors(&case, &format!("{name}_stderr"), |bootstrap| {
                metric(&log_probs, &lengths, bootstrap)
            });
            assert_eq!(compared, 2);
        }
    }
}

#[test]
fn groups_are_pooled_as_by_lm_eval() {
    for case in cases("pooled") {
        let (values, errors) = (numbers(&case["values"]), numbers(&case["stderrs"]));
        let parts: Vec<Estimate> = values
            .iter()
            .zip(&errors)
            .zip(places(&case["sizes"]))
            .map(|((&value, &stderr), n)| Estimate {
                value,
                stderr: Some(stderr),
                n,
            })
            .collect();
        let found = pooled(&parts);
        assert_value(found, &case["value"], "value");
        assert_near(
            found.unwrap().stderr.unwrap(),
            case["stderr"].as_f64().unwrap(),
            "stderr",
        );
    }
}

/// The bootstrap of a mean has to agree with the error that is known: to its own noise, `1 / sqrt(2 * resamples)` of it.
#[test]
fn the_bootstrap_finds_the_error_that_is_known() {
    let case = &cases("loss")[0];
    let log_probs = numbers(&case["log_probs"]);
    let ones = vec![1; log_probs.len()];
    let n = log_probs.len() as f64;
    let known = evalh_stats::mean(&log_probs).unwrap().stderr.unwrap() * ((n - 1.0) / n).sqrt();
    for seed in 0..20 {
        let bootstrap = Bootstrap {
            resamples: 1000,
            seed,
        };
        let found = loss::nats_per_token(&log_probs, &ones, bootstrap).unwrap();
        let off = found.stderr.unwrap() / known - 1.0;
        assert!(off.abs() < 4.0 / 2000.0_f64.sqrt(), "seed {seed}: {off}");
    }
}
