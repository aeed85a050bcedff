use super::super::{parse, read};
use super::*;
use evalh_checkpoint::Checkpoint;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The id that ends a text.
const END: u32 = 2;

fn reference() -> Value {
    serde_json::from_str(include_str!("../../../tests/reference/text.json")).unwrap()
}

/// A tiny checkpoint of the repository with the references' tokenizer (which adds a BOS) and this template.
struct Parts {
    tokenizer: TextTokenizer,
    template: ChatTemplate,
}

fn checkpoint(template: &str) -> Parts {
    let fixture = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/llama"
    ));
    let folder = tempfile::tempdir().unwrap();
    for name in ["config.json", "generation_config.json", "model.safetensors"] {
        std::fs::copy(fixture.join(name), folder.path().join(name)).unwrap();
    }
    let settings = json!({"bos_token": "<s>", "eos_token": "</s>", "chat_template": template});
    let files = [
        (
            "tokenizer.json",
            include_str!("../../../tests/reference/tokenizer.json").to_owned(),
        ),
        ("tokenizer_config.json", settings.to_string()),
    ];
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let opened = Checkpoint::open(folder.path()).unwrap();
    Parts {
        tokenizer: opened.tokenizer().unwrap(),
        template: opened.chat_template().unwrap().unwrap(),
    }
}

impl Parts {
    fn encoder(&self) -> Encoder<'_> {
        Encoder {
            tokenizer: &self.tokenizer,
            template: None,
            end_of_text: Some(END),
            loss_on: LossOn::Response,
            max_tokens: 1000,
        }
    }
}

fn data(lines: &[Value]) -> Dataset {
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    parse(Path::new("data.jsonl"), text.join("\n").as_bytes()).unwrap()
}

fn only(encoder: &Encoder<'_>, line: Value) -> Example {
    let data = data(&[line]);
    encoder.encode(&data, &data.samples[0]).unwrap().0
}

fn expected(case: &Value) -> Example {
    Example {
        tokens: serde_json::from_value(case["tokens"].clone()).unwrap(),
        loss: serde_json::from_value(case["loss"].clone()).unwrap(),
    }
}

const PLAIN: &str = "{% for m in messages %}{{ m.content }}{% endfor %}";

#[test]
fn completions_are_those_of_transformers() {
    let parts = checkpoint(PLAIN);
    let cases = reference()["completions"].as_array().unwrap().clone();
    assert!(!cases.is_empty());
    for case in cases {
        let line = json!({"prompt": case["prompt"], "response": case["response"]});
        assert_eq!(only(&parts.encoder(), line), expected(&case), "{case}");
    }
}

#[test]
fn conversations_are_those_of_transformers() {
    let reference = reference();
    let cases = reference["chats"].as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let template = reference["templates"][case["template"].as_str().unwrap()].as_str();
        let parts = checkpoint(template.unwrap());
        let encoder = Encoder {
            template: Some(&parts.template),
            ..parts.encoder()
        };
        let line = json!({"messages": case["messages"]});
        assert_eq!(only(&encoder, line.clone()), expected(case), "{case}");
        let all = Encoder {
            loss_on: LossOn::All,
            ..encoder
        };
        let all = only(&all, line);
        assert_eq!(all.tokens, expected(case).tokens);
        assert_eq!(all.loss_tokens(), all.tokens.len() - 1);
    }
}

#[test]
fn questions_and_instructions_have_their_forms_without_a_template() {
    let parts = checkpoint(PLAIN);
    let same = |line: Value, prompt: &str, response: &str| {
        let completion = json!({"prompt": prompt, "response": response});
        assert_eq!(
            only(&parts.encoder(), line),
            only(&parts.encoder(), completion)
        );
    };
    same(
        json!({"question": "1 and 1", "answer": "#### 2"}),
        "Question: 1 and 1\nAnswer:",
        " #### 2",
    );
    let begin = "Below is an instruction that describes a task";
    let ask = "Write a response that appropriately completes the request.\n\n### Instruction:\nAdd";
    same(
        json!({"instruction": "Add", "output": "2", "input": ""}),
        &format!("{begin}. {ask}\n\n### Response:"),
        "2",
    );
    same(
        json!({"instruction": "Add", "output": "2", "input": "1 1"}),
        &format!(
            "{begin}, paired with an input that provides further context. {ask}\n\n### Input:\n1 1\n\n### Response:"
        ),
        "2",
    );
}

