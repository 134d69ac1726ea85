//! Meta Llama: a prompt with its header tokens spelled out.

use serde_json::{Value, json};
use whetstone_tuner::{SampleOptions, StopReason};

use super::Said;
use crate::runtime::answering::{Ask, Finished, Prompt, fresh_seed};
use crate::runtime::members::Members;

pub(super) fn read(body: &mut Members) -> Prompt {
    let prompt = body.required_text("prompt");
    let options = SampleOptions {
        max_tokens: body.integer("max_gen_len", 1, 2048).unwrap_or(512),
        temperature: body.number("temperature", 0.0, 1.0).unwrap_or(0.5) as f32,
        top_p: body.number("top_p", 0.0, 1.0).unwrap_or(0.9) as f32,
        seed: fresh_seed(),
        ..SampleOptions::default()
    };
    body.only("images", &json!([]));
    Prompt { ask: Ask::Text(prompt), options }
}

pub(super) fn reply(finished: &Finished) -> Value {
    json!({
        "generation": finished.generated.text,
        "prompt_token_count": finished.generated.input_tokens,
        "generation_token_count": finished.generated.output_tokens,
        "stop_reason": reason(finished),
    })
}

pub(super) fn piece(said: &Said<'_>) -> Value {
    json!({
        "generation": said.text,
        // Told once, with the first words.
        "prompt_token_count": (said.before == 0).then_some(said.input_tokens),
        "generation_token_count": said.tokens,
        "stop_reason": null,
    })
}

pub(super) fn closing(finished: &Finished) -> Value {
    json!({
        "generation": "",
        "prompt_token_count": null,
        "generation_token_count": finished.generated.output_tokens,
        "stop_reason": reason(finished),
    })
}

fn reason(finished: &Finished) -> &'static str {
    if finished.generated.stop == StopReason::MaxTokens { "length" } else { "stop" }
}
