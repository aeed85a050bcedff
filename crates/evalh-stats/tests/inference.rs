//! Tests, intervals and power against `SciPy` and `statsmodels`; `make_inference.py` writes `data/inference.json`.

use evalh_stats::{
    Estimate, Interval, Resampled, Resampling, cluster_means, clustered_mean, cohens_d,
    equivalence, holm, items_needed, mean, minimum_detectable_effect, non_inferiority,
    normal_quantile, t_interval, t_test, tango_interval, tango_non_inferiority, wilcoxon,
};
use serde_json::Value;

/// How far from the reference a value may be, for numbers of size 1 and relative below.
const NEAR: f64 = 1e-9;

fn all() -> Value {
    serde_json::from_str(include_str!("data/inference.json")).unwrap()
}

fn list(value: &Value) -> &[Value] {
    let list = value.as_array().unwrap();
    assert!(!list.is_empty());
    list
}

fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().map(number).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn places(value: &Value) -> Vec<usize> {
    list(value)
        .iter()
        .map(|x| x.as_u64().unwrap() as usize)
        .collect()
}

#[track_caller]
fn assert_near(found: f64, expected: f64, case: &Value) {
    assert!(
        (found - expected).abs() <= NEAR * expected.abs(),
        "{found} is not {expected}: {case}"
    );
}

/// The ends of an interval, which may be near 0, to the precision of its width.
#[track_caller]
fn assert_interval(found: Interval, expected: &[f64], case: &Value) {
    let allowed = NEAR * (expected[1] - expected[0]);
    assert!(
        (found.low - expected[0]).abs() <= allowed && (found.high - expected[1]).abs() <= allowed,
        "{found:?} is not {expected:?}: {case}"
    );
}

#[test]
fn normal_quantiles_are_scipys() {
    for case in list(&all()["normal_quantile"]) {
        let [p, z] = numbers(case)[..] else {
            panic!("{case}")
        };
        assert!((normal_quantile(p) - z).abs() <= 1e-12 * z.abs(), "{case}");
    }
    assert!(normal_quantile(1.5).is_nan() && normal_quantile(f64::NAN).is_nan());
    assert!(normal_quantile(0.0) < f64::MIN && normal_quantile(1.0) > f64::MAX);
}

#[test]
fn t_tests_and_effect_sizes_are_scipys() {
    let all = all();
    for case in list(&all["t_test"]) {
        let differences =
            numbers(&all["differences"][case["differences"].as_u64().unwrap() as usize]);
        let found = t_test(&differences).unwrap();
        for (name, value) in [("t", found.t), ("df", found.df), ("p", found.p)] {
            assert_near(value, number(&case[name]), case);
        }
        assert_near(cohens_d(&differences).unwrap(), number(&case["d"]), case);
        for interval in list(&case["intervals"]) {
            let expected = numbers(interval);
            assert_interval(found.interval(expected[0]), &expected[1..], case);
            let of_mean = t_interval(mean(&differences).unwrap(), expected[0]).unwrap();
            assert_interval(of_mean, &expected[1..], case);
        }
    }
}

/// An estimate of 0 with a standard error of 1.
fn unit(n: &Value) -> Estimate {
    Estimate {
        value: 0.0,
        stderr: Some(1.0),
        n: n.as_u64().unwrap() as usize,
    }
}

#[test]
fn students_t_is_scipys_from_two_to_a_billion_items() {
    let all = all();
    for case in list(&all["t_tail"]) {
        let found = non_inferiority(unit(&case[0]), number(&case[1]), 0.95).unwrap();
        assert_near(found.p, number(&case[2]), case);
    }
    for case in list(&all["t_quantile"]) {
        let found = t_interval(unit(&case[0]), number(&case[1])).unwrap();
        assert_near(found.high, number(&case[2]), case);
        assert_near(found.low, -number(&case[2]), case);
    }
}

#[test]
fn signed_ranks_are_scipys_exact_with_ties_and_normal() {
    let mut compared = [0, 0];
    for case in list(&all()["wilcoxon"]) {
        let found = wilcoxon(&numbers(&case["differences"])).unwrap();
        assert_near(found.statistic, number(&case["statistic"]), case);
        assert_near(found.p, number(&case["p"]), case);
        assert_eq!(Some(found.exact), case["exact"].as_bool(), "{case}");
        compared[usize::from(found.exact)] += 1;
    }
    assert_eq!(compared, [4, 11]);
}

