//! How often the gate is wrong, over records that are drawn from a seed.

use crate::records::{Answered, Draws, Task, add, empty, judged, paired};
use evalh_record::Record;
use evalh_report::gate::Verdict;

const RUNS: usize = 1500;
/// The rate at which a test of 5 % may pass in so many runs: three standard errors above.
const MOST: f64 = 0.05 + 3.0 * 0.005_63;

/// The share of drawn records that come out so.
fn share(verdict: Verdict, rule: &str, mut draw: impl FnMut() -> Record) -> f64 {
    let rule = format!("[[rule]]\nsuite = \"s\"\n{rule}\n");
    let is = |record: &Record| judged(&rule, record).unwrap().cases[0].verdict == verdict;
    (0..RUNS).filter(|_| is(&draw())).count() as f64 / RUNS as f64
}

/// A record of so many items, of which the variant wins and loses such shares.
fn drawn(draws: &mut Draws, items: usize, won: f64, lost: f64) -> Record {
    let (mut base, mut variant) = (Vec::new(), Vec::new());
    for _ in 0..items {
        let draw = draws.next();
        base.push(draw >= won);
        variant.push(draw < won || draw >= won + lost);
    }
    paired(&base, &variant)
}

#[test]
fn a_variant_that_is_worse_by_the_margin_hardly_ever_passes() {
    for (items, won, lost) in [
        (50, 0.05, 0.15),
        (200, 0.0, 0.1),
        (200, 0.1, 0.2),
        (600, 0.02, 0.12),
    ] {
        let mut draws = Draws(1);
        let rule = "against = \"base\"\nmargin = 0.1";
        let passed = share(Verdict::Pass, rule, || drawn(&mut draws, items, won, lost));
        assert!(passed <= MOST, "{items} {won} {lost}: {passed}");
    }
}

#[test]
fn a_variant_that_is_worse_by_just_the_margin_hardly_ever_fails() {
    let mut draws = Draws(2);
    let rule = "against = \"base\"\nmargin = 0.1";
    let failed = share(Verdict::Fail, rule, || drawn(&mut draws, 200, 0.1, 0.2));
    assert!(failed <= MOST, "{failed}");
}

#[test]
fn a_variant_that_is_as_good_passes_with_the_items_that_are_told() {
    let rule = "against = \"base\"\nmargin = 0.1";
    // Of 5 % won and 5 % lost, (1.645 + 0.842)^2 0.1 / 0.1^2 = 62 items are needed for a power of 80 %.
    let mut draws = Draws(3);
    let passed = share(Verdict::Pass, rule, || drawn(&mut draws, 75, 0.05, 0.05));
    assert!((0.75..0.95).contains(&passed), "{passed}");
}

#[test]
fn losses_that_are_worse_by_the_margin_hardly_ever_pass() {
    let mut draws = Draws(4);
    let task = Task {
        suite: "s",
        name: "s",
        group: None,
        metric: "nats_per_token",
        chance: None,
    };
    let passed = share(Verdict::Pass, "against = \"base\"\nmargin = 0.05", || {
        let (mut base, mut variant) = (Vec::new(), Vec::new());
        for _ in 0..40 {
            let tokens = 20 + (20.0 * draws.next()) as usize;
            let nats = 2.0 * tokens as f64 * (0.8 + 0.4 * draws.next());
            let worse = tokens as f64 * (0.05 + 0.2 * (draws.next() - 0.5));
            base.push(Answered::loss(nats, tokens));
            variant.push(Answered::loss(nats + worse, tokens));
        }
        let mut record = empty(&["base", "tuned"]);
        add(&mut record, &task, vec![base, variant]);
        record
    });
    assert!(passed <= MOST, "{passed}");
    assert!(passed > 0.02, "{passed}");
}

#[test]
fn a_rate_on_its_bound_hardly_ever_passes() {
    let mut draws = Draws(5);
    let passed = share(Verdict::Pass, "min = 0.4", || {
        let right: Vec<bool> = (0..120).map(|_| draws.next() < 0.4).collect();
        paired(&right, &right)
    });
    assert!(passed <= MOST, "{passed}");
}
