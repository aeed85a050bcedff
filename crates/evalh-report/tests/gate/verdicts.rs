//! Each verdict, by cases that can be computed by hand.

use crate::records::{Answered, Task, add, empty, judged, paired, run, table};
use evalh_record::Record;
use evalh_report::gate::{Case, Figures, GateReport, Method, Overall, Verdict};

const MARGIN: &str = "[[rule]]\nsuite = \"s\"\nagainst = \"base\"\nmargin = 0.02\n";

fn of(rule: &str, record: &Record) -> Case {
    let report = judged(rule, record).unwrap_or_else(|error| panic!("{error}: {}", error.help()));
    assert_eq!(report.cases.len(), 1);
    report.cases.into_iter().next().unwrap()
}

fn verdict(rule: &str, record: &Record) -> Verdict {
    of(rule, record).verdict
}

fn bounds(case: &Case) -> (f64, f64) {
    match &case.figures {
        Figures::Comparison { low, high, .. } | Figures::Bound { low, high, .. } => {
            (low.unwrap(), high.unwrap())
        }
        Figures::Limit { .. } => panic!("a limit has no bounds"),
    }
}

fn near(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-6, "{a} is not {b}");
}

/// Tango's bound without any item that differs is z^2 / (n + z^2) away, z = 1.644854.
#[test]
fn items_that_do_not_differ_are_no_proof_until_they_are_many() {
    let case = of(MARGIN, &table(0, 0, 132));
    near(bounds(&case).0, -2.705_543_454 / 134.705_543_454);
    assert_eq!(
        (case.verdict, case.items_needed),
        (Verdict::Inconclusive, Some(133))
    );
    let case = of(MARGIN, &table(0, 0, 133));
    assert_eq!((case.verdict, case.items_needed), (Verdict::Pass, None));
    assert_eq!(case.notes, ["every item has the same score as the base"]);
}

#[test]
fn non_inferiority_passes_fails_and_does_not_know() {
    // Far worse than by the margin: 2 won, 60 lost of 400 is -14.5 points.
    assert_eq!(verdict(MARGIN, &table(2, 60, 400)), Verdict::Fail);
    // Slightly worse: -1 point of 400 with 12 that differ could be -2.
    let case = of(MARGIN, &table(4, 8, 400));
    assert_eq!(case.verdict, Verdict::Inconclusive);
    // sd = sqrt(12/400 - 0.01^2) = 0.172916, (1.6449 + 0.8416)^2 sd^2 / 0.01^2 = 1848.7 by the normal distribution
    assert!(
        (1849..1860).contains(&case.items_needed.unwrap()),
        "{:?}",
        case.items_needed
    );
    // As much worse over ten times the items is shown to be within the margin.
    assert_eq!(verdict(MARGIN, &table(40, 80, 4000)), Verdict::Pass);
    // Twice the margin over as many is shown to be beyond it.
    assert_eq!(verdict(MARGIN, &table(40, 200, 4000)), Verdict::Fail);
}

#[test]
fn the_p_value_and_the_bound_agree() {
    for (gained, lost) in [(0, 0), (3, 5), (0, 4), (10, 2), (1, 9), (30, 30)] {
        let case = of(MARGIN, &table(gained, lost, 300));
        let Figures::Comparison { p: Some(p), .. } = case.figures else {
            panic!("no p: {case:?}");
        };
        assert_eq!(
            p < 0.05,
            case.verdict == Verdict::Pass,
            "{gained} {lost}: {p}"
        );
    }
}

#[test]
fn superiority_asks_for_more_than_chance() {
    let rule = "[[rule]]\nsuite = \"s\"\nagainst = \"base\"\ntest = \"superiority\"\n";
    assert_eq!(verdict(rule, &table(20, 5, 200)), Verdict::Pass);
    assert_eq!(verdict(rule, &table(6, 5, 200)), Verdict::Inconclusive);
    assert_eq!(verdict(rule, &table(5, 20, 200)), Verdict::Fail);
    let by_five = format!("{rule}margin = 0.05\n");
    assert_eq!(verdict(&by_five, &table(20, 5, 200)), Verdict::Inconclusive);
    assert_eq!(verdict(&by_five, &table(40, 2, 200)), Verdict::Pass);
}