#[test]
fn with_a_template_they_are_turns() {
    let template = reference()["templates"]["turns"]
        .as_str()
        .unwrap()
        .to_owned();
    let parts = checkpoint(&template);
    let encoder = Encoder {
        template: Some(&parts.template),
        ..parts.encoder()
    };
    let turns = |user: &str, assistant: &str| {
        let messages =
            json!([{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]);
        only(&encoder, json!({ "messages": messages }))
    };
    let cases = [
        (json!({"prompt": "a", "response": "b"}), "a"),
        (json!({"prompt": "a", "completion": "b"}), "a"),
        (json!({"question": "a", "answer": "b"}), "a"),
        (json!({"instruction": "a", "output": "b"}), "a"),
        (
            json!({"instruction": "a", "input": "c", "output": "b"}),
            "a\n\nc",
        ),
    ];
    for (line, user) in cases {
        assert_eq!(only(&encoder, line), turns(user, "b"));
    }
}

#[test]
fn plain_text_is_learnt_whole() {
    let parts = checkpoint(PLAIN);
    let example = only(&parts.encoder(), json!({"text": "the thing"}));
    let completion = only(
        &parts.encoder(),
        json!({"prompt": "", "response": "the thing"}),
    );
    assert_eq!(example, completion);
    assert_eq!(example.loss_tokens(), example.tokens.len() - 1);
    let ended = only(&parts.encoder(), json!({"text": "the thing</s>"}));
    assert_eq!(ended, example, "the end is not put twice");
    let unended = Encoder {
        end_of_text: None,
        ..parts.encoder()
    };
    let unended = only(&unended, json!({"text": "the thing"}));
    assert_eq!(unended.tokens, example.tokens[..example.tokens.len() - 1]);
    assert_eq!(unended.loss, example.loss[..example.loss.len() - 1]);
}

#[test]
fn what_does_not_go_together_is_refused_by_name() {
    let parts = checkpoint(PLAIN);
    let templated = Encoder {
        template: Some(&parts.template),
        ..parts.encoder()
    };
    let refusal = |encoder: &Encoder<'_>, line: Value| {
        let data = data(&[line]);
        encoder
            .encode(&data, &data.samples[0])
            .unwrap_err()
            .to_string()
    };
    let chat = json!({"messages": [{"role": "user", "content": "a"}]});
    assert_eq!(
        refusal(&parts.encoder(), chat),
        "use data.jsonl, line 1 for training: it is a conversation and there is no chat template to render it with; \
         take a checkpoint that has a template, or give prompt and response"
    );
    assert_eq!(
        refusal(&templated, json!({"text": "a"})),
        "use data.jsonl, line 1 for training: it is plain text, which has no turns for a chat template; train on it \
         without the template"
    );
    let refusing = checkpoint("{{ raise_exception('no turns today') }}");
    let refusing = Encoder {
        template: Some(&refusing.template),
        ..parts.encoder()
    };
    let said = refusal(&refusing, json!({"prompt": "a", "response": "b"}));
    assert!(
        said.contains("line 1 for training: failed to render"),
        "{said}"
    );
    assert!(said.contains("no turns today"), "{said}");
}

#[test]
fn what_is_cut_and_what_is_dropped_is_counted() {
    let parts = checkpoint(PLAIN);
    // "the" is one token; with BOS and end: 3, and 1 + 5 + 1 tokens.
    let lines = [
        json!({"prompt": "", "response": "the"}),
        json!({"prompt": "abcde", "response": "f"}),
        json!({"prompt": "a", "response": "bcdef"}),
    ];
    let encoder = Encoder {
        max_tokens: 4,
        ..parts.encoder()
    };
    let EncodedData {
        examples,
        samples,
        truncation,
    } = encoder.encode_all(&data(&lines)).unwrap();
    assert_eq!(samples, [0, 2]);
    let lengths: Vec<usize> = examples
        .iter()
        .map(|example| example.tokens.len())
        .collect();
    assert_eq!(lengths, [3, 4]);
    assert_eq!(examples[1].loss, [false, false, true, true]);
    assert_eq!(
        truncation,
        Truncation {
            samples: 3,
            cut: 2,
            tokens_cut: 4 + 4,
            dropped: 1,
        }
    );
    let none = Encoder {
        max_tokens: 1,
        ..encoder
    };
    assert_eq!(
        none.encode_all(&data(&lines)).unwrap_err().to_string(),
        "use data.jsonl for training: no sample has a token to learn within 1 tokens; allow more tokens, or put the loss \
         on all"
    );
}

/// A model whose tokenizer is real, and GSM8K, where both are there: every boundary lies where the text has it.
#[test]
fn responses_read_back_as_they_were_written() {
    let test = "responses_read_back_as_they_were_written";
    let Some(model) = std::env::var_os("EVALH_TEST_MODEL") else {
        eprintln!("skipped {test}: EVALH_TEST_MODEL is not set");
        return;
    };
    let shared = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let path = PathBuf::from(shared).join("datasets/gsm8k/test.jsonl");
    if !path.is_file() {
        eprintln!("skipped {test}: ../shared is absent");
        return;
    }
    let opened = Checkpoint::open(Path::new(&model)).unwrap();
    let tokenizer = opened.tokenizer().unwrap();
    let template = opened.chat_template().unwrap();
    let encoder = Encoder {
        tokenizer: &tokenizer,
        template: template.as_ref(),
        end_of_text: None,
        loss_on: LossOn::Response,
        max_tokens: usize::MAX,
    };
    let data = read(&path).unwrap();
    let bare = Encoder {
        template: None,
        ..encoder
    };
    for encoder in [encoder, bare] {
        let encoded = encoder.encode_all(&data).unwrap();
        assert_eq!(encoded.examples.len(), data.samples.len());
        for (example, sample) in encoded.examples.iter().zip(&data.samples) {
            let Content::Question { answer, .. } = &sample.content else {
                unreachable!("GSM8K is questions and answers");
            };
            let counted = example.tokens.iter().zip(&example.loss);
            let response: Vec<u32> = counted
                .filter(|(_, counts)| **counts)
                .map(|(id, _)| *id)
                .collect();
            let said = tokenizer.decode(&response).unwrap();
            assert_eq!(said.trim(), answer.trim());
        }
    }
}
