//! What is asked about `QuixBugs`, and what becomes of the answers.

mod common;

use common::{options, response, shared};
use evalh_record::{
    Answer, ContinuationScore, Outcome, Part, Prompt, Request, RequestKind, ResultRow, Role, Sample,
};
use evalh_task::{
    Chat, DataFiles, Judgement, Task, TaskOptions, find_suite,
    quixbugs::{Items, QuixBugsRepair},
    sample,
};
use std::collections::BTreeSet;

fn data(test: &str) -> Option<DataFiles> {
    Some(DataFiles {
        root: shared(test)?.join("datasets/quixbugs"),
        files: Vec::new(),
    })
}

fn items(data: &DataFiles) -> Items {
    QuixBugsRepair::PUBLISHED.items(data).unwrap()
}

fn open(suite: &str, data: &DataFiles, options: &TaskOptions) -> Box<dyn Task> {
    find_suite(suite)
        .unwrap()
        .open(data, options)
        .unwrap_or_else(|error| panic!("failed to {error}"))
}

fn text(request: &Request) -> &str {
    match &request.prompt {
        Prompt::Text(text) => text,
        Prompt::Chat { messages, prefill } => {
            assert_eq!(
                (messages.last().unwrap().role, prefill),
                (Role::User, &None)
            );
            &messages.last().unwrap().content
        }
        Prompt::Pair { .. } => panic!("no pairs are asked"),
    }
}

#[test]
fn nothing_of_the_fix_is_in_a_prompt() {
    let Some(data) = data("nothing_of_the_fix_is_in_a_prompt") else {
        return;
    };
    let items = items(&data);
    for protocol in ["completion", "chat"] {
        let task = open("quixbugs_repair", &data, &options(protocol, true));
        let requests = task.requests();
        assert_eq!(requests.len(), 40);
        for (item, request) in items.all().iter().zip(&requests) {
            let prompt = text(request);
            assert!(prompt.contains(item.buggy_code()), "{}", item.name);
            assert!(prompt.contains(item.specification()), "{}", item.name);
            let known: BTreeSet<&str> = item.buggy.lines().map(str::trim).collect();
            let only_in_fix: Vec<&str> = item
                .correct
                .lines()
                .map(str::trim)
                .filter(|line| !known.contains(line))
                .collect();
            assert!(!only_in_fix.is_empty(), "{}", item.name);
            let shown: BTreeSet<&str> = prompt.lines().map(str::trim).collect();
            for line in only_in_fix {
                assert!(!shown.contains(line), "{}: {line}", item.name);
            }
        }
    }
}

#[test]
fn the_two_forms_of_a_repair() {
    let Some(data) = data("the_two_forms_of_a_repair") else {
        return;
    };
    let items = items(&data);
    let item = &items.all()[0];
    let task = open("quixbugs_repair", &data, &options("completion", false));
    let request = &task.requests()[0];
    assert_eq!(
        text(request),
        format!(
            "### fix the bug in the following function\n{}\n### fixed function\ndef bitcount(n):",
            item.buggy.trim()
        )
    );
    let RequestKind::Generate(generate) = &request.kind else {
        panic!("text is asked for")
    };
    assert_eq!((generate.max_new_tokens, generate.stops.len()), (1024, 9));
    let slot = task.slot(39).unwrap();
    assert_eq!((slot.item, slot.position), ("wrap", 39));
    let settings = task.settings();
    assert_eq!(
        serde_json::Value::from(settings.options).to_string(),
        r#"{"slow_tests":false,"effort":{"levenshtein":4}}"#
    );

    let task = open("quixbugs_repair", &data, &options("chat", true));
    let request = &task.requests()[0];
    assert_eq!(
        text(request),
        format!(
            "```python\n{}\n```\n\nFix bugs in bitcount. Please provide the complete corrected function in a markdown code block.",
            item.buggy.trim()
        )
    );
    let Judgement::Run(program) = task
        .judge(&response(
            request,
            "So:\n```python\ndef bitcount(n): ...\n```",
        ))
        .unwrap()
    else {
        panic!("a program runs")
    };
    assert_eq!(program.code, "def bitcount(n): ...\n");
    assert_eq!((program.tests, program.effort), (item.tests(), 1));
}

