//! Schemas whose record is a list of messages: Claude's, Bedrock's, OpenAI's and ShareGPT's.

use serde_json::{Map, Value, json};

use super::blocks::{self, Spelling};
use super::{Loss, ShapeError};
use crate::formats::splice::align;
use crate::record::{Block, Record, Role, Turn};
use crate::write::SCHEMA_VERSION;

/// How one of these schemas writes what the others write too.
pub(super) struct Dialect {
    /// The member with the messages.
    pub list: &'static str,
    /// A system text stands in a member of its own, not among the messages.
    pub system_apart: bool,
    /// A content of one text is written as that text, not as a list of one block.
    pub plain_text: bool,
    pub spelling: Spelling,
    /// A new record says its schema version.
    pub versioned: bool,
    /// `from` and `value` instead of `role` and `content`.
    pub from_value: bool,
}

pub(super) const CLAUDE: Dialect = Dialect {
    list: "messages",
    system_apart: true,
    plain_text: true,
    spelling: Spelling::Typed,
    versioned: false,
    from_value: false,
};
pub(super) const CONVERSATION: Dialect =
    Dialect { plain_text: false, spelling: Spelling::Keyed, versioned: true, ..CLAUDE };
pub(super) const OPEN_AI: Dialect = Dialect { system_apart: false, ..CLAUDE };
pub(super) const SHARE_GPT: Dialect =
    Dialect { list: "conversations", system_apart: false, from_value: true, ..CLAUDE };

pub(super) fn read(object: &Map<String, Value>, dialect: &Dialect) -> Result<Record, ShapeError> {
    let turns = read_turns(object, dialect)?;
    let consumed = |key: &str| key == dialect.list || key == "system";
    let extra = object.iter().filter(|(key, _)| !consumed(key));
    Ok(Record { turns, extra: extra.map(|(key, value)| (key.clone(), value.clone())).collect() })
}

pub(super) fn read_turns(object: &Map<String, Value>, dialect: &Dialect) -> Result<Vec<Turn>, ShapeError> {
    let mut turns = Vec::new();
    if let Some(system) = object.get("system").filter(|system| !system.is_null()) {
        let Some(content) = blocks::read(system) else {
            return Err(ShapeError::shape(
                "system",
                "\"system\" is neither a text nor a list of blocks.",
                "Give it a text, or a list of blocks {\"text\": …}.",
            ));
        };
        turns.push(Turn::of(Role::System, content));
    }
    let list = dialect.list;
    let Some(messages) = object.get(list).and_then(Value::as_array) else {
        let what = if object.contains_key(list) { "is not a list" } else { "is missing" };
        return Err(ShapeError::shape(
            list,
            format!("\"{list}\" {what}."),
            "Write the turns as a list of objects with \"role\" and \"content\".",
        ));
    };
    for (index, message) in messages.iter().enumerate() {
        turns.push(read_message(message, dialect).map_err(|what| {
            let field = format!("{list}[{index}]");
            let message = format!("{field} {what}.");
            ShapeError::shape(field, message, "Write each message as {\"role\": \"user\", \"content\": …}.")
        })?);
    }
    Ok(turns)
}

/// The names of the two members that make a message.
fn names(message: &Map<String, Value>, dialect: &Dialect) -> (&'static str, &'static str) {
    if dialect.from_value && !message.contains_key("role") { ("from", "value") } else { ("role", "content") }
}

fn read_message(message: &Value, dialect: &Dialect) -> Result<Turn, String> {
    let Some(message) = message.as_object() else {
        return Err("is not an object".to_owned());
    };
    let (role_name, content_name) = names(message, dialect);
    let Some(role) = message.get(role_name).and_then(Value::as_str) else {
        return Err(format!("has no {role_name}"));
    };
    let mut content = match message.get(content_name).map_or(Some(Vec::new()), blocks::read) {
        Some(content) => content,
        None => return Err(format!("has a {content_name} that is neither a text nor a list of blocks")),
    };
    let calls = calls(message);
    content.extend(calls.iter().flat_map(|calls| calls.iter()).cloned().map(Block::ToolUse));
    let consumed = |key: &str| key == role_name || key == content_name || key == CALLS && calls.is_some();
    let extra = message.iter().filter(|(key, _)| !consumed(key));
    Ok(Turn {
        role: role_of(role, dialect),
        content,
        extra: extra.map(|(key, value)| (key.clone(), value.clone())).collect(),
    })
}

const CALLS: &str = "tool_calls";

/// The calls of tools that OpenAI keeps beside the content.
fn calls(message: &Map<String, Value>) -> Option<&Vec<Value>> {
    let calls = message.get(CALLS)?.as_array()?;
    calls.iter().all(is_call).then_some(calls)
}

fn is_call(value: &Value) -> bool {
    value["function"].is_object() || value["custom"].is_object()
}

fn role_of(role: &str, dialect: &Dialect) -> Role {
    match role {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" | "developer" => Role::System,
        "tool" => Role::Tool,
        "human" if dialect.from_value => Role::User,
        "gpt" | "chatgpt" | "bing" | "bard" | "model" if dialect.from_value => Role::Assistant,
        "observation" if dialect.from_value => Role::Tool,
        other => Role::Other(other.to_owned()),
    }
}

