//! Templates and expressions over a row's fields, with the results that lm-eval's jinja2 gives.

use super::python::{self, Regex};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Expression, Template, UndefinedBehavior,
    value::{Object, Value},
};
use serde_json::{Map, Value as Json};
use std::{
    collections::{BTreeMap, HashMap},
    error::Error as _,
    sync::{Arc, LazyLock, Mutex},
};

/// The settings of lm-eval 0.4.13's `utils.env`: undefined values are errors, a trailing newline is kept, nothing is
/// escaped, and there is the filter `regex_replace`.
static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_keep_trailing_newline(true);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_unknown_method_callback(python::call);
    environment.set_formatter(|out, state, value| {
        if value.is_undefined() {
            return minijinja::escape_formatter(out, state, value);
        }
        out.write_str(&python::show(value)).map_err(Error::from)
    });
    environment.add_filter("regex_replace", regex_replace);
    environment
});

/// Compiled expressions of the filter, most of which are the same for all rows.
static REPLACED: LazyLock<Mutex<HashMap<String, Regex>>> = LazyLock::new(Mutex::default);

/// More than any definition has; a template may compute its expressions from rows.
const MOST_KEPT: usize = 256;

fn regex_replace(
    text: &str,
    pattern: &str,
    replacement: &str,
    count: Option<usize>,
) -> Result<String, Error> {
    let failed = |problem| Error::new(ErrorKind::InvalidOperation, problem);
    let known = |kept: &HashMap<String, Regex>| kept.get(pattern).cloned();
    let regex = match REPLACED.lock().ok().and_then(|kept| known(&kept)) {
        Some(regex) => regex,
        None => Regex::new(pattern).map_err(failed)?,
    };
    if let Ok(mut kept) = REPLACED.lock()
        && kept.len() < MOST_KEPT
    {
        kept.insert(pattern.to_owned(), regex.clone());
    }
    regex
        .replace(text, replacement, count.unwrap_or(0))
        .map_err(failed)
}

/// A text with places for a row's fields.
pub struct Text<'d>(Template<'d, 'd>);

/// A value computed from a row's fields.
pub struct Formula(Expression<'static, 'static>);

impl<'d> Text<'d> {
    /// Compiles a template; the error says what is wrong and where.
    pub fn new(source: &'d str) -> Result<Text<'d>, String> {
        let environment: &'d Environment<'d> = &ENVIRONMENT;
        environment
            .template_from_str(source)
            .map(Text)
            .map_err(|error| explain(&error))
    }

    /// The template of exactly this text.
    pub fn quoted(text: &str) -> String {
        format!("{{{{ {} }}}}", Json::String(text.to_owned()))
    }

    /// The text for one row.
    pub fn render(&self, scope: &Scope) -> Result<String, String> {
        self.0.render(&scope.0).map_err(|error| explain(&error))
    }
}

impl Formula {
    /// Compiles an expression; the error says what is wrong.
    pub fn new(source: &str) -> Result<Formula, String> {
        ENVIRONMENT
            .compile_expression_owned(source.to_owned())
            .map(Formula)
            .map_err(|error| explain(&error))
    }

    /// The value for one row.
    pub fn value(&self, scope: &Scope) -> Result<Value, String> {
        let value = self.0.eval(&scope.0).map_err(|error| explain(&error))?;
        if value.is_undefined() {
            return Err("undefined value: a field that it names is not there".into());
        }
        Ok(value)
    }
}

/// What is wrong with a template, on one line, without its made-up name.
fn explain(error: &Error) -> String {
    let mut text = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text.replace('\n', " ")
}

/// The name that stands for the task's.
pub const TASK: &str = "task";

/// The name that stands for all of the row as read, for fields whose names are no identifiers: `row['#1 String']`.
pub const ROW: &str = "row";

/// What templates see: a row's fields, then the task's values, then [`TASK`] and [`ROW`].
#[derive(Debug, Clone)]
pub struct Scope(Value);

/// What templates see of a task.
#[derive(Debug, Clone)]
pub struct TaskValues {
    name: Value,
    vars: Arc<BTreeMap<String, Value>>,
}

impl TaskValues {
    /// The values of a task of this name.
    pub fn new(name: &str, vars: &BTreeMap<String, Json>) -> TaskValues {
        let vars = vars
            .iter()
            .map(|(name, value)| (name.clone(), Value::from_serialize(value)))
            .collect();
        TaskValues {
            name: name.into(),
            vars: Arc::new(vars),
        }
    }

    /// The scope without a row.
    pub fn scope(&self) -> Scope {
        self.with(&Fields::default())
    }

    /// The scope of a row.
    pub fn with(&self, fields: &Fields) -> Scope {
        Scope(Value::from_object(Names {
            fields: fields.clone(),
            task: self.clone(),
        }))
    }

    /// A value of the task that a field of the row would hide.
    pub fn hidden_by(&self, fields: &Fields) -> Option<&str> {
        let hidden = self.vars.keys().find(|name| fields.has(name));
        hidden.map(String::as_str)
    }
}

/// A row's fields as templates see them: those read, and those computed from them, which go before.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    read: Arc<Map<String, Json>>,
    computed: Arc<BTreeMap<String, Value>>,
}

