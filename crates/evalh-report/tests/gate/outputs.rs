//! What a reader and a CI system see.

use crate::records::{inputs, policy, run, table};
use evalh_record::{Record, sha256_bytes};
use evalh_report::{
    Style,
    baseline::Baseline,
    gate::{GateReport, Inputs, judge, junit, step_summary, terminal},
};
use quick_xml::{Reader, events::Event};
use std::sync::LazyLock;

const POLICY: &str = r#"
[[rule]]
name = "mmlu holds"
suite = "mmlu"
against = "base"
margin = 0.02

[[rule]]
name = "stem holds"
suite = "mmlu"
part = "stem"
variant = "good"
against = "baseline"
baseline_variant = "smollm"
margin = 0.005

[[rule]]
suite = "gsm8k_loss"
against = "base"
margin = 0.05

[[rule]]
suite = "humaneval"
variant = "good"
min = 0.2

[[rule]]
suite = "detect"
against = "base"
margin = 0.1

[[rule]]
suite = "detect"
variant = "good"
metric = "f1"
min = 0.1
test = "none"

[[limit]]
name = "fast enough"
min_decode_tokens_per_second = 40
min_decode_of_base = 0.8

[[limit]]
variant = "good"
max_timed_out = 0.01
max_peak_memory_mib = 1024
"#;

/// Two metrics of its rules are resampled, so it is judged once.
static REPORT: LazyLock<GateReport> = LazyLock::new(report);

fn report() -> GateReport {
    let record = run(300);
    let mut old = record.clone();
    old.manifest.settings.kernel = "portable".into();
    let baseline = Baseline::of(&old);
    let forced = Inputs {
        force: true,
        ..inputs(&record, Some(&baseline))
    };
    judge(&policy(POLICY), &forced).unwrap_or_else(|error| panic!("{error}: {}", error.help()))
}

/// A run, a variant and a rule whose names are mark-up, terminal codes and what XML cannot hold.
fn foreign() -> GateReport {
    let name = "\u{1b}[2J<b>|`x`\u{0}&\"]]>";
    let mut record: Record = table(3, 1, 40);
    record.manifest.settings.variants[1].name = name.into();
    for sample in &mut record.samples {
        if sample.variant == "tuned" {
            sample.variant = name.into();
        }
    }
    for row in &mut record.results {
        if row.variant == "tuned" {
            row.variant = name.into();
        }
    }
    let rules = "[[rule]]\nname = \"a <script>\\u0007 rule\"\nsuite = \"s\"\nagainst = \"base\"\nmargin = 0.02\n";
    judge(
        &policy(rules),
        &Inputs {
            run: "runs/<i>",
            ..inputs(&record, None)
        },
    )
    .unwrap()
}

#[test]
fn the_terminal() {
    insta::assert_snapshot!(terminal(&REPORT, Style::Plain));
}

#[test]
fn the_summary() {
    insta::assert_snapshot!(step_summary(&REPORT));
}

#[test]
fn the_junit_file() {
    insta::assert_snapshot!(junit(&REPORT));
}

#[test]
fn the_json() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&*REPORT).unwrap());
}

#[test]
fn foreign_names_stay_text() {
    let report = foreign();
    assert!(!terminal(&report, Style::Plain).contains('\u{1b}'));
    let markdown = step_summary(&report);
    assert!(
        !markdown.contains("<b>") && !markdown.contains("<script>"),
        "{markdown}"
    );
    insta::assert_snapshot!(junit(&report));
}

#[test]
fn colour_shows_the_same_text() {
    let colour = terminal(&REPORT, Style::Colour);
    let mut plain = String::new();
    for (place, part) in colour.split('\u{1b}').enumerate() {
        plain.push_str(if place == 0 {
            part
        } else {
            part.split_once('m').unwrap().1
        });
    }
    assert_eq!(plain, terminal(&REPORT, Style::Plain));
}

/// Counts of elements, and whether each test case has at most one result: what `junit-10.xsd` asks.
#[test]
fn the_junit_file_is_well_formed_and_counts_right() {
    for report in [&*REPORT, &foreign()] {
        let text = junit(report);
        let mut reader = Reader::from_str(&text);
        let (mut open, mut failures, mut skipped, mut cases) = (Vec::new(), 0, 0, 0);
        loop {
            match reader.read_event().unwrap() {
                Event::Start(element) => {
                    let name = element.name().as_ref().to_owned();
                    match (open.last().map(String::as_str), name.as_str()) {
                        (None, "testsuites")
                        | (Some("testsuites"), "testsuite")
                        | (Some("testsuite"), "properties")
                        | (Some("testcase"), "system-out") => {}
                        (Some("testsuite"), "testcase") => cases += 1,
                        (Some("testcase"), "failure") => failures += 1,
                        (Some("testcase"), "skipped") => skipped += 1,
                        other => panic!("{other:?}"),
                    }
                    open.push(name);
                }
                Event::End(_) => {
                    open.pop();
                }
                Event::Eof => break,
                _ => {}
            }
        }
        let counts = report.counts;
        assert_eq!((failures, skipped), (counts.failed, counts.inconclusive));
        assert_eq!(cases, report.cases.len());
        assert!(
            text.contains(&format!("tests=\"{cases}\" failures=\"{failures}\"")),
            "{text}"
        );
    }
}

#[test]
fn what_counts_as_failed_is_a_failure_in_junit() {
    let rules =
        "inconclusive = \"fail\"\n[[rule]]\nsuite = \"s\"\nagainst = \"base\"\nmargin = 0.02\n";
    let record = table(1, 1, 20);
    let text = junit(&judge(&policy(rules), &inputs(&record, None)).unwrap());
    assert!(
        text.contains("<failure type=\"inconclusive\"") && text.contains("failures=\"1\""),
        "{text}"
    );
    assert!(!text.contains("<skipped"), "{text}");
}

#[test]
fn a_baseline_that_no_rule_asks_for_is_not_looked_at() {
    let record = table(1, 1, 20);
    let mut baseline = Baseline::of(&record);
    baseline.settings.evalh = sha256_bytes(b"other").to_string();
    let rules = "[[rule]]\nsuite = \"s\"\nagainst = \"base\"\nmargin = 0.02\n";
    let report = judge(&policy(rules), &inputs(&record, Some(&baseline))).unwrap();
    assert_eq!((report.baseline, report.forced.len()), (None, 0));
}
