//! JSON Lines, in each of the shapes that training data comes in.
//!
//! The shape is told line by line, so a file may mix them: prompt and completion, Claude messages,
//! Bedrock's conversation, messages as OpenAI writes them, or plain fields that a mapping names.

use serde_json::{Map, Value};

use super::Mapping;
use crate::record::{Record, Role, Turn};

/// What the lines of a JSONL file look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonlSchema {
    PromptCompletion,
    ClaudeMessages,
    /// `schemaVersion` with content blocks.
    Conversation,
    /// Messages with the system text among them, or content as text parts.
    OpenAiMessages,
    /// Some other object; a mapping says which fields are meant.
    Fields(Vec<String>),
}

impl JsonlSchema {
    /// The shape in words.
    pub fn name(&self) -> &'static str {
        match self {
            Self::PromptCompletion => "prompt and completion",
            Self::ClaudeMessages => "Claude messages",
            Self::Conversation => "Bedrock conversation",
            Self::OpenAiMessages => "OpenAI messages",
            Self::Fields(_) => "fields",
        }
    }
}

/// Why an object is no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShapeError {
    pub message: String,
    pub hint: String,
}

impl ShapeError {
    fn new(message: impl Into<String>, hint: impl Into<String>) -> ShapeError {
        ShapeError { message: message.into(), hint: hint.into() }
    }
}

pub(crate) fn schema_of(object: &Map<String, Value>) -> JsonlSchema {
    if let Some(messages) = object.get("messages") {
        if object.contains_key("schemaVersion") || object.get("system").is_some_and(Value::is_array) {
            return JsonlSchema::Conversation;
        }
        let messages = messages.as_array().map(Vec::as_slice).unwrap_or_default();
        let has = |test: fn(&Value) -> bool| messages.iter().any(test);
        if has(|m| m["role"] == "system" || m["role"] == "developer") {
            return JsonlSchema::OpenAiMessages;
        }
        if has(|m| m["content"][0]["type"].is_string()) {
            return JsonlSchema::OpenAiMessages;
        }
        if has(|m| m["content"].is_array()) {
            return JsonlSchema::Conversation;
        }
        return JsonlSchema::ClaudeMessages;
    }
    if object.contains_key("prompt") && object.contains_key("completion") {
        return JsonlSchema::PromptCompletion;
    }
    JsonlSchema::Fields(object.keys().cloned().collect())
}

/// The record in this object, and the keys that a record has no place for.
pub(crate) fn to_record(
    object: &Map<String, Value>,
    mapping: Option<&Mapping>,
) -> Result<(Record, Vec<String>), ShapeError> {
    if object.contains_key("messages") {
        return conversation(object);
    }
    let own = Mapping {
        prompt: "prompt".to_owned(),
        completion: "completion".to_owned(),
        system: object.contains_key("system").then(|| "system".to_owned()),
    };
    mapped(object, mapping.unwrap_or(&own))
}

/// A record from the fields that a mapping names. Text stays as it is; an object or a list, such as
/// an answer that is meant to be JSON, is kept as compact JSON text.
pub(crate) fn mapped(object: &Map<String, Value>, mapping: &Mapping) -> Result<(Record, Vec<String>), ShapeError> {
    let prompt = field(object, &mapping.prompt)?;
    let completion = field(object, &mapping.completion)?;
    let system = match &mapping.system {
        Some(name) if object.get(name).is_some_and(|v| !v.is_null()) => Some(field(object, name)?),
        _ => None,
    };
    let ignored = object.keys().filter(|key| mapping.names().all(|name| name != *key)).cloned().collect();
    Ok((Record::prompt_completion(system, prompt, completion), ignored))
}

fn field(object: &Map<String, Value>, name: &str) -> Result<String, ShapeError> {
    match object.get(name) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Null) => Err(ShapeError::new(format!("\"{name}\" is null."), format!("Give \"{name}\" a text."))),
        Some(value) => Ok(value.to_string()),
        None => Err(ShapeError::new(
            format!("There is no \"{name}\" here."),
            format!("Add \"{name}\" to this object, or choose other fields."),
        )),
    }
}

