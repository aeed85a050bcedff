//! A run against a committed baseline.

use crate::records::{Answered, Task, add, empty, inputs, policy, run, table};
use evalh_record::{Record, SandboxSettings, sha256_bytes};
use evalh_report::{
    Style,
    baseline::{Baseline, BaselineError, Values, show},
    gate::{Figures, GateError, GateReport, GateResult, Inputs, Verdict, judge},
};
use std::path::Path;

const RULES: &str = "[[rule]]\nsuite = \"mmlu\"\nvariant = \"good\"\nagainst = \"baseline\"\nmargin = 0.02\n\
                     [[rule]]\nsuite = \"gsm8k_loss\"\nvariant = \"broken\"\nbaseline_variant = \"good\"\n\
                     against = \"baseline\"\nmargin = 0.05\n";

fn judged(rules: &str, record: &Record, baseline: &Baseline) -> GateResult<GateReport> {
    judge(&policy(rules), &inputs(record, Some(baseline)))
}

fn reread(baseline: &Baseline) -> Baseline {
    Baseline::parse(
        Path::new("baseline.json"),
        baseline.text().unwrap().as_bytes(),
    )
    .unwrap()
}

#[test]
fn a_baseline_survives_its_file() {
    for record in [run(37), run(1), run(0), empty(&[])] {
        let baseline = Baseline::of(&record);
        assert_eq!(reread(&baseline), baseline);
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("baseline.json");
    let baseline = Baseline::of(&run(9));
    baseline.write(&path).unwrap();
    assert_eq!(Baseline::open(&path).unwrap(), baseline);
    let missing = Baseline::open(&dir.path().join("no.json")).unwrap_err();
    assert!(matches!(missing, BaselineError::Read { .. }));
    let nowhere = baseline.write(&dir.path().join("no").join("b.json"));
    assert!(matches!(nowhere.unwrap_err(), BaselineError::Write { .. }));
}

#[test]
fn a_baseline_is_small_and_holds_no_text() {
    let text = Baseline::of(&run(400)).text().unwrap();
    // Eight losses of which each is a number of 18 digits a text, and bits for 2,000 answers of three variants.
    assert!(text.len() < 60_000, "{}", text.len());
    assert!(
        !text.contains("def f()") && !text.contains("algebra/3"),
        "{text}"
    );
}

#[test]
fn metrics_that_are_no_means_of_items_have_no_scores_by_item() {
    let baseline = Baseline::of(&run(20));
    let scores = |suite: &str| {
        let suite = baseline.suites.iter().find(|of| of.suite == suite).unwrap();
        &suite.tasks[0].scores
    };
    assert!(scores("detect").is_empty());
    assert_eq!(scores("mmlu").len(), 3);
    assert!(matches!(scores("humaneval")[0].values, Values::Right(_)));
    assert!(matches!(scores("gsm8k_loss")[0].values, Values::Losses(_)));
}

#[test]
fn a_run_is_held_against_the_items_of_the_baseline() {
    let old = run(500);
    let baseline = reread(&Baseline::of(&old));
    let report = judged(RULES, &old, &baseline).unwrap();
    assert_eq!(report.cases[0].verdict, Verdict::Pass);
    assert_eq!(report.cases[1].verdict, Verdict::Fail);
    assert_eq!(report.baseline.as_deref(), Some("baseline.json"));
    let Figures::Comparison {
        reference,
        items,
        gained,
        lost,
        ..
    } = &report.cases[0].figures
    else {
        panic!()
    };
    assert_eq!(
        (reference.as_str(), *items, *gained, *lost),
        ("baseline good", 2000, Some(0), Some(0))
    );
    // The same pairing as within the run.
    let within =
        "[[rule]]\nsuite = \"mmlu\"\nvariant = \"good\"\nagainst = \"base\"\nmargin = 0.02\n";
    let over = within.replace("\"base\"", "\"baseline\"\nbaseline_variant = \"smollm\"");
    let within = judged(within, &old, &baseline).unwrap();
    let over = judged(&over, &old, &baseline).unwrap();
    let counts = |report: &GateReport| match report.cases[0].figures {
        Figures::Comparison {
            gained, lost, low, ..
        } => (gained, lost, low),
        _ => panic!(),
    };
    assert_eq!(counts(&within), counts(&over));
}

#[test]
fn other_settings_are_refused_by_name_unless_forced() {
    let old = run(200);
    let baseline = Baseline::of(&old);
    let mut new = old.clone();
    let settings = &mut new.manifest.settings;
    settings.device = "cuda:0".into();
    settings.suites[0].shots = 5;
    settings.suites[1].max_new_tokens = Some(9);
    settings.checkpoints[0].files[0].sha256 = sha256_bytes(b"other");
    let error = judged(RULES, &new, &baseline).unwrap_err();
    let GateError::Baseline(BaselineError::Changed { differences }) = &error else {
        panic!("{error}")
    };
    let fields: Vec<&str> = differences.iter().map(|d| d.field.as_str()).collect();
    // humaneval, whose tokens differ too, is in no rule.
    assert_eq!(
        fields,
        [
            "suite mmlu: shots",
            "base checkpoint: files[0].sha256",
            "device"
        ]
    );
    assert!(
        error
            .to_string()
            .contains("suite mmlu: shots: 0 in the baseline, 5 in the run")
    );
    let rules = policy(RULES);
    let forced = Inputs {
        force: true,
        ..inputs(&new, Some(&baseline))
    };
    let report = judge(&rules, &forced).unwrap();
    assert_eq!(report.forced.len(), 3);
    assert_eq!(
        (
            report.forced[2].baseline.as_str(),
            report.forced[2].run.as_str()
        ),
        ("\"cpu\"", "\"cuda:0\"")
    );
}

#[test]
fn adapters_and_names_of_checkpoints_may_differ() {
    let old = run(200);
    let mut new = old.clone();
    let settings = &mut new.manifest.settings;
    settings.checkpoints[0].name = "again".into();
    for variant in &mut settings.variants {
        variant.checkpoint = "again".into();
        if let Some(adapter) = &mut variant.adapter {
            adapter.parts[0].files[0].sha256 = sha256_bytes(b"trained anew");
        }
    }
    assert!(judged(RULES, &new, &Baseline::of(&old)).is_ok());
}

#[test]
fn the_date_of_a_chat_template_is_told_and_a_sandbox_that_did_nothing_is_not() {
    let mut old = run(200);
    old.manifest.settings.checkpoints[0].chat_template_moment = Some(1);
    let mut new = old.clone();
    new.manifest.settings.checkpoints[0].chat_template_moment = Some(2);
    new.manifest.settings.sandbox = Some(SandboxSettings {
        runtime_sha256: sha256_bytes(b"runtime"),
        limits: serde_json::Map::new(),
    });
    let report = judged(RULES, &new, &Baseline::of(&old)).unwrap();
    for case in &report.cases {
        assert!(
            case.notes.iter().any(|note| note.contains("another date")),
            "{case:?}"
        );
    }
    let mut other = new.clone();
    other.manifest.settings.sandbox = Some(SandboxSettings {
        runtime_sha256: sha256_bytes(b"other"),
        limits: serde_json::Map::new(),
    });
    let error = judged(RULES, &other, &Baseline::of(&new)).unwrap_err();
    assert!(
        error.to_string().contains("sandbox.runtime_sha256"),
        "{error}"
    );
}

#[test]
fn other_items_cannot_be_compared_even_by_force() {
    let old = Baseline::of(&run(200));
    let rules = policy(RULES);
    for new in [run(150), {
        let mut new = run(200);
        for sample in &mut new.samples {
            sample.item.push('x');
        }
        new
    }] {
        let forced = Inputs {
            force: true,
            ..inputs(&new, Some(&old))
        };
        let error = judge(&rules, &forced).unwrap_err();
        assert!(
            error.to_string().contains("asked other items of `mmlu`"),
            "{error}"
        );
    }
}

#[test]
fn a_variant_that_did_not_answer_everything_is_not_compared() {
    let mut record = table(1, 1, 50);
    record.samples.pop();
    let rule = "[[rule]]\nsuite = \"s\"\nagainst = \"base\"\nmargin = 0.02\n";
    let error = judged(rule, &record, &Baseline::of(&record)).unwrap_err();
    assert!(error.to_string().contains("`tuned`"), "{error}");
}

#[test]
fn several_answers_an_item_are_scores_by_item() {
    let mut record = empty(&["base", "tuned"]);
    let task = Task {
        suite: "s",
        name: "s",
        group: None,
        metric: "pass@1",
        chance: None,
    };
    let rights = |rights: [bool; 4]| rights.map(Answered::right).into_iter().collect();
    add(
        &mut record,
        &task,
        vec![rights([true, false, true, true]), rights([true; 4])],
    );
    record.manifest.settings.suites[0].samples = 2;
    record.manifest.settings.suites[0].items = 2;
    for sample in &mut record.samples {
        sample.sample = sample.position % 2;
        sample.position /= 2;
        sample.item = sample.position.to_string();
    }
    let baseline = Baseline::of(&record);
    let scores = &baseline.suites[0].tasks[0].scores;
    assert_eq!(scores[0].values, Values::Scores(vec![0.5, 1.0]));
    assert_eq!(scores[1].values, Values::Right("c".into()));
}

#[test]
fn a_baseline_is_shown_as_a_table() {
    insta::assert_snapshot!(show(&Baseline::of(&run(40)), Style::Plain));
}

#[test]
fn the_file_of_a_small_baseline() {
    insta::assert_snapshot!(Baseline::of(&table(1, 2, 6)).text().unwrap());
}
