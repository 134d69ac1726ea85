//! Cohere Command.

use serde_json::{Value, json};
use whetstone_tuner::{Role, SampleOptions, StopReason, Turn};

use crate::ids;
use crate::runtime::answering::{Ask, Finished, Prompt, fresh_seed};
use crate::runtime::members::Members;

pub(super) fn read(body: &mut Members) -> Prompt {
    let prompt = body.required_text("prompt");
    let options = SampleOptions {
        max_tokens: body.integer("max_tokens", 1, 4096).unwrap_or(20),
        // Above 1 it is taken as it is given: the family's scale goes up to 5.
        temperature: body.number("temperature", 0.0, 5.0).unwrap_or(0.9) as f32,
        top_p: body.number("p", 0.0, 1.0).unwrap_or(0.75) as f32,
        top_k: body.integer("k", 0, 500).filter(|most| *most > 0),
        stop_sequences: body.texts("stop_sequences", 4),
        seed: fresh_seed(),
    };
    // Whether the answer comes in pieces is said by the operation.
    body.flag("stream");
    body.only("return_likelihoods", &json!("NONE"));
    body.only("num_generations", &json!(1));
    body.only("logit_bias", &json!({}));
    body.only("truncate", &json!("NONE"));
    Prompt { ask: Ask::Turns(vec![Turn::new(Role::User, prompt)]), options }
}

pub(super) fn reply(finished: &Finished) -> Value {
    json!({
        "id": ids::request_id(),
        "generations": [{
            "id": ids::request_id(),
            "text": finished.generated.text,
            "finish_reason": reason(finished),
        }],
    })
}

pub(super) fn closing(finished: &Finished) -> Value {
    json!({ "is_finished": true, "finish_reason": reason(finished) })
}

fn reason(finished: &Finished) -> &'static str {
    if finished.generated.stop == StopReason::MaxTokens { "MAX_TOKENS" } else { "COMPLETE" }
}