#[test]
fn tests_and_fixes_stand_in_no_program_before_they_run() {
    let Some(data) = data("tests_and_fixes_stand_in_no_program_before_they_run") else {
        return;
    };
    for item in items(&data).all() {
        let code = item.program(&item.buggy).code;
        // Only the module `node` is before the program, where the tests have it.
        let before = code
            .strip_suffix(item.buggy.as_str())
            .expect("the program is last");
        assert_eq!(
            before.is_empty(),
            item.node.is_none(),
            "{}: {before}",
            item.name
        );
        assert!(!before.contains("test"), "{}", item.name);
    }
}

#[test]
fn repairs_are_counted() {
    let Some(data) = data("repairs_are_counted") else {
        return;
    };
    let plan = TaskOptions {
        samples: 2,
        temperature: 0.5,
        limit: Some(4),
        ..options("completion", false)
    };
    let task = open("quixbugs_repair", &data, &plan);
    // Two samples of the first program pass, one of the second, none of the others.
    let samples = common::samples(&*task, "base", |index| index < 3);
    let rows = task.rows("base", &samples).unwrap();
    let found: Vec<_> = rows
        .iter()
        .map(|row| (row.metric.as_str(), row.n, row.value))
        .collect();
    assert_eq!(
        found,
        [
            ("pass@1", 4, 0.375),
            ("pass@2", 4, 0.5),
            ("repaired", 4, 2.0)
        ]
    );
    // The count's error is four times the error of the share one half.
    let share = rows[1].stderr.unwrap();
    assert!((rows[2].stderr.unwrap() - 4.0 * share).abs() < 1e-12);
    let error = task.rows("base", &samples[..7]).unwrap_err().to_string();
    assert!(
        error.contains("depth_first_search") && error.contains("resume"),
        "{error}"
    );
}

#[test]
fn the_prompts_of_a_pair_differ_in_the_changed_lines_only() {
    let Some(data) = data("the_prompts_of_a_pair_differ_in_the_changed_lines_only") else {
        return;
    };
    let task = open("quixbugs_detect", &data, &TaskOptions::default());
    let requests = task.requests();
    assert_eq!(requests.len(), 80);
    for pair in requests.chunks(2) {
        let id = task.slot(pair[0].index).unwrap().item.to_owned();
        let [buggy, correct] =
            [text(&pair[0]), text(&pair[1])].map(|text| text.lines().collect::<Vec<_>>());
        let same = |one: &&&str, other: &&&str| one == other;
        let before = buggy
            .iter()
            .zip(&correct)
            .take_while(|(one, other)| same(one, other))
            .count();
        let after = buggy[before..]
            .iter()
            .rev()
            .zip(correct[before..].iter().rev())
            .take_while(|(one, other)| same(one, other))
            .count();
        let changed = [
            &buggy[before..buggy.len() - after],
            &correct[before..correct.len() - after],
        ];
        // One line is another, or is there in the fix only; none differs by white space alone.
        assert!(
            changed[0].len() <= 1 && changed[1].len() == 1,
            "{id}: {changed:?}"
        );
        let bare = changed.map(|lines| lines.concat().split_whitespace().collect::<String>());
        assert_ne!(bare[0], bare[1], "{id}");
        assert!(
            !bare[1].contains('#') && !bare[0].contains('#'),
            "{id}: {changed:?}"
        );
        for lines in [&buggy, &correct] {
            assert!(
                !lines[0].is_empty() && lines.iter().all(|line| line.trim_end() == *line),
                "{id}"
            );
        }
    }
}

