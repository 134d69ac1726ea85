//! Amazon Nova: the schema `messages-v1`, which is Converse's with a few members of its own.

use serde_json::{Map, Value, json};
use whetstone_tuner::SampleOptions;

use crate::errors::ApiError;
use crate::runtime::answering::{Ask, Finished, Prompt, fresh_seed};
use crate::runtime::conversation;
use crate::runtime::converse::text_of;
use crate::runtime::members::Members;

pub(super) fn read(body: &mut Members) -> Result<Prompt, ApiError> {
    body.only("schemaVersion", &json!("messages-v1"));
    body.only("toolConfig", &json!({}));
    let mut config = body.inner("inferenceConfig");
    // Both spellings are in use.
    for (older, newer) in [("max_new_tokens", "maxTokens"), ("top_p", "topP"), ("top_k", "topK")] {
        config.rename(older, newer);
    }
    let options = SampleOptions {
        max_tokens: config.integer("maxTokens", 1, 1_000_000).unwrap_or(512),
        temperature: config.number("temperature", 0.0, 1.0).unwrap_or(0.7) as f32,
        top_p: config.number("topP", 0.0, 1.0).unwrap_or(0.9) as f32,
        top_k: config.integer("topK", 0, 128).filter(|most| *most > 0),
        stop_sequences: config.texts("stopSequences", 2500),
        seed: fresh_seed(),
    };
    body.close(config);
    let system = body.any("system").unwrap_or_else(|| json!([]));
    let messages = body.required("messages");
    let said = list(&messages).enumerate().map(|(index, message)| {
        let name = message["role"].as_str().unwrap_or_default();
        let role = conversation::role(name)
            .ok_or_else(|| ApiError::validation(format!("The role {name} is not supported in messages.")))?;
        Ok((role, text_of(&blocks(&message["content"]), &format!("messages.{index}.content"))?))
    });
    let said = said.collect::<Result<Vec<_>, ApiError>>()?;
    let turns = conversation::checked(text_of(&blocks(&system), "system")?, said)?;
    Ok(Prompt { ask: Ask::Turns(turns), options })
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Content blocks; what is no object becomes a block of no kind, which is refused with its place.
fn blocks(value: &Value) -> Vec<Map<String, Value>> {
    list(value).map(|block| block.as_object().cloned().unwrap_or_default()).collect()
}

pub(super) fn reply(finished: &Finished) -> Value {
    json!({
        "output": { "message": { "role": "assistant", "content": [{ "text": finished.generated.text }] } },
        "stopReason": finished.stop_reason(),
        "usage": finished.usage(),
    })
}

pub(super) fn closing(finished: &Finished) -> Vec<Value> {
    vec![
        json!({ "contentBlockStop": { "contentBlockIndex": 0 } }),
        json!({ "messageStop": { "stopReason": finished.stop_reason() } }),
        json!({ "metadata": { "usage": finished.usage(), "metrics": {} } }),
    ]
}
