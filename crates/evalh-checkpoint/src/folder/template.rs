//! Where a Hugging Face folder keeps its chat template.

use super::optional_json;
use crate::{ChatTemplate, CheckpointError, error::FETCH_AGAIN, map, template::SpecialTokenTexts};
use serde_json::Value;
use std::path::Path;

/// The default template: `chat_template.jinja`, or else the entry of `tokenizer_config.json` (transformers' order).
pub(super) fn read(
    folder: &Path,
    tokenizer_config: &Value,
) -> Result<Option<ChatTemplate>, CheckpointError> {
    let file = folder.join("chat_template.jinja");
    let config_path = folder.join("tokenizer_config.json");
    let malformed = |path: &Path, problem: String| CheckpointError::Malformed {
        path: path.to_owned(),
        field: "chat_template".to_owned(),
        problem,
        remedy: FETCH_AGAIN,
    };
    let (name, source) = if file.is_file() {
        let source =
            String::from_utf8(map::read(&file)?).map_err(|e| malformed(&file, e.to_string()))?;
        (file.display().to_string(), source)
    } else {
        let source = match &tokenizer_config["chat_template"] {
            Value::Null => return Ok(None),
            Value::String(source) => source.clone(),
            Value::Array(named) => default_of(named).ok_or_else(|| {
                let names: Vec<_> = named
                    .iter()
                    .filter_map(|entry| entry["name"].as_str())
                    .collect();
                malformed(
                    &config_path,
                    format!(
                        "has no template named \"default\", only {}",
                        names.join(", ")
                    ),
                )
            })?,
            _ => {
                return Err(malformed(
                    &config_path,
                    "is neither a text nor a list".to_owned(),
                ));
            }
        };
        (
            format!("chat_template of {}", config_path.display()),
            source,
        )
    };
    ChatTemplate::new(name, source, special_texts(folder, tokenizer_config)?).map(Some)
}

fn default_of(named: &[Value]) -> Option<String> {
    named.iter().find(|entry| entry["name"] == "default")?["template"]
        .as_str()
        .map(str::to_owned)
}

/// Special tokens under the names of `tokenizer_config.json`; older folders have them in `special_tokens_map.json`.
fn special_texts(
    folder: &Path,
    tokenizer_config: &Value,
) -> Result<SpecialTokenTexts, CheckpointError> {
    const NAMES: [&str; 7] = [
        "bos_token",
        "eos_token",
        "unk_token",
        "sep_token",
        "pad_token",
        "cls_token",
        "mask_token",
    ];
    let map = optional_json(&folder.join("special_tokens_map.json"))?;
    let texts = NAMES.into_iter().filter_map(|name| {
        let text = token_text(&tokenizer_config[name]).or_else(|| token_text(&map[name]))?;
        Some((name.to_owned(), text.to_owned()))
    });
    Ok(SpecialTokenTexts(texts.collect()))
}

/// A special token is written as its text, or as an object with the text as `content`.
pub(super) fn token_text(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value["content"].as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rendered(folder: &Path, tokenizer_config: &Value) -> String {
        read(folder, tokenizer_config)
            .unwrap()
            .unwrap()
            .render(&[], false)
            .unwrap()
    }

    #[test]
    fn a_template_of_its_own_file_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let config =
            json!({"chat_template": "config {{ bos_token }}", "bos_token": {"content": "<s>"}});
        assert_eq!(rendered(folder.path(), &config), "config <s>");
        std::fs::write(
            folder.path().join("chat_template.jinja"),
            "file {{ bos_token }}",
        )
        .unwrap();
        assert_eq!(rendered(folder.path(), &config), "file <s>");
    }

    #[test]
    fn of_named_templates_the_default_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let named = json!({"chat_template": [{"name": "tool_use", "template": "t"}, {"name": "default", "template": "d"}]});
        assert_eq!(rendered(folder.path(), &named), "d");
        let none = json!({"chat_template": [{"name": "tool_use", "template": "t"}]});
        let error = read(folder.path(), &none).unwrap_err().to_string();
        assert!(error.contains("only tool_use"), "{error}");
    }

    #[test]
    fn no_template_is_no_error() {
        assert!(
            read(tempfile::tempdir().unwrap().path(), &Value::Null)
                .unwrap()
                .is_none()
        );
    }
}
