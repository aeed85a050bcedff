//! What is computed of an experiment, and what its report says.

use super::{
    example::{analysed, answered, standard, trainings, whole},
    *,
};
use crate::Style;

#[test]
fn arms_are_held_against_the_arm_that_ends_alike() {
    let found = whole();
    let references: Vec<Option<usize>> = found.arms.iter().map(|arm| arm.reference).collect();
    assert_eq!(references, [None, Some(0), Some(0), Some(0), None, Some(4)]);
    assert_eq!(found.standard, Some(0));
    assert_eq!(
        found.arms[2].ending,
        Ending::Compute {
            of: "standard".into()
        }
    );
    let gradient = &found.arms[1];
    let speed = gradient.speed.as_ref().unwrap();
    assert_eq!(speed.claim, Claim::Higher);
    assert!((speed.value - 1.0 / 0.725).abs() < 0.01, "{}", speed.value);
    assert!(gradient.speed_with_probe.as_ref().unwrap().value < speed.value);
    assert_eq!(
        gradient.loss_difference.as_ref().unwrap().claim,
        Claim::Higher
    );
    assert!(
        (found.probes[0].share.unwrap() - 4.5 / found.arms[0].wall.unwrap().mean).abs() < 1e-12
    );
    assert_eq!(
        found.probes[0].arms,
        ["gradient", "matched", "gradient-iso"]
    );
}

#[test]
fn the_same_compute_has_no_speed_and_more_steps() {
    let found = whole();
    let matched = &found.arms[2];
    assert!(matched.speed.is_none() && matched.speed_with_probe.is_none());
    let steps = matched.steps_ratio.as_ref().unwrap();
    assert!(steps.value > 1.2 && steps.claim == Claim::Higher);
    assert!(matched.differing.is_empty(), "{:?}", matched.differing);
}

#[test]
fn what_failed_is_a_row_and_no_number() {
    let found = whole();
    let random = &found.arms[3];
    let states: Vec<&str> = random.runs.iter().map(RunResult::state).collect();
    assert_eq!(states, ["done", "failed", "not begun"]);
    assert_eq!(
        random.runs[1].problem.as_deref(),
        Some("step 8, layer 3, v_proj.lora_B: the loss is NaN")
    );
    assert_eq!(random.wall.unwrap().seeds, 1);
    assert_eq!(random.speed.as_ref().unwrap().claim, Claim::TooFewSeeds);
    assert_eq!(random.differing[0].field, "lora.rank");
    assert!(
        found
            .cautions
            .iter()
            .any(|caution| caution.starts_with("2 of 18 trainings"))
    );
}

#[test]
fn only_targets_that_both_reached_are_timed() {
    let found = whole();
    let iso = &found.arms[5];
    let speed = iso.speed.as_ref().unwrap();
    assert_eq!(
        speed.each.iter().map(|(seed, _)| *seed).collect::<Vec<_>>(),
        [1, 2]
    );
    assert_eq!(speed.claim, Claim::TooFewSeeds);
    assert!(iso.loss_difference.is_none());
    let told = found
        .findings
        .iter()
        .find(|of| of.sentence.contains("did not reach"));
    assert_eq!(
        told.unwrap().sentence,
        "gradient-iso did not reach 1.3 in 1 of 3 trainings"
    );
}

#[test]
fn scores_are_claimed_where_seeds_and_items_agree() {
    let found = whole();
    let guard = &found.scores[1];
    assert_eq!(
        (guard.suite.as_str(), guard.purpose),
        ("mini_mmlu", Purpose::Guard)
    );
    let [standard, gradient] = &guard.arms[..2] else {
        panic!()
    };
    assert_eq!(standard.delta.claim, Claim::Lower);
    // Every seed loses, but no more than items alone make.
    assert!(gradient.delta.p.unwrap() < 0.05);
    assert_eq!(gradient.delta.claim, Claim::Inconclusive);
    assert_eq!(gradient.extra.as_ref().unwrap().claim, Claim::Higher);
    assert!((gradient.extra.as_ref().unwrap().value - 0.079).abs() < 0.006);
    assert!(standard.extra.is_none());
    assert_eq!(standard.gain_per_million.map(|gain| gain < 0.0), Some(true));
}

#[test]
fn other_machines_and_sessions_are_told() {
    let mut trainings = trainings();
    trainings.truncate(2);
    let run = trainings[1].1[0].1.as_mut().unwrap();
    run.training.threads = 1;
    run.training.sessions = 2;
    let found = analysed(&trainings, None);
    assert!(found.scores.is_empty());
    assert!(
        found.cautions[0].contains("cannot be compared"),
        "{:?}",
        found.cautions
    );
    assert!(found.cautions[1].starts_with("gradient-s1 took several sessions"));
}

#[test]
fn one_seed_claims_nothing() {
    let mut trainings = trainings();
    for (_, runs) in &mut trainings {
        runs.truncate(1);
    }
    let comparison = answered(&trainings);
    let found = analysed(&trainings, Some(&comparison));
    assert!(
        found
            .findings
            .iter()
            .all(|of| matches!(of.claim, Claim::TooFewSeeds | Claim::Untested))
    );
    assert!(
        found.cautions[0].starts_with("1 seed tell"),
        "{}",
        found.cautions[0]
    );
    assert!(markdown(&found, &[]).contains("No difference is shown beyond chance."));
}

