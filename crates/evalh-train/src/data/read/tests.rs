use super::super::Content;
use super::*;
use evalh_record::{Message, Role};
use proptest::prelude::*;

fn lines(text: &str) -> Result<Dataset, String> {
    parse(Path::new("d.jsonl"), text.as_bytes()).map_err(|error| error.to_string())
}

fn refusal(text: &str) -> String {
    lines(text).unwrap_err()
}

fn content(text: &str) -> (Format, Content) {
    let data = lines(text).unwrap();
    (data.format, data.samples[0].content.clone())
}

#[test]
fn formats_are_told_from_their_fields() {
    let completion = Content::Completion {
        prompt: "p".to_owned(),
        response: "r".to_owned(),
    };
    let cases = [
        (
            r#"{"prompt":"p","response":"r"}"#,
            Format::PromptResponse,
            completion.clone(),
        ),
        (
            r#"{"completion":"r","prompt":"p"}"#,
            Format::PromptCompletion,
            completion,
        ),
        (
            r#"{"question":"q","answer":"a"}"#,
            Format::QuestionAnswer,
            Content::Question {
                question: "q".to_owned(),
                answer: "a".to_owned(),
            },
        ),
        (
            r#"{"instruction":"i","output":"o"}"#,
            Format::Alpaca,
            Content::Instruction {
                instruction: "i".to_owned(),
                input: String::new(),
                output: "o".to_owned(),
            },
        ),
        (
            r#"{"instruction":"i","input":"x","output":"o"}"#,
            Format::Alpaca,
            Content::Instruction {
                instruction: "i".to_owned(),
                input: "x".to_owned(),
                output: "o".to_owned(),
            },
        ),
        (
            r#"{"messages":[{"role":"system","content":""},{"content":"c","role":"assistant"}]}"#,
            Format::Chat,
            Content::Chat(vec![
                Message {
                    role: Role::System,
                    content: String::new(),
                },
                Message {
                    role: Role::Assistant,
                    content: "c".to_owned(),
                },
            ]),
        ),
        (
            r#"{"text":"t"}"#,
            Format::Text,
            Content::Text("t".to_owned()),
        ),
    ];
    for (text, format, expected) in cases {
        assert_eq!(content(text), (format, expected), "{text}");
    }
}

#[test]
fn places_are_those_of_the_file() {
    let data = lines("\n{\"text\":\"a\"}\r\n \n{\"text\":\"b\"}").unwrap();
    let places: Vec<Place> = data.samples.iter().map(|sample| sample.place).collect();
    assert_eq!(places, [Place::Line(2), Place::Line(4)]);
    let array = parse(
        Path::new("d.json"),
        b" [{\"text\":\"a\"},\n{\"text\":\"b\"}]",
    )
    .unwrap();
    assert_eq!(array.samples[1].place, Place::Row(2));
    assert_eq!(array.samples[1].content, data.samples[1].content);
    let lines = parse(Path::new("d.JSON"), b"{\"text\":\"a\"}\n{\"text\":\"b\"}").unwrap();
    assert_eq!(lines.samples[1].place, Place::Line(2));
    assert_eq!(
        data.hash,
        evalh_record::sha256_bytes(b"\n{\"text\":\"a\"}\r\n \n{\"text\":\"b\"}")
    );
}

