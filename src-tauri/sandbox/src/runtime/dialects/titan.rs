//! Amazon Titan Text.

use serde_json::{Value, json};
use whetstone_tuner::{Role, SampleOptions, StopReason, Turn};

use super::Said;
use crate::runtime::answering::{Ask, Finished, Prompt, fresh_seed};
use crate::runtime::members::Members;

pub(super) fn read(body: &mut Members) -> Prompt {
    let text = body.required_text("inputText");
    let mut config = body.inner("textGenerationConfig");
    let options = SampleOptions {
        max_tokens: config.integer("maxTokenCount", 1, 8192).unwrap_or(512),
        temperature: config.number("temperature", 0.0, 1.0).unwrap_or(0.7) as f32,
        top_p: config.number("topP", 0.0, 1.0).unwrap_or(0.9) as f32,
        stop_sequences: config.texts("stopSequences", 4),
        seed: fresh_seed(),
        ..SampleOptions::default()
    };
    body.close(config);
    Prompt { ask: Ask::Turns(vec![Turn::new(Role::User, text)]), options }
}

pub(super) fn reply(finished: &Finished) -> Value {
    let generated = &finished.generated;
    json!({
        "inputTextTokenCount": generated.input_tokens,
        "results": [{
            "tokenCount": generated.output_tokens,
            "outputText": generated.text,
            "completionReason": reason(finished),
        }],
    })
}

pub(super) fn piece(said: &Said<'_>) -> Value {
    json!({
        "outputText": said.text,
        "index": 0,
        "totalOutputTextTokenCount": null,
        "completionReason": null,
        // Told once, with the first words.
        "inputTextTokenCount": (said.before == 0).then_some(said.input_tokens),
    })
}

pub(super) fn closing(finished: &Finished) -> Value {
    json!({
        "outputText": "",
        "index": 0,
        "totalOutputTextTokenCount": finished.generated.output_tokens,
        "completionReason": reason(finished),
        "inputTextTokenCount": null,
    })
}

fn reason(finished: &Finished) -> &'static str {
    match finished.generated.stop {
        StopReason::MaxTokens => "LENGTH",
        StopReason::StopSequence => "STOP_CRITERIA_MET",
        StopReason::EndOfTurn | StopReason::Cancelled => "FINISH",
    }
}