#[test]
fn families_are_corrected_as_by_statsmodels() {
    for case in list(&all()["holm"]) {
        for (found, expected) in holm(&numbers(&case["p"]))
            .into_iter()
            .zip(numbers(&case["adjusted"]))
        {
            assert_near(found, expected, case);
        }
    }
}

#[test]
fn clustered_errors_are_those_of_statsmodels() {
    for case in list(&all()["clustered"]) {
        let (values, clusters) = (numbers(&case["values"]), places(&case["clusters"]));
        let found = clustered_mean(&values, &clusters).unwrap();
        assert_near(found.value, number(&case["mean"]), case);
        assert_near(found.stderr.unwrap(), number(&case["stderr"]), case);
        assert_interval(
            t_interval(found, 0.95).unwrap(),
            &numbers(&case["interval"]),
            case,
        );
        let by_cluster = t_test(&cluster_means(&values, &clusters)).unwrap();
        assert_near(by_cluster.t, number(&case["t_of_means"]), case);
        assert_near(by_cluster.p, number(&case["p_of_means"]), case);
    }
}

#[test]
fn power_is_that_of_the_noncentral_t() {
    let all = all();
    for case in list(&all["power"]["detectable"]) {
        let [n, alpha, power, d] = numbers(case)[..] else {
            panic!("{case}")
        };
        let found = minimum_detectable_effect(0.4, n as usize, alpha, power).unwrap();
        assert_near(found, 0.4 * d, case);
    }
    for case in list(&all["power"]["needed"]) {
        let [d, alpha, power, n] = numbers(case)[..] else {
            panic!("{case}")
        };
        for effect in [d, -d] {
            assert_eq!(
                items_needed(0.5, 0.5 * effect, alpha, power),
                Some(n as u64),
                "{case}"
            );
        }
    }
}

#[test]
fn margins_are_tested_as_by_scipy_and_statsmodels() {
    let all = all();
    for case in list(&all["margin"]) {
        let differences =
            numbers(&all["differences"][case["differences"].as_u64().unwrap() as usize]);
        let (margin, confidence) = (number(&case["margin"]), number(&case["confidence"]));
        let difference = mean(&differences).unwrap();
        let found = non_inferiority(difference, margin, confidence).unwrap();
        assert_near(found.p, number(&case["p"]), case);
        let width = difference.stderr.unwrap();
        assert!(
            (found.bound - number(&case["bound"])).abs() <= NEAR * width,
            "{case}"
        );
        let found = equivalence(difference, margin, confidence).unwrap();
        assert_near(found.p, number(&case["p_equivalent"]), case);
        assert_interval(found.interval, &numbers(&case["interval"]), case);
    }
}

#[test]
fn tangos_score_is_that_of_the_restricted_likelihood() {
    for case in list(&all()["tango"]) {
        let [gained, lost, n] = ["gained", "lost", "n"].map(|name| case[name].as_u64().unwrap());
        let found = tango_interval(gained, lost, n, number(&case["confidence"])).unwrap();
        assert_interval(found, &numbers(&case["interval"]), case);
        for test in list(&case["tests"]) {
            let found = tango_non_inferiority(gained, lost, n, number(&test[0])).unwrap();
            assert_near(found, number(&test[1]), case);
        }
    }
}

/// Airway data that Fagerland, Lydersen and Laake 2014 (Statistics in Medicine 33:2850) give this interval of.
#[test]
fn tangos_interval_is_the_published_one() {
    let found = tango_interval(1, 7, 21, 0.95).unwrap();
    assert!(
        (found.low + 0.517).abs() < 5e-4 && (found.high + 0.026).abs() < 5e-4,
        "{found:?}"
    );
}

