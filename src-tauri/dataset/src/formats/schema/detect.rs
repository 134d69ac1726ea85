//! Telling a schema from the lines that follow it.

use serde_json::{Map, Value};

use super::{Mapping, Schema};

/// What a sample of lines looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    pub schema: Schema,
    /// Lines of the sample that look otherwise: where they stand in it, from 0, and how they look.
    pub others: Vec<(usize, Schema)>,
}

/// How a line looks: some could be of two schemas.
enum Look {
    Of(Schema),
    /// Messages of texts alone, without a system text: Claude's and OpenAI's look the same.
    PlainMessages,
}

impl Look {
    fn settled(self) -> Schema {
        match self {
            Look::Of(schema) => schema,
            Look::PlainMessages => Schema::ClaudeMessages,
        }
    }
}

impl Schema {
    /// What one line looks like by itself.
    pub fn of_line(line: &[u8]) -> Option<Schema> {
        Self::of_object(&serde_json::from_slice(line).ok()?)
    }

    /// The schema that most lines of a sample follow. Lines that are no objects do not count.
    pub fn detect<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Option<Detected> {
        let objects = lines.into_iter().map(|line| serde_json::from_slice::<Map<String, Value>>(line).ok());
        Self::detect_objects(objects)
    }

    pub(crate) fn detect_objects(objects: impl Iterator<Item = Option<Map<String, Value>>>) -> Option<Detected> {
        let mut counts: Vec<(Schema, usize)> = Vec::new();
        let mut looks = Vec::new();
        for (index, object) in objects.enumerate() {
            let Some(look) = object.as_ref().and_then(look) else { continue };
            if let Look::Of(schema) = &look {
                match counts.iter_mut().find(|(counted, _)| counted == schema) {
                    Some((_, count)) => *count += 1,
                    None => counts.push((schema.clone(), 1)),
                }
            }
            looks.push((index, look));
        }
        // The first of the most frequent.
        let most = counts.iter().map(|(_, count)| *count).max();
        let frequent = counts.into_iter().find(|(_, count)| Some(*count) == most).map(|(schema, _)| schema);
        let plain = looks.iter().filter(|(_, look)| matches!(look, Look::PlainMessages)).count();
        let schema = match frequent {
            Some(schema) if plain <= most.unwrap_or(0) || has_plain_messages(&schema) => schema,
            _ if plain > 0 => Schema::ClaudeMessages,
            _ => return None,
        };
        let others = looks.into_iter().filter_map(|(index, look)| match look {
            Look::PlainMessages if has_plain_messages(&schema) => None,
            look => Some((index, look.settled())).filter(|(_, other)| *other != schema),
        });
        let others = others.collect();
        Some(Detected { schema, others })
    }

    pub(crate) fn of_object(object: &Map<String, Value>) -> Option<Schema> {
        look(object).map(Look::settled)
    }
}

fn has_plain_messages(schema: &Schema) -> bool {
    matches!(schema, Schema::ClaudeMessages | Schema::OpenAiChat)
}

fn look(object: &Map<String, Value>) -> Option<Look> {
    let has = |key: &str| object.contains_key(key);
    let schema = if object.get("schemaType").is_some_and(|kind| kind == "ModelInvocationLog")
        || object.get("input").is_some_and(|input| input.get("inputBodyJson").is_some())
    {
        Schema::InvocationLog
    } else if let Some(messages) = object.get("messages") {
        return Some(look_of_messages(object, messages.as_array().map(Vec::as_slice).unwrap_or_default()));
    } else if object.get("conversations").is_some_and(Value::is_array) {
        Schema::ShareGpt
    } else if has("prompt") && has("completion") {
        Schema::PromptCompletion
    } else if has("instruction") && has("output") {
        Schema::Alpaca
    } else if has("image-ref") {
        Schema::ImageRef
    } else if object.len() == 1 && has("input") {
        Schema::Pretraining
    } else {
        let columns: Vec<String> = object.keys().cloned().collect();
        Schema::Fields(Mapping::suggest(&columns)?)
    };
    Some(Look::Of(schema))
}

fn look_of_messages(object: &Map<String, Value>, messages: &[Value]) -> Look {
    let any = |test: fn(&Value) -> bool| messages.iter().any(test);
    let has = |key: &str| object.contains_key(key);
    let of = Look::Of;
    if has("schemaVersion")
        || object.get("system").is_some_and(|system| system[0].get("text").is_some() && system[0].get("type").is_none())
    {
        return of(Schema::Conversation);
    }
    if any(|m| matches!(m["role"].as_str(), Some("system" | "developer" | "tool" | "function")))
        || any(|m| m.get("tool_calls").is_some() || m.get("weight").is_some())
        || any(|m| m["content"].as_array().is_some_and(|blocks| blocks.iter().any(|b| b["type"] == "image_url")))
        || has("reference_answer")
        || has("tools")
    {
        return of(Schema::OpenAiChat);
    }
    if object.get("system").is_some_and(|system| !system.is_null()) {
        return of(Schema::ClaudeMessages);
    }
    if any(|m| m["content"][0].is_object() && !m["content"][0]["type"].is_string()) {
        return of(Schema::Conversation);
    }
    Look::PlainMessages
}