/// Everything of the form of a message is in the first; the others show what is wrong.
#[test]
fn refusals_name_file_line_field_and_remedy() {
    let forms = "use prompt and response (or completion), question and answer, instruction, input and output, messages, \
                 or text";
    let cases = [
        (
            "{\"prompt\":\"p\",\"response\":\"r\"}\n{\"prompt\":\"p\"}",
            format!("read d.jsonl, line 2: field `response` of prompt/response data is missing; add it, or {forms}"),
        ),
        (
            r#"{"text":"t","id":1}"#,
            format!("read d.jsonl, line 1: `id` is no field of text data; take the field out, or {forms}"),
        ),
        (
            r#"{"input":"a","target":"b"}"#,
            format!(
                "read d.jsonl, line 1: field `instruction` of Alpaca data (instruction, input, output) is missing; add it, \
                 or {forms}"
            ),
        ),
        (r#"{"a\nb":1}"#, format!("read d.jsonl, line 1: field `a\\nb` is unknown; {forms}")),
        ("{}", format!("read d.jsonl, line 1: the object has no fields; {forms}")),
        (
            "{\"text\":\"t\"}\n\n{\"prompt\":\"p\",\"response\":\"r\"}",
            "read d.jsonl, line 3: it is prompt/response data and line 1 is text data; put each format into a file of its \
             own"
                .to_owned(),
        ),
        (
            r#"{"text":"t","question":"q","answer":"a"}"#,
            "read d.jsonl, line 1: its fields are those of question/answer data and of text data; keep the fields of one \
             of them"
                .to_owned(),
        ),
        (
            r#"{"text":"t","text":"u"}"#,
            "read d.jsonl, line 1: it is not a JSON object: field `text` is there twice at column 18; put one object on \
             each line"
                .to_owned(),
        ),
        (
            r#"{"text":["t"]}"#,
            "read d.jsonl, line 1: field `text` is a list; let it be a text".to_owned(),
        ),
        (
            r#"{"prompt":"p","response":""}"#,
            "read d.jsonl, line 1: field `response` is empty, so there is nothing to learn; take the sample out or fill \
             the field"
                .to_owned(),
        ),
        ("", "read d.jsonl: it holds no samples; put an object on each line".to_owned()),
        (
            "[1]",
            "read d.jsonl, line 1: it is not a JSON object: invalid type: sequence, expected an object at column 0; put \
             one object on each line"
                .to_owned(),
        ),
    ];
    for (text, message) in cases {
        assert_eq!(refusal(text), message);
    }
    let other = parse(Path::new("d.csv"), b"text\na")
        .unwrap_err()
        .to_string();
    assert_eq!(
        other,
        "read d.csv: the file's name ends in neither .jsonl nor .json; write an object a line into a .jsonl file"
    );
    let missing = read(Path::new("no/such.jsonl")).unwrap_err().to_string();
    assert!(missing.starts_with("read no/such.jsonl: "), "{missing}");
}

#[test]
fn turns_are_refused_by_their_place() {
    let cases = [
        ("[]", "field `messages` has no turns"),
        ("\"a\"", "field `messages` is a text"),
        ("[1]", "field `messages[0]` is a number"),
        (
            r#"[{"role":"user"}]"#,
            "field `messages[0].content` is missing",
        ),
        (
            r#"[{"content":"a"}]"#,
            "field `messages[0].role` is missing",
        ),
        (
            r#"[{"role":"user","content":"a"},{"role":"tool","content":"a"}]"#,
            "field `messages[1].role` is \"tool\"; use system, user or assistant",
        ),
        (
            r#"[{"role":"user","content":null}]"#,
            "field `messages[0].content` is null; let it be a text",
        ),
        (
            r#"[{"role":"user","content":"a","name":"n"}]"#,
            "field `messages[0].name` is unknown",
        ),
    ];
    for (messages, said) in cases {
        let refused = refusal(&format!("{{\"messages\":{messages}}}"));
        assert!(refused.contains(said), "{refused}");
    }
}

#[test]
fn depth_spends_no_stack() {
    let deep = format!("{{\"text\":{}", "[".repeat(100_000));
    assert!(refusal(&deep).contains("recursion limit"));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), array in any::<bool>()) {
        let path = if array { "d.json" } else { "d.jsonl" };
        let _ = parse(Path::new(path), &bytes);
    }

    #[test]
    fn almost_right_lines_are_read_or_refused(
        text in r#"(\{("(text|prompt|response|messages|role|content)":("[a-z\\]{0,2}"|\[\{\}?\]|null|1),?){0,3}\}?[\n, ]){0,4}"#,
        array in any::<bool>(),
    ) {
        let (path, text) = if array { ("d.json", format!("[{text}]")) } else { ("d.jsonl", text) };
        if let Ok(data) = parse(Path::new(path), text.as_bytes()) {
            prop_assert!(!data.samples.is_empty());
        }
    }

    #[test]
    fn texts_come_back_as_they_went_in(prompt in ".*", response in ".+") {
        let line = serde_json::json!({"prompt": prompt, "response": response}).to_string();
        let data = parse(Path::new("d.jsonl"), line.as_bytes()).unwrap();
        prop_assert_eq!(&data.samples[0].content, &Content::Completion { prompt, response });
    }
}
