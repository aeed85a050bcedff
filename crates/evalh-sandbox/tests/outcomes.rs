//! What programs become, what they see, and what is the same in every run.

mod support;

use evalh_sandbox::{
    Limits, Origin, Outcome, Program, Runtime, Sandbox, SandboxConfig, SandboxError, Stage,
    Suspicion, Verdict,
};
use std::{fs, time::Duration};

fn script(sandbox: &Sandbox, code: &str) -> Verdict {
    sandbox.run(&Program::script(code)).unwrap()
}

fn tested(sandbox: &Sandbox, code: &str, tests: &str) -> Verdict {
    sandbox.run(&Program::tested(code, tests)).unwrap()
}

/// Programs, perhaps with tests, and what becomes of them.
const OUTCOMES: &[(&str, Option<&str>, &str, &str, Stage)] = &[
    (
        "x = 1",
        Some("assert x == 1"),
        "passed",
        "passed",
        Stage::Tests,
    ),
    ("x = 1", None, "passed", "passed", Stage::Program),
    (
        "x = 1",
        Some("assert x == 2"),
        "failed",
        "failed",
        Stage::Tests,
    ),
    (
        "x = 1",
        Some("assert x == 2, 'not\\ntwo'"),
        "failed",
        "failed: two",
        Stage::Tests,
    ),
    (
        "assert 0, 'early'",
        Some("pass"),
        "failed",
        "failed: early",
        Stage::Program,
    ),
    (
        "def f(:",
        Some("pass"),
        "error",
        "error: SyntaxError: invalid syntax (<string>, line 1)",
        Stage::Program,
    ),
    (
        "x = 1",
        Some("x ="),
        "error",
        "error: SyntaxError: invalid syntax (<string>, line 1)",
        Stage::Tests,
    ),
    (
        "x = 1",
        Some("y"),
        "error",
        "error: NameError: name 'y' is not defined",
        Stage::Tests,
    ),
    (
        "{}['k']",
        None,
        "error",
        "error: KeyError: 'k'",
        Stage::Program,
    ),
    (
        "import numpy",
        None,
        "error",
        "error: ModuleNotFoundError: No module named 'numpy'",
        Stage::Program,
    ),
    (
        "import json; json.loads('')",
        None,
        "error",
        "error: json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
        Stage::Program,
    ),
    (
        "class E(Exception): pass\nraise E('own')",
        Some(""),
        "error",
        "error: E: own",
        Stage::Program,
    ),
    (
        "raise KeyboardInterrupt",
        None,
        "error",
        "error: KeyboardInterrupt",
        Stage::Program,
    ),
    (
        "import sys; sys.exit()",
        None,
        "exited",
        "exited: 0",
        Stage::Program,
    ),
    (
        "import sys; sys.exit(3)",
        None,
        "exited",
        "exited: 1",
        Stage::Program,
    ),
    (
        "x = bytearray(1 << 30)",
        None,
        "out of memory",
        "out of memory",
        Stage::Program,
    ),
    (
        "import time; time.sleep(1e6)",
        None,
        "timed out",
        "timed out",
        Stage::Program,
    ),
    (
        "import os; os.abort()",
        None,
        "crashed",
        "crashed: the interpreter aborted",
        Stage::Program,
    ),
];

#[test]
fn every_outcome() {
    let Some(sandbox) = support::sandbox("every_outcome") else {
        return;
    };
    for &(code, tests, name, text, stage) in OUTCOMES {
        let program = tests.map_or(Program::untested(code), |tests| {
            Program::tested(code, tests)
        });
        let verdict = sandbox.run(&program).unwrap();
        let got = (
            verdict.outcome.kind(),
            verdict.outcome.to_string(),
            verdict.stage,
        );
        assert_eq!(
            got,
            (name, text.to_owned(), stage),
            "{code}\n{}",
            verdict.stderr.text
        );
    }
}

