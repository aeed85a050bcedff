//! `evalh compare`, `view`, `gate` and `baseline`, over runs of the binary itself.

use crate::{
    run::with_model,
    support::{Evalh, Shown, TinyModel, change_tensors, real_model, write_adapter},
};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Stdio,
};

/// A suite of choices that no program runs for.
const ASK: &str = "run --suite mini_mmlu --model tiny --quiet";

fn done(evalh: &Evalh, line: &str) -> Shown {
    let shown = evalh.run(line);
    assert_eq!(shown.code, Some(0), "{line}\n{}", shown.err);
    shown
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn runs_of_one_model_are_compared_as_one() {
    let evalh = with_model();
    done(&evalh, &format!("{ASK} --adapter one=one --out a"));
    done(&evalh, &format!("{ASK} --adapter two=two --out b"));
    let shown = done(
        &evalh,
        "compare a b --out report --without-texts --role two=selective --json",
    );
    let comparison = &json(&shown.out)["comparison"];
    let names: Vec<_> = comparison["variants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| (of["name"].as_str().unwrap(), of["role"].as_str().unwrap()))
        .collect();
    // Both runs' base is one; the adapters change all layers, and one was called otherwise.
    assert_eq!(
        names,
        [("base", "base"), ("one", "standard"), ("two", "selective")]
    );
    let metric = &comparison["suites"][0]["parts"][0]["metrics"][0];
    let against: Vec<_> = metric["contrasts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| (of["variant"].clone(), of["other"].clone()))
        .collect();
    assert_eq!(
        against,
        [
            (1.into(), 0.into()),
            (2.into(), 0.into()),
            (2.into(), 1.into())
        ]
    );
    // Each difference is that of the recorded scores.
    for (contrast, run) in [(0, "a"), (1, "b")] {
        let rows = json(&evalh.read(&format!("{run}/results.json")));
        let score = |place: usize| rows[place]["value"].as_f64().unwrap();
        let parts = rows.as_array().unwrap().len() / 2;
        let found = metric["contrasts"][contrast]["value"].as_f64().unwrap();
        assert!((found - (score(parts) - score(0))).abs() < 1e-12);
    }
    let mut files: Vec<String> = fs::read_dir(evalh.path("report"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(
        files,
        [
            "comparison.json",
            "contrasts.csv",
            "costs.csv",
            "flips.csv",
            "plots",
            "report.html",
            "report.md",
            "results_a_base.json",
            "results_a_one.json",
            "results_b_base.json",
            "results_b_two.json",
            "scores.csv",
        ]
    );
    // Without texts, no question is in any of them; with texts it is in the page alone, compressed.
    let report = evalh.read("report/report.md");
    assert!(
        report.contains("![") && report.contains("plots/"),
        "{report}"
    );
}

#[test]
fn runs_that_differ_in_what_changes_a_score_are_refused() {
    let evalh = with_model();
    done(
        &evalh,
        &format!("{ASK} --adapter one=one --limit 2 --out a"),
    );
    done(
        &evalh,
        &format!("{ASK} --adapter two=two --limit 3 --shots 1 --out b"),
    );
    insta::assert_snapshot!("differ", evalh.shown(&evalh.run("compare a b")));
    let forced = done(&evalh, "compare a b --force");
    assert!(
        forced
            .out
            .contains("mini_mmlu.shots is 1 there and 5 in the first run"),
        "{}",
        forced.out
    );
    insta::assert_snapshot!("twice", evalh.shown(&evalh.run("compare a a")));
    insta::assert_snapshot!(
        "no_such_variant",
        evalh.shown(&evalh.run("compare a --role tuned=standard"))
    );
    insta::assert_snapshot!(
        "no_such_role",
        evalh.shown(&evalh.run("compare a --role one=best"))
    );
    insta::assert_snapshot!("no_run", evalh.shown(&evalh.run("compare nowhere")));
    evalh.write("bench.json", "{}");
    insta::assert_snapshot!(
        "no_bench",
        evalh.shown(&evalh.run("compare a --bench bench.json"))
    );
}

#[test]
fn the_page_is_served_until_the_command_is_stopped() {
    let evalh = with_model();
    done(
        &evalh,
        &format!("{ASK} --adapter one=one --limit 1 --out a"),
    );
    let mut command = evalh.command("view a --no-open");
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut url = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut url)
        .unwrap();
    let address = url
        .trim()
        .trim_start_matches("http://")
        .trim_end_matches('/');
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET / HTTP/1.0\r\nHost: {address}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    // What is served is what `report` writes.
    let page = answer.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(page, evalh.read("a/report.html"));
}

/// A policy of one rule.
fn policy(evalh: &Evalh, rule: &str) {
    evalh.write("gate.toml", format!("[[rule]]\n{rule}\n"));
}

#[test]
fn a_gate_that_a_few_items_cannot_decide_is_inconclusive() {
    let evalh = with_model();
    done(
        &evalh,
        &format!("{ASK} --adapter one=one --limit 1 --out a"),
    );
    policy(
        &evalh,
        "suite = \"mini_mmlu\"\nvariant = \"one\"\nagainst = \"base\"\nmargin = 0.02",
    );
    let mut command = evalh.command("gate a --policy gate.toml --junit gate.xml --json");
    command.env("GITHUB_STEP_SUMMARY", evalh.path("summary.md"));
    let shown = Evalh::finish(&mut command);
    assert_eq!(shown.code, Some(3), "{}", shown.err);
    let found = json(&shown.out);
    assert_eq!(found["verdict"], "inconclusive");
    let needed = found["cases"][0]["items_needed"].as_u64().unwrap();
    assert!(needed > 3, "{needed}");
    assert!(evalh.read("gate.xml").contains("<skipped"));
    assert!(
        evalh
            .read("summary.md")
            .starts_with("## evalh gate inconclusive")
    );

    insta::assert_snapshot!("no_baseline", {
        policy(
            &evalh,
            "suite = \"mini_mmlu\"\nvariant = \"one\"\nagainst = \"baseline\"\nmargin = 0.02",
        );
        evalh.shown(&evalh.run("gate a --policy gate.toml"))
    });
    insta::assert_snapshot!("no_suite", {
        policy(
            &evalh,
            "suite = \"mmlu\"\nvariant = \"one\"\nagainst = \"base\"\nmargin = 0.02",
        );
        evalh.shown(&evalh.run("gate a --policy gate.toml"))
    });
    insta::assert_snapshot!("no_such_field", {
        policy(&evalh, "suite = \"mini_mmlu\"\nvariants = \"one\"");
        evalh.shown(&evalh.run("gate a --policy gate.toml"))
    });
}

#[test]
fn a_baseline_stands_in_for_the_run_that_it_was_saved_from() {
    let evalh = with_model();
    done(&evalh, &format!("{ASK} --adapter one=one --out a"));
    done(&evalh, "baseline save a --out base.json");
    let text = evalh.read("base.json");
    assert!(text.len() < 20_000, "{} bytes", text.len());
    for line in evalh.read("a/items.jsonl").lines() {
        let item = json(line)["item"].as_str().unwrap().to_owned();
        assert!(!text.contains(&format!("\"{item}\"")), "{item}");
    }
    policy(
        &evalh,
        "suite = \"mini_mmlu\"\nvariant = \"one\"\nagainst = \"baseline\"\nmargin = 0.2",
    );
    let verdicts = ["base.json", "a"].map(|baseline| {
        let line = format!("gate a --policy gate.toml --json --baseline {baseline}");
        let mut found = json(&done(&evalh, &line).out);
        found["baseline"].take();
        found
    });
    assert_eq!(verdicts[0], verdicts[1]);
    let shown = done(&evalh, "baseline show base.json --json");
    assert_eq!(json(&shown.out), json(&text));

    // Other shots are another measurement.
    done(
        &evalh,
        &format!("{ASK} --adapter one=one --shots 1 --out b"),
    );
    insta::assert_snapshot!(
        "other_settings",
        evalh.shown(&evalh.run("gate b --policy gate.toml --baseline base.json"))
    );
    evalh.write("base.json", &text[..text.len() / 2]);
    insta::assert_snapshot!(
        "a_torn_baseline",
        evalh.shown(&evalh.run("gate a --policy gate.toml --baseline base.json"))
    );
}

/// The small adapter of the default run, as it is and with its weights in another order and much stronger.
fn good_and_broken(evalh: &Evalh) -> PathBuf {
    let good = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../datasets/adapters/small-standard")
        .canonicalize()
        .unwrap();
    for name in ["adapter_config.json", "adapter_model.safetensors"] {
        evalh.write(
            &format!("broken/{name}"),
            fs::read(good.join(name)).unwrap(),
        );
    }
    let config = evalh.path("broken/adapter_config.json");
    let mut settings = json(&fs::read_to_string(&config).unwrap());
    let alpha = settings["lora_alpha"].as_f64().unwrap();
    settings["lora_alpha"] = (64.0 * alpha).into();
    fs::write(config, settings.to_string()).unwrap();
    change_tensors(&evalh.path("broken/adapter_model.safetensors"), |tensors| {
        for (dtype, _, bytes) in tensors.values_mut() {
            let width = if format!("{dtype:?}") == "F32" { 4 } else { 2 };
            let reversed: Vec<u8> = bytes.rchunks_exact(width).flatten().copied().collect();
            *bytes = reversed;
        }
    });
    good
}

/// Small functions, in this project's own words.
fn texts() -> String {
    let names = "total largest smallest mean product evens odds squares reverse unique flatten words vowels letters \
                 digits primes factors fibonacci factorial palindrome gcd lcm power clamp median rotate chunks pairs";
    let lines = names.split_whitespace().map(|name| {
        let code = format!(
            "def {name}(values):\n    \"\"\"Return the {name} of the values.\"\"\"\n    result = []\n    for value in values:\n        if value:\n            result.append(value)\n    return result\n"
        );
        serde_json::json!({ "text": code }).to_string() + "\n"
    });
    lines.collect()
}

#[test]
fn a_good_adapter_passes_the_gate_and_a_broken_one_fails() {
    let Some(model) = real_model("a_good_adapter_passes_the_gate_and_a_broken_one_fails") else {
        return;
    };
    let evalh = Evalh::new();
    let good = good_and_broken(&evalh);
    evalh.write("texts.jsonl", texts());
    done(
        &evalh,
        &format!(
            "run --suite perplexity --data texts.jsonl --quiet --out a --model {} --adapter good={} --adapter broken=broken",
            model.display(),
            good.display()
        ),
    );
    let rule = |variant: &str| {
        format!(
            "name = \"texts stay likely\"\nsuite = \"perplexity\"\nvariant = \"{variant}\"\nagainst = \"base\"\nmargin = 0.01"
        )
    };
    for (variant, code) in [("good", 0), ("broken", 1), ("*", 1)] {
        policy(&evalh, &rule(variant));
        let mut command = evalh.command("gate a --policy gate.toml --junit gate.xml");
        command.env("GITHUB_STEP_SUMMARY", evalh.path("summary.md"));
        let shown = Evalh::finish(&mut command);
        assert_eq!(
            shown.code,
            Some(code),
            "{variant}: {}{}",
            shown.out,
            shown.err
        );
    }
    // The digits hang on the model file that is there; what is said about them does not.
    let digits = [
        (r"[0-9.]*\d", "N"),
        (r"[+\u{2212}]N", "N"),
        (r" +|-{2,}", " "),
    ];
    insta::with_settings!({filters => digits}, {
        insta::assert_snapshot!("both_shown", evalh.run("gate a --policy gate.toml").out);
        insta::assert_snapshot!("both_junit", evalh.read("gate.xml"));
        insta::assert_snapshot!("both_summary", evalh.read("summary.md"));
    });
}

#[test]
fn the_layers_of_an_adapter_tell_its_role() {
    let evalh = Evalh::new();
    TinyModel::new().write(&evalh.path("tiny"));
    write_adapter(&evalh.path("all"), 1, 64);
    write_adapter(&evalh.path("some"), 2, 64);
    let config = evalh.path("some/adapter_config.json");
    let mut settings = json(&fs::read_to_string(&config).unwrap());
    settings["layers_to_transform"] = serde_json::json!([1]);
    fs::write(&config, settings.to_string()).unwrap();
    change_tensors(&evalh.path("some/adapter_model.safetensors"), |tensors| {
        tensors.retain(|name, _| name.contains("layers.1."));
    });
    done(
        &evalh,
        &format!("{ASK} --limit 1 --adapter all=all --adapter some=some --out a"),
    );
    let shown = done(&evalh, "compare a --json");
    let variants = json(&shown.out)["comparison"]["variants"].clone();
    let told = |place: usize| {
        let of = &variants[place];
        (of["role"].clone(), of["adapter"]["layers"].clone())
    };
    assert_eq!(told(1), ("standard".into(), serde_json::json!([0, 1])));
    assert_eq!(told(2), ("selective".into(), serde_json::json!([1])));
    let report = evalh.read("a/report.md");
    assert!(report.contains("## Forgetting"), "{report}");
    assert!(report.contains("1 of 2: 1"), "{report}");
}
