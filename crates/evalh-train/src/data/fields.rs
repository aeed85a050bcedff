//! The fields of one object, each once.

use super::error::Fault;
use evalh_model::Label;
use evalh_record::{Message, Role};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::Value;
use std::fmt;

/// An object's fields in their order. One that is there twice is refused, where a map would take one of them silently.
#[derive(Debug)]
pub(super) struct Fields(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Fields(Vec::new());
                while let Some(name) = map.next_key::<String>()? {
                    if fields.has(&name) {
                        let name = name.escape_debug();
                        return Err(A::Error::custom(format!("field `{name}` is there twice")));
                    }
                    fields.0.push((name, map.next_value()?));
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Each)
    }
}

impl Fields {
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }

    fn take(&mut self, name: &str) -> Value {
        let field = self.0.iter_mut().find(|(known, _)| known == name);
        field.map_or(Value::Null, |(_, value)| std::mem::take(value))
    }

    /// A field's text.
    pub(super) fn take_text(&mut self, name: &str) -> Result<String, Fault> {
        match self.take(name) {
            Value::String(text) => Ok(text),
            other => Err(wrong_kind(name, "a text", &other)),
        }
    }

    /// A field's label: the number of a class, or with a point a number.
    pub(super) fn take_label(&mut self, name: &str) -> Result<Label, Fault> {
        let remedy = "number classes from 0, or write a number with a point, such as 2.5";
        let number = match self.take(name) {
            Value::Number(number) => number,
            other => return Err(wrong_kind(name, "a number", &other)),
        };
        if number.is_i64() || number.is_u64() {
            // Far more classes than a head could have.
            let class = number.as_u64().filter(|class| *class < 1 << 16);
            return class
                .map(|class| Label::Class(class as usize))
                .ok_or_else(|| Fault::new(format!("field `{name}` is {number}"), remedy));
        }
        let value = number.as_f64().map(|value| value as f32);
        value
            .filter(|value| value.is_finite())
            .map(Label::Value)
            .ok_or_else(|| Fault::new(format!("field `{name}` is {number}"), remedy))
    }

    /// A field's text, which says something.
    pub(super) fn take_answer(&mut self, name: &str) -> Result<String, Fault> {
        let text = self.take_text(name)?;
        if text.is_empty() {
            return Err(Fault::new(
                format!("field `{name}` is empty, so there is nothing to learn"),
                "take the sample out or fill the field",
            ));
        }
        Ok(text)
    }

    /// A field's list of turns, at least one.
    pub(super) fn take_messages(&mut self, name: &str) -> Result<Vec<Message>, Fault> {
        let turns = match self.take(name) {
            Value::Array(turns) => turns,
            other => return Err(wrong_kind(name, "a list of turns", &other)),
        };
        if turns.is_empty() {
            return Err(Fault::new(
                format!("field `{name}` has no turns"),
                "take the sample out or fill the field",
            ));
        }
        turns
            .into_iter()
            .enumerate()
            .map(|(index, turn)| message(turn, &format!("{name}[{index}]")))
            .collect()
    }
}

fn message(turn: Value, name: &str) -> Result<Message, Fault> {
    let fields: Fields = match turn {
        Value::Object(fields) => Fields(fields.into_iter().collect()),
        other => return Err(wrong_kind(name, "an object with role and content", &other)),
    };
    if let Some(unknown) = fields
        .names()
        .find(|field| !["role", "content"].contains(field))
    {
        return Err(Fault::new(
            format!("field `{name}.{}` is unknown", unknown.escape_debug()),
            "a turn has role and content and nothing else",
        ));
    }
    let (mut role, mut content) = (None, None);
    for (field, value) in fields.0 {
        let place = format!("{name}.{field}");
        let Value::String(text) = value else {
            return Err(wrong_kind(&place, "a text", &value));
        };
        if field == "content" {
            content = Some(text);
        } else {
            role = Some(speaker(&text, &place)?);
        }
    }
    let missing = |field: &str| {
        Fault::new(
            format!("field `{name}.{field}` is missing"),
            "give every turn a role and a content",
        )
    };
    Ok(Message {
        role: role.ok_or_else(|| missing("role"))?,
        content: content.ok_or_else(|| missing("content"))?,
    })
}

fn speaker(role: &str, place: &str) -> Result<Role, Fault> {
    match role {
        "system" => Ok(Role::System),
        "user" => Ok(Role::User),
        "assistant" => Ok(Role::Assistant),
        other => Err(Fault::new(
            format!("field `{place}` is \"{}\"", other.escape_debug()),
            "use system, user or assistant; other roles are not supported",
        )),
    }
}

fn wrong_kind(name: &str, wanted: &str, found: &Value) -> Fault {
    let kind = match found {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    Fault::new(
        format!("field `{name}` is {kind}"),
        format!("let it be {wanted}"),
    )
}