#[test]
fn the_namespace_is_that_of_the_reference_harness() {
    let Some(sandbox) = support::sandbox("the_namespace_is_that_of_the_reference_harness") else {
        return;
    };
    let code = "
from __future__ import annotations
from typing import List, Optional
from dataclasses import dataclass
seen = sorted(globals())
if __name__ == '__main__':
    raise RuntimeError('not a script')
@dataclass
class Point:
    x: List[int]
def depth(n): return 0 if n == 0 else 1 + depth(n - 1)
";
    let tests = "
assert __name__ == 'builtins' and Point.__module__ == 'builtins'
assert seen == ['List', 'Optional', '__builtins__', 'annotations', 'dataclass'], seen
assert Point([1]) == Point([1]) and depth(900) == 900
";
    let verdict = tested(sandbox, code, tests);
    assert_eq!(verdict.outcome, Outcome::Passed, "{}", verdict.stderr.text);
    let verdict = script(
        sandbox,
        "import sys\nassert __name__ == '__main__' and sys.argv == ['program.py']\nprint('ran')",
    );
    assert_eq!(
        (verdict.outcome, verdict.stdout.text.as_str()),
        (Outcome::Passed, "ran\n")
    );
}

#[test]
fn the_standard_library_is_there() {
    let Some(sandbox) = support::sandbox("the_standard_library_is_there") else {
        return;
    };
    let code = "
import abc, argparse, array, asyncio, base64, bisect, calendar, cmath, collections.abc, concurrent.futures, contextlib
import copy, csv, dataclasses, datetime, decimal, difflib, doctest, email.mime.text, enum, fractions, functools, gc
import graphlib, gzip, hashlib, heapq, hmac, html.parser, inspect, io, ipaddress, itertools, json, keyword, locale
import logging.handlers, math, numbers, operator, os.path, pathlib, pickle, platform, pprint, queue, random, re
import secrets, sqlite3, statistics, string, struct, sys, tempfile, textwrap, threading, time, timeit, traceback
import types, typing, unicodedata, unittest.mock, urllib.parse, uuid, warnings, weakref, xml.etree.ElementTree, zlib
import zoneinfo
async def later(x):
    await asyncio.sleep(0.001)
    return x
async def both(): return await asyncio.gather(later(1), later(2))
assert asyncio.run(both()) == [1, 2]
assert hashlib.md5(b'').hexdigest().startswith('d41d8cd9') and hashlib.sha3_256(b'').digest()
assert '\u{e9}'.encode('utf-16') and 'x'.encode('cp1252') and int('7' * 3000) % 7 == 0
assert decimal.Decimal('0.1') * 3 == decimal.Decimal('0.3') and fractions.Fraction(1, 3) * 3 == 1
assert sqlite3.connect(':memory:').execute('select 1 + 1').fetchall() == [(2,)]
assert pickle.loads(pickle.dumps(datetime.date(2020, 2, 29))).weekday() == 5
assert zlib.decompress(zlib.compress(b'x' * 99)) == b'x' * 99 and base64.b64encode(b'x')
assert datetime.datetime.strptime('2020-02-29', '%Y-%m-%d').year == 2020
assert str(inspect.signature(later)) == '(x)' and xml.etree.ElementTree.fromstring('<a/>').tag == 'a'
class T(unittest.TestCase):
    def test(self): self.assertEqual(1, 1)
assert unittest.TextTestRunner().run(unittest.defaultTestLoader.loadTestsFromTestCase(T)).wasSuccessful()
assert argparse.ArgumentParser().parse_args([]) == argparse.Namespace()
assert unittest.mock.Mock(return_value=3)() == 3 and uuid.uuid4() and secrets.token_hex(4)
";
    let verdict = script(sandbox, code);
    assert_eq!(verdict.outcome, Outcome::Passed, "{}", verdict.stderr.text);
}

