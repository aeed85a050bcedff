//! A whole plan, what is refused and how, and the jobs that a plan comes to.

use super::super::select::{Amount, Layers};
use super::*;
use evalh_record::{
    sha256_bytes,
    training::{Length, LossOn, Method, ProbeMethod, Schedule, TargetMetric},
};
use proptest::prelude::*;
use std::{fs, path::Path};

const WHOLE: &str = r#"
[experiment]
name = "aletheia-small"
seeds = [1, 2, 3]
out = "runs/aletheia"
threads = 2

[model]
path = "smollm2-135m"

[data]
train = "gsm8k.jsonl"
held_out = "held.jsonl"
loss = "response"
max_tokens = 160

[train]
steps = 200
warmup = "3%"
learning_rate = 1e-4
schedule = "linear"

[[arm]]
name = "standard"

[[arm]]
name = "gradient"
probe = { method = "gradient", top = "50%" }

[[arm]]
name = "matched"
probe = { method = "gradient", top = "50%" }
match = "compute"
of = "standard"

[[arm]]
name = "random"
probe = { method = "random", top = 15 }
rank = 8
rank_pattern = { v_proj = 4 }
targets = ["q_proj", "v_proj"]

[[arm]]
name = "iso"
layers = "0-3,7"
until = { metric = "held_out_loss", target = 1.2 }
clip = false

[[arm]]
name = "full"
method = "full"

[evaluate]
target = ["gsm8k", "suites/own.toml"]
guard = ["mini_mmlu"]
limit = { gsm8k = 100 }
shots = 0
tasks = ["algebra", "geometry"]
data = { gsm8k = "local" }
temperature = 0.5
chat = true
"#;

fn plan(text: &str) -> PlanResult<Plan> {
    Plan::parse(Path::new("lab/plan.toml"), text)
}

fn identity(plan: &Plan) -> Identity {
    let dir = tempfile::tempdir().unwrap();
    let mut placed = plan.clone();
    let place = |name: &str| {
        let path = dir.path().join(name);
        fs::write(&path, name).unwrap();
        path
    };
    placed.data.train = place("train");
    placed.data.held_out = plan.data.held_out.as_ref().map(|_| place("held"));
    Identity::read(&placed, "0.1.0", sha256_bytes(b"model")).unwrap()
}

fn ids(jobs: &[Job]) -> Vec<&str> {
    jobs.iter().map(|job| job.id.as_str()).collect()
}

fn find<'j>(jobs: &'j [Job], id: &str) -> &'j Job {
    jobs.iter().find(|job| job.id == id).unwrap()
}

#[test]
fn every_key_is_read() {
    let plan = plan(WHOLE).unwrap();
    assert_eq!(plan.seeds, [1, 2, 3]);
    assert_eq!(plan.out, Path::new("lab/runs/aletheia"));
    assert_eq!(plan.here(), Path::new("lab"));
    assert_eq!(plan.threads, Some(2));
    assert_eq!(plan.model, "smollm2-135m");
    assert_eq!(plan.data.train, Path::new("lab/gsm8k.jsonl"));
    assert_eq!(
        (plan.data.loss, plan.data.max_tokens),
        (LossOn::Response, 160)
    );
    assert!(plan.probes());
    let [standard, gradient, matched, random, iso, full] = plan.arms.as_slice() else {
        panic!("{:?}", plan.arms)
    };
    assert_eq!(standard.layers, ArmLayers::Given(Layers::All));
    assert_eq!(standard.recipe.length, Length::Steps(200));
    assert_eq!(standard.recipe.schedule, Schedule::Linear);
    assert_eq!(standard.recipe.warmup.steps(200), Ok(6));
    assert_eq!((standard.recipe.rank, standard.recipe.alpha), (16, 32.0));
    let ArmLayers::Probe(probe) = &gradient.layers else {
        panic!("{:?}", gradient.layers)
    };
    assert_eq!(
        (probe.method, probe.top),
        (ProbeMethod::Gradient, Amount::Ratio(0.5))
    );
    assert_eq!(
        (probe.batches, probe.samples, probe.per_seed),
        (Some(5), None, false)
    );
    assert_eq!(matched.compute_of.as_deref(), Some("standard"));
    assert_eq!(random.recipe.rank, 8);
    assert_eq!(random.recipe.rank_pattern["v_proj"], 4);
    assert_eq!(
        random.recipe.targets,
        Targets::Named(vec!["q_proj".to_owned(), "v_proj".to_owned()])
    );
    assert_eq!(
        iso.layers,
        ArmLayers::Given(Layers::List(vec![0, 1, 2, 3, 7]))
    );
    assert_eq!(iso.recipe.clip, None);
    let until = iso.until.unwrap();
    assert_eq!(
        (until.metric, until.target, until.every),
        (TargetMetric::HeldOutLoss, 1.2, 10)
    );
    assert_eq!(full.method, Method::Full);
    let evaluate = plan.evaluate.unwrap();
    assert_eq!(
        evaluate.suites(),
        ["gsm8k", "lab/suites/own.toml", "mini_mmlu"]
    );
    assert_eq!(
        evaluate.arguments.join(" "),
        "--tasks algebra,geometry --limit gsm8k=100 --shots 0 --data gsm8k=lab/local --temperature 0.5 --chat"
    );
}

