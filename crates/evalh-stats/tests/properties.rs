//! What has to hold for any numbers.

use evalh_stats::{
    Bootstrap, Z_95, classification as class, correlation, mcnemar_exact, mean, paired_difference,
    pass_at_k,
    random::{PythonRandom, draw_stratified},
    wilson_interval,
};
use proptest::{collection::vec, prelude::*};

/// `n` samples of which `c` pass.
fn tally() -> impl Strategy<Value = (u64, u64)> {
    (1u64..400).prop_flat_map(|n| (Just(n), 0..=n))
}

const FEW: Bootstrap = Bootstrap {
    resamples: 20,
    seed: 0,
};

proptest! {
    #[test]
    fn metrics_of_labels_keep_their_ranges_and_do_not_see_the_order(
        pairs in vec((0usize..4, 0usize..4), 1..60),
        positive in 0usize..5,
    ) {
        let (gold, predicted): (Vec<usize>, Vec<usize>) = pairs.iter().copied().unzip();
        let (back_gold, back_predicted): (Vec<usize>, Vec<usize>) = pairs.iter().rev().copied().unzip();
        let of = |gold: &[usize], predicted: &[usize]| [
            class::accuracy(gold, predicted).unwrap(),
            class::balanced_accuracy(gold, predicted, FEW).unwrap(),
            class::f1(gold, predicted, positive, FEW).unwrap(),
            class::precision(gold, predicted, positive, FEW).unwrap(),
            class::recall(gold, predicted, positive, FEW).unwrap(),
            class::matthews(gold, predicted, FEW).unwrap(),
        ];
        for (forth, back) in of(&gold, &predicted).into_iter().zip(of(&back_gold, &back_predicted)) {
            prop_assert!((-1.0..=1.0 + 1e-12).contains(&forth.value));
            prop_assert!((forth.value - back.value).abs() < 1e-12);
            prop_assert!(forth.stderr.is_none_or(|error| (0.0..=1.1).contains(&error)));
            prop_assert_eq!(forth.stderr.is_some(), pairs.len() > 1);
        }
        // Precision of what is predicted is recall with the roles changed; F1 and Matthews do not see the roles.
        let [precision, recall] = [class::precision(&gold, &predicted, positive, FEW), class::recall(&predicted, &gold, positive, FEW)];
        prop_assert_eq!(precision, recall);
        prop_assert_eq!(class::f1(&gold, &predicted, positive, FEW), class::f1(&predicted, &gold, positive, FEW));
        prop_assert_eq!(class::matthews(&gold, &predicted, FEW), class::matthews(&predicted, &gold, FEW));
    }

    #[test]
    fn correlations_do_not_see_scale_and_ranks_do_not_see_a_curve(
        pairs in vec((-100i32..100, -100i32..100), 2..50),
        scale in 0.01..100.0_f64,
        shift in -1e3..1e3_f64,
    ) {
        let (x, y): (Vec<f64>, Vec<f64>) = pairs.iter().map(|&(x, y)| (f64::from(x), f64::from(y))).unzip();
        let moved: Vec<f64> = x.iter().map(|x| x * scale + shift).collect();
        let curved: Vec<f64> = x.iter().map(|x| (x / 10.0).exp()).collect();
        match correlation::pearson(&x, &y, FEW) {
            Some(found) => {
                prop_assert!((-1.0..=1.0).contains(&found.value));
                let again = correlation::pearson(&moved, &y, FEW).unwrap();
                prop_assert!((found.value - again.value).abs() < 1e-9);
                let [straight, bent] = [&x, &curved].map(|x| correlation::spearman(x, &y, FEW).unwrap());
                prop_assert_eq!(straight, bent);
            }
            None => prop_assert!(pairs.iter().all(|pair| pair.0 == pairs[0].0) || pairs.iter().all(|pair| pair.1 == pairs[0].1)),
        }
    }

    #[test]
    fn any_numbers_have_a_correlation_in_range_or_none(x in vec(any::<f64>(), 0..12), y in vec(any::<f64>(), 0..12)) {
        for metric in [correlation::pearson, correlation::spearman] {
            if let Some(found) = metric(&x, &y, FEW) {
                prop_assert!((-1.0..=1.0).contains(&found.value));
            }
        }
    }

    #[test]
    fn samples_are_different_places_of_the_population(seed in any::<u64>(), population in 0usize..500, count in 0usize..500) {
        let sample = PythonRandom::new(seed).sample(population, count);
        prop_assert_eq!(sample.is_some(), count <= population);
        if let Some(mut places) = sample {
            prop_assert_eq!(places.len(), count);
            places.sort_unstable();
            places.dedup();
            prop_assert_eq!(places.len(), count);
            prop_assert!(places.iter().all(|&place| place < population));
        }
    }

    #[test]
    fn a_stratified_draw_gives_each_task_its_share(sizes in vec(0usize..80, 0..12), items in 0usize..900, seed in any::<u64>()) {
        let drawn = draw_stratified(&sizes, items, seed);
        let total: usize = sizes.iter().sum();
        prop_assert_eq!(drawn.len(), sizes.len());
        prop_assert_eq!(drawn.iter().map(Vec::len).sum::<usize>(), items.min(total));
        for (rows, &size) in drawn.iter().zip(&sizes) {
            prop_assert!(rows.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(rows.iter().all(|&row| row < size));
            if items < total {
                let quota = items as f64 * size as f64 / total as f64;
                prop_assert!((rows.len() as f64 - quota).abs() < 1.0);
            }
        }
        prop_assert_eq!(draw_stratified(&sizes, items, seed), drawn);
    }

    #[test]
    fn pass_at_k_is_a_rate_that_grows_with_k((n, c) in tally()) {
        let rates: Vec<f64> = (1..=n).map(|k| pass_at_k(n, c, k).unwrap()).collect();
        prop_assert!(rates.iter().all(|rate| (0.0..=1.0).contains(rate)));
        prop_assert!(rates.windows(2).all(|pair| pair[0] <= pair[1] + 1e-12));
        prop_assert!((rates[0] - c as f64 / n as f64).abs() < 1e-12);
    }

    #[test]
    fn pass_at_k_grows_with_the_passes((n, c) in tally(), k in 1u64..400) {
        if let (Some(fewer), Some(more)) = (pass_at_k(n, c, k), pass_at_k(n, c + 1, k)) {
            prop_assert!(fewer <= more + 1e-12);
        }
    }

    #[test]
    fn pass_at_k_is_the_share_of_subsets_that_pass(n in 1u32..9, mask in any::<u32>(), k in 1u32..9) {
        prop_assume!(k <= n);
        let passing = mask & ((1 << n) - 1);
        let subsets: Vec<u32> = (0u32..1 << n).filter(|subset| subset.count_ones() == k).collect();
        let hits = subsets.iter().filter(|&&subset| subset & passing != 0).count();
        let expected = hits as f64 / subsets.len() as f64;
        let found = pass_at_k(n.into(), passing.count_ones().into(), k.into()).unwrap();
        prop_assert!((found - expected).abs() < 1e-12);
    }

    #[test]
    fn any_numbers_are_survived(n in any::<u64>(), c in any::<u64>(), k in any::<u64>()) {
        // A product over c factors: keep it short, the arithmetic at the ends is what is tried.
        if c < 10_000 || c > n {
            pass_at_k(n, c, k);
        }
        wilson_interval(c, n, Z_95);
    }

    #[test]
    fn mcnemar_is_a_symmetric_probability_that_falls_with_the_imbalance(lost in 0u64..300, extra in 0u64..300) {
        let p = mcnemar_exact(lost + extra, lost);
        prop_assert!(p > 0.0 && p <= 1.0);
        prop_assert!((p - mcnemar_exact(lost, lost + extra)).abs() < 1e-15);
        prop_assert!(mcnemar_exact(lost + extra + 1, lost) <= p + 1e-12);
    }

    #[test]
    fn the_interval_holds_the_rate((n, c) in tally()) {
        let interval = wilson_interval(c, n, Z_95).unwrap();
        let rate = c as f64 / n as f64;
        prop_assert!(0.0 <= interval.low && interval.low <= rate && rate <= interval.high && interval.high <= 1.0);
    }

    #[test]
    fn the_mean_lies_between_the_ends_and_shifts_with_them(values in vec(-1e3..1e3_f64, 2..60), shift in -1e3..1e3_f64) {
        let found = mean(&values).unwrap();
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        prop_assert!(low - 1e-9 <= found.value && found.value <= high + 1e-9);
        let shifted: Vec<f64> = values.iter().map(|value| value + shift).collect();
        let difference = paired_difference(&values, &shifted).unwrap();
        prop_assert!((difference.value - shift).abs() < 1e-9 && difference.stderr.unwrap() < 1e-9);
    }
}