fn conversation(object: &Map<String, Value>) -> Result<(Record, Vec<String>), ShapeError> {
    let mut turns = Vec::new();
    match object.get("system") {
        None | Some(Value::Null) => {}
        Some(system) => turns.push(Turn::new(Role::System, content(system, "system")?)),
    }
    let Some(messages) = object["messages"].as_array() else {
        return Err(ShapeError::new(
            "\"messages\" is not a list.",
            "Write the turns as a list of objects with \"role\" and \"content\".",
        ));
    };
    for (index, message) in messages.iter().enumerate() {
        let name = format!("messages[{index}]");
        let role = match message["role"].as_str() {
            Some("user") => Role::User,
            Some("assistant") => Role::Assistant,
            Some("system" | "developer") => Role::System,
            Some(other) => {
                return Err(ShapeError::new(
                    format!("The role of {name} is \"{other}\"."),
                    "Use the roles user and assistant, with the system text before them.",
                ));
            }
            None => {
                return Err(ShapeError::new(
                    format!("{name} has no role."),
                    "Give each message a \"role\": user or assistant.",
                ));
            }
        };
        turns.push(Turn::new(role, content(&message["content"], &name)?));
    }
    const KNOWN: [&str; 3] = ["messages", "system", "schemaVersion"];
    let ignored = object.keys().filter(|key| !KNOWN.contains(&key.as_str())).cloned().collect();
    Ok((Record::new(turns), ignored))
}

/// The text of a string, or of text blocks (`{"text"}`, with or without `"type": "text"`).
fn content(value: &Value, of: &str) -> Result<String, ShapeError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Array(blocks) => {
            let mut texts = Vec::with_capacity(blocks.len());
            for block in blocks {
                match block["text"].as_str() {
                    Some(text) => texts.push(text),
                    None => return Err(not_text(block, of)),
                }
            }
            Ok(texts.join("\n"))
        }
        _ => Err(ShapeError::new(
            format!("{of} has no content that is text."),
            "Give it a text, or a list of blocks {\"text\": …}.",
        )),
    }
}

fn not_text(block: &Value, of: &str) -> ShapeError {
    let kind = match block["type"].as_str() {
        Some(kind) => kind.to_owned(),
        None => {
            block.as_object().and_then(|object| object.keys().next().cloned()).unwrap_or_else(|| "unknown".to_owned())
        }
    };
    ShapeError::new(
        format!("{of} holds a block of kind \"{kind}\"; only text can be read."),
        "Leave such records out, or keep their text only.",
    )
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;

    fn object(json: &str) -> Map<String, Value> {
        serde_json::from_str(json).unwrap()
    }

    fn turns(json: &str) -> Vec<(Role, String)> {
        let (record, _) = to_record(&object(json), None).unwrap();
        record.turns.iter().map(|t| (t.role.clone(), t.text().into_owned())).collect()
    }

    #[test]
    fn each_shape_is_told_and_read_alike() {
        let expected = [
            (Role::System, "Be brief.".to_owned()),
            (Role::User, "Hi".to_owned()),
            (Role::Assistant, "Hello".to_owned()),
        ];
        for (schema, json) in [
            (JsonlSchema::PromptCompletion, r#"{"prompt":"Hi","completion":"Hello","system":"Be brief."}"#),
            (
                JsonlSchema::ClaudeMessages,
                r#"{"system":"Be brief.","messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]}"#,
            ),
            (
                JsonlSchema::Conversation,
                r#"{"schemaVersion":"bedrock-conversation-2024","system":[{"text":"Be brief."}],"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"Hello"}]}]}"#,
            ),
            (
                JsonlSchema::OpenAiMessages,
                r#"{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"Hi"}]},{"role":"assistant","content":"Hello"}]}"#,
            ),
        ] {
            assert_eq!(schema_of(&object(json)), schema, "{json}");
            assert_eq!(turns(json), expected, "{json}");
        }
    }

    #[test]
    fn an_answer_that_is_json_is_kept_as_compact_text() {
        let read = turns(r#"{"prompt":"Extract.","completion": {"parties": ["A",  "B"], "term": 12}}"#);
        assert_eq!(read[1].1, r#"{"parties":["A","B"],"term":12}"#);
    }

    #[test]
    fn what_is_no_record_says_why() {
        for (json, said) in [
            (r#"{"prompt":"Hi"}"#, "no \"completion\""),
            (r#"{"prompt":"Hi","completion":null}"#, "is null"),
            (r#"{"messages":"Hi"}"#, "not a list"),
            (r#"{"messages":[{"content":"Hi"}]}"#, "has no role"),
            (r#"{"messages":[{"role":"tool","content":"Hi"}]}"#, "is \"tool\""),
            (r#"{"messages":[{"role":"user","content":[{"image":{}}]}]}"#, "kind \"image\""),
            (r#"{"messages":[{"role":"user"}]}"#, "no content"),
        ] {
            let refused = to_record(&object(json), None).unwrap_err();
            assert!(refused.message.contains(said), "{json}: {refused:?}");
            assert!(!refused.hint.is_empty());
        }
    }
}