#[test]
fn equivalence_fails_in_both_directions() {
    let rule = format!("{MARGIN}test = \"equivalence\"\n");
    assert_eq!(verdict(&rule, &table(5, 5, 2000)), Verdict::Pass);
    assert_eq!(verdict(&rule, &table(5, 5, 150)), Verdict::Inconclusive);
    assert_eq!(verdict(&rule, &table(5, 200, 2000)), Verdict::Fail);
    assert_eq!(verdict(&rule, &table(200, 5, 2000)), Verdict::Fail);
}

#[test]
fn without_a_test_what_was_seen_decides() {
    let rule = format!("{MARGIN}test = \"none\"\n");
    assert_eq!(verdict(&rule, &table(0, 1, 50)), Verdict::Pass);
    assert_eq!(verdict(&rule, &table(0, 2, 50)), Verdict::Fail);
    let case = of(&rule, &table(0, 1, 50));
    assert!(case.asked.ends_with("(no test)"), "{}", case.asked);
}

/// Wilson's one-sided 95 % bounds of 60 of 100: 0.517810 and 0.676922 (statsmodels, `proportion_confint`, alpha 0.1).
#[test]
fn a_bound_is_held_against_the_interval_of_the_score() {
    let record = paired(&[true; 100], &[&[true; 60][..], &[false; 40]].concat());
    let rule = |bound: &str| format!("[[rule]]\nsuite = \"s\"\n{bound}\n");
    let case = of(&rule("min = 0.5"), &record);
    near(bounds(&case).0, 0.517_809_506);
    near(bounds(&case).1, 0.676_921_949);
    assert_eq!(case.verdict, Verdict::Pass);
    let undecided = of(&rule("min = 0.55"), &record);
    assert_eq!(undecided.verdict, Verdict::Inconclusive);
    // ((1.644854 sqrt(0.55 * 0.45) + 0.841621 sqrt(0.6 * 0.4)) / 0.05)^2 = 605.8
    assert_eq!(undecided.items_needed, Some(606));
    assert_eq!(verdict(&rule("min = 0.7"), &record), Verdict::Fail);
    assert_eq!(verdict(&rule("max = 0.5"), &record), Verdict::Fail);
    assert_eq!(verdict(&rule("max = 0.7"), &record), Verdict::Pass);
    assert_eq!(
        verdict(&rule("max = 0.6\ntest = \"none\""), &record),
        Verdict::Pass
    );
    assert_eq!(
        verdict(&rule("min = 0.61\ntest = \"none\""), &record),
        Verdict::Fail
    );
}

#[test]
fn of_losses_lower_is_better() {
    let record = run(300);
    let rule = |variant: &str, more: &str| {
        format!(
            "[[rule]]\nsuite = \"gsm8k_loss\"\nvariant = \"{variant}\"\nagainst = \"base\"\n{more}\n"
        )
    };
    let case = of(&rule("good", "margin = 0.01"), &record);
    assert_eq!(case.verdict, Verdict::Pass, "{case:?}");
    let Figures::Comparison {
        difference,
        low,
        high,
        lower_is_better,
        ..
    } = case.figures
    else {
        panic!()
    };
    assert!(
        lower_is_better
            && difference > 0.0
            && low.unwrap() < difference
            && difference < high.unwrap()
    );
    assert_eq!(
        verdict(&rule("broken", "margin = 0.01"), &record),
        Verdict::Fail
    );
    let better = "test = \"superiority\"";
    assert_eq!(verdict(&rule("good", better), &record), Verdict::Fail);
    let bound = "[[rule]]\nsuite = \"gsm8k_loss\"\nvariant = \"broken\"\nmax = 3.0\n";
    assert_eq!(verdict(bound, &record), Verdict::Fail);
}