#[test]
fn output_is_captured_and_cut() {
    let Some(sandbox) = support::sandbox("output_is_captured_and_cut") else {
        return;
    };
    let verdict = script(
        sandbox,
        "import sys\nprint('out')\nprint('err', file=sys.stderr)\nsys.stdout.buffer.write(b'\\xff')",
    );
    assert_eq!(verdict.stdout.text, "out\n\u{fffd}");
    assert_eq!(verdict.stderr.text, "err\n");
    let verdict = script(sandbox, "print('x' * 1000000)\n1 / 0");
    assert_eq!(
        (verdict.stdout.text.len(), verdict.stdout.total_bytes),
        (64 << 10, 1_000_001)
    );
    assert!(verdict.stdout.truncated && !verdict.stderr.truncated);
    let traceback = "Traceback (most recent call last):\n  File \"<string>\", line 2, in <module>\nZeroDivisionError: division by zero\n";
    assert_eq!(verdict.stderr.text, traceback);
}

#[test]
fn a_run_repeats_to_the_last_unit_of_fuel() {
    let Some(sandbox) = support::sandbox("a_run_repeats_to_the_last_unit_of_fuel") else {
        return;
    };
    let code = "
import os, random, uuid
print(random.random(), random.sample(range(99), 9), os.urandom(8), uuid.uuid4(), hash('text'), {*'letters'})
";
    let run = || tested(sandbox, code, "assert True");
    let first = run();
    assert_eq!(first.outcome, Outcome::Passed, "{}", first.stderr.text);
    let others = std::thread::scope(|scope| {
        let threads = [(); 4].map(|()| scope.spawn(run));
        threads.map(|thread| thread.join().unwrap())
    });
    for other in others {
        assert_eq!((other.fuel, &other.stdout), (first.fuel, &first.stdout));
    }
    // Another program has other numbers.
    let other = tested(sandbox, &code.replace("import", "import  "), "assert True");
    assert_ne!(
        other.stdout.text.split(' ').next(),
        first.stdout.text.split(' ').next()
    );
}

#[test]
fn nothing_is_left_for_the_next_program() {
    let Some(sandbox) = support::sandbox("nothing_is_left_for_the_next_program") else {
        return;
    };
    let verdict = script(
        sandbox,
        "import math, builtins\nmath.pi = builtins.left = 3\nprint(math.pi)",
    );
    assert_eq!(verdict.stdout.text, "3\n");
    let verdict = script(sandbox, "import math\nassert math.pi > 3.1\nleft");
    assert_eq!(
        verdict.outcome.to_string(),
        "error: NameError: name 'left' is not defined"
    );
}

#[test]
fn limits_are_kept() {
    let limits = Limits {
        fuel: 200_000_000,
        wall_ms: 60_000,
        sleep_ms: 200,
        memory_bytes: 100 << 20,
        stack_bytes: 1 << 20,
        stream_bytes: 3,
        source_bytes: 100,
    };
    let Some(sandbox) = support::prepare(limits) else {
        eprintln!("skipped limits_are_kept: the sandbox's Python runtime is absent");
        return;
    };
    assert_eq!(sandbox.identity().limits, limits);
    let verdict = script(&sandbox, "while True: pass");
    assert_eq!(
        (verdict.outcome, verdict.fuel),
        (Outcome::TimedOut, limits.fuel)
    );
    let verdict = script(
        &sandbox,
        "import time\ntime.sleep(0.15)\nprint(1)\ntime.sleep(0.15)",
    );
    assert_eq!(
        (verdict.outcome, verdict.stdout.text.as_str()),
        (Outcome::TimedOut, "1\n")
    );
    assert_eq!(
        script(&sandbox, "bytearray(80 << 20)").outcome,
        Outcome::OutOfMemory
    );
    assert_eq!(script(&sandbox, "print(12345)").stdout.text, "123");
    let verdict = script(&sandbox, &"#".repeat(101));
    assert_eq!(
        verdict.outcome.to_string(),
        "error: SourceTooLong: 101 bytes, at most 100 are run"
    );
}

#[test]
fn the_wall_clock_is_a_backstop() {
    let limits = Limits {
        fuel: u64::MAX / 2,
        wall_ms: 300,
        ..Limits::default()
    };
    let Some(sandbox) = support::prepare(limits) else {
        eprintln!("skipped the_wall_clock_is_a_backstop: the sandbox's Python runtime is absent");
        return;
    };
    for code in [
        "while True: pass",
        "while True: bytes(1 << 24)",
        "9 ** 9 ** 9",
        "while True: print()",
    ] {
        let verdict = script(&sandbox, code);
        assert_eq!(verdict.outcome, Outcome::TimedOut);
        assert!(verdict.wall >= Duration::from_millis(300));
        assert!(
            verdict.wall < Duration::from_secs(20),
            "{code}: {:?}",
            verdict.wall
        );
    }
}

