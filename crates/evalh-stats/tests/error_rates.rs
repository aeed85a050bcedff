//! How often tests reject what is true, and intervals miss it, over seeded draws: at most their level, and where they are
//! not conservative by nature, as often as that.

use evalh_stats::{
    Interval, Resampling, clustered_mean, equivalence, holm, mcnemar_exact, mean,
    minimum_detectable_effect, non_inferiority, normal_quantile, random::PythonRandom, t_interval,
    t_test, tango_interval, tango_non_inferiority, wilcoxon,
};

const LEVEL: f64 = 0.05;

/// Four standard errors of a share of `draws`: a right rate is off by more in one of 16,000 draws of the seed.
fn band(share: f64, draws: u32) -> f64 {
    4.0 * (share * (1.0 - share) / f64::from(draws)).sqrt()
}

/// The share of `draws` in which `happens`.
fn rate(seed: u64, draws: u32, mut happens: impl FnMut(&mut PythonRandom) -> bool) -> f64 {
    let mut random = PythonRandom::new(seed);
    f64::from((0..draws).filter(|_| happens(&mut random)).count() as u32) / f64::from(draws)
}

/// The rate is the share itself, but for the draws' error and what an approximation may be off by.
#[track_caller]
fn assert_rate(found: f64, share: f64, draws: u32, approximation: f64) {
    let allowed = band(share, draws) + approximation;
    assert!(
        (found - share).abs() <= allowed,
        "{found} is not {share} +- {allowed}"
    );
}

/// The rate of a test whose p-values are discrete: at most the share, but some of it.
#[track_caller]
fn assert_at_most(found: f64, share: f64, draws: u32) {
    let allowed = band(share, draws);
    assert!(
        found <= share + allowed && found > share / 10.0,
        "{found} is not at most {share}"
    );
}

fn normal(random: &mut PythonRandom, mean: f64, sd: f64) -> f64 {
    // The middle of the draw's cell, so never 0.
    mean + sd * normal_quantile(random.random() + 0.5f64.powi(54))
}

fn normals(random: &mut PythonRandom, n: usize, mean: f64, sd: f64) -> Vec<f64> {
    (0..n).map(|_| normal(random, mean, sd)).collect()
}

/// How many of `n` paired answers are gained and lost at these rates.
fn answers(random: &mut PythonRandom, n: u64, gained: f64, lost: f64) -> (u64, u64) {
    let (mut won, mut gone) = (0, 0);
    for _ in 0..n {
        let at = random.random();
        won += u64::from(at < gained);
        gone += u64::from(at >= gained && at < gained + lost);
    }
    (won, gone)
}

fn differences((gained, lost): (u64, u64), n: u64) -> Vec<f64> {
    let mut all = vec![1.0; gained as usize];
    all.resize((gained + lost) as usize, -1.0);
    all.resize(n as usize, 0.0);
    all
}

fn misses(interval: Interval, truth: f64) -> bool {
    truth < interval.low || truth > interval.high
}

#[test]
fn exact_mcnemar_rejects_at_most_at_its_level() {
    let found = rate(1, 5000, |random| {
        let (gained, lost) = answers(random, 150, 0.1, 0.1);
        mcnemar_exact(gained, lost) <= LEVEL
    });
    assert_at_most(found, LEVEL, 5000);
}

#[test]
fn the_t_test_rejects_at_its_level_over_few_and_many_seeds() {
    for n in [3, 10, 40] {
        let found = rate(n as u64, 10_000, |random| {
            t_test(&normals(random, n, 0.0, 0.3)).unwrap().p <= LEVEL
        });
        assert_rate(found, LEVEL, 10_000, 0.0);
    }
}