/// Of differences 0.1, -0.1, 0.2, 0 the mean is 0.05 and the standard error 0.0645497; t(0.95, 3) = 2.353363. Losses take
/// that; shares may hide rare large differences, so that they are no surer than four items that do not differ.
#[test]
fn scores_between_right_and_wrong_go_by_students_t() {
    let scored = |scores: [f64; 4]| {
        let answered = scores.map(|score| Answered {
            score,
            ..Answered::right(true)
        });
        answered.into_iter().collect::<Vec<_>>()
    };
    let task = |metric| Task {
        suite: "s",
        name: "s",
        group: None,
        metric,
        chance: None,
    };
    let mut record = empty(&["base", "tuned"]);
    let answers = vec![scored([0.5; 4]), scored([0.6, 0.4, 0.7, 0.5])];
    add(&mut record, &task("acc"), answers);
    let z2 = 2.705_543_454;
    near(bounds(&of(MARGIN, &record)).0, 0.05 - z2 / (4.0 + z2));

    let losses = |nats: [f64; 4]| {
        nats.map(|nats| Answered::loss(nats, 10))
            .into_iter()
            .collect()
    };
    let mut record = empty(&["base", "tuned"]);
    let answers = vec![losses([5.0; 4]), losses([4.0, 6.0, 3.0, 5.0])];
    add(&mut record, &task("nats_per_token"), answers);
    let case = of(MARGIN, &record);
    near(bounds(&case).0, -0.05 - 2.353_363_4 * 0.064_549_7);
    near(bounds(&case).1, -0.05 + 2.353_363_4 * 0.064_549_7);
}

#[test]
fn losses_that_are_the_same_everywhere_are_the_same() {
    let losses = || {
        (0..5)
            .map(|place| Answered::loss(5.0 + place as f64, 10))
            .collect()
    };
    let mut record = empty(&["base", "tuned"]);
    let task = Task {
        suite: "s",
        name: "s",
        group: None,
        metric: "nats_per_token",
        chance: None,
    };
    add(&mut record, &task, vec![losses(), losses()]);
    let case = of(MARGIN, &record);
    assert_eq!(case.verdict, Verdict::Pass);
    assert_eq!(case.notes, ["every item has the same score as the base"]);
    let mut single = empty(&["base", "tuned"]);
    let losses = |nats| vec![Answered::loss(nats, 10)];
    add(&mut single, &task, vec![losses(5.0), losses(5.0)]);
    let case = of(MARGIN, &single);
    assert_eq!(
        (case.verdict, case.items_needed),
        (Verdict::Inconclusive, None)
    );
}

#[test]
fn a_base_that_guesses_has_nothing_to_lose() {
    let mut record = table(10, 10, 2000);
    for row in &mut record.results {
        row.chance = Some(row.value);
    }
    let case = of(MARGIN, &record);
    assert_eq!(case.verdict, Verdict::Pass);
    assert!(
        case.notes[0].contains("no better than guessing"),
        "{:?}",
        case.notes
    );
}

fn all(record: &Record, more: &str) -> GateReport {
    let rules = "[[rule]]\nsuite = \"mmlu\"\nagainst = \"base\"\nmargin = 0.02\n[[rule]]\nsuite = \"gsm8k_loss\"\n\
                 against = \"base\"\nmargin = 0.05\n";
    judged(&format!("{more}{rules}"), record).unwrap()
}

#[test]
fn a_good_adapter_passes_and_a_broken_one_fails() {
    let report = all(&run(500), "");
    let of_variant = |name: &str| {
        let cases = report
            .cases
            .iter()
            .filter(|case| case.variant.as_deref() == Some(name));
        cases.map(|case| case.verdict).collect::<Vec<_>>()
    };
    assert_eq!(of_variant("good"), [Verdict::Pass; 2]);
    assert_eq!(of_variant("broken"), [Verdict::Fail; 2]);
    assert_eq!(
        (report.verdict, report.verdict.exit_code()),
        (Overall::Failed, 1)
    );
}