#[test]
fn a_pass_shows_what_is_suspicious_in_it() {
    let Some(sandbox) = support::sandbox("a_pass_shows_what_is_suspicious_in_it") else {
        return;
    };
    let code = "class Equal:\n    def __eq__(self, other): return True\ndef f(x): return Equal()\n";
    let verdict = tested(sandbox, code, "assert f(1) == 1");
    assert_eq!(
        (verdict.outcome, verdict.suspicions),
        (Outcome::Passed, vec![Suspicion::OverridesComparison])
    );
}

#[test]
fn a_warm_cache_needs_no_tool_and_a_prebuilt_runtime_none_either() {
    let name = "a_warm_cache_needs_no_tool_and_a_prebuilt_runtime_none_either";
    let Some(sandbox) = support::sandbox(name) else {
        return;
    };
    let Origin::Built { tool, .. } = &sandbox.identity().origin else {
        panic!("{:?}", sandbox.identity())
    };
    assert!(tool.contains(evalh_sandbox::COMPONENTIZE_PY_VERSION));
    let cache_dir = support::cache_dir();
    let prepare = |runtime| {
        let config = SandboxConfig {
            cache_dir: cache_dir.clone(),
            runtime,
            limits: Limits::default(),
        };
        Sandbox::prepare(&config, &|_| {})
    };
    let again = prepare(Runtime::Built(&|| panic!("the tool is not needed"))).unwrap();
    assert_eq!(again.identity(), sandbox.identity());

    // The cache also holds components of earlier guests: the one in use has the recorded hash.
    let component = fs::read_dir(cache_dir.join("sandbox"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            path.extension()
                .is_some_and(|extension| extension == "wasm")
                && evalh_record::sha256_file(path).unwrap() == sandbox.identity().component_sha256
        });
    let prebuilt = prepare(Runtime::Prebuilt(component.unwrap())).unwrap();
    assert_eq!(prebuilt.identity().origin, Origin::Prebuilt);
    assert_eq!(
        prebuilt.identity().component_sha256,
        sandbox.identity().component_sha256
    );
    assert_eq!(script(&prebuilt, "x = 1").outcome, Outcome::Passed);
}

#[test]
fn what_is_no_runtime_is_refused_by_name() {
    let dir = tempfile::TempDir::new().unwrap();
    let prepare = |bytes: &[u8]| {
        let file = dir.path().join("other.wasm");
        fs::write(&file, bytes).unwrap();
        let config = SandboxConfig {
            cache_dir: dir.path().join("cache"),
            runtime: Runtime::Prebuilt(file),
            limits: Limits::default(),
        };
        Sandbox::prepare(&config, &|_| {}).map(drop).unwrap_err()
    };
    let error = prepare(b"not wasm");
    assert!(
        matches!(error, SandboxError::Runtime { .. }) && error.to_string().contains("other.wasm"),
        "{error}"
    );
    // A component, but an empty one.
    let error = prepare(b"\0asm\x0d\0\x01\0");
    assert!(error.to_string().contains("no function `load`"), "{error}");

    let config = SandboxConfig {
        cache_dir: dir.path().join("cache"),
        runtime: Runtime::Prebuilt(dir.path().join("absent.wasm")),
        limits: Limits::default(),
    };
    let error = Sandbox::prepare(&config, &|_| {}).map(drop).unwrap_err();
    assert!(error.to_string().contains("absent.wasm"), "{error}");
    // A cache folder that cannot be made.
    fs::write(dir.path().join("file"), "").unwrap();
    let config = SandboxConfig {
        cache_dir: dir.path().join("file"),
        ..config
    };
    assert!(matches!(
        Sandbox::prepare(&config, &|_| {}),
        Err(SandboxError::Io { .. })
    ));
}
