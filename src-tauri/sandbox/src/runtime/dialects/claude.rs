//! Anthropic Claude: the text completion of Claude 2, and messages.

use serde_json::{Value, json};
use whetstone_tuner::{SampleOptions, StopReason};

use super::Said;
use crate::errors::ApiError;
use crate::ids;
use crate::runtime::answering::{Ask, Finished, Prompt, fresh_seed};
use crate::runtime::conversation;
use crate::runtime::members::Members;

const VERSION: &str = "bedrock-2023-05-31";
/// What ends a turn of Claude 2's by itself.
const HUMAN: &str = "\n\nHuman:";

pub(super) fn read_text(body: &mut Members) -> Result<Prompt, ApiError> {
    let prompt = body.required_text("prompt");
    body.text("anthropic_version");
    if !body.has("max_tokens_to_sample") {
        body.required("max_tokens_to_sample");
    }
    let options = SampleOptions {
        max_tokens: body.integer("max_tokens_to_sample", 1, 1_000_000).unwrap_or_default(),
        temperature: body.number("temperature", 0.0, 1.0).unwrap_or(1.0) as f32,
        top_p: body.number("top_p", 0.0, 1.0).unwrap_or(1.0) as f32,
        top_k: body.integer("top_k", 0, 500).filter(|most| *most > 0),
        stop_sequences: body.texts("stop_sequences", 8191),
        seed: fresh_seed(),
    };
    Ok(Prompt { ask: Ask::Turns(conversation::of_claude(&prompt)?), options })
}

pub(super) fn text_reply(finished: &Finished) -> Value {
    let (reason, stop) = ending(finished);
    json!({
        "type": "completion",
        // The model's words begin with the space that follows the colon of the prompt.
        "completion": format!(" {}", finished.generated.text),
        "stop_reason": reason,
        "stop": stop,
    })
}

pub(super) fn text_piece(said: &Said<'_>) -> Value {
    let space = if said.before == 0 { " " } else { "" };
    json!({ "completion": format!("{space}{}", said.text), "stop_reason": null, "stop": null })
}

pub(super) fn text_closing(finished: &Finished) -> Value {
    let (reason, stop) = ending(finished);
    json!({ "completion": "", "stop_reason": reason, "stop": stop })
}

/// Claude 2 ends its own turn with a stop sequence: the beginning of the next one.
fn ending(finished: &Finished) -> (&'static str, Option<&str>) {
    match finished.generated.stop {
        StopReason::MaxTokens => ("max_tokens", None),
        StopReason::StopSequence => ("stop_sequence", finished.generated.stop_sequence.as_deref()),
        StopReason::EndOfTurn | StopReason::Cancelled => ("stop_sequence", Some(HUMAN)),
    }
}

pub(super) fn read_messages(body: &mut Members) -> Result<Prompt, ApiError> {
    let version = body.required_text("anthropic_version");
    if !version.is_empty() && version != VERSION {
        body.wrong(format!("#/anthropic_version: {version} is not a valid enum value"));
    }
    if !body.has("max_tokens") {
        body.required("max_tokens");
    }
    let options = SampleOptions {
        max_tokens: body.integer("max_tokens", 1, 1_000_000).unwrap_or_default(),
        temperature: body.number("temperature", 0.0, 1.0).unwrap_or(1.0) as f32,
        top_p: body.number("top_p", 0.0, 1.0).unwrap_or(0.999) as f32,
        top_k: body.integer("top_k", 0, 500).filter(|most| *most > 0),
        stop_sequences: body.texts("stop_sequences", 8191),
        seed: fresh_seed(),
    };
    // A note about the caller, without an effect on the answer.
    body.any("metadata");
    let system = body.any("system").map_or(Ok(String::new()), |system| text(&system, "system"));
    let messages = body.required("messages");
    let said = messages.as_array().map_or(&[][..], Vec::as_slice).iter().enumerate().map(|(index, message)| {
        let name = message["role"].as_str().unwrap_or_default();
        let role = conversation::role(name).ok_or_else(|| {
            ApiError::validation(format!("messages.{index}.role: {name:?} is neither \"user\" nor \"assistant\"."))
        })?;
        Ok((role, text(&message["content"], &format!("messages.{index}.content"))?))
    });
    let said = said.collect::<Result<Vec<_>, ApiError>>()?;
    Ok(Prompt { ask: Ask::Turns(conversation::checked(system?, said)?), options })
}

/// A text, or a list of text blocks.
fn text(content: &Value, place: &str) -> Result<String, ApiError> {
    let refuse = |what: &str| ApiError::validation(format!("{place}: {what}"));
    match content {
        Value::String(text) => Ok(text.clone()),
        Value::Array(blocks) => {
            let texts = blocks.iter().map(|block| match block["type"].as_str() {
                Some("text") => block["text"].as_str().ok_or_else(|| refuse("a text block without a text")),
                other => Err(refuse(&format!(
                    "this model doesn't take a content block of type {}",
                    other.unwrap_or("unknown")
                ))),
            });
            Ok(texts.collect::<Result<Vec<_>, _>>()?.join("\n"))
        }
        _ => Err(refuse("expected a text or a list of content blocks")),
    }
}

pub(super) fn messages_reply(finished: &Finished) -> Value {
    let generated = &finished.generated;
    json!({
        "id": message_id(),
        "type": "message",
        "role": "assistant",
        "content": [{ "type": "text", "text": generated.text }],
        "stop_reason": finished.stop_reason(),
        "stop_sequence": generated.stop_sequence,
        "usage": { "input_tokens": generated.input_tokens, "output_tokens": generated.output_tokens },
    })
}

pub(super) fn messages_opening(input_tokens: usize) -> Vec<Value> {
    let message = json!({
        "id": message_id(),
        "type": "message",
        "role": "assistant",
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
        "usage": { "input_tokens": input_tokens, "output_tokens": 0 },
    });
    vec![
        json!({ "type": "message_start", "message": message }),
        json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
    ]
}

pub(super) fn messages_closing(finished: &Finished) -> Vec<Value> {
    let generated = &finished.generated;
    vec![
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({
            "type": "message_delta",
            "delta": { "stop_reason": finished.stop_reason(), "stop_sequence": generated.stop_sequence },
            "usage": { "output_tokens": generated.output_tokens },
        }),
        json!({ "type": "message_stop" }),
    ]
}

fn message_id() -> String {
    format!("msg_bdrk_{}{}", ids::resource_id(), ids::resource_id())
}
