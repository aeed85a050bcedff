//! Chat templates, rendered as transformers renders them.

mod json;
mod python;

use crate::CheckpointError;
use evalh_record::Message;
use minijinja::{
    Environment, Error, ErrorKind, UndefinedBehavior,
    value::{Kwargs, Value},
};
use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// The only template of an environment.
const NAME: &str = "chat template";

/// Texts of special tokens by the name of their variable: `("bos_token", "<s>")`.
#[derive(Debug, Clone, Default)]
pub(crate) struct SpecialTokenTexts(pub(crate) Vec<(String, String)>);

/// The chat template of a checkpoint.
///
/// A template that writes the date (`strftime_now`) is given one and the same moment for every conversation: that of
/// the template's opening, in UTC, or the one set with [`at`](Self::at).
#[derive(Debug, Clone)]
pub struct ChatTemplate {
    name: String,
    source: String,
    texts: SpecialTokenTexts,
    now: i64,
    environment: Arc<Environment<'static>>,
}

impl ChatTemplate {
    /// Parses a template; `name` says where it was found.
    pub(crate) fn new(
        name: String,
        source: String,
        texts: SpecialTokenTexts,
    ) -> Result<Self, CheckpointError> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |elapsed| elapsed.as_secs() as i64);
        Self::parse(name, source, texts, now)
    }

    fn parse(
        name: String,
        source: String,
        texts: SpecialTokenTexts,
        now: i64,
    ) -> Result<Self, CheckpointError> {
        let mut environment = environment(now);
        environment
            .add_template_owned(NAME, python::without_generation_tags(&source))
            .map_err(|e| error(&name, "parse", &e))?;
        Ok(Self {
            name,
            source,
            texts,
            now,
            environment: Arc::new(environment),
        })
    }

    /// The same template at another moment, in seconds since 1970 (UTC).
    ///
    /// # Errors
    /// Never for a template that was opened; the template is parsed anew.
    pub fn at(&self, unix_seconds: i64) -> Result<Self, CheckpointError> {
        Self::parse(
            self.name.clone(),
            self.source.clone(),
            self.texts.clone(),
            unix_seconds,
        )
    }

    /// The moment that the template is given as now, in seconds since 1970, or `None` where it does not ask: a record
    /// of a run needs it to render the same prompts again.
    pub fn moment(&self) -> Option<i64> {
        self.source.contains("strftime_now").then_some(self.now)
    }

    /// The conversation as the text that the model was trained on, special tokens included.
    ///
    /// # Errors
    /// When the template refuses the conversation (some refuse a system turn, many two user turns in a row) or fails.
    pub fn render(
        &self,
        messages: &[Message],
        add_generation_prompt: bool,
    ) -> Result<String, CheckpointError> {
        // transformers passes `tools` and `documents` as None where there are none: they are defined.
        let given = [
            ("messages", Value::from_serialize(messages)),
            ("tools", Value::from(())),
            ("documents", Value::from(())),
            ("add_generation_prompt", Value::from(add_generation_prompt)),
        ];
        let texts = self
            .texts
            .0
            .iter()
            .map(|(name, text)| (name.as_str(), Value::from(text.as_str())));
        let context: Value = given.into_iter().chain(texts).collect();
        self.environment
            .get_template(NAME)
            .and_then(|template| template.render(context))
            .map_err(|e| error(&self.name, "render", &e))
    }

    /// The template's text.
    pub fn source(&self) -> &str {
        &self.source
    }
}

/// Jinja as transformers sets it up (`utils/chat_template_utils.py`).
fn environment(now: i64) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_formatter(python::format);
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.add_filter("tojson", |value: &Value, options: Kwargs| {
        json::tojson(value, &options)
    });
    environment.add_function("raise_exception", raise_exception);
    environment.add_function("strftime_now", move |format: &str| {
        python::strftime(now, format)
    });
    environment
}

fn raise_exception(message: String) -> Result<Value, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, message))
}

fn error(template: &str, action: &'static str, error: &Error) -> CheckpointError {
    CheckpointError::Template {
        template: template.to_owned(),
        action,
        line: error.line(),
        message: error
            .detail()
            .map_or_else(|| error.kind().to_string(), str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use evalh_record::Role;

    fn message(role: Role, content: &str) -> Message {
        Message {
            role,
            content: content.to_owned(),
        }
    }

    fn render(source: &str, messages: &[Message]) -> Result<String, CheckpointError> {
        let texts = SpecialTokenTexts(vec![("bos_token".to_owned(), "<s>".to_owned())]);
        ChatTemplate::parse(
            "t.jinja".to_owned(),
            source.to_owned(),
            texts,
            1_700_000_000,
        )
        .and_then(|template| template.render(messages, true))
    }

    #[test]
    fn blocks_are_trimmed_and_nothing_is_escaped() {
        let source = "{{ bos_token }}\n  {% for m in messages %}\n[{{ m['role'] }}] {{ m.content.strip() }}\n  {% endfor %}\n\
                      {% if add_generation_prompt %}\n>\n{% endif %}\n";
        let rendered = render(source, &[message(Role::User, " 1 < 2 & \"x\" ")]).unwrap();
        assert_eq!(rendered, "<s>\n[user] 1 < 2 & \"x\"\n>\n");
    }

    #[test]
    fn values_print_as_python_prints_them() {
        let source = "{{ tools }} {{ true }} {{ tools is defined and tools is none }} {{ missing }}|{{ 1.0 }} {{ 'a' ~ 1 }}";
        assert_eq!(render(source, &[]).unwrap(), "None True True |1.0 a1");
    }

    #[test]
    fn json_is_pythons() {
        let source = "{{ {'a': [1, 'é<'], 'b': none} | tojson }}\n{{ {'b': 1, 'a': []} | tojson(indent=2, sort_keys=true) }}";
        assert_eq!(
            render(source, &[]).unwrap(),
            "{\"a\": [1, \"é<\"], \"b\": null}\n{\n  \"a\": [],\n  \"b\": 1\n}"
        );
    }

    #[test]
    fn generation_tags_and_loop_controls_of_transformers_are_known() {
        let source = "{% for m in messages %}\n{% if loop.index > 1 %}{% break %}{% endif %}\
                      {%- generation -%}  {{ m.content }}  {%- endgeneration %}{% endfor %}";
        assert_eq!(
            render(
                source,
                &[message(Role::User, "a"), message(Role::User, "b")]
            )
            .unwrap(),
            "a"
        );
    }

    #[test]
    fn the_date_is_fixed() {
        assert_eq!(
            render("{{ strftime_now('%d %b %Y, %A %H:%M:%S %%') }}", &[]).unwrap(),
            "14 Nov 2023, Tuesday 22:13:20 %"
        );
        let unknown = render("{{ strftime_now('%Q') }}", &[])
            .unwrap_err()
            .to_string();
        assert!(unknown.contains("%Q"), "{unknown}");
    }

    #[test]
    fn a_refusal_names_template_line_and_reason() {
        let source = "{% if messages[0].role == 'system' %}\n{{ raise_exception('no system turn here') }}\n{% endif %}";
        let refused = render(source, &[message(Role::System, "x")])
            .unwrap_err()
            .to_string();
        assert_eq!(
            refused,
            "render the chat template t.jinja (line 2): no system turn here"
        );
        let broken = render("a\n{% if %}", &[]).unwrap_err().to_string();
        assert!(
            broken.starts_with("parse the chat template t.jinja (line 2): "),
            "{broken}"
        );
    }
}
