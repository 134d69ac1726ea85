//! What a message says: a text, or blocks in one of two spellings.
//!
//! Bedrock names the kind of a block by its key (`{"text": …}`), OpenAI and Claude by a member
//! `type` (`{"type": "text", "text": …}`). Both are read wherever blocks stand.

use serde_json::{Map, Value, json};

use crate::formats::splice::align;
use crate::record::Block;

/// How blocks are spelled where there is no old one to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    Keyed,
    Typed,
}

/// The blocks of a content; `None` where it is neither text nor a list.
pub(super) fn read(content: &Value) -> Option<Vec<Block>> {
    match content {
        Value::Null => Some(Vec::new()),
        Value::String(text) => Some(vec![Block::Text(text.clone())]),
        Value::Array(blocks) => Some(blocks.iter().map(read_block).collect()),
        _ => None,
    }
}

fn read_block(value: &Value) -> Block {
    let known = value.as_object().and_then(|object| match object.get("type") {
        Some(Value::String(kind)) => typed(object, kind),
        _ => keyed(object),
    });
    known.unwrap_or_else(|| Block::Other(value.clone()))
}

const KEYS: [&str; 7] = ["text", "image", "video", "document", "toolUse", "toolResult", "reasoningContent"];

fn keyed(object: &Map<String, Value>) -> Option<Block> {
    let mut present = KEYS.iter().filter_map(|key| Some((*key, object.get(*key)?)));
    let (key, value) = present.next()?;
    // A block that is two things at once is none that we know.
    if present.next().is_some() {
        return None;
    }
    match key {
        "text" => value.as_str().map(|text| Block::Text(text.to_owned())),
        "image" => Some(Block::Image(value.clone())),
        "video" => Some(Block::Video(value.clone())),
        "document" => Some(Block::Document(value.clone())),
        "toolUse" => Some(Block::ToolUse(value.clone())),
        "toolResult" => Some(Block::ToolResult(value.clone())),
        _ => value["reasoningText"]["text"].as_str().map(|text| Block::Reasoning(text.to_owned())),
    }
}

fn typed(object: &Map<String, Value>, kind: &str) -> Option<Block> {
    let rest = || {
        let mut rest = object.clone();
        rest.shift_remove("type");
        Value::Object(rest)
    };
    let text = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
    match kind {
        "text" => text("text").map(Block::Text),
        "thinking" => text("thinking").map(Block::Reasoning),
        "image" | "image_url" => Some(Block::Image(rest())),
        "video" | "video_url" => Some(Block::Video(rest())),
        "document" => Some(Block::Document(rest())),
        "tool_use" => Some(Block::ToolUse(rest())),
        "tool_result" => Some(Block::ToolResult(rest())),
        _ => None,
    }
}

/// The content for these blocks. The old one is followed: a text stays a text as long as it is one,
/// and blocks keep what they carry beside what we read of them.
pub(super) fn compose(blocks: &[Block], old: Option<&Value>, spelling: Spelling, plain_text: bool) -> Value {
    let held = old.and_then(read).unwrap_or_default();
    if let Some(old) = old
        && !matches!(old, Value::Object(_) | Value::Bool(_) | Value::Number(_))
        && held == blocks
    {
        return old.clone();
    }
    let olds: &[Value] = match old {
        Some(Value::Array(list)) => list,
        _ => &[],
    };
    let was_list = matches!(old, Some(Value::Array(_)));
    if let [Block::Text(text)] = blocks
        && !was_list
        && (plain_text || matches!(old, Some(Value::String(_))))
    {
        return Value::String(text.clone());
    }
    let held: &[Block] = if was_list { &held } else { &[] };
    let spelling = match olds.iter().find(|block| block.is_object()) {
        Some(block) if block["type"].is_string() => Spelling::Typed,
        Some(_) => Spelling::Keyed,
        None => spelling,
    };
    let paired = align(held.len(), blocks.len(), |before, after| held[before] == blocks[after]);
    let composed = blocks.iter().zip(paired).map(|(block, pair)| match pair {
        Some(at) if held[at] == *block => olds[at].clone(),
        Some(at) => changed(block, &held[at], &olds[at]).unwrap_or_else(|| fresh(block, spelling)),
        None => fresh(block, spelling),
    });
    Value::Array(composed.collect())
}

/// A text that was changed within its block, which keeps what else it carries.
fn changed(block: &Block, held: &Block, old: &Value) -> Option<Value> {
    let mut value = old.clone();
    match (block, held) {
        (Block::Text(text), Block::Text(_)) => value["text"] = json!(text),
        (Block::Reasoning(text), Block::Reasoning(_)) if value["type"].is_string() => value["thinking"] = json!(text),
        (Block::Reasoning(text), Block::Reasoning(_)) => {
            value["reasoningContent"]["reasoningText"]["text"] = json!(text);
        }
        _ => return None,
    }
    Some(value)
}

fn fresh(block: &Block, spelling: Spelling) -> Value {
    match (block, spelling) {
        (Block::Other(value), _) => value.clone(),
        (Block::Text(text), Spelling::Keyed) => json!({"text": text}),
        (Block::Image(value), Spelling::Keyed) => json!({"image": value}),
        (Block::Video(value), Spelling::Keyed) => json!({"video": value}),
        (Block::Document(value), Spelling::Keyed) => json!({"document": value}),
        (Block::ToolUse(value), Spelling::Keyed) => json!({"toolUse": value}),
        (Block::ToolResult(value), Spelling::Keyed) => json!({"toolResult": value}),
        (Block::Reasoning(text), Spelling::Keyed) => json!({"reasoningContent": {"reasoningText": {"text": text}}}),
        (Block::Text(text), Spelling::Typed) => json!({"type": "text", "text": text}),
        (Block::Reasoning(text), Spelling::Typed) => json!({"type": "thinking", "thinking": text}),
        (Block::Image(value), Spelling::Typed) if value.get("image_url").is_some() => with_type("image_url", value),
        (Block::Image(value), Spelling::Typed) => with_type("image", value),
        (Block::Video(value), Spelling::Typed) if value.get("video_url").is_some() => with_type("video_url", value),
        (Block::Video(value), Spelling::Typed) => with_type("video", value),
        (Block::Document(value), Spelling::Typed) => with_type("document", value),
        (Block::ToolUse(value), Spelling::Typed) => with_type("tool_use", value),
        (Block::ToolResult(value), Spelling::Typed) => with_type("tool_result", value),
    }
}

fn with_type(kind: &str, value: &Value) -> Value {
    let mut block = Map::new();
    block.insert("type".to_owned(), json!(kind));
    match value {
        Value::Object(members) => block.extend(members.clone()),
        other => {
            block.insert(kind.to_owned(), other.clone());
        }
    }
    Value::Object(block)
}