#[test]
fn a_question_has_two_answers() {
    let Some(data) = data("a_question_has_two_answers") else {
        return;
    };
    let items = items(&data);
    let plan = TaskOptions {
        limit: Some(3),
        ..TaskOptions::default()
    };
    let task = open("quixbugs_detect", &data, &plan);
    let requests = task.requests();
    let slots: Vec<_> = (0..3)
        .map(|index| task.slot(index).unwrap())
        .map(|slot| (slot.item, slot.target.unwrap()))
        .collect();
    assert_eq!(
        slots,
        [
            ("bitcount/buggy", "yes"),
            ("bitcount/correct", "no"),
            ("breadth_first_search/buggy", "yes")
        ]
    );
    assert!(task.slot(3).is_none());
    assert_eq!(task.protocol(), "question");
    let item = &items.all()[0];
    let asked = |code: &str| {
        format!(
            "{code}\n\n{}\n\nQuestion: Does this program have a bug?\nAnswer:",
            item.specification()
        )
    };
    assert_eq!(text(&requests[0]), asked(item.buggy_code()));
    assert_eq!(text(&requests[1]), asked(item.correct_code()));
    assert_eq!(continuations(&requests[0]), [" no", " yes"]);

    let chat = TaskOptions {
        has_chat_template: true,
        chat: Some(Chat {
            system: Some("Be brief.".into()),
            shots_as_turns: false,
        }),
        ..plan
    };
    let task = open("quixbugs_detect", &data, &chat);
    assert_eq!(task.protocol(), "question+chat");
    assert_eq!(task.settings().options["system"], "Be brief.");
    let request = &task.requests()[0];
    let Prompt::Chat { messages, .. } = &request.prompt else {
        panic!("a chat is asked for")
    };
    assert_eq!((messages.len(), messages[0].role), (2, Role::System));
    assert_eq!(text(request), asked(item.buggy_code()));
    assert_eq!(continuations(request), ["no", "yes"]);
}

fn continuations(request: &Request) -> &[String] {
    match &request.kind {
        RequestKind::LogLikelihood(scored) => &scored.continuations,
        _ => panic!("likelihoods are asked for"),
    }
}

/// A sample of every question, answered by label: 0 no, 1 yes.
fn answered(task: &dyn Task, label: impl Fn(usize) -> usize) -> Vec<Sample> {
    task.requests()
        .iter()
        .map(|request| {
            let mut response = response(request, "");
            let score = |log_prob| ContinuationScore {
                log_prob,
                tokens: 1,
                is_greedy: false,
            };
            let yes = if label(request.index) == 1 {
                -1.0
            } else {
                -3.0
            };
            response.answer = Answer::Scored(vec![score(-2.0), score(yes)]);
            let Judgement::Scored(scored) = task.judge(&response).unwrap() else {
                panic!("nothing runs")
            };
            sample(task, "base", response, scored).unwrap()
        })
        .collect()
}

fn value<'r>(rows: &'r [ResultRow], metric: &str) -> &'r ResultRow {
    rows.iter().find(|row| row.metric == metric).unwrap()
}

#[test]
fn detection_is_scored_as_scikit_learn_does() {
    let Some(data) = data("detection_is_scored_as_scikit_learn_does") else {
        return;
    };
    let task = open("quixbugs_detect", &data, &TaskOptions::default());
    let label = |index: usize| {
        if index.is_multiple_of(2) {
            usize::from(!index.is_multiple_of(3))
        } else {
            usize::from(index * 7 % 5 < 2)
        }
    };
    let samples = answered(&*task, label);
    assert_eq!(samples[2].extracted.as_deref(), Some("yes"));
    assert_eq!(
        (samples[2].target.as_deref(), samples[2].score),
        (Some("yes"), 1.0)
    );
    let rows = task.rows("base", &samples).unwrap();
    // scikit-learn 1.9: f1_score, precision_score, recall_score, balanced_accuracy_score, accuracy_score.
    let expected = [
        ("f1", 0.634_146_341_463_414_6, None),
        ("precision", 0.619_047_619_047_619_1, None),
        ("recall", 0.65, None),
        ("balanced_acc", 0.625, Some(0.5)),
        ("acc", 0.625, Some(0.5)),
    ];
    assert_eq!(rows.len(), expected.len());
    for (row, (metric, value, chance)) in rows.iter().zip(expected) {
        assert_eq!(
            (row.metric.as_str(), row.n, row.chance),
            (metric, 80, chance)
        );
        assert!((row.value - value).abs() < 1e-12, "{metric}: {}", row.value);
        assert!(row.stderr.unwrap() > 0.01, "{metric}");
        assert_eq!(
            (row.part, row.task.as_str()),
            (Part::Whole, "quixbugs_detect")
        );
    }
    assert!(
        task.rows("base", &samples[1..])
            .unwrap_err()
            .to_string()
            .contains("`bitcount/buggy`")
    );

    // A constant answer is no skill, whatever its F1.
    let rows = task.rows("base", &answered(&*task, |_| 1)).unwrap();
    assert!((value(&rows, "f1").value - 2.0 / 3.0).abs() < 1e-12);
    assert!((value(&rows, "balanced_acc").value - 0.5).abs() < 1e-12);
    let rows = task.rows("base", &answered(&*task, |_| 0)).unwrap();
    assert!(
        value(&rows, "f1").value.abs() < 1e-12 && value(&rows, "precision").value.abs() < 1e-12
    );
}