#[test]
fn little_is_enough() {
    let plan = plan(
        "[experiment]\nname = 'x'\n[model]\npath = 'm'\n[data]\ntrain = 't'\n[[arm]]\nname = 'a'\nepochs = 1\n",
    )
    .unwrap();
    assert_eq!(plan.seeds, [1, 2, 3]);
    assert_eq!(plan.out, Path::new("lab/plan"));
    assert_eq!(plan.arms[0].recipe.length, Length::Epochs(1.0));
    assert_eq!(plan.evaluate, None);
    assert!(plan.evaluation(&identity(&plan), &[]).is_none());
}

/// A plan with one line put in the place of another.
fn spoilt(from: &str, to: &str) -> String {
    assert!(WHOLE.contains(from), "{from}");
    let text = WHOLE.replacen(from, to, 1);
    let error = plan(&text).expect_err(to);
    format!("{error}\n  {}\n", error.help())
}

#[test]
fn what_is_wrong_is_told_with_line_table_key_and_remedy() {
    let told: String = [
        ("name = \"aletheia-small\"", "name = 3"),
        ("seeds = [1, 2, 3]", "seeds = []"),
        ("seeds = [1, 2, 3]", "seeds = [1, -2]"),
        ("seeds = [1, 2, 3]", "seeds = [1, 1]"),
        ("threads = 2", "thread = 2"),
        ("[model]", "[modell]"),
        ("path = \"smollm2-135m\"", ""),
        ("held_out = \"held.jsonl\"", ""),
        ("until = { metric = \"held_out_loss\", target = 1.2 }", ""),
        (
            "until = { metric = \"held_out_loss\", target = 1.2 }",
            "until = { metric = \"accuracy\", target = 1.2 }",
        ),
        (
            "until = { metric = \"held_out_loss\", target = 1.2 }",
            "until = { metric = \"loss\", target = 0 }",
        ),
        ("loss = \"response\"", "loss = \"answer\""),
        ("steps = 200", ""),
        ("steps = 200", "steps = 200\nepochs = 1"),
        ("warmup = \"3%\"", "warmup = \"300%\""),
        ("warmup = \"3%\"", "warmup = 201"),
        ("learning_rate = 1e-4", "leraning_rate = 1e-4"),
        ("learning_rate = 1e-4", "learning_rate = nan"),
        ("schedule = \"linear\"", "schedule = \"cosin\""),
        ("name = \"gradient\"", "name = \"standard\""),
        ("name = \"gradient\"", "name = \"base\""),
        ("name = \"gradient\"", "name = \"../gradient\""),
        ("name = \"gradient\"", ""),
        (
            "name = \"standard\"",
            "name = \"standard\"\nlayers = \"3-1\"",
        ),
        (
            "name = \"gradient\"",
            "name = \"gradient\"\nlayers = \"all\"",
        ),
        ("top = \"50%\" }\n\n", "top = \"0%\" }\n\n"),
        ("top = \"50%\" }\n\n", "top = \"50%\", samples = 3 }\n\n"),
        ("top = \"50%\" }\n\n", "}\n\n"),
        ("top = 15", "top = 1.5"),
        ("top = 15", "top = 15, seed = 4"),
        (
            "method = \"random\", top = 15",
            "method = \"first\", top = 15, seed = 4",
        ),
        ("of = \"standard\"", ""),
        ("of = \"standard\"", "of = \"random\""),
        ("match = \"compute\"\n", ""),
        (
            "of = \"standard\"",
            "of = \"standard\"\nuntil = { metric = \"loss\", target = 1 }",
        ),
        ("targets = [\"q_proj\", \"v_proj\"]", "targets = \"q_proj\""),
        ("clip = false", "clip = true"),
        ("method = \"full\"", "method = \"full\"\nrank = 4"),
        ("method = \"full\"", "method = \"full\"\nquantize = \"nf4\""),
        ("clip = false", "quantize = \"nf4\""),
        ("guard = [\"mini_mmlu\"]", "guard = [\"gsm8k\"]"),
        ("guard = [\"mini_mmlu\"]", "guards = [\"mini_mmlu\"]"),
        (
            "target = [\"gsm8k\", \"suites/own.toml\"]\nguard = [\"mini_mmlu\"]",
            "",
        ),
        ("limit = { gsm8k = 100 }", "limit = true"),
        ("shots = 0", "shots = [0"),
    ]
    .map(|(from, to)| spoilt(from, to))
    .join("\n");
    insta::assert_snapshot!(told);
}

