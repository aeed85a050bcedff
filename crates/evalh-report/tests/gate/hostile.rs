//! Files that mean harm, or are damaged: errors, never panics.

use crate::records::{inputs, run};
use evalh_record::Record;
use evalh_report::{
    Style,
    baseline::{Baseline, show},
    gate::{Policy, judge, junit, step_summary, terminal},
};
use proptest::prelude::*;
use std::{path::Path, sync::LazyLock};

static RECORD: LazyLock<Record> = LazyLock::new(|| run(5));
static TEXT: LazyLock<String> = LazyLock::new(|| Baseline::of(&RECORD).text().unwrap());

const POLICY: &str = r#"
confidence = 0.9
inconclusive = "pass"

[[rule]]
name = "holds"
suite = "mmlu"
part = "stem"
variant = "*"
metric = "acc"
against = "baseline"
baseline_variant = "smollm"
margin = 0.02
test = "equivalence"

[[rule]]
suite = "gsm8k_loss"
max = 3.5

[[limit]]
max_timed_out = 0.1
"#;

fn read_all(baseline: &[u8], policy: &str) {
    let path = Path::new("x");
    let baseline = Baseline::parse(path, baseline);
    if let Ok(baseline) = &baseline {
        show(baseline, Style::Plain);
        assert_eq!(
            Baseline::parse(path, baseline.text().unwrap().as_bytes()).unwrap(),
            *baseline
        );
    }
    if let Ok(policy) = Policy::parse(path, policy)
        && let Ok(report) = judge(&policy, &inputs(&RECORD, baseline.as_ref().ok()))
    {
        junit(&report);
        step_summary(&report);
        terminal(&report, Style::Plain);
        serde_json::to_string(&report).unwrap();
    }
}

#[test]
fn the_files_as_they_are_make_a_report() {
    let baseline = Baseline::parse(Path::new("x"), TEXT.as_bytes()).unwrap();
    let policy = Policy::parse(Path::new("x"), POLICY).unwrap();
    assert!(judge(&policy, &inputs(&RECORD, Some(&baseline))).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_files_are_refused_or_read(
        at in 0.0..1.0f64,
        with in any::<char>(),
        policy_at in 0.0..1.0f64,
        policy_with in "[\\[\\]{}=\"'a-z0-9.\\n -]{0,3}",
        gone in 0usize..4,
    ) {
        let damaged = |text: &str, at: f64, with: &str| {
            let chars: Vec<char> = text.chars().collect();
            let at = (at * chars.len() as f64) as usize;
            let rest = &chars[(at + gone).min(chars.len())..];
            chars[..at].iter().copied().chain(with.chars()).chain(rest.iter().copied()).collect::<String>()
        };
        let baseline = damaged(&TEXT, at, &with.to_string());
        let policy = damaged(POLICY, policy_at, &policy_with);
        read_all(baseline.as_bytes(), &policy);
        read_all(TEXT.as_bytes(), &policy);
    }

    #[test]
    fn any_bytes_are_no_baseline(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in any::<String>()) {
        read_all(&bytes, &text);
    }

    #[test]
    fn other_scores_are_refused_or_compared(digits in "[0-9a-fA-F]{0,4}", number in any::<f64>(), items in any::<usize>()) {
        let text = TEXT
            .replacen("\"items\": 5", &format!("\"items\": {items}"), 3)
            .replacen("\"right\": \"", &format!("\"right\": \"{digits}"), 2)
            .replacen("\"value\": 0", &format!("\"value\": {number:e}, \"was\": 0"), 1)
            .replacen(", \"was\": 0", "", 1);
        read_all(text.as_bytes(), POLICY);
    }
}