#[test]
fn signed_ranks_reject_at_most_at_their_level() {
    for n in [6, 20, 80] {
        let found = rate(n as u64, 4000, |random| {
            wilcoxon(&normals(random, n, 0.0, 1.0)).unwrap().p <= LEVEL
        });
        assert_at_most(found, LEVEL, 4000);
        let found = rate(n as u64, 4000, |random| {
            let tied: Vec<f64> = (0..n)
                .map(|_| (random.random() * 5.0).floor() - 2.0)
                .collect();
            wilcoxon(&tied).unwrap().p <= LEVEL
        });
        assert_at_most(found, LEVEL, 4000);
    }
}

/// The percentile interval is known to be too narrow by about `1 / (2 n)` and for normal quantiles in place of t's: over
/// 40 items it misses in 6 % in place of 5.
#[test]
fn bootstrap_intervals_miss_at_their_level() {
    let with = |seed| Resampling {
        resamples: 300,
        seed,
    };
    let draws = 600;
    let (mut percentile, mut bca) = (0.0, 0.0);
    rate(2, draws, |random| {
        let values = normals(random, 40, 0.2, 1.0);
        let found = with(random.getrandbits(64))
            .mean(&values, 1.0 - LEVEL)
            .unwrap();
        percentile += f64::from(u8::from(misses(found.percentile, 0.2)));
        bca += f64::from(u8::from(misses(found.bca.unwrap(), 0.2)));
        true
    });
    assert_rate(percentile / f64::from(draws), LEVEL, draws, 0.01);
    assert_rate(bca / f64::from(draws), LEVEL, draws, 0.01);

    // Right and wrong answers, which are counted.
    let draws = 2000;
    let found = rate(3, draws, |random| {
        let values = differences(answers(random, 400, 0.12, 0.08), 400);
        let found = with(random.getrandbits(64))
            .mean(&values, 1.0 - LEVEL)
            .unwrap();
        misses(found.bca.unwrap(), 0.04)
    });
    assert_rate(found, LEVEL, draws, 0.01);
}

#[test]
fn clusters_drawn_anew_miss_at_their_level_where_items_miss_far_more() {
    let draws = 400;
    let with = Resampling {
        resamples: 200,
        seed: 5,
    };
    let clusters: Vec<usize> = (0..120).map(|item| item / 3).collect();
    let (mut by_cluster, mut by_item) = (0, 0);
    rate(4, draws, |random| {
        let effects = normals(random, 40, 0.0, 1.0);
        let values: Vec<f64> = clusters
            .iter()
            .map(|&c| effects[c] + normal(random, 0.0, 0.5))
            .collect();
        let mean_of = |drawn: &[usize]| {
            Some(drawn.iter().map(|&item| values[item]).sum::<f64>() / drawn.len() as f64)
        };
        let found = with.clusters(&clusters, 1.0 - LEVEL, mean_of).unwrap();
        by_cluster += u32::from(misses(found.percentile, 0.0));
        by_item += u32::from(misses(
            with.mean(&values, 1.0 - LEVEL).unwrap().percentile,
            0.0,
        ));
        true
    });
    // 40 clusters: 6 % for normal quantiles in place of t's.
    assert_rate(
        f64::from(by_cluster) / f64::from(draws),
        LEVEL,
        draws,
        0.015,
    );
    assert!(f64::from(by_item) / f64::from(draws) > 0.2, "{by_item}");
}

#[test]
fn clustered_errors_hold_the_level_where_rows_do_not() {
    let draws = 4000;
    let clusters: Vec<usize> = (0..30).map(|row| row / 3).collect();
    let mut by_row = 0;
    let by_model = rate(6, draws, |random| {
        let models = normals(random, 10, 0.0, 1.0);
        let rows: Vec<f64> = clusters
            .iter()
            .map(|&m| models[m] + normal(random, 0.0, 0.3))
            .collect();
        by_row += u32::from(t_test(&rows).unwrap().p <= LEVEL);
        let clustered = clustered_mean(&rows, &clusters).unwrap();
        misses(t_interval(clustered, 1.0 - LEVEL).unwrap(), 0.0)
    });
    assert_rate(by_model, LEVEL, draws, 0.0);
    assert!(f64::from(by_row) / f64::from(draws) > 0.2, "{by_row}");
}