impl Fields {
    /// The fields of a row as read.
    pub fn new(read: Arc<Map<String, Json>>) -> Fields {
        Fields {
            read,
            computed: Arc::default(),
        }
    }

    /// The same with computed fields.
    pub fn with(&self, computed: BTreeMap<String, Value>) -> Fields {
        Fields {
            read: Arc::clone(&self.read),
            computed: Arc::new(computed),
        }
    }

    /// Whether the two are one row's content, whatever was computed from it.
    pub fn is_same_row(&self, other: &Fields) -> bool {
        self.read == other.read
    }

    fn has(&self, name: &str) -> bool {
        self.computed.contains_key(name) || self.read.contains_key(name)
    }

    /// A field's value.
    pub fn get(&self, name: &str) -> Option<Value> {
        match self.computed.get(name) {
            Some(value) => Some(value.clone()),
            None => self.read.get(name).map(Value::from_serialize),
        }
    }

    /// The names of all fields, for messages.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let added = self
            .computed
            .keys()
            .filter(|name| !self.read.contains_key(*name));
        self.read.keys().chain(added).map(String::as_str)
    }
}

#[derive(Debug)]
struct Names {
    fields: Fields,
    task: TaskValues,
}

impl Object for Names {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        self.fields
            .get(name)
            .or_else(|| self.task.vars.get(name).cloned())
            .or_else(|| match name {
                TASK => Some(self.task.name.clone()),
                ROW => Some(Value::from_serialize(&*self.fields.read)),
                _ => None,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields(row: &Json) -> Fields {
        Fields::new(Arc::new(row.as_object().cloned().unwrap()))
    }

    fn scope(row: &Json) -> Scope {
        let vars = BTreeMap::from([("kind".to_owned(), json!("odd"))]);
        TaskValues::new("a_task", &vars).with(&fields(row))
    }

    fn rendered(source: &str, row: &Json) -> Result<String, String> {
        Text::new(source).unwrap().render(&scope(row))
    }

    #[test]
    fn templates_give_what_jinja2_gives() {
        let row = json!({"q": " \u{1c}Why? \n", "n": 3, "c": ["x", "y"], "b": true, "l": "B", "o": {"t": [1.0, null]}});
        for (source, text) in [
            ("{{ q.strip() }}\n", "Why?\n"),
            ("{{q}}|", " \u{1c}Why? \n|"),
            ("{{ task.replace('_', ' ') }} {{ kind }}", "a task odd"),
            (
                "{{ c[1] }}{{ c[-1] }}{{ b }}{{ n + 1 }}{{ o.t }}",
                "yyTrue4[1.0, None]",
            ),
            (
                "{{ 'ABCD'.find(l) }}{{ ['A', 'B'].index(l) }}{{ 'é=b'.find('b') }}",
                "112",
            ),
            ("{{ 'ABCD'[n] }}", "D"),
            ("{{ missing if missing is defined else 'none' }}", "none"),
            ("{% if n > 2 %}big{% endif %}\n\n", "big\n\n"),
            ("{{ 'a-b-c'.split('-')[-1].strip() }}", "c"),
            ("{{ 'x  y \n'.split() }}", "['x', 'y']"),
            (
                "{{ 'a1b22' | regex_replace('[0-9]+', '<\\\\g<0>>') }}",
                "a<1>b<22>",
            ),
            ("{{ 'aaa'.count('') }}", "4"),
            ("{{ row['l'] }}", "B"),
            ("<b>{{ '<i>' }}", "<b><i>"),
        ] {
            assert_eq!(rendered(source, &row).as_deref(), Ok(text), "{source}");
        }
    }

    #[test]
    fn what_is_not_there_is_an_error_and_not_an_empty_text() {
        for source in [
            "{{ x }}",
            "{{ o.x }}",
            "{% if x %}{% endif %}",
            "{% for i in x %}{% endfor %}",
        ] {
            let error = rendered(source, &json!({"o": {}})).unwrap_err();
            assert!(error.contains("undefined"), "{source}: {error}");
        }
        let formula = Formula::new("x").unwrap();
        assert!(formula.value(&scope(&json!({}))).is_err());
        assert!(Text::new("{{ a").is_err_and(|error| !error.contains('\n')));
        assert!(Formula::new("a +").is_err());
    }

    #[test]
    fn a_row_goes_before_the_task() {
        let values = TaskValues::new("t", &BTreeMap::from([("v".to_owned(), json!(1))]));
        let fields = fields(&json!({"task": "mine", "v": 2}));
        assert_eq!(
            Text::new("{{ task }}")
                .unwrap()
                .render(&values.with(&fields))
                .unwrap(),
            "mine"
        );
        assert_eq!(values.hidden_by(&fields), Some("v"));
        let computed = fields.with(BTreeMap::from([("v".to_owned(), Value::from("new"))]));
        assert_eq!(
            Text::new("{{ v }}")
                .unwrap()
                .render(&values.with(&computed))
                .unwrap(),
            "new"
        );
        assert_eq!(computed.names().collect::<Vec<_>>(), ["task", "v"]);
    }
}
