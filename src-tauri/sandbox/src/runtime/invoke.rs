//! InvokeModel: bodies in the model family's own words. Two families are spoken: Llama's (a prompt) and Nova's
//! (messages). Which one a request means shows in its members; both are answered by every model here.

use std::sync::Arc;

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use whetstone_tuner::{Role, SampleOptions, Turn};

use super::answering::{self, Prompt};
use super::converse::{ConverseRequest, MAX_TOKENS, TEMPERATURE, TOP_P, fresh_seed};
use super::target;
use crate::app::App;
use crate::constraints::Checks;
use crate::errors::ApiError;
use crate::router::{Answer, Call, json, mark_stand_in};

/// Llama's body. Another member is refused, as the service does.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LlamaRequest {
    prompt: String,
    max_gen_len: Option<i64>,
    temperature: Option<f64>,
    top_p: Option<f64>,
}

impl LlamaRequest {
    fn prompt(self) -> Result<Prompt, ApiError> {
        let mut checks = Checks::default();
        checks.range("max_gen_len", self.max_gen_len.unwrap_or(1) as f64, 1.0, 2048.0);
        checks.range("temperature", self.temperature.unwrap_or(0.0), 0.0, 1.0);
        checks.range("top_p", self.top_p.unwrap_or(0.0), 0.0, 1.0);
        checks.finish()?;
        if self.prompt.is_empty() {
            return Err(ApiError::validation("Malformed input request: the prompt is empty."));
        }
        Ok(Prompt {
            turns: vec![Turn::new(Role::User, self.prompt)],
            options: SampleOptions {
                max_tokens: self.max_gen_len.and_then(|tokens| usize::try_from(tokens).ok()).unwrap_or(MAX_TOKENS),
                temperature: self.temperature.map_or(TEMPERATURE, |value| value as f32),
                top_p: self.top_p.map_or(TOP_P, |value| value as f32),
                seed: fresh_seed(),
                ..SampleOptions::default()
            },
        })
    }
}

pub(super) async fn invoke(app: Arc<App>, call: Call) -> Answer {
    let target = target::resolve(&app, &call.region, call.identifier())?;
    if !call.header("x-amzn-bedrock-guardrailidentifier").is_empty() {
        return Err(ApiError::validation("Guardrails are not available in this sandbox."));
    }
    let body: Value = call.json()?;
    let as_messages = body.get("messages").is_some();
    let malformed = |error: serde_json::Error| ApiError::validation(format!("Malformed input request: {error}"));
    let prompt = if as_messages {
        serde_json::from_value::<ConverseRequest>(body).map_err(malformed)?.prompt()?
    } else {
        serde_json::from_value::<LlamaRequest>(body).map_err(malformed)?.prompt()?
    };
    let stand_in = target.stand_in.clone();
    let finished = answering::whole(app, target, prompt).await?;
    let generated = &finished.generated;
    let answer = if as_messages {
        json!({
            "output": { "message": { "role": "assistant", "content": [{ "text": generated.text }] } },
            "stopReason": finished.stop_reason(),
            "usage": finished.usage(),
        })
    } else {
        json!({
            "generation": generated.text,
            "prompt_token_count": generated.input_tokens,
            "generation_token_count": generated.output_tokens,
            "stop_reason": if finished.stop_reason() == "max_tokens" { "length" } else { "stop" },
        })
    };
    Ok(mark_stand_in(json(StatusCode::OK, &answer)?, stand_in.as_deref()))
}
