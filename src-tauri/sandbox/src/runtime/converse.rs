//! Converse and ConverseStream: the request that both take, and the two forms of the answer.

use std::convert::Infallible;
use std::sync::Arc;

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::Bytes;
use futures_util::StreamExt;
use http::{Response, StatusCode, header};
use http_body_util::StreamBody;
use hyper::body::Frame;
use rand::rngs::OsRng;
use rand::{RngCore, TryRngCore};
use s3s::Body;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use whetstone_tuner::{Role, SampleOptions, Turn};

use super::answering::{self, Finished, Part, Prompt};
use super::target;
use crate::app::App;
use crate::constraints::Checks;
use crate::errors::ApiError;
use crate::router::{Answer, Call, json, mark_stand_in};

/// What is taken where the request does not say. A base model of AWS's has its own; these are in their middle.
pub(super) const MAX_TOKENS: usize = 512;
pub(super) const TEMPERATURE: f32 = 0.7;
pub(super) const TOP_P: f32 = 0.9;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConverseRequest {
    #[serde(default)]
    messages: Vec<Said>,
    #[serde(default)]
    system: Vec<Map<String, Value>>,
    #[serde(default)]
    inference_config: InferenceConfig,
    tool_config: Option<Value>,
    guardrail_config: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Said {
    role: String,
    #[serde(default)]
    content: Vec<Map<String, Value>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct InferenceConfig {
    max_tokens: Option<i64>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    #[serde(default)]
    stop_sequences: Vec<String>,
}

impl ConverseRequest {
    /// The conversation and how to go on with it, or why that cannot be.
    pub(super) fn prompt(self) -> Result<Prompt, ApiError> {
        if self.tool_config.is_some() {
            return Err(ApiError::validation("This model doesn't support tool use."));
        }
        if self.guardrail_config.is_some() {
            return Err(ApiError::validation("Guardrails are not available in this sandbox."));
        }
        let options = self.inference_config.options()?;
        let mut turns = Vec::new();
        let system = text_of(&self.system, "system")?;
        if !system.is_empty() {
            turns.push(Turn::new(Role::System, system));
        }
        let mut expected = Role::User;
        for (index, message) in self.messages.iter().enumerate() {
            let role = match message.role.as_str() {
                "user" => Role::User,
                "assistant" => Role::Assistant,
                other => return Err(ApiError::validation(format!("The role {other} is not supported in messages."))),
            };
            if index == 0 && role != Role::User {
                return Err(ApiError::validation("A conversation must start with a user message."));
            }
            if role != expected {
                return Err(ApiError::validation("A conversation must alternate between user and assistant roles."));
            }
            expected = if role == Role::User { Role::Assistant } else { Role::User };
            let text = text_of(&message.content, &format!("messages.{index}.content"))?;
            if text.is_empty() {
                return Err(ApiError::validation(format!("The text field in messages.{index}.content is blank.")));
            }
            turns.push(Turn::new(role, text));
        }
        if self.messages.is_empty() || expected != Role::Assistant {
            return Err(ApiError::validation("A conversation must end with a user message."));
        }
        Ok(Prompt { turns, options })
    }
}

impl InferenceConfig {
    fn options(self) -> Result<SampleOptions, ApiError> {
        let mut checks = Checks::default();
        if let Some(tokens) = self.max_tokens {
            checks.range("inferenceConfig.maxTokens", tokens as f64, 1.0, f64::from(i32::MAX));
        }
        if let Some(temperature) = self.temperature {
            checks.range("inferenceConfig.temperature", temperature, 0.0, 1.0);
        }
        if let Some(top_p) = self.top_p {
            checks.range("inferenceConfig.topP", top_p, 0.0, 1.0);
        }
        checks.at_most("inferenceConfig.stopSequences", self.stop_sequences.len(), 2500);
        checks.finish()?;
        Ok(SampleOptions {
            max_tokens: self.max_tokens.and_then(|tokens| usize::try_from(tokens).ok()).unwrap_or(MAX_TOKENS),
            temperature: self.temperature.map_or(TEMPERATURE, |value| value as f32),
            top_p: self.top_p.map_or(TOP_P, |value| value as f32),
            stop_sequences: self.stop_sequences,
            seed: fresh_seed(),
            ..SampleOptions::default()
        })
    }
}

/// The service takes no seed, so two equal requests may be answered differently; at temperature 0 they are not.
pub(super) fn fresh_seed() -> u64 {
    OsRng.unwrap_err().next_u64()
}

/// The text blocks of a list of content blocks, one after the other.
fn text_of(blocks: &[Map<String, Value>], member: &str) -> Result<String, ApiError> {
    let mut whole = String::new();
    for block in blocks {
        match (block.get("text"), block.keys().next()) {
            (Some(Value::String(text)), _) => {
                if !whole.is_empty() {
                    whole.push('\n');
                }
                whole.push_str(text);
            }
            // A mark for caching has no content of its own.
            (None, Some(kind)) if kind == "cachePoint" => {}
            (_, kind) => {
                let kind = kind.map_or("empty", String::as_str);
                return Err(ApiError::validation(format!(
                    "This model doesn't support the {kind} content block that you provided in {member}."
                )));
            }
        }
    }
    Ok(whole)
}

pub(super) async fn converse(app: Arc<App>, call: Call) -> Answer {
    let target = target::resolve(&app, &call.region, call.identifier())?;
    let prompt = call.json::<ConverseRequest>()?.prompt()?;
    let stand_in = target.stand_in.clone();
    let finished = answering::whole(app, target, prompt).await?;
    let answer = json(StatusCode::OK, &message_view(&finished))?;
    Ok(mark_stand_in(answer, stand_in.as_deref()))
}

/// Converse's answer.
fn message_view(finished: &Finished) -> Value {
    json!({
        "output": { "message": { "role": "assistant", "content": [{ "text": finished.generated.text }] } },
        "stopReason": finished.stop_reason(),
        "usage": finished.usage(),
        "metrics": { "latencyMs": finished.latency_ms },
    })
}

pub(super) async fn converse_stream(app: Arc<App>, call: Call) -> Answer {
    let target = target::resolve(&app, &call.region, call.identifier())?;
    let prompt = call.json::<ConverseRequest>()?.prompt()?;
    let stand_in = target.stand_in.clone();
    let parts = answering::start(app, target, prompt).await?;
    let mut response = Response::new(Body::http_body_unsync(StreamBody::new(frames(parts))));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/vnd.amazon.eventstream"));
    Ok(mark_stand_in(response, stand_in.as_deref()))
}

/// The events of a stream as they come, each a frame of its own so that text is seen as it is made.
fn frames(parts: mpsc::Receiver<Part>) -> impl futures_util::Stream<Item = Result<Frame<Bytes>, Infallible>> + Send {
    let start = futures_util::stream::iter([event("messageStart", &json!({ "role": "assistant" }))]);
    let rest = futures_util::stream::unfold(parts, |mut parts| async move {
        let part = parts.recv().await?;
        let bytes = match part {
            Part::Text(text) => {
                event("contentBlockDelta", &json!({ "delta": { "text": text }, "contentBlockIndex": 0 }))
            }
            Part::End(Ok(finished)) => [
                event("contentBlockStop", &json!({ "contentBlockIndex": 0 })),
                event("messageStop", &json!({ "stopReason": finished.stop_reason() })),
                event(
                    "metadata",
                    &json!({ "usage": finished.usage(), "metrics": { "latencyMs": finished.latency_ms } }),
                ),
            ]
            .concat(),
            Part::End(Err(error)) => exception(&error),
        };
        Some((bytes, parts))
    });
    start.chain(rest).map(|bytes| Ok(Frame::data(Bytes::from(bytes))))
}

fn event(kind: &'static str, payload: &Value) -> Vec<u8> {
    encode(&[(":event-type", kind), (":content-type", "application/json"), (":message-type", "event")], payload)
}

/// An error after the stream has begun. Its name in a stream begins with a small letter.
fn exception(error: &ApiError) -> Vec<u8> {
    let code = error.kind.code();
    let name = format!("{}{}", code[..1].to_ascii_lowercase(), &code[1..]);
    let headers =
        [(":exception-type", name.as_str()), (":content-type", "application/json"), (":message-type", "exception")];
    encode(&headers, &json!({ "message": error.message }))
}

fn encode(headers: &[(&'static str, &str)], payload: &Value) -> Vec<u8> {
    let message = headers.iter().fold(Message::new(payload.to_string()), |message, (name, value)| {
        message.add_header(Header::new(*name, HeaderValue::String((*value).to_owned().into())))
    });
    let mut bytes = Vec::new();
    if let Err(error) = write_message_to(&message, &mut bytes) {
        // Only a message of many megabytes is refused, and a piece of text is a few letters.
        tracing::error!(%error, "an event could not be encoded");
    }
    bytes
}
