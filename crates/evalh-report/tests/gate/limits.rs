//! Speed, memory and lost answers.

use crate::records::{inputs, judged, policy, run};
use evalh_record::{Answer, Finish, Record};
use evalh_report::{
    BenchFile, BenchFileError,
    gate::{Figures, Inputs, Verdict, judge},
};
use std::path::Path;

fn cases(limit: &str, record: &Record) -> Vec<(Verdict, f64, Option<String>, String)> {
    let report = judged(&format!("[[limit]]\n{limit}\n"), record);
    let report = report.unwrap_or_else(|error| panic!("{error}: {}", error.help()));
    let cases = report.cases.into_iter().map(|case| {
        let Figures::Limit { value, .. } = case.figures else {
            panic!()
        };
        (case.verdict, value, case.suite, case.variant.unwrap())
    });
    cases.collect()
}

fn verdicts(limit: &str, record: &Record) -> Vec<Verdict> {
    cases(limit, record)
        .into_iter()
        .map(|case| case.0)
        .collect()
}

#[test]
fn speed_is_of_the_variant_over_all_suites() {
    let record = run(5);
    // 6000 tokens in 100, 120 and 140 seconds
    let found = cases("min_decode_tokens_per_second = 45", &record);
    assert_eq!((found[0].0, found[1].0), (Verdict::Pass, Verdict::Fail));
    assert!((found[0].1 - 50.0).abs() < 1e-9 && found[0].2.is_none());
    assert_eq!(
        verdicts("min_decode_of_base = 0.8", &record),
        [Verdict::Pass, Verdict::Fail]
    );
    assert_eq!(
        verdicts("min_prefill_of_base = 1", &record),
        [Verdict::Pass; 2]
    );
    let base = "variant = \"base\"\nmin_prefill_tokens_per_second = 501";
    assert_eq!(verdicts(base, &record), [Verdict::Fail]);
    assert_eq!(
        verdicts("max_peak_memory_mib = 700", &record),
        [Verdict::Pass; 2]
    );
    assert_eq!(
        verdicts("max_peak_memory_mib = 699", &record),
        [Verdict::Fail; 2]
    );
}

#[test]
fn shares_are_of_each_suite_that_has_what_is_counted() {
    let mut record = run(100);
    let timed_out = cases("max_timed_out = 0.2", &record);
    assert!(
        timed_out
            .iter()
            .all(|case| case.2.as_deref() == Some("humaneval"))
    );
    assert_eq!(timed_out.len(), 2);
    let counted = |limit: &str, record: &Record| cases(limit, record)[0].1;
    assert!(counted("max_crashed = 1", &record) > 0.0);
    assert!(counted("max_timed_out = 1", &record) > 0.0);
    assert!(counted("max_token_limited = 1", &record) < 1e-9);
    assert_eq!(cases("max_truncated_prompts = 0", &record).len(), 8);
    for sample in &mut record.samples {
        if sample.variant == "good" && sample.suite == "humaneval" && sample.position < 10 {
            sample.truncated_tokens = 3;
            if let Answer::Generated(generation) = &mut sample.answer {
                generation.finish = Finish::Length;
                generation.text = " \n".into();
            }
        }
    }
    for limit in [
        "max_token_limited",
        "max_unanswered",
        "max_truncated_prompts",
    ] {
        let set = |value: &str| format!("suite = \"humaneval\"\n{limit} = {value}");
        assert_eq!(
            verdicts(&set("0.1"), &record),
            [Verdict::Pass; 2],
            "{limit}"
        );
        assert_eq!(
            verdicts(&set("0.09"), &record),
            [Verdict::Fail, Verdict::Pass],
            "{limit}"
        );
    }
    record
        .samples
        .retain(|sample| sample.variant != "broken" || sample.position != 0);
    let missing = cases("suite = \"humaneval\"\nmax_unanswered = 0.005", &record);
    assert_eq!(missing[1].0, Verdict::Fail);
}

#[test]
fn latency_is_of_the_measured_checkpoint() {
    let record = run(5);
    let policy =
        policy("[[limit]]\nmax_latency_p50_seconds = 0.5\nmax_latency_p95_seconds = 1.0\n");
    let bench = |model: &str| {
        let text = format!(
            r#"{{"subject": {{"model": "{model}", "threads": 2}}, "adapters": [], "warnings": [], "requests": {{"count": 20, "whole": {{"p50": 0.4, "p95": 1.2, "each": []}}}}}}"#
        );
        BenchFile::parse(Path::new("bench.json"), text.as_bytes()).unwrap()
    };
    let judged = |bench: Option<&BenchFile>| {
        judge(
            &policy,
            &Inputs {
                bench,
                ..inputs(&record, None)
            },
        )
    };
    let report = judged(Some(&bench("smollm"))).unwrap();
    let verdicts: Vec<Verdict> = report.cases.iter().map(|case| case.verdict).collect();
    assert_eq!(verdicts, [Verdict::Pass, Verdict::Fail]);
    let other = judged(Some(&bench("llama"))).unwrap_err().to_string();
    assert!(
        other.contains("of `llama`, and the run is of smollm"),
        "{other}"
    );
    let none = judged(None).unwrap_err();
    assert!(none.help().contains("evalh bench"), "{}", none.help());
    let empty = BenchFile::parse(
        Path::new("b.json"),
        br#"{"subject": {"model": "smollm"}, "adapters": [], "warnings": []}"#,
    )
    .unwrap();
    let error = judged(Some(&empty)).unwrap_err().to_string();
    assert!(error.contains("has no requests"), "{error}");
    let damaged = BenchFile::parse(Path::new("b.json"), b"{}").unwrap_err();
    assert!(matches!(damaged, BenchFileError::Parse { .. }));
}
