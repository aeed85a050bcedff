//! What holds of tests and intervals for any differences.

use evalh_stats::{
    Estimate, Resampled, Resampling, cluster_means, clustered_mean, cohens_d, equivalence, holm,
    items_needed, mean, minimum_detectable_effect, non_inferiority, normal_quantile, t_interval,
    t_test, tango_interval, tango_non_inferiority, wilcoxon, win_rate,
};
use proptest::{
    collection::vec,
    num::f64::{ANY, NORMAL, SUBNORMAL, ZERO},
    prelude::*,
};

const FEW: Resampling = Resampling {
    resamples: 60,
    seed: 1,
};

/// Differences on a grid, so that ties, zeros and equal values come up.
fn differences() -> impl Strategy<Value = Vec<f64>> {
    vec((-8..=8i32).prop_map(|x| f64::from(x) / 4.0), 2..80)
}

fn reversed(values: &[f64]) -> Vec<f64> {
    values.iter().rev().copied().collect()
}

fn negated(values: &[f64]) -> Vec<f64> {
    values.iter().map(|x| -x).collect()
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

fn table() -> impl Strategy<Value = (u64, u64, u64)> {
    (0..60u64, 0..60u64, 0..400u64)
        .prop_map(|(gained, lost, same)| (gained, lost, gained + lost + same + 1))
}

proptest! {
    #[test]
    fn anything_goes_in_without_a_panic(values in vec(ANY, 0..9), other in ANY, third in ANY, n in 0usize..5, clusters in vec(any::<usize>(), 0..9)) {
        t_test(&values);
        cohens_d(&values);
        win_rate(&values);
        wilcoxon(&values);
        holm(&values);
        clustered_mean(&values, &clusters);
        cluster_means(&values, &clusters);
        FEW.mean(&values, other);
        FEW.items(n, 0.9, |_| Some(other));
        FEW.clusters(&clusters, third, |drawn| values.get(drawn[0]).copied());
        normal_quantile(other);
        for stderr in [None, Some(other), Some(third)] {
            let estimate = Estimate { value: third, stderr, n };
            t_interval(estimate, 0.95);
            t_interval(estimate, other);
            non_inferiority(estimate, other, third);
            non_inferiority(estimate, 0.1, 0.9);
            equivalence(estimate, third, other);
            equivalence(estimate, 0.1, 0.9);
        }
    }

    #[test]
    fn extreme_numbers_do_no_harm(values in vec(NORMAL | SUBNORMAL | ZERO, 2..6)) {
        if let Some(test) = t_test(&values) {
            prop_assert!((0.0..=1.0).contains(&test.p));
            test.interval(0.99);
        }
        prop_assert!((0.0..=1.0).contains(&wilcoxon(&values).unwrap().p));
        let many: Vec<f64> = values.iter().cycle().take(200).copied().collect();
        for values in [&values, &many] {
            FEW.mean(values, 0.99);
            FEW.items(values.len(), 0.99, |drawn| Some(values[drawn[0]]));
        }
        if let Some(difference) = mean(&values) {
            non_inferiority(difference, values[0], 0.95);
            equivalence(difference, values[1], 0.95);
        }
    }

    #[test]
    fn plans_of_anything_end(sd in ANY, effect in ANY, n in 0usize..1000) {
        minimum_detectable_effect(sd, n, 0.05, 0.8);
        items_needed(sd, effect, 0.05, 0.8);
        minimum_detectable_effect(1.0, 10, sd, effect);
    }

    #[test]
    fn signs_and_order_do_not_change_p(values in differences()) {
        if let Some(test) = t_test(&values) {
            for other in [reversed(&values), negated(&values)] {
                prop_assert!(near(test.p, t_test(&other).unwrap().p));
            }
            prop_assert!(test.p > 0.0 && test.p <= 1.0);
            prop_assert!(near(test.t, cohens_d(&values).unwrap() * (values.len() as f64).sqrt()));
        }
        let ranks = wilcoxon(&values).unwrap();
        prop_assert_eq!(ranks, wilcoxon(&reversed(&values)).unwrap());
        prop_assert_eq!(ranks, wilcoxon(&negated(&values)).unwrap());
        prop_assert!(ranks.p > 0.0 && ranks.p <= 1.0);
        let wins = win_rate(&values).unwrap();
        prop_assert!(near(wins.rate() + win_rate(&negated(&values)).unwrap().rate(), 1.0));
    }

    #[test]
    fn intervals_hold_the_mean_and_grow_with_confidence(values in differences(), low in 0.05..0.9f64, more in 0.01..0.09f64) {
        let estimate = mean(&values).unwrap();
        if let Some(narrow) = t_interval(estimate, low) {
            let wide = t_interval(estimate, low + more).unwrap();
            prop_assert!(wide.low < narrow.low && narrow.low < estimate.value);
            prop_assert!(estimate.value < narrow.high && narrow.high < wide.high);
            prop_assert_eq!(t_test(&values).unwrap().interval(low), narrow);
        }
    }

    #[test]
    fn a_wider_margin_is_met_with_more_certainty(values in differences(), margin in 0.01..2.0f64, more in 0.01..2.0f64) {
        let difference = mean(&values).unwrap();
        if let Some(narrow) = non_inferiority(difference, margin, 0.95) {
            prop_assert!(non_inferiority(difference, margin + more, 0.95).unwrap().p <= narrow.p);
            prop_assert_eq!(narrow.p < 0.05, narrow.bound > -margin);
            let both = equivalence(difference, margin, 0.95).unwrap();
            prop_assert!(both.p >= narrow.p);
            prop_assert_eq!(both.p < 0.05, both.interval.low > -margin && both.interval.high < margin);
        }
    }

    #[test]
    fn tangos_interval_mirrors_holds_the_difference_and_goes_with_its_test((gained, lost, n) in table(), margin in 0.001..0.9f64) {
        let found = tango_interval(gained, lost, n, 0.9).unwrap();
        let mirrored = tango_interval(lost, gained, n, 0.9).unwrap();
        prop_assert!((found.low + mirrored.high).abs() < 1e-12 && (found.high + mirrored.low).abs() < 1e-12);
        let seen = (gained as f64 - lost as f64) / n as f64;
        prop_assert!(-1.0 <= found.low && found.low <= seen && seen <= found.high && found.high <= 1.0);
        prop_assert!(found.low < found.high);
        let p = tango_non_inferiority(gained, lost, n, margin).unwrap();
        prop_assert!((0.0..=1.0).contains(&p));
        // A one-sided test at 5 % and a two-sided interval of 90 % have one lower end.
        if (found.low + margin).abs() > 1e-9 {
            prop_assert_eq!(p < 0.05, found.low > -margin);
        }
        prop_assert!(tango_non_inferiority(gained, lost, n, margin + 0.05).unwrap() <= p + 1e-12);
    }

    #[test]
    fn corrected_values_are_no_smaller_and_keep_their_order(p in vec(0.0..=1.0f64, 1..20)) {
        let adjusted = holm(&p);
        for (a, &raw) in adjusted.iter().zip(&p) {
            prop_assert!(*a >= raw && *a <= 1.0 && *a <= raw * p.len() as f64);
        }
        for i in 0..p.len() {
            for j in 0..p.len() {
                prop_assert!(p[i] > p[j] || adjusted[i] <= adjusted[j]);
            }
        }
        prop_assert_eq!(holm(&reversed(&p)), reversed(&adjusted));
    }

    #[test]
    fn clusters_go_by_membership_and_not_by_name(values in differences(), groups in 2usize..9) {
        let clusters: Vec<usize> = (0..values.len()).map(|item| item * 7 % groups).collect();
        let renamed: Vec<usize> = clusters.iter().map(|cluster| usize::MAX - cluster).collect();
        let (found, other) = (clustered_mean(&values, &clusters).unwrap(), clustered_mean(&values, &renamed).unwrap());
        prop_assert!(near(found.value, other.value) && found.n == other.n);
        prop_assert_eq!(found.stderr.is_some(), other.stderr.is_some());
        if let (Some(a), Some(b)) = (found.stderr, other.stderr) {
            prop_assert!(near(a, b));
        }
        let mut means = cluster_means(&values, &renamed);
        means.reverse();
        prop_assert_eq!(means, cluster_means(&values, &clusters));
    }

    #[test]
    fn plans_fit_each_other_and_fall_with_items(n in 2usize..3000, sd in 0.01..10.0f64) {
        let effect = minimum_detectable_effect(sd, n, 0.05, 0.8).unwrap();
        prop_assert!(minimum_detectable_effect(sd, n + 1, 0.05, 0.8).unwrap() < effect);
        prop_assert_eq!(items_needed(sd, effect * (1.0 + 1e-9), 0.05, 0.8), Some(n as u64));
        prop_assert!(n == 2 || items_needed(sd, effect * (1.0 - 1e-9), 0.05, 0.8) == Some(n as u64 + 1));
    }

    #[test]
    fn resamples_move_and_scale_with_the_values(values in differences(), shift in -5..5i32, seed in any::<u64>()) {
        let with = Resampling { resamples: 200, seed };
        let Some(found) = with.mean(&values, 0.9) else {
            prop_assert!(t_test(&values).is_none());
            return Ok(());
        };
        prop_assert_eq!(with.mean(&values, 0.9), Some(found));
        let other: Vec<f64> = values.iter().map(|x| 2.0 * x + f64::from(shift)).collect();
        let moved = with.mean(&other, 0.9).unwrap();
        let expected = |x: f64| 2.0 * x + f64::from(shift);
        prop_assert!(near(moved.value, expected(found.value)) && near(moved.stderr, 2.0 * found.stderr));
        prop_assert!(near(moved.percentile.low, expected(found.percentile.low)));
        prop_assert!(near(moved.percentile.high, expected(found.percentile.high)));
        let (low, high) = ends(&values);
        prop_assert!(low <= found.percentile.low && found.percentile.low <= found.percentile.high && found.percentile.high <= high);
    }
}

fn ends(values: &[f64]) -> (f64, f64) {
    values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| {
            (low.min(x), high.max(x))
        })
}