#[test]
fn probes_come_first_and_then_the_trainings_seed_by_seed() {
    let plan = plan(WHOLE).unwrap();
    let jobs = plan.jobs(&identity(&plan));
    assert_eq!(
        ids(&jobs),
        [
            "probe-gradient-50-b5-s0",
            "probe-random-15-layers-s1",
            "probe-random-15-layers-s2",
            "probe-random-15-layers-s3",
            "standard-s1",
            "gradient-s1",
            "random-s1",
            "iso-s1",
            "full-s1",
            "matched-s1",
            "gradient-s2",
            "random-s2",
            "iso-s2",
            "full-s2",
            "standard-s2",
            "matched-s2",
            "random-s3",
            "iso-s3",
            "full-s3",
            "standard-s3",
            "gradient-s3",
            "matched-s3",
        ]
    );
    for (at, job) in jobs.iter().enumerate() {
        assert!(
            job.needs
                .iter()
                .all(|need| ids(&jobs[..at]).contains(&need.as_str()))
        );
    }
    assert_eq!(
        find(&jobs, "matched-s2").needs,
        ["probe-gradient-50-b5-s0", "standard-s2"]
    );
    assert_eq!(
        find(&jobs, "random-s2").needs,
        ["probe-random-15-layers-s2"]
    );
    assert!(find(&jobs, "iso-s2").needs.is_empty());
    assert_eq!(
        find(&jobs, "iso-s2").folder,
        Path::new("lab/runs/aletheia/trainings/iso-s2")
    );
}

#[test]
fn a_hash_follows_what_changes_the_result_and_nothing_else() {
    let before = plan(WHOLE).unwrap();
    let jobs = before.jobs(&identity(&before));
    let changed = |from: &str, to: &str| {
        assert!(WHOLE.contains(from), "{from}");
        let after = plan(&WHOLE.replacen(from, to, 1)).unwrap();
        let after = after.jobs(&identity(&after));
        let differs = |job: &&Job| {
            jobs.iter()
                .all(|old| old.id != job.id || old.hash != job.hash)
        };
        after
            .iter()
            .filter(differs)
            .map(|job| job.id.clone())
            .collect::<Vec<_>>()
    };
    assert!(changed("name = \"aletheia-small\"", "name = \"other\"").is_empty());
    assert!(changed("steps = 200", "steps = 200\ncheckpoint_every = 50").is_empty());
    assert!(changed("limit = { gsm8k = 100 }", "limit = { gsm8k = 10 }").is_empty());
    assert_eq!(
        changed("seeds = [1, 2, 3]", "seeds = [1, 2, 3, 4]").len(),
        7
    );
    assert_eq!(changed("steps = 200", "steps = 100").len(), 18);
    assert_eq!(changed("max_tokens = 160", "max_tokens = 161").len(), 19);
    assert_eq!(
        changed("rank = 8", "rank = 4"),
        ["random-s1", "random-s2", "random-s3"]
    );
    assert_eq!(
        changed("target = 1.2", "target = 1.3"),
        ["iso-s1", "iso-s2", "iso-s3"]
    );
    // What is matched to a changed training is changed with it.
    assert_eq!(
        changed("name = \"standard\"", "name = \"standard\"\nrank = 4"),
        [
            "standard-s1",
            "matched-s1",
            "standard-s2",
            "matched-s2",
            "standard-s3",
            "matched-s3"
        ]
    );
    let mut other = identity(&before);
    other.model = sha256_bytes(b"another model");
    assert!(
        before
            .jobs(&other)
            .iter()
            .zip(&jobs)
            .all(|(new, old)| new.hash != old.hash)
    );
}