fn role_name<'a>(role: &'a Role, member: &str) -> &'a str {
    match (role, member) {
        (Role::User, "from") => "human",
        (Role::Assistant, "from") => "gpt",
        (Role::Tool, "from") => "observation",
        (role, _) => role.as_str(),
    }
}

pub(super) fn compose(
    record: &Record,
    old: Option<&Map<String, Value>>,
    dialect: &Dialect,
) -> Result<Map<String, Value>, Loss> {
    let mut object = Map::new();
    if dialect.versioned && old.is_none() && !record.extra.contains_key("schemaVersion") {
        object.insert("schemaVersion".to_owned(), json!(SCHEMA_VERSION));
    }
    // A schema version leads, as it does in every example of Bedrock's.
    object.extend(record.extra.iter().filter(|(key, _)| *key == "schemaVersion").map(|(k, v)| (k.clone(), v.clone())));
    compose_turns(&record.turns, old, dialect, &mut object);
    object.extend(record.extra.iter().map(|(key, value)| (key.clone(), value.clone())));
    Ok(object)
}

/// Puts the turns into their members.
pub(super) fn compose_turns(
    turns: &[Turn],
    old: Option<&Map<String, Value>>,
    dialect: &Dialect,
    object: &mut Map<String, Value>,
) {
    let list = dialect.list;
    let system_member = old.and_then(|old| old.get("system"));
    let old_system = system_member.filter(|system| !system.is_null());
    let old_messages = old.and_then(|old| old[list].as_array()).map(Vec::as_slice).unwrap_or_default();
    let starts_with_system = old_messages.first().and_then(|message| read_message(message, dialect).ok());
    let apart = match (old_system, starts_with_system) {
        (Some(_), _) => true,
        (None, Some(first)) if first.role == Role::System => false,
        (None, _) => dialect.system_apart,
    };
    let mut spoken = turns;
    if let [first, rest @ ..] = turns
        && apart
        && first.role == Role::System
        && first.extra.is_empty()
    {
        let value = blocks::compose(&first.content, old_system, dialect.spelling, dialect.plain_text);
        object.insert("system".to_owned(), value);
        spoken = rest;
    } else if let Some(Value::Null) = system_member {
        object.insert("system".to_owned(), Value::Null);
    }
    object.insert(list.to_owned(), Value::Array(compose_messages(spoken, old_messages, dialect)));
}

fn compose_messages(turns: &[Turn], olds: &[Value], dialect: &Dialect) -> Vec<Value> {
    let held: Vec<Option<Turn>> = olds.iter().map(|old| read_message(old, dialect).ok()).collect();
    let paired = align(held.len(), turns.len(), |before, after| held[before].as_ref() == Some(&turns[after]));
    let composed = turns.iter().zip(paired).map(|(turn, pair)| match pair {
        Some(at) if held[at].as_ref() == Some(turn) => olds[at].clone(),
        // A turn that takes the place of another speaker's is a new one.
        Some(at) if held[at].as_ref().is_some_and(|held| held.role == turn.role) => {
            compose_message(turn, olds[at].as_object(), dialect)
        }
        _ => compose_message(turn, None, dialect),
    });
    composed.collect()
}

fn compose_message(turn: &Turn, old: Option<&Map<String, Value>>, dialect: &Dialect) -> Value {
    let empty = Map::new();
    let old_or_empty = old.unwrap_or(&empty);
    let (role_member, content_member) = names(old_or_empty, dialect);
    let mut message = Map::new();
    let role = match old_or_empty.get(role_member) {
        Some(old) if old.as_str().is_some_and(|name| role_of(name, dialect) == turn.role) => old.clone(),
        _ => json!(role_name(&turn.role, role_member)),
    };
    message.insert(role_member.to_owned(), role);
    let is_beside = |block: &&Block| matches!(block, Block::ToolUse(value) if is_call(value));
    let beside: Vec<Value> = turn
        .content
        .iter()
        .filter(is_beside)
        .map(|block| match block {
            Block::ToolUse(value) => value.clone(),
            _ => Value::Null,
        })
        .collect();
    let content: Vec<Block> = turn.content.iter().filter(|block| !is_beside(block)).cloned().collect();
    let old_content = old_or_empty.get(content_member);
    if !content.is_empty() || old_content.is_some() || old.is_none() {
        let value = if content.is_empty() && old_content.is_none() && !beside.is_empty() {
            Value::Null
        } else {
            blocks::compose(&content, old_content, dialect.spelling, dialect.plain_text)
        };
        message.insert(content_member.to_owned(), value);
    }
    if !beside.is_empty() || calls(old_or_empty).is_some_and(Vec::is_empty) {
        message.insert(CALLS.to_owned(), Value::Array(beside));
    }
    message.extend(turn.extra.iter().map(|(key, value)| (key.clone(), value.clone())));
    Value::Object(message)
}