#[track_caller]
fn assert_resampled(case: &Value, resample: impl Fn(Resampling, f64) -> Option<Resampled>) {
    let resampling = Resampling {
        resamples: case["resamples"].as_u64().unwrap() as u32,
        seed: case["seed"].as_u64().unwrap(),
    };
    let found = resample(resampling, number(&case["confidence"])).unwrap();
    assert_near(found.stderr, number(&case["stderr"]), case);
    assert_interval(found.percentile, &numbers(&case["percentile"]), case);
    assert_interval(found.bca.unwrap(), &numbers(&case["BCa"]), case);
}

fn sum(values: &[f64], drawn: &[usize]) -> f64 {
    drawn.iter().map(|&item| values[item]).sum()
}

#[test]
fn intervals_of_resamples_are_scipys_of_the_same_draws() {
    let all = all();
    for case in list(&all["bootstrap"]["means"]) {
        let values = numbers(&case["values"]);
        let mean_of = |drawn: &[usize]| Some(sum(&values, drawn) / drawn.len() as f64);
        assert_resampled(case, |with, confidence| {
            with.items(values.len(), confidence, mean_of)
        });
        // Few items are drawn one by one there, too.
        if values.len() == 25 {
            assert_resampled(case, |with, confidence| with.mean(&values, confidence));
        }
    }
    for case in list(&all["bootstrap"]["ratios"]) {
        let (above, below) = (numbers(&case["above"]), numbers(&case["below"]));
        assert_resampled(case, |with, confidence| {
            with.items(above.len(), confidence, |drawn| {
                Some(sum(&above, drawn) / sum(&below, drawn))
            })
        });
    }
}

#[test]
fn clusters_are_drawn_with_all_their_items() {
    for case in list(&all()["bootstrap"]["clusters"]) {
        let (values, clusters) = (numbers(&case["values"]), places(&case["clusters"]));
        assert_resampled(case, |with, confidence| {
            with.clusters(&clusters, confidence, |drawn| {
                Some(sum(&values, drawn) / drawn.len() as f64)
            })
        });
    }
}

/// Counting how often each value is drawn is the same distribution as drawing items.
#[test]
fn counted_resamples_spread_as_drawn_ones() {
    let all = all();
    let values = numbers(all["differences"].as_array().unwrap().last().unwrap());
    assert_eq!(values.len(), 3000);
    let with = Resampling {
        resamples: 3000,
        seed: 0,
    };
    let counted = with.mean(&values, 0.95).unwrap();
    let exact = mean(&values).unwrap().stderr.unwrap() * (2999.0_f64 / 3000.0).sqrt();
    // Of 3000 resamples a standard deviation has a standard error of 1.3 %, and such a quantile one of 5 % of it.
    assert!((counted.stderr / exact - 1.0).abs() < 0.05);
    let drawn = with
        .items(3000, 0.95, |drawn| Some(sum(&values, drawn) / 3000.0))
        .unwrap();
    assert_ne!(counted.stderr.to_bits(), drawn.stderr.to_bits());
    for (a, b) in [
        (counted.percentile.low, drawn.percentile.low),
        (counted.percentile.high, drawn.percentile.high),
        (counted.bca.unwrap().low, drawn.bca.unwrap().low),
        (counted.bca.unwrap().high, drawn.bca.unwrap().high),
    ] {
        assert!((a - b).abs() < 0.25 * exact, "{a} {b} {exact}");
    }
}

/// Relations of the figures published for the Aletheia table (10 models, 3 rows each), whose rows are not at hand:
/// t = 5.31 with d = 1.68 over models, 9.53 with 1.74 over rows.
#[test]
fn published_effect_sizes_go_with_their_t() {
    for (n, t, d) in [(10, 5.31, 1.68), (30, 9.53, 1.74)] {
        // Any differences will do: shifted so that d is the published one.
        let spread: Vec<f64> = (0..n).map(|i| f64::from(i % 7)).collect();
        let estimate = mean(&spread).unwrap();
        let sd = estimate.stderr.unwrap() * f64::from(n).sqrt();
        let shifted: Vec<f64> = spread.iter().map(|x| x - estimate.value + d * sd).collect();
        assert!((cohens_d(&shifted).unwrap() - d).abs() < 1e-12);
        assert!((t_test(&shifted).unwrap().t - t).abs() < 0.005 * f64::from(n).sqrt());
    }
}