#[test]
fn an_evaluation_asks_what_was_trained_in_the_plans_order() {
    let plan = plan(WHOLE).unwrap();
    let identity = identity(&plan);
    let jobs = plan.jobs(&identity);
    let trained: Vec<&Job> = jobs
        .iter()
        .filter(|job| !job.id.starts_with("gradient"))
        .collect();
    let job = plan.evaluation(&identity, &trained).unwrap();
    let Work::Evaluate(evaluation) = &job.work else {
        panic!("{:?}", job.work)
    };
    let names: Vec<&str> = evaluation
        .variants
        .iter()
        .map(|variant| variant.name.as_str())
        .collect();
    assert_eq!(
        names[..4],
        ["standard-s1", "standard-s2", "standard-s3", "matched-s1"]
    );
    assert_eq!(names.len(), 15);
    assert_eq!(evaluation.variants[14].method, Method::Full);
    let all: Vec<&Job> = jobs.iter().collect();
    let of_all = plan.evaluation(&identity, &all).unwrap();
    assert_ne!(job.folder, of_all.folder);
    assert_eq!(plan.evaluation(&identity, &all), Some(of_all));
}

#[test]
fn a_book_knows_what_is_done_and_refuses_what_changed() {
    let dir = tempfile::tempdir().unwrap();
    let before = plan(WHOLE).unwrap();
    let jobs = before.jobs(&identity(&before));
    let book = Book::open(dir.path()).unwrap();
    assert!(matches!(
        Book::open(dir.path()),
        Err(BookError::Locked { .. })
    ));
    assert!(
        book.states(&jobs)
            .unwrap()
            .iter()
            .all(|state| *state == State::New)
    );
    book.begin(&jobs[4]).unwrap();
    book.begin(&jobs[5]).unwrap();
    book.end(&jobs[5], Done::Finished).unwrap();
    let failed = Done::Failed {
        problem: "the loss is NaN".to_owned(),
    };
    book.end(&jobs[6], failed.clone()).unwrap();
    drop(book);
    let book = Book::open(dir.path()).unwrap();
    assert_eq!(
        book.states(&jobs[4..8]).unwrap(),
        [
            State::Begun,
            State::Over(Done::Finished),
            State::Over(failed),
            State::New
        ]
    );
    let after = plan(&WHOLE.replacen("steps = 200", "steps = 100", 1)).unwrap();
    let changed = after.jobs(&identity(&after));
    let error = book.states(&changed).unwrap_err();
    assert_eq!(
        error.to_string(),
        "standard-s1 was made with other settings: recipe.length.steps was 200 and is now 100"
    );
    assert!(
        error.help().contains("trainings/standard-s1"),
        "{}",
        error.help()
    );
    fs::write(dir.path().join("jobs/standard-s1.json"), "{\"schema\": 7}").unwrap();
    assert!(matches!(
        book.state(&jobs[4]),
        Err(BookError::Schema { schema: 7, .. })
    ));
}

#[test]
fn a_missing_file_is_named() {
    let plan = plan(WHOLE).unwrap();
    let error = Identity::read(&plan, "0.1.0", sha256_bytes(b"m")).unwrap_err();
    assert_eq!(error.to_string(), "lab/gsm8k.jsonl cannot be read");
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,200}") {
        let _ = plan(&text);
    }

    /// Lines of a plan left out, doubled or swapped are read or refused with a line that is there.
    #[test]
    fn shuffled_lines_are_read_or_refused_at_a_line(from in 0usize..80, to in 0usize..80, cut in any::<bool>()) {
        let mut lines: Vec<&str> = WHOLE.lines().collect();
        let (from, to) = (from % lines.len(), to % lines.len());
        if cut {
            lines.remove(from);
        } else {
            lines.insert(to, lines[from]);
        }
        let text = lines.join("\n");
        match plan(&text) {
            Ok(plan) => {
                prop_assert!(!plan.arms.is_empty());
                let jobs = plan.jobs(&identity(&plan));
                let mut names = ids(&jobs);
                names.sort_unstable();
                names.dedup();
                prop_assert_eq!(names.len(), jobs.len());
            }
            Err(PlanError::Key(fault)) => prop_assert!((1..=lines.len()).contains(&fault.line)),
            Err(PlanError::Syntax { line, .. }) => prop_assert!((1..=lines.len()).contains(&line)),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }

    #[test]
    fn spans_of_layers_are_read_back(layers in proptest::collection::btree_set(0usize..60, 1..20)) {
        let text: Vec<String> = layers.iter().map(ToString::to_string).collect();
        let text = WHOLE.replace("0-3,7", &text.join(","));
        let read = plan(&text).unwrap();
        prop_assert_eq!(&read.arms[4].layers, &ArmLayers::Given(Layers::List(layers.into_iter().collect())));
    }
}
