//! Definitions as users write them: data, options, results, and every kind of mistake.
#![allow(missing_docs)]

mod common;

use common::{reference_task, requests_by_item, response, scored_response};
use evalh_record::{
    Answer, ContinuationScore, Part, Prompt, Request, RequestKind, Response, ResultRow, Sample,
    TextScore,
};
use evalh_task::{
    DataFiles, Draw, Judgement, Suite, Task, TaskError, TaskOptions, find_suite, open_suite, sample,
};
use std::{path::Path, sync::Arc};

const HEAD: &str = "name = \"own\"\ndescription = \"invented\"\n[[layout]]\nitems = { file = \"rows.jsonl\" }\n\
                    shots = { file = \"rows.jsonl\" }\n";
const FORM: &str =
    "[protocol.plain]\ncontext = \"{{ q }}\"\nchoices = [\"no\", \"yes\"]\ntarget = \"{{ y }}\"\n";
const ROWS: &str =
    "{\"q\": \"one\", \"y\": 1}\n{\"q\": \"two\", \"y\": 0}\n{\"q\": \"three\", \"y\": \"yes\"}\n";

struct Own(tempfile::TempDir);

impl Own {
    fn new(definition: &str, rows: &str) -> Own {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("own.toml"), definition).unwrap();
        std::fs::write(folder.path().join("rows.jsonl"), rows).unwrap();
        Own(folder)
    }

    fn suite(&self) -> Result<Arc<dyn Suite>, TaskError> {
        open_suite(&self.0.path().join("own.toml"))
    }

    fn open(&self, options: &TaskOptions) -> Result<Box<dyn Task>, TaskError> {
        let data = DataFiles {
            root: self.0.path().to_owned(),
            files: Vec::new(),
        };
        self.suite()?.open(&data, options)
    }

    fn error(&self, options: &TaskOptions) -> String {
        let error = self.open(options).err().map(|error| error.to_string());
        let folder = self.0.path().display().to_string();
        error.expect("a mistake").replace(&folder, "DIR")
    }
}

/// A sample of every request, of which each choice in turn is the best.
fn samples(task: &dyn Task, best: impl Fn(usize) -> usize) -> Vec<Sample> {
    let answer = |request: &Request| -> Response {
        match &request.kind {
            RequestKind::LogLikelihood(asked) => {
                let score = |place| ContinuationScore {
                    log_prob: if place == best(request.index) {
                        -1.0
                    } else {
                        -2.0
                    },
                    tokens: 1,
                    is_greedy: false,
                };
                scored_response(request, (0..asked.continuations.len()).map(score).collect())
            }
            RequestKind::Loss(_) => Response {
                answer: Answer::Loss(TextScore {
                    log_prob: -10.0,
                    tokens: 5,
                    bytes: 20,
                    windows: 1,
                }),
                ..response(request, "")
            },
            _ => response(request, "#### 7"),
        }
    };
    let of_request = |request: &Request| {
        let response = answer(request);
        let Judgement::Scored(scored) = task.judge(&response).unwrap() else {
            panic!("read off the response")
        };
        sample(task, "base", response, scored).unwrap()
    };
    task.requests().iter().map(of_request).collect()
}

fn shown(row: &ResultRow) -> (Part, &str, &str, f64, usize) {
    (row.part, &row.task, &row.metric, row.value, row.n)
}

#[test]
fn every_built_in_definition_loads_with_the_published_number_of_rows() {
    let Some(shared) = common::shared("every_built_in_definition_loads") else {
        return;
    };
    for (suite, folder, items) in [
        ("mmlu", "mmlu", 14_042),
        ("gsm8k", "gsm8k", 1319),
        ("gsm8k_cot", "gsm8k", 1319),
        ("gsm8k_loss", "gsm8k", 1319),
        ("glue_prompt", "glue", 1043 + 408 + 5463 + 277 + 872 + 71),
    ] {
        let task = reference_task(&shared, suite, folder);
        let settings = task.settings();
        assert_eq!(
            (task.requests().len(), settings.items),
            (items, items),
            "{suite}"
        );
        assert!(!settings.data.is_empty());
    }
    let mmlu = reference_task(&shared, "mmlu", "mmlu");
    assert_eq!(mmlu.settings().data.len(), 2 * 57);
    assert_eq!(find_suite("mmlu").unwrap().facts().items, Some(14_042));
    assert_eq!(
        find_suite("glue_prompt").unwrap().facts().items,
        Some(68_211)
    );
}