#[test]
fn counted_means_do_not_depend_on_the_order_of_items() {
    let values: Vec<f64> = (0..300).map(|i| [0.0, 1.0, -1.0, 0.0][i % 4]).collect();
    let found: Option<Resampled> = FEW.mean(&values, 0.9);
    assert!(found.is_some());
    assert_eq!(found, FEW.mean(&reversed(&values), 0.9));
}

#[test]
fn statistics_that_are_not_defined_are_left_out_up_to_half() {
    let mut calls = 0;
    let mut defined_for = |share: u32| {
        calls = 0;
        FEW.items(4, 0.9, |drawn| {
            calls += 1;
            (calls <= share).then(|| drawn[0] as f64)
        })
    };
    // The first call is for all items as they are.
    assert!(defined_for(31).is_some_and(|found| found.bca.is_none()));
    assert_eq!(defined_for(30), None);
    assert_eq!(defined_for(0), None);
}

#[test]
fn what_does_not_spread_has_no_interval() {
    assert_eq!(FEW.mean(&[0.1; 50], 0.95), None);
    assert_eq!(FEW.items(50, 0.95, |_| Some(1.0)), None);
    assert_eq!(
        FEW.clusters(&[3; 50], 0.95, |drawn| Some(drawn.len() as f64)),
        None
    );
    assert_eq!(FEW.items(1, 0.95, |_| Some(1.0)), None);
    let none = Resampling {
        resamples: 0,
        seed: 0,
    };
    assert_eq!(none.mean(&[0.0, 1.0], 0.95), None);
    assert_eq!(none.items(2, 0.95, |drawn| Some(drawn[0] as f64)), None);
}
