//! What has to hold for any numbers.

use evalh_stats::{Z_95, mcnemar_exact, mean, paired_difference, pass_at_k, wilson_interval};
use proptest::{collection::vec, prelude::*};

/// `n` samples of which `c` pass.
fn tally() -> impl Strategy<Value = (u64, u64)> {
    (1u64..400).prop_flat_map(|n| (Just(n), 0..=n))
}

proptest! {
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
