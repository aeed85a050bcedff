//! Values computed by other programs; `data/reference.json` says which.

use evalh_stats::{Z_95, mcnemar_exact, mean, paired_difference, pass_at_k, wilson_interval};
use serde_json::Value;

fn cases(name: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("data/reference.json")).unwrap();
    all[name].as_array().unwrap().clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_f64().unwrap())
        .collect()
}

fn counts(case: &Value) -> Vec<u64> {
    case.as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_u64)
        .collect()
}

#[track_caller]
fn assert_close(found: f64, expected: f64, relative: f64, case: &Value) {
    assert!(
        (found - expected).abs() <= relative * expected.abs().max(1e-300),
        "{found} is not {expected}: {case}"
    );
}

#[test]
fn pass_at_k_is_that_of_the_reference_harness() {
    let cases = cases("pass_at_k");
    assert!(cases.len() > 80);
    for case in cases {
        let [n, c, k] = counts(&case)[..] else {
            panic!("{case}")
        };
        let expected = case[3].as_f64().unwrap();
        assert!(
            (pass_at_k(n, c, k).unwrap() - expected).abs() < 1e-14,
            "{case}"
        );
    }
}

#[test]
fn means_and_standard_errors_are_those_of_scipy() {
    for case in cases("mean") {
        let found = mean(&numbers(&case["values"])).unwrap();
        assert_close(found.value, case["mean"].as_f64().unwrap(), 1e-14, &case);
        assert_close(
            found.stderr.unwrap(),
            case["stderr"].as_f64().unwrap(),
            1e-13,
            &case,
        );
    }
    for case in cases("difference") {
        let found = paired_difference(&numbers(&case["base"]), &numbers(&case["other"])).unwrap();
        assert!(
            (found.value - case["mean"].as_f64().unwrap()).abs() < 1e-15,
            "{case}"
        );
        assert_close(
            found.stderr.unwrap(),
            case["stderr"].as_f64().unwrap(),
            1e-13,
            &case,
        );
    }
}

#[test]
fn mcnemar_is_scipys_binomial_test() {
    for case in cases("mcnemar") {
        let [gained, lost] = counts(&case)[..2] else {
            panic!("{case}")
        };
        assert_close(
            mcnemar_exact(gained, lost),
            case[2].as_f64().unwrap(),
            1e-9,
            &case,
        );
    }
}

#[test]
fn wilson_is_scipys_interval() {
    for case in cases("wilson") {
        let [successes, n] = counts(&case)[..2] else {
            panic!("{case}")
        };
        let found = wilson_interval(successes, n, Z_95).unwrap();
        assert!(
            (found.low - case[2].as_f64().unwrap()).abs() < 1e-13,
            "{case}"
        );
        assert!(
            (found.high - case[3].as_f64().unwrap()).abs() < 1e-13,
            "{case}"
        );
    }
}
