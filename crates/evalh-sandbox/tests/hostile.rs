//! Hostile programs: none passes, none hangs, none reaches the host.

mod support;

use evalh_sandbox::{Limits, Program, Sandbox, Verdict};
use std::{
    collections::BTreeSet,
    io::ErrorKind,
    net::TcpListener,
    path::Path,
    time::{Duration, Instant},
};

const PROGRAMS: &str = include_str!("programs/hostile.py");

/// Far beyond what any of the programs may take, even on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

struct Case {
    name: &'static str,
    outcome: &'static str,
    code: String,
    tests: Option<String>,
}

fn cases(port: u16) -> Vec<Case> {
    let fill = |text: &str| {
        text.replace("HOST_PORT", &port.to_string())
            .replace("ZERO_BYTE", "\0")
    };
    let case = |text: &'static str| {
        let (title, program) = text.split_once('\n').unwrap();
        let (name, outcome) = title.split_once(" -> ").unwrap();
        let (code, tests) = match program.split_once("#-----\n") {
            Some((code, tests)) => (code, Some(fill(tests))),
            None => (program, None),
        };
        Case {
            name,
            outcome,
            code: fill(code),
            tests,
        }
    };
    PROGRAMS.split("\n#===== ").skip(1).map(case).collect()
}

fn run(sandbox: &Sandbox, case: &Case) -> (Verdict, Duration) {
    let begin = Instant::now();
    let program = match &case.tests {
        Some(tests) => Program::tested(&case.code, tests),
        None => Program::untested(&case.code),
    };
    (sandbox.run(&program).unwrap(), begin.elapsed())
}

/// Less fuel than by default, so that the endless ones end sooner.
fn hasty() -> Option<Sandbox> {
    support::prepare(Limits {
        fuel: 4_000_000_000,
        sleep_ms: 1000,
        ..Limits::default()
    })
}

#[test]
fn no_hostile_program_passes_hangs_or_reaches_the_host() {
    let Some(sandbox) = hasty() else {
        eprintln!("skipped no_hostile_program_passes: the sandbox's Python runtime is absent");
        return;
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let cases = cases(listener.local_addr().unwrap().port());
    assert!(cases.len() > 90, "{}", cases.len());

    let mut wrong = Vec::new();
    for case in &cases {
        let (verdict, took) = run(&sandbox, case);
        let name = verdict.outcome.kind().replace(' ', "_");
        if name != case.outcome || took > PATIENCE {
            wrong.push(format!(
                "{}: {:?} after {took:?}\n{}",
                case.name, verdict.outcome, verdict.stderr.text
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    assert_eq!(
        listener.accept().map(drop).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
    for folder in [".", "/", "/tmp"] {
        assert!(!Path::new(folder).join("evalh_was_here").exists());
    }
    assert!(
        Path::new("Cargo.toml").exists(),
        "tests run in the crate's folder"
    );
    // And the sandbox is as good as new.
    assert!(
        sandbox
            .run(&Program::tested("x = 1", "assert x"))
            .unwrap()
            .outcome
            .is_passed()
    );
}

#[test]
fn hostile_programs_do_not_disturb_others() {
    let Some(sandbox) = hasty() else {
        eprintln!("skipped hostile_programs_do_not_disturb_others: the runtime is absent");
        return;
    };
    let cases = cases(1);
    let alone = sandbox
        .run(&Program::tested("x = sum(range(10000))", "assert x"))
        .unwrap();
    let fuels = std::thread::scope(|scope| {
        let hostile = scope.spawn(|| {
            for case in cases.iter().filter(|case| case.outcome != "timed_out") {
                run(&sandbox, case);
            }
        });
        let mut fuels = BTreeSet::new();
        while !hostile.is_finished() {
            let verdict = sandbox
                .run(&Program::tested("x = sum(range(10000))", "assert x"))
                .unwrap();
            assert!(verdict.outcome.is_passed());
            fuels.insert(verdict.fuel);
        }
        fuels
    });
    assert!(
        fuels.iter().all(|fuel| *fuel == alone.fuel),
        "{fuels:?} {}",
        alone.fuel
    );
}