#[test]
fn tasks_that_are_not_there_are_named_with_those_that_are() {
    let Some(shared) = common::shared("tasks_that_are_not_there_are_named") else {
        return;
    };
    let data = common::shared_data(&shared, "glue");
    let suite = find_suite("glue_prompt").unwrap();
    let error = suite.open(&data, &TaskOptions::default()).err().unwrap();
    assert_eq!(
        error.to_string(),
        "use glue_prompt: files are missing (mnli: MNLI/dev_matched.tsv or \
         mnli/validation_matched-00000-of-00001.parquet, mnli_mismatch: MNLI/dev_mismatched.tsv or \
         mnli/validation_mismatched-00000-of-00001.parquet, qqp: QQP/dev.tsv or \
         qqp/validation-00000-of-00001.parquet); add them, or choose the tasks that are there with --tasks \
         cola,mrpc,qnli,rte,sst2,wnli"
    );
    let mmlu = find_suite("mmlu").unwrap();
    let error = mmlu
        .open(&data, &TaskOptions::default())
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("and those of 53 more tasks"), "{error}");
    assert!(
        error.ends_with("give the folder that holds them"),
        "{error}"
    );
}

#[test]
fn mini_suites_run_from_question_to_result_without_any_file() {
    for (name, items, whole) in [
        ("mini_mmlu", 24, "acc"),
        ("mini_gsm8k", 12, "exact_match,strict-match"),
        ("mini_glue_prompt", 40, "average"),
    ] {
        let suite = find_suite(name).unwrap();
        let task = suite
            .open(&DataFiles::default(), &TaskOptions::default())
            .unwrap();
        let samples = samples(&*task, |index| index % 2);
        assert_eq!(samples.len(), items);
        let rows = task.rows("base", &samples).unwrap();
        assert_eq!(
            (rows[0].part, rows[0].metric.as_str()),
            (Part::Whole, whole)
        );
        assert_eq!((rows[0].task.as_str(), rows[0].n), (name, items));
        assert!(task.rows("base", &samples[1..]).is_err());
        assert!(task.rows("other", &samples).is_err());
    }
}

#[test]
fn results_come_for_the_whole_the_groups_and_the_tasks() {
    let suite = find_suite("mini_mmlu").unwrap();
    let task = suite
        .open(&DataFiles::default(), &TaskOptions::default())
        .unwrap();
    let gold = |index: usize| {
        let letter = task.slot(index).unwrap().target.unwrap();
        ["A", "B", "C", "D"]
            .iter()
            .position(|known| *known == letter)
            .unwrap()
    };
    // the first task all right, of the second and third half
    let best = |index: usize| {
        if index < 8 || index.is_multiple_of(2) {
            gold(index)
        } else {
            (gold(index) + 1) % 4
        }
    };
    let rows = task.rows("base", &samples(&*task, best)).unwrap();
    let found: Vec<_> = rows.iter().map(shown).collect();
    assert_eq!(
        found,
        [
            (Part::Whole, "mini_mmlu", "acc", 16.0 / 24.0, 24),
            (Part::Group, "world", "acc", 1.0, 8),
            (Part::Group, "science", "acc", 0.5, 16),
            (Part::Task, "geography", "acc", 1.0, 8),
            (Part::Task, "household_physics", "acc", 0.5, 8),
            (Part::Task, "programming", "acc", 0.5, 8),
        ]
    );
    assert!(
        rows.iter()
            .all(|row| row.chance == Some(0.25) && row.protocol == "lm-eval")
    );
}