#[test]
fn too_few_items_are_inconclusive_as_the_policy_has_it() {
    let mut record = run(3);
    record.manifest.settings.variants.truncate(2);
    let report = all(&record, "");
    assert_eq!(
        (report.verdict, report.verdict.exit_code()),
        (Overall::Inconclusive, 3)
    );
    assert!(report.cases[0].items_needed.unwrap() >= 133);
    let pass = all(&record, "inconclusive = \"pass\"\n");
    assert_eq!(
        (pass.verdict, pass.verdict.exit_code()),
        (Overall::Passed, 0)
    );
    let fail = all(&record, "inconclusive = \"fail\"\n");
    assert_eq!(
        (fail.verdict, fail.verdict.exit_code()),
        (Overall::Failed, 1)
    );
}

#[test]
fn parts_and_roles_are_found() {
    let record = run(200);
    let rule = |more: &str| {
        format!("[[rule]]\nsuite = \"mmlu\"\nagainst = \"base\"\nmargin = 0.1\n{more}\n")
    };
    for (more, items) in [("part = \"stem\"", 400), ("part = \"law\"", 200), ("", 800)] {
        let report = judged(&rule(more), &record).unwrap();
        for case in &report.cases {
            let Figures::Comparison { items: found, .. } = &case.figures else {
                panic!()
            };
            assert_eq!(*found, items, "{more}");
        }
    }
    let variants = |more: &str| {
        let report = judged(&rule(more), &record).unwrap();
        let names = report.cases.into_iter().map(|case| case.variant.unwrap());
        names.collect::<Vec<_>>()
    };
    assert_eq!(variants(""), ["good", "broken"]);
    assert_eq!(variants("variant = \"standard\""), ["good"]);
    assert_eq!(variants("variant = \"selective\""), ["broken"]);
    assert_eq!(variants("variant = \"broken\""), ["broken"]);
}

/// F1 is no mean over items: its interval is the one of a comparison, whose ends are bounds of 95 % each.
#[test]
fn metrics_that_are_no_means_go_by_the_bootstrap() {
    let rule = "[[rule]]\nsuite = \"detect\"\nagainst = \"base\"\nmargin = 0.1\n";
    let report = judged(rule, &run(300)).unwrap();
    let verdicts: Vec<Verdict> = report.cases.iter().map(|case| case.verdict).collect();
    assert_eq!(verdicts, [Verdict::Pass, Verdict::Fail]);
    let Figures::Comparison {
        method,
        difference,
        low: Some(low),
        high: Some(high),
        gained: None,
        ..
    } = report.cases[1].figures
    else {
        panic!("{:?}", report.cases[1])
    };
    assert_eq!(method, Method::Bootstrap);
    assert!(
        low < difference && difference < high && high - low < 0.25,
        "{low} {high}"
    );
    let few = judged(rule, &run(20)).unwrap();
    let case = &few.cases[0];
    assert_eq!(case.verdict, Verdict::Inconclusive, "{case:?}");
}

#[test]
fn the_same_labels_everywhere_prove_nothing_about_f1() {
    let labels = || {
        (0..20)
            .map(|place| Answered::label(place, place % 5 > 0))
            .collect()
    };
    let mut record = empty(&["base", "tuned"]);
    let task = Task {
        suite: "s",
        name: "s",
        group: None,
        metric: "f1",
        chance: None,
    };
    add(&mut record, &task, vec![labels(), labels()]);
    let case = of(MARGIN, &record);
    assert_eq!(case.verdict, Verdict::Inconclusive);
    assert_eq!(case.notes[1], "every item has the same score as the base");
}
