//! What is said of a policy that is wrong, or asks for what the run does not have.

use crate::records::{inputs, policy, run};
use evalh_record::Record;
use evalh_report::{
    baseline::Baseline,
    gate::{GateError, Policy, judge},
};
use std::{fmt::Write as _, path::Path};

fn told(out: &mut String, case: &str, error: &GateError) {
    let _ = writeln!(out, "# {}", case.replace('\n', " "));
    let _ = writeln!(out, "error: {error}\nhelp: {}\n", error.help());
}

#[test]
fn policies_that_are_wrong() {
    let rule = |more: &str| format!("[[rule]]\nname = \"r\"\nsuite = \"mmlu\"\n{more}");
    let against = |more: &str| rule(&format!("against = \"base\"\n{more}"));
    let limit = |more: &str| format!("[[limit]]\n{more}");
    let wrong = [
        "rule = ".to_owned(),
        String::new(),
        "schema = 2".to_owned(),
        "confidence = 95".to_owned(),
        "inconclusive = \"ignore\"".to_owned(),
        "[[rules]]\nsuite = \"mmlu\"".to_owned(),
        "[[rule]]\nagainst = \"base\"".to_owned(),
        rule(""),
        rule("against = \"bsae\"\nmargin = 0.02"),
        rule("against = \"base\"\nmargn = 0.02"),
        rule("against = \"base\"\nmin = 0.02"),
        rule("min = 0.02\nmax = 0.02"),
        against(""),
        against("margin = \"2 %\""),
        against("margin = 0"),
        against("margin = -0.02"),
        against("margin = nan"),
        against("margin = 0.02\ntest = \"noninferiority\""),
        against("margin = 0.02\nconfidence = 0.5"),
        against("margin = 0.02\nbaseline_variant = \"x\""),
        rule("min = inf"),
        rule("min = 0.2\nmargin = 0.02"),
        rule("max = 0.2\ntest = \"superiority\""),
        format!("{0}\n{0}", against("margin = 0.02")),
        limit(""),
        limit("max_timedout = 0.1"),
        limit("max_timed_out = 5"),
        limit("max_timed_out = -1"),
        limit("suite = \"mmlu\"\nmin_decode_tokens_per_second = 5"),
        limit("variant = \"x\"\nmax_latency_p95_seconds = 5"),
        limit("name = \" \"\nmax_timed_out = 0.1"),
    ];
    let mut out = String::new();
    for text in wrong {
        match Policy::parse(Path::new("gate.toml"), &text) {
            Err(error) => told(&mut out, &text, &error),
            Ok(policy) => panic!("{text} is {policy:?}"),
        }
    }
    insta::assert_snapshot!(out);
}

#[test]
fn policies_that_do_not_fit_the_run() {
    let record = run(30);
    let rule = |more: &str| format!("[[rule]]\nname = \"r\"\n{more}");
    let mmlu = |more: &str| rule(&format!("suite = \"mmlu\"\n{more}"));
    let against = "against = \"base\"\nmargin = 0.02\n";
    let limit = |more: &str| format!("[[limit]]\n{more}");
    let wrong = [
        rule(&format!("suite = \"mmul\"\n{against}")),
        mmlu(&format!("part = \"phisics\"\n{against}")),
        mmlu(&format!("metric = \"f1\"\n{against}")),
        mmlu(&format!("variant = \"god\"\n{against}")),
        mmlu(&format!("variant = \"other\"\n{against}")),
        mmlu(&format!("variant = \"smollm\"\n{against}")),
        mmlu("against = \"base\"\nmargin = 2"),
        mmlu("against = \"baseline\"\nmargin = 0.02"),
        mmlu("min = 30"),
        limit("suite = \"mmlu\"\nmax_timed_out = 0.1"),
        limit("suite = \"mmlu\"\nmax_token_limited = 0.1"),
        limit("variant = \"base\"\nmin_decode_of_base = 0.9"),
        limit("max_latency_p95_seconds = 5"),
    ];
    let mut out = String::new();
    let mut fails = |text: &str, record: &Record, baseline: Option<&Baseline>| match judge(
        &policy(text),
        &inputs(record, baseline),
    ) {
        Err(error) => told(&mut out, text, &error),
        Ok(report) => panic!("{text} is {report:?}"),
    };
    for text in &wrong {
        fails(text, &record, None);
    }
    let alone = {
        let mut record = run(5);
        record.manifest.settings.variants.truncate(1);
        record
    };
    fails(&mmlu(against), &alone, None);
    let mut slow = run(5);
    slow.timings.sittings.clear();
    fails(&limit("min_decode_tokens_per_second = 5"), &slow, None);
    fails(&limit("max_peak_memory_mib = 5"), &slow, None);
    let mut without_labels = run(60);
    for sample in &mut without_labels.samples {
        sample.target = None;
    }
    let detect = format!("suite = \"detect\"\nvariant = \"good\"\n{against}");
    fails(&rule(&detect), &without_labels, None);
    let detect = detect.replace("\"base\"", "\"baseline\"");
    fails(&rule(&detect), &record, Some(&Baseline::of(&record)));
    let mut bare = run(5);
    for row in &mut bare.results {
        row.stderr = None;
    }
    fails(&rule("suite = \"detect\"\nmin = 0.5"), &bare, None);

    let other = |change: &dyn Fn(&mut Record)| {
        let mut record = run(30);
        change(&mut record);
        Baseline::of(&record)
    };
    let baseline = "suite = \"mmlu\"\nagainst = \"baseline\"\nmargin = 0.02\n";
    let one = format!("{baseline}variant = \"good\"\n");
    fails(
        &rule(&one),
        &record,
        Some(&other(&|r| r.results.retain(|row| row.suite != "mmlu"))),
    );
    fails(
        &rule(&one),
        &record,
        Some(&other(&|r| r.results.retain(|row| row.variant != "good"))),
    );
    fails(
        &rule(&format!("{one}baseline_variant = \"goood\"\n")),
        &record,
        Some(&other(&|_| {})),
    );
    fails(
        &rule(&one),
        &record,
        Some(&other(&|r| {
            for row in &mut r.results {
                row.metric = "acc_norm".into();
            }
        })),
    );
    insta::assert_snapshot!(out);
}

#[test]
fn files_that_are_no_baselines() {
    let good = Baseline::of(&run(5)).text().unwrap();
    let damaged = [
        "{".to_owned(),
        "[]".to_owned(),
        "{\"schema\": 2}".to_owned(),
        "{\"schema\": 1, \"settings\": 3}".to_owned(),
        good.replacen("\"right\": \"", "\"right\": \"f", 1),
        good.replacen(
            "\"suite\": \"mmlu\",\n    \"tasks\"",
            "\"suite\": \"mmul\",\n    \"tasks\"",
            1,
        ),
        good.replacen(
            "\"task\": \"algebra\",\n      \"items\"",
            "\"task\": \"x\",\n      \"items\"",
            1,
        ),
        good.replacen("\"items_sha256\"", "\"items_md5\"", 1),
    ];
    let mut out = String::new();
    for text in damaged {
        match Baseline::parse(Path::new("baseline.json"), text.as_bytes()) {
            Err(error) => {
                let _ = writeln!(out, "error: {error}\nhelp: {}\n", error.help());
            }
            Ok(_) => panic!("{text} is a baseline"),
        }
    }
    insta::assert_snapshot!(out);
}