#[test]
fn an_item_keeps_its_place_and_shots_whatever_else_is_asked() {
    let suite = find_suite("mini_gsm8k").unwrap();
    let open = |options: TaskOptions| suite.open(&DataFiles::default(), &options).unwrap();
    let all = requests_by_item(&*open(TaskOptions::default()));
    let draw = Draw { items: 4, seed: 3 };
    for options in [
        TaskOptions {
            limit: Some(3),
            ..TaskOptions::default()
        },
        TaskOptions {
            draw: Some(draw),
            ..TaskOptions::default()
        },
    ] {
        let task = open(options);
        let requests = task.requests();
        assert!(requests.len() < 5);
        for request in requests {
            let slot = task.slot(request.index).unwrap();
            assert_eq!(all[slot.item].prompt, request.prompt);
            assert_eq!(slot.position.to_string(), slot.item);
        }
    }
    let mmlu = find_suite("mini_mmlu").unwrap();
    let options = TaskOptions {
        tasks: vec!["programming".into()],
        ..TaskOptions::default()
    };
    let task = mmlu.open(&DataFiles::default(), &options).unwrap();
    let slot = task.slot(0).unwrap();
    assert_eq!((slot.item, slot.position), ("programming/0", 16));
    assert_eq!(
        task.settings().options["tasks"],
        serde_json::json!(["programming"])
    );
}

#[test]
fn the_settings_hold_what_can_change_a_score() {
    let suite = find_suite("mini_gsm8k").unwrap();
    let options = |seed, shots| TaskOptions {
        shot_seed: Some(seed),
        shots: Some(shots),
        ..TaskOptions::default()
    };
    let settings = |options| {
        suite
            .open(&DataFiles::default(), &options)
            .unwrap()
            .settings()
    };
    let (first, other, none) = (
        settings(options(1, 2)),
        settings(options(2, 2)),
        settings(options(1, 0)),
    );
    assert_eq!(
        (first.shots, &first.options["shot_seed"]),
        (2, &serde_json::json!(1))
    );
    assert_ne!(first.options["shots_sha256"], other.options["shots_sha256"]);
    assert_eq!(
        first.options["definition_sha256"],
        other.options["definition_sha256"]
    );
    assert_eq!(
        (none.shots, none.options.contains_key("shots_sha256")),
        (0, false)
    );
    assert_eq!((first.data.len(), none.data.len()), (2, 1));
    assert_eq!(first.max_new_tokens, Some(256));
}