#[test]
fn a_tie_is_no_and_other_answers_are_refused() {
    let Some(data) = data("a_tie_is_no_and_other_answers_are_refused") else {
        return;
    };
    let task = open("quixbugs_detect", &data, &TaskOptions::default());
    let request = &task.requests()[0];
    let mut response = response(request, "yes");
    assert!(
        task.judge(&response)
            .unwrap_err()
            .to_string()
            .contains("two answers")
    );
    let score = ContinuationScore {
        log_prob: -2.0,
        tokens: 1,
        is_greedy: false,
    };
    response.answer = Answer::Scored(vec![score; 2]);
    let Judgement::Scored(scored) = task.judge(&response).unwrap() else {
        panic!("nothing runs")
    };
    assert_eq!(
        (scored.extracted.as_deref(), scored.score),
        (Some("no"), 0.0)
    );
    response.answer = Answer::Scored(vec![score; 3]);
    assert!(task.judge(&response).is_err());
    response.index = 80;
    assert!(
        task.judge(&response)
            .unwrap_err()
            .to_string()
            .contains("no request has this index")
    );
}

#[test]
fn a_repair_is_text() {
    let Some(data) = data("a_repair_is_text") else {
        return;
    };
    let task = open("quixbugs_repair", &data, &options("completion", false));
    let mut response = response(&task.requests()[0], "");
    response.answer = Answer::Scored(Vec::new());
    assert!(
        task.judge(&response)
            .unwrap_err()
            .to_string()
            .contains("text was asked for")
    );
    response.index = 40;
    assert!(task.judge(&response).is_err());
    let program = items(&data).all()[0].program("");
    let scored = program.scored(Outcome::TimedOut);
    assert!(scored.score.abs() < 1e-12);
}

#[test]
fn settings_that_have_no_effect_are_refused_by_name() {
    let none = DataFiles::default();
    let chat = Chat {
        system: None,
        shots_as_turns: true,
    };
    let cases = [
        (
            "quixbugs_repair",
            TaskOptions {
                chat: Some(chat.clone()),
                ..TaskOptions::default()
            },
            "chat",
        ),
        (
            "quixbugs_repair",
            TaskOptions {
                shots: Some(1),
                ..TaskOptions::default()
            },
            "shots",
        ),
        (
            "quixbugs_repair",
            options("prefill", true),
            "choose one of: completion, chat",
        ),
        (
            "quixbugs_repair",
            options("chat", false),
            "needs a chat template",
        ),
        (
            "quixbugs_detect",
            options("chat", true),
            "`chat` is unknown",
        ),
        (
            "quixbugs_detect",
            TaskOptions {
                shots: Some(1),
                ..TaskOptions::default()
            },
            "shots",
        ),
        (
            "quixbugs_detect",
            TaskOptions {
                max_new_tokens: Some(1),
                ..TaskOptions::default()
            },
            "max new tokens",
        ),
        (
            "quixbugs_detect",
            TaskOptions {
                chat: Some(Chat::default()),
                ..TaskOptions::default()
            },
            "needs a chat template",
        ),
        (
            "quixbugs_detect",
            TaskOptions {
                chat: Some(chat),
                has_chat_template: true,
                ..TaskOptions::default()
            },
            "shots as turns",
        ),
    ];
    for (suite, options, problem) in cases {
        let error = find_suite(suite)
            .unwrap()
            .open(&none, &options)
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains(suite) && error.contains(problem), "{error}");
    }
}
