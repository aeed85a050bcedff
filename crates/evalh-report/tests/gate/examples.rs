//! The example policy and workflow of the repository.

use evalh_report::gate::{Check, Policy, Reference};
use std::{fs, path::PathBuf};

fn reports() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../reports")
}

#[test]
fn the_example_policy_is_one() {
    let policy = Policy::read(&reports().join("gate.toml"));
    let policy = policy.unwrap_or_else(|error| panic!("{error}: {}", error.help()));
    assert!(!policy.limits.is_empty());
    let against = |reference: &Reference| {
        policy.rules.iter().any(
            |rule| matches!(&rule.check, Check::Against { reference: of, .. } if of == reference),
        )
    };
    assert!(against(&Reference::Base) && against(&Reference::Baseline(None)));
}

#[test]
fn the_example_workflow_is_yaml_that_calls_the_gate() {
    let text = fs::read_to_string(reports().join("gate-workflow.yml")).unwrap();
    let mut scalars = Vec::new();
    for event in saphyr_parser::Parser::new_from_str(&text) {
        if let (saphyr_parser::Event::Scalar(value, ..), _) = event.unwrap() {
            scalars.push(value.into_owned());
        }
    }
    let gate = scalars
        .iter()
        .find(|scalar| scalar.starts_with("evalh gate run"));
    assert!(
        gate.is_some_and(|gate| gate.contains("--policy gate.toml")),
        "{scalars:?}"
    );
}