#[test]
fn losses_are_taken_over_all_texts() {
    let form = "[protocol.plain]\ncontext = \"{{ q }}\"\ntarget = \"{{ y }}\"\nloss = { stride = 4 }\n\
                metrics = [\"nats_per_token\", \"bits_per_byte\", \"word_perplexity\"]\n";
    let own = Own::new(&format!("{HEAD}{form}"), ROWS);
    let task = own.open(&TaskOptions::default()).unwrap();
    let requests = task.requests();
    assert_eq!(requests[2].prompt, Prompt::Text("three yes".into()));
    let rows = task.rows("base", &samples(&*task, |_| 0)).unwrap();
    let values: Vec<f64> = rows.iter().map(|row| row.value).collect();
    assert!((values[0] - 2.0).abs() < 1e-12);
    assert!((values[1] - 0.5 / std::f64::consts::LN_2).abs() < 1e-12);
    assert!((values[2] - 5_f64.exp()).abs() < 1e-9);
    let chat = TaskOptions {
        has_chat_template: true,
        chat: Some(evalh_task::Chat::default()),
        ..TaskOptions::default()
    };
    assert!(
        own.error(&chat)
            .starts_with("open suite `own`: chat has no effect here")
    );
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn mistakes_in_a_definition_are_named_with_file_field_and_remedy() {
    let changed = |from: &str, to: &str| format!("{HEAD}{FORM}").replace(from, to);
    let more = |text: &str| format!("{HEAD}{FORM}{text}");
    for (definition, message) in [
        (
            "name = 3".to_owned(),
            "read suite definition DIR/own.toml, line 1: invalid type",
        ),
        (more("colour = 1"), "line 10: unknown field `colour`"),
        (
            changed("name = \"own\"", "name = \"Own\""),
            "`name`: `Own` is no suite's name; use lower-case",
        ),
        (
            changed("name = \"own\"", "name = \"mmlu\""),
            "`name`: `mmlu` is the name of a suite of evalh's; give it",
        ),
        (
            changed("\"invented\"", "\"\""),
            "`description`: it is not one line",
        ),
        (HEAD.to_owned(), "`protocol`: there is none; add"),
        (
            more("[protocol.b]\ncontext=''"),
            "`default_protocol`: it is missing, and there are several",
        ),
        (
            changed("context = \"{{ q }}\"", "context = \"{{ q\""),
            "`protocol.plain.context`: syntax error",
        ),
        (
            changed("context = \"{{ q }}\"\n", ""),
            "`protocol.plain.context`: it is missing; give the template",
        ),
        (
            changed("target = \"{{ y }}\"\n", ""),
            "`protocol.plain.target`: it is missing",
        ),
        (
            changed("choices = [\"no\", \"yes\"]\n", ""),
            "`protocol.plain`: it asks nothing; give exactly one",
        ),
        (
            more("loss = {}"),
            "`protocol.plain`: it asks choices and loss at once",
        ),
        (
            changed("\"no\", ", ""),
            "`protocol.plain.choices`: there are less than two",
        ),
        (
            changed("\"no\"", "\"yes\""),
            "`protocol.plain.choices[1]`: `yes` is there twice",
        ),
        (
            changed("\"no\"", "\"2\""),
            "`protocol.plain.target_is`: it is missing, and a choice is a number",
        ),
        (
            more("metrics = []"),
            "`protocol.plain.metrics`: there are none",
        ),
        (
            more("metrics = [\"exact_match\"]"),
            "exact_match is no metric of choices; choices is answered by: acc,",
        ),
        (more("metrics = [\"bleu\"]"), "unknown variant `bleu`"),
        (
            more("positive = 1"),
            "`protocol.plain.positive`: it has no effect",
        ),
        (
            more("metrics = [\"f1\"]\npositive = 2"),
            "`protocol.plain.positive`: it is 2, and there are 2 choices",
        ),
        (
            more("normalize = {}"),
            "`protocol.plain.normalize`: it has no effect on choices",
        ),
        (
            more("extract = [{ name = 'a', regex = '(' }]"),
            "`protocol.plain.extract[0].regex`: it is no regular",
        ),
        (
            more("extract = [{ name = 'a,b' }]"),
            "`protocol.plain.extract[0].name`: `a,b` is no name",
        ),
        (
            more("shots = { count = 1, seed = 2 }"),
            "`protocol.plain.shots.seed`: it has no effect",
        ),
        (
            more("shots = { count = 2, exemplar = [{ q = 'x', y = 1 }] }"),
            "`protocol.plain.shots.count`: it is 2, and there are 1 exemplars",
        ),
        (
            changed("shots = { file = \"rows.jsonl\" }\n", "") + "shots = { count = 1 }",
            "`protocol.plain.shots`: a layout has no rows to take them from",
        ),
        (
            changed("rows.jsonl", "{{ rows"),
            "`layout[0].items.file`: syntax error",
        ),
        (
            more("[[task]]\nname = 'a'\n[[task]]\nname = 'a'"),
            "`task `a`.name`: another task has it too",
        ),
        (
            more("[[task]]\nname = 'a'\ngroup = 'own'"),
            "`task `a`.group`: a task or the suite is named `own` too",
        ),
        (
            more("[[task]]\nname = 'a'\nvars = { row = 1 }"),
            "`task `a`.vars`: `row` has a meaning of its own",
        ),
        (
            more("[[task]]\nname = 'a'\nform = { metrics = ['mcc', 'mcc'] }"),
            "`task `a`, form.metrics`: there are",
        ),
        (
            changed("name = \"own\"", "name = \"own\"\nrows = 4")
                + "[[task]]\nname = 'a'\nrows = 3",
            "`rows`: it is 4, and the tasks' rows are 3 together",
        ),
    ] {
        let error = Own::new(&definition, ROWS).error(&TaskOptions::default());
        assert!(error.contains(message), "{definition}\n{error}");
        assert!(
            error.contains("DIR/own.toml") && error.contains("; "),
            "{error}"
        );
    }
}

#[test]
fn mistakes_in_rows_are_named_with_file_row_and_remedy() {
    let definition = format!("{HEAD}{FORM}");
    let computed = definition.replace("[\"no\", \"yes\"]", "\"c\"");
    for (definition, rows, message) in [
        (
            &definition,
            "{\"q\": \"a\", \"y\": 1}\n{\"q\": \"a\", \"y\": 2}",
            "use DIR/rows.jsonl, row 2: its target `2` is not the place of one of its choices `no`, `yes`; correct the row \
             or the suite's definition; the row has the fields `q`, `y`",
        ),
        (
            &definition,
            "{\"q\": \"a\", \"y\": \"maybe\"}",
            "its target `maybe` is not one of its choices",
        ),
        (
            &definition,
            "{\"y\": 1}",
            "row 1: `context`: undefined value",
        ),
        (&definition, "{\"q\": 1", "rows.jsonl"),
        (&definition, "", "row"),
        (
            &computed,
            "{\"q\": \"a\", \"y\": 0, \"c\": [\"x\", \"x\"]}",
            "its choices 0 and 1 (from 0) are both `x`",
        ),
        (
            &computed,
            "{\"q\": \"a\", \"y\": 0, \"c\": [\"x\", \"\"]}",
            "its choice 1 (from 0) is empty",
        ),
        (
            &computed,
            "{\"q\": \"a\", \"y\": 0, \"c\": [\"x\"]}",
            "it has 1 choices, and at least 2 are needed",
        ),
        (
            &computed,
            "{\"q\": \"a\", \"y\": 0, \"c\": \"xy\"}",
            "its choices are no list of texts",
        ),
        (
            &computed,
            "{\"q\": \"a\", \"y\": 0, \"c\": [\"x\", 2]}",
            "one of its choices is no text",
        ),
        (
            &computed,
            "{\"q\": \"a\", \"y\": 0}",
            "`choices`: undefined value",
        ),
    ] {
        let error = Own::new(definition, rows).error(&TaskOptions::default());
        assert!(error.contains(message), "{rows}\n{error}");
    }
    let ids = definition.clone() + "id = \"{{ y }}\"";
    let error = Own::new(&ids, "{\"q\": \"a\", \"y\": 1}\n{\"q\": \"b\", \"y\": 1}")
        .error(&TaskOptions::default());
    assert!(
        error.contains("two of its items have the id `1`; make the ids different"),
        "{error}"
    );
    let counted = definition.replace("name = \"own\"", "name = \"own\"\nrows = 4");
    let error = Own::new(&counted, ROWS).error(&TaskOptions::default());
    assert!(
        error.contains("it holds 3 rows for the suite, and 4 are expected; fetch"),
        "{error}"
    );
}

#[test]
fn settings_that_cannot_be_honoured_are_named() {
    let shots = |more: &str| Own::new(&format!("{HEAD}{FORM}shots = {{ count = 1{more} }}"), ROWS);
    let with = |change: fn(&mut TaskOptions)| {
        let mut options = TaskOptions::default();
        change(&mut options);
        options
    };
    for (own, options, message) in [
        (
            Own::new(&format!("{HEAD}{FORM}"), ROWS),
            with(|o| o.shots = Some(1)),
            "shots has no effect here",
        ),
        (
            shots(""),
            with(|o| o.shots = Some(3)),
            "shots is 3, and task `own` has 2 solved examples that differ",
        ),
        (
            shots(", sampler = \"random\""),
            with(|o| o.shots = Some(usize::MAX)),
            "ask for at most 2",
        ),
        (
            shots(""),
            with(|o| o.protocol = Some("x".into())),
            "protocol `x` is unknown; choose one of: plain",
        ),
        (
            shots(""),
            with(|o| o.samples = 2),
            "samples has no effect here",
        ),
        (
            shots(""),
            with(|o| o.max_new_tokens = Some(2)),
            "max new tokens has no effect here",
        ),
        (
            shots(""),
            with(|o| o.chat = Some(evalh_task::Chat::default())),
            "chat needs a chat template",
        ),
        (
            shots(""),
            with(|o| o.tasks = vec!["own".into()]),
            "tasks has no effect here",
        ),
        (
            shots(""),
            with(|o| o.draw = Some(Draw { items: 0, seed: 0 })),
            "draw is of 0 items",
        ),
        (
            shots(""),
            with(|o| {
                o.limit = Some(1);
                o.draw = Some(Draw { items: 1, seed: 0 });
            }),
            "limit is given with a draw",
        ),
    ] {
        let error = own.error(&options);
        assert!(
            error.starts_with("open suite `own`: ") && error.contains(message),
            "{error}"
        );
    }
    let options = with(|o| o.tasks = vec!["programing".into()]);
    let error = find_suite("mini_mmlu")
        .unwrap()
        .open(&DataFiles::default(), &options)
        .err()
        .unwrap();
    assert!(
        error
            .to_string()
            .contains("the nearest is `programming`; choose among: world, science, geography")
    );
    shots("").open(&with(|o| o.shots = Some(2))).unwrap();
}

#[test]
fn answers_that_fit_no_request_are_refused() {
    let task = Own::new(&format!("{HEAD}{FORM}"), ROWS)
        .open(&TaskOptions::default())
        .unwrap();
    let request = &task.requests()[0];
    let score = |log_prob| ContinuationScore {
        log_prob,
        tokens: 1,
        is_greedy: false,
    };
    for (given, message) in [
        (
            response(request, "yes"),
            "it is no answer to a request for choices",
        ),
        (
            scored_response(request, vec![score(-1.0)]),
            "it scores 1 choices of 2",
        ),
        (
            scored_response(request, vec![score(-1.0), score(f64::NAN)]),
            "is no number",
        ),
        (
            Response {
                index: 9,
                ..response(request, "")
            },
            "no request has this index",
        ),
    ] {
        let error = task.judge(&given).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn official_files_of_tasks_that_are_not_at_hand_give_lm_evals_prompts() {
    let reference: Vec<serde_json::Value> =
        serde_json::from_str(include_str!("data/lm_eval_glue.json")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    // the rows are invented, and fewer than the real ones
    let text = include_str!("../../../datasets/tasks/glue_prompt.toml");
    let kept: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("rows = "))
        .collect();
    let text = kept.join("\n").replacen("glue_prompt", "own", 1);
    let path = folder.path().join("own.toml");
    std::fs::write(&path, text).unwrap();
    let mut options = TaskOptions::default();
    for case in &reference {
        let rows = case["rows"].as_array().unwrap();
        let columns: Vec<&String> = rows[0].as_object().unwrap().keys().collect();
        let lines = rows.iter().map(|row| {
            let fields = columns
                .iter()
                .map(|column| row[column.as_str()].as_str().unwrap());
            fields.collect::<Vec<_>>().join("\t")
        });
        let header = columns
            .iter()
            .map(|column| column.as_str())
            .collect::<Vec<_>>()
            .join("\t");
        let text = [header]
            .into_iter()
            .chain(lines)
            .collect::<Vec<_>>()
            .join("\n");
        let file = folder.path().join(case["file"].as_str().unwrap());
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
        options
            .tasks
            .push(case["task"].as_str().unwrap().to_owned());
    }
    let data = DataFiles {
        root: folder.path().to_owned(),
        files: Vec::new(),
    };
    let task = open_suite(&path).unwrap().open(&data, &options).unwrap();
    let expected = reference
        .iter()
        .flat_map(|case| case["items"].as_array().unwrap());
    let requests = task.requests();
    assert_eq!(requests.len(), expected.clone().count());
    for (request, expected) in requests.iter().zip(expected) {
        assert_eq!(
            request.prompt,
            Prompt::Text(expected["context"].as_str().unwrap().into())
        );
        let RequestKind::LogLikelihood(asked) = &request.kind else {
            panic!("choices are asked")
        };
        assert_eq!(
            serde_json::json!(asked.continuations),
            expected["continuations"]
        );
        assert_eq!(
            task.slot(request.index).unwrap().target,
            expected["target"].as_str()
        );
    }
}

/// The mini questions as MMLU's CSV files and as the hub's Parquet files, under MMLU's own definition.
#[test]
fn both_layouts_of_mmlu_give_the_same_items() {
    let text = include_str!("../../../datasets/tasks/mmlu.toml");
    let head: Vec<&str> = text
        .lines()
        .take_while(|line| *line != "[[task]]")
        .filter(|line| !line.starts_with("rows = 14042"))
        .collect();
    let head = head.join("\n").replacen("\"mmlu\"", "\"own\"", 1);
    let tasks = [
        "mini_geography",
        "mini_household_physics",
        "mini_programming",
    ];
    let tasks = tasks.map(|task| format!("\n[[task]]\nname = \"{task}\"\nrows = 8\n"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.toml");
    std::fs::write(&path, head + &tasks.concat()).unwrap();
    let opened = |root: &str| {
        let data = DataFiles {
            root: Path::new(env!("CARGO_MANIFEST_DIR")).join(root),
            files: Vec::new(),
        };
        open_suite(&path)
            .unwrap()
            .open(&data, &TaskOptions::default())
            .unwrap()
    };
    let csv = opened("../../datasets/mini/mini_mmlu");
    let hub = opened("tests/data/hub_mmlu");
    assert_eq!(csv.requests(), hub.requests());
    assert_eq!(csv.requests().len(), 24);
    let slots = |task: &dyn Task| -> Vec<(String, Option<String>)> {
        let slot = |index| task.slot(index).unwrap();
        let pair = |index| {
            (
                slot(index).item.to_owned(),
                slot(index).target.map(str::to_owned),
            )
        };
        (0..24).map(pair).collect()
    };
    assert_eq!(slots(&*csv), slots(&*hub));
    let names: Vec<String> = hub
        .settings()
        .data
        .into_iter()
        .map(|file| file.name)
        .collect();
    assert_eq!(
        names,
        [
            "all/dev-00000-of-00001.parquet",
            "all/test-00000-of-00001.parquet"
        ]
    );
}

#[test]
fn the_examples_of_the_documentation_are_definitions() {
    let text = include_str!("../../../docs/suite-format.md");
    let examples: Vec<&str> = text
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert_eq!(examples.len(), 2);
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("choices.toml", examples[0]);
    write(
        "capitals.csv",
        "question,a,b,c,d,right\nFrance?,Paris,Rome,Bern,Oslo,Paris\n",
    );
    write(
        "solved.csv",
        "question,a,b,c,d,right\nItaly?,x,Rome,y,z,Rome\nNorway?,x,Oslo,y,z,Oslo\nSpain?,x,Madrid,y,z,Madrid\n",
    );
    write(
        "tasks.toml",
        &examples[1]
            .replace("rows = 200", "rows = 2")
            .replace("rows = 120", "rows = 1")
            .replace("rows = 80", "rows = 1"),
    );
    for task in ["addition", "subtraction"] {
        let row = r#"{"key": "k1", "level": "hard", "question": "2 + 2", "result": {"value": 4}}"#;
        write(
            &format!("{task}.jsonl"),
            &format!("{row}\n{}\n", row.replace("hard", "easy")),
        );
    }
    let data = DataFiles {
        root: folder.path().to_owned(),
        files: Vec::new(),
    };
    let first = |file: &str| {
        let suite = open_suite(&folder.path().join(file)).unwrap();
        let task = suite.open(&data, &TaskOptions::default()).unwrap();
        match task.requests().swap_remove(0).prompt {
            Prompt::Text(text) => (task.slot(0).unwrap().item.to_owned(), text),
            prompt => panic!("{prompt:?}"),
        }
    };
    let (id, prompt) = first("choices.toml");
    assert_eq!(id, "0");
    assert!(
        prompt.ends_with("Answer: Madrid\n\nQuestion: France?\nAnswer:"),
        "{prompt}"
    );
    let (id, prompt) = first("tasks.toml");
    assert_eq!(id, "addition/k1");
    assert_eq!(
        prompt,
        "Solve each sum.\n\nQ: 1 + 1\nA: 1 + 1 is 2.\n\nQ: 2 + 2\nA:"
    );
}
