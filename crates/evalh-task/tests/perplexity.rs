//! The loss of texts: the user's own and the built-in ones.

use evalh_record::{
    Answer, Loss, Prompt, RequestKind, Response, ResultRow, TextScore, sha256_bytes,
};
use evalh_task::{DataFiles, Judgement, Task, TaskError, TaskOptions, find_suite, sample};
use std::path::{Path, PathBuf};

fn open(file: &Path, options: &TaskOptions) -> Result<Box<dyn Task>, TaskError> {
    let data = DataFiles {
        root: file.parent().map(PathBuf::from).unwrap_or_default(),
        files: vec![file.to_owned()],
    };
    find_suite("perplexity").unwrap().open(&data, options)
}

fn texts(task: &dyn Task) -> Vec<String> {
    let requests = task.requests().into_iter();
    requests
        .map(|request| match request.prompt {
            Prompt::Text(text) => text,
            other => panic!("{other:?}"),
        })
        .collect()
}

/// The rows of a model that gives every document half a nat a token, of two bytes each.
fn rows(task: &dyn Task) -> Vec<ResultRow> {
    let samples: Vec<_> = (task.requests().into_iter())
        .map(|request| {
            let Prompt::Text(text) = &request.prompt else {
                panic!("no text")
            };
            let tokens = text.len() / 2 + request.index;
            let response = Response {
                index: request.index,
                prompt_sha256: sha256_bytes(b"prompt"),
                prompt_tokens: tokens,
                truncated_tokens: 0,
                answer: Answer::Loss(TextScore {
                    log_prob: -0.5 * tokens as f64,
                    tokens,
                    bytes: text.len(),
                    windows: 1,
                }),
            };
            let Judgement::Scored(scored) = task.judge(&response).unwrap() else {
                panic!("nothing runs")
            };
            assert!((scored.score - 0.5).abs() < 1e-12);
            sample(task, "base", response, scored).unwrap()
        })
        .collect();
    task.rows("base", &samples).unwrap()
}

#[test]
fn a_text_file_is_one_document_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    // a name that templates would read otherwise
    let file = folder.path().join("{{ held }} \"out\".txt");
    let text = " First line,  second\r\nline.\n\nEnd\u{a0}here\n";
    std::fs::write(&file, text).unwrap();
    let task = open(&file, &TaskOptions::default()).unwrap();
    assert_eq!(texts(task.as_ref()), [text]);
    assert_eq!(task.protocol(), "rolling");
    let rows = rows(task.as_ref());
    let of = |metric: &str| rows.iter().find(|row| row.metric == metric).unwrap();
    assert!((of("nats_per_token").value - 0.5).abs() < 1e-12);
    let tokens = (text.len() / 2) as f64;
    let bits = 0.5 * tokens / text.len() as f64 / std::f64::consts::LN_2;
    assert!((of("bits_per_byte").value - bits).abs() < 1e-12);
    // len(re.split(r"\s+", text)) in Python: 8
    let word = (0.5 * tokens / 8.0).exp();
    assert!((of("word_perplexity").value - word).abs() < 1e-9);
    assert!(rows.iter().all(|row| row.stderr.is_none() && row.n == 1));
}

#[test]
fn rows_of_tables_are_documents_and_have_errors() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [
        (
            "a.jsonl",
            "{\"text\": \"one two\", \"id\": 1}\n{\"text\": \"three\"}\n",
        ),
        ("a.csv", "id,text\n1,one two\n2,three\n"),
        ("a.tsv", "text\tid\none two\t1\nthree\t2\n"),
        ("a.json", "[{\"text\": \"one two\"}, {\"text\": \"three\"}]"),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, content).unwrap();
        let task = open(&file, &TaskOptions::default()).unwrap();
        assert_eq!(texts(task.as_ref()), ["one two", "three"], "{name}");
        let rows = rows(task.as_ref());
        assert_eq!(rows[0].metric, "nats_per_token");
        assert!(
            rows.iter().all(|row| row.stderr.is_some() && row.n == 2),
            "{name}"
        );
    }
    let file = folder.path().join("b.jsonl");
    std::fs::write(&file, "{\"content\": \"one\"}\n").unwrap();
    let error = open(&file, &TaskOptions::default())
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("b.jsonl") && error.contains("`content`"),
        "{error}"
    );
}

#[test]
fn what_is_no_file_of_texts_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let error = |file: &Path| {
        let refused = open(file, &TaskOptions::default());
        refused.err().unwrap().to_string()
    };
    assert!(error(folder.path()).contains("it is no file"));
    let file = folder.path().join("a.txt");
    std::fs::write(&file, b"\xff").unwrap();
    assert!(error(&file).contains("not UTF-8"));
    let file = folder.path().join("a.pdf");
    std::fs::write(&file, b"x").unwrap();
    assert!(error(&file).contains("does not end in a format"));
}

#[test]
fn window_and_stride_reach_the_requests_and_the_record() {
    let options = TaskOptions {
        window: Some(64),
        stride: Some(16),
        limit: Some(3),
        ..TaskOptions::default()
    };
    let suite = find_suite("mini_perplexity").unwrap();
    let task = suite.open(&DataFiles::default(), &options).unwrap();
    let requests = task.requests();
    assert_eq!(requests.len(), 3);
    let asked = RequestKind::Loss(Loss {
        window: Some(64),
        stride: Some(16),
    });
    assert!(requests.iter().all(|request| request.kind == asked));
    let settings = task.settings();
    assert_eq!(settings.options["window"], 64);
    assert_eq!(settings.options["stride"], 16);
    let whole = suite
        .open(&DataFiles::default(), &TaskOptions::default())
        .unwrap();
    assert_eq!(whole.requests().len(), 30);
    assert!(!whole.settings().options.contains_key("stride"));
    let refused = find_suite("mini_gsm8k").unwrap();
    let refused = refused.open(&DataFiles::default(), &options).err().unwrap();
    assert!(
        refused.to_string().contains("takes no loss of texts"),
        "{refused}"
    );
}