/// The score interval is approximate: its error rates lie about the level, here within one percent.
#[test]
fn tangos_interval_and_test_hold_their_level_with_few_items_that_differ() {
    let draws = 4000;
    for (n, gained, lost) in [(60, 0.05, 0.05), (200, 0.01, 0.03), (400, 0.08, 0.05)] {
        let found = rate(n, draws, |random| {
            let (won, gone) = answers(random, n, gained, lost);
            misses(
                tango_interval(won, gone, n, 1.0 - LEVEL).unwrap(),
                gained - lost,
            )
        });
        assert_rate(found, LEVEL, draws, 0.015);
    }
    for (n, gained, lost) in [(100, 0.0, 0.05), (100, 0.03, 0.08), (400, 0.01, 0.06)] {
        let found = rate(n, draws, |random| {
            let (won, gone) = answers(random, n, gained, lost);
            tango_non_inferiority(won, gone, n, 0.05).unwrap() <= LEVEL
        });
        assert!(
            found <= LEVEL + band(LEVEL, draws) + 0.01,
            "{n} {gained} {lost}: {found}"
        );
    }
}

#[test]
fn non_inferiority_is_found_at_its_level_on_the_margin() {
    let draws = 10_000;
    let found = rate(8, draws, |random| {
        let difference = mean(&normals(random, 25, -0.1, 0.4)).unwrap();
        non_inferiority(difference, 0.1, 1.0 - LEVEL).unwrap().p <= LEVEL
    });
    assert_rate(found, LEVEL, draws, 0.0);
    let draws = 1500;
    let found = rate(9, draws, |random| {
        let values = differences(answers(random, 500, 0.06, 0.11), 500);
        non_inferiority(mean(&values).unwrap(), 0.05, 1.0 - LEVEL)
            .unwrap()
            .bound
            > -0.05
    });
    assert_rate(found, LEVEL, draws, 0.01);
}

#[test]
fn equivalence_is_found_at_its_level_on_either_margin() {
    let draws = 6000;
    for truth in [-0.1, 0.1] {
        let found = rate(10, draws, |random| {
            let difference = mean(&normals(random, 25, truth, 0.2)).unwrap();
            equivalence(difference, 0.1, 1.0 - LEVEL).unwrap().p <= LEVEL
        });
        assert_rate(found, LEVEL, draws, 0.0);
    }
}

#[test]
fn holm_keeps_the_rate_of_a_whole_family() {
    let draws = 6000;
    for (true_effects, expected) in [(0, 1.0 - 0.99f64.powi(5)), (3, 1.0 - 0.975f64.powi(2))] {
        let found = rate(11, draws, |random| {
            let p: Vec<f64> = (0..5)
                .map(|test| {
                    // Effects that no test misses, then nulls, whose p-values are uniform.
                    if test < true_effects {
                        1e-12
                    } else {
                        random.random()
                    }
                })
                .collect();
            holm(&p)[true_effects..].iter().any(|&p| p <= LEVEL)
        });
        assert!(found <= LEVEL + band(LEVEL, draws), "{found}");
        // Of independent nulls, one of five below a fifth of the level, or one of two below half of it.
        assert_rate(found, expected, draws, 0.0);
    }
}

#[test]
fn a_planned_effect_is_found_as_often_as_planned() {
    let draws = 5000;
    for (n, power) in [(5, 0.8), (30, 0.9)] {
        let effect = minimum_detectable_effect(0.3, n, LEVEL, power).unwrap();
        let found = rate(12, draws, |random| {
            t_test(&normals(random, n, effect, 0.3)).unwrap().p <= LEVEL
        });
        assert_rate(found, power, draws, 0.0);
    }
}