#[test]
fn nothing_at_all_is_a_report() {
    let found = analysed(&[], None);
    assert!(markdown(&found, &[]).contains("nothing to hold times against"));
    assert!(terminal(&found, Style::Plain).starts_with("arm"));
    let rows = csv_files(&found).map(|(_, text)| text.lines().count() - 1);
    assert_eq!(rows, [0, 0, 0, 6]);
}

#[test]
fn the_report_says_what_was_found() {
    insta::assert_snapshot!(markdown(&whole(), &[]));
}

#[test]
fn the_terminal_says_it_in_short() {
    insta::assert_snapshot!(terminal(&whole(), Style::Plain));
}

#[test]
fn tables_and_json_hold_everything() {
    let found = whole();
    let files = csv_files(&found);
    let first = |text: &str| text.lines().take(4).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(
        files
            .iter()
            .map(|(name, text)| format!("{name}\n{}", first(text)))
            .collect::<Vec<_>>()
            .join("\n\n")
    );
    let rows: Vec<usize> = files
        .iter()
        .map(|(_, text)| text.lines().count() - 1)
        .collect();
    assert_eq!(rows[0], 18);
    assert_eq!((rows[2], rows[3]), (12, 6));
    let read: serde_json::Value = serde_json::from_str(&json(&found)).unwrap();
    assert_eq!(read["schema"], EXPERIMENT_SCHEMA);
    assert_eq!(read["arms"][3]["runs"][1]["status"]["layer"], 3);
}

#[test]
fn losses_and_layers_are_drawn() {
    let [losses, layers] = figures(&whole()).try_into().unwrap();
    for figure in [&losses, &layers] {
        roxmltree::Document::parse(&figure.svg).unwrap();
        assert!(!figure.svg.contains("NaN"));
    }
    assert_eq!(layers.svg.matches("<g><title>layer").count(), 6);
    assert_eq!(layers.svg.matches(", selected").count(), 3);
    // The failed training has its seven steps; the one that did not begin has no line.
    assert_eq!(losses.svg.matches("<polyline").count(), 17);
    assert!(losses.svg.contains("<g><title>gradient-iso</title>"));
}

#[test]
fn a_long_training_has_few_points_and_its_last() {
    let mut record = standard(1, 3.0);
    let last = record.steps[record.steps.len() - 1];
    for step in 41..=1001 {
        record.steps.push(evalh_record::training::StepRow {
            step,
            wall_s: 3.0 * step as f64,
            ..last
        });
    }
    let run = RunResult::of(&RunInput {
        variant: "standard-s1",
        seed: 1,
        record: Some(&record),
        problem: None,
    });
    assert!((70..=80).contains(&run.curve.len()), "{}", run.curve.len());
    assert_eq!(run.curve.last().map(|(wall, _)| *wall), Some(3003.0));
    assert!(run.curve.is_sorted_by(|a, b| a.0 < b.0));
}

/// A second rank on all layers: selective arms are held against the one that they differ least from.
#[test]
fn the_nearest_standard_is_the_reference() {
    let mut trainings = trainings();
    trainings.truncate(2);
    let mut both: Vec<_> = trainings.clone();
    for (_, runs) in &mut trainings {
        for (_, record) in runs {
            let settings = &mut record.as_mut().unwrap().training.settings;
            settings.lora.as_mut().unwrap().rank = 64;
        }
    }
    both.extend([
        ("standard-r64", trainings[0].1.clone()),
        ("gradient-r64", trainings[1].1.clone()),
    ]);
    let found = analysed(&both, None);
    let references: Vec<Option<usize>> = found.arms.iter().map(|arm| arm.reference).collect();
    assert_eq!(references, [None, Some(0), Some(0), Some(2)]);
    let differing: Vec<usize> = found.arms.iter().map(|arm| arm.differing.len()).collect();
    assert_eq!(differing, [0, 0, 1, 0]);
}

#[test]
fn joules_are_summed_up_where_all_were_measured() {
    let mut trainings = trainings();
    trainings.truncate(2);
    for (_, runs) in &mut trainings {
        for (seed, record) in runs {
            record.as_mut().unwrap().training.energy = evalh_record::training::Energy::Measured {
                joules: 1000.0 + *seed as f64,
                source: "rapl package-0".to_owned(),
            };
        }
    }
    let found = analysed(&trainings, None);
    assert!((found.arms[0].joules.unwrap().mean - 1002.0).abs() < 1e-9);
    assert_eq!(
        found.arms[1].energy_ratio.as_ref().unwrap().claim,
        Claim::Untested
    );
    assert!(markdown(&found, &[]).contains("1002 \u{b1} 1 J"));
    trainings[0].1[1].1 = Some(standard(2, 3.0));
    let found = analysed(&trainings, None);
    assert_eq!(
        (found.arms[0].joules, found.arms[0].no_energy.as_deref()),
        (None, Some("no counter can be read"))
    );
}
