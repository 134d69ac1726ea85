//! Converse and ConverseStream: the request that both take, and the two forms of the answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use whetstone_tuner::SampleOptions;

use super::answering::{self, Ask, Finished, Part, Prompt, fresh_seed};
use super::conversation;
use super::events::{self, event, exception};
use super::family::Family;
use super::members::Members;
use super::settings::{PerformanceConfig, ServiceTier, Settings};
use super::target;
use crate::app::App;
use crate::constraints::{self, Checks};
use crate::errors::ApiError;
use crate::router::{Answer, Call, json, mark_stand_in};

/// What is taken where the request does not say. A base model of AWS's has its own; these are in their middle.
const MAX_TOKENS: usize = 512;
const TEMPERATURE: f32 = 0.7;
const TOP_P: f32 = 0.9;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConverseRequest {
    #[serde(default)]
    messages: Vec<Said>,
    #[serde(default)]
    system: Vec<Map<String, Value>>,
    #[serde(default)]
    inference_config: InferenceConfig,
    #[serde(default)]
    performance_config: PerformanceConfig,
    #[serde(default)]
    service_tier: ServiceTier,
    #[serde(default)]
    additional_model_request_fields: Value,
    #[serde(default)]
    additional_model_response_field_paths: Vec<String>,
    request_metadata: Option<BTreeMap<String, String>>,
    #[serde(default)]
    prompt_variables: Map<String, Value>,
    tool_config: Option<Value>,
    guardrail_config: Option<Value>,
    output_config: Option<Value>,
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

/// A request that can be answered.
pub(super) struct Asked {
    pub(super) prompt: Prompt,
    settings: Settings,
    /// Members of the model's own answer that are to be shown beside Converse's.
    wanted: Vec<String>,
}

impl ConverseRequest {
    /// The conversation and how to go on with it, or why that cannot be.
    pub(super) fn read(self, family: Family) -> Result<Asked, ApiError> {
        self.refuse_what_is_not_here()?;
        let mut checks = Checks::default();
        self.inference_config.check(&mut checks);
        checks.at_most("additionalModelResponseFieldPaths", self.additional_model_response_field_paths.len(), 10);
        if let Some(metadata) = &self.request_metadata {
            checks.at_most("requestMetadata", metadata.len(), 16);
            for (key, value) in metadata {
                checks.required("requestMetadata.key", Some(key), &constraints::REQUEST_METADATA_KEY);
                checks.required("requestMetadata.value", Some(value), &constraints::REQUEST_METADATA_VALUE);
            }
        }
        let settings = Settings::checked(self.performance_config.latency, self.service_tier.kind, checks)?;
        let wanted = self.additional_model_response_field_paths;
        if let Some(path) = wanted.iter().find(|path| !path.starts_with('/')) {
            return Err(ApiError::validation(format!(
                "{path} in additionalModelResponseFieldPaths is no JSON Pointer."
            )));
        }
        let top_k = top_k(family, self.additional_model_request_fields)?;
        let options = SampleOptions { top_k, ..self.inference_config.options() };
        let mut said = Vec::new();
        for (index, message) in self.messages.iter().enumerate() {
            let role = conversation::role(&message.role).ok_or_else(|| {
                ApiError::validation(format!("The role {} is not supported in messages by this model.", message.role))
            })?;
            said.push((role, text_of(&message.content, &format!("messages.{index}.content"))?));
        }
        let turns = conversation::checked(text_of(&self.system, "system")?, said)?;
        Ok(Asked { prompt: Prompt { ask: Ask::Turns(turns), options }, settings, wanted })
    }

    fn refuse_what_is_not_here(&self) -> Result<(), ApiError> {
        let given = |value: &Option<Value>| value.as_ref().is_some_and(|value| !value.is_null());
        let refused = [
            (given(&self.tool_config), "This model doesn't support tool use."),
            (given(&self.guardrail_config), "Guardrails are not available in this sandbox."),
            (given(&self.output_config), "This model doesn't support structured output."),
            (!self.prompt_variables.is_empty(), "promptVariables are only for prompts of prompt management."),
        ];
        refused.iter().find(|(given, _)| *given).map_or(Ok(()), |(_, why)| Err(ApiError::validation(*why)))
    }
}

impl InferenceConfig {
    fn check(&self, checks: &mut Checks) {
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
        if self.stop_sequences.iter().any(String::is_empty) {
            checks.range("inferenceConfig.stopSequences.member.length", 0.0, 1.0, f64::MAX);
        }
    }

    fn options(self) -> SampleOptions {
        SampleOptions {
            max_tokens: self.max_tokens.and_then(|tokens| usize::try_from(tokens).ok()).unwrap_or(MAX_TOKENS),
            temperature: self.temperature.map_or(TEMPERATURE, |value| value as f32),
            top_p: self.top_p.map_or(TOP_P, |value| value as f32),
            top_k: None,
            stop_sequences: self.stop_sequences,
            seed: fresh_seed(),
        }
    }
}

/// The one further setting that these models know, under the family's own name for it.
fn top_k(family: Family, fields: Value) -> Result<Option<usize>, ApiError> {
    let mut fields = match fields {
        Value::Null => return Ok(None),
        Value::Object(fields) => Members::new("#".to_owned(), fields),
        _ => return Err(ApiError::validation("additionalModelRequestFields must be an object.")),
    };
    let found = match family.top_k_member() {
        Some("inferenceConfig") => {
            let mut config = fields.inner("inferenceConfig");
            config.rename("top_k", "topK");
            let found = config.integer("topK", 0, 128);
            fields.close(config);
            found
        }
        Some(member) => fields.integer(member, 0, 500),
        None => None,
    };
    fields.finish()?;
    Ok(found.filter(|most| *most > 0))
}

/// The text blocks of a list of content blocks, one after the other.
pub(super) fn text_of(blocks: &[Map<String, Value>], member: &str) -> Result<String, ApiError> {
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
    let Asked { prompt, settings, wanted } = call.json::<ConverseRequest>()?.read(target.family)?;
    let stand_in = target.stand_in.clone();
    let finished = answering::whole(app, target, prompt).await?;
    let mut view = message_view(&finished);
    settings.show(&mut view);
    if let Some(fields) = further(&finished, &wanted) {
        view["additionalModelResponseFields"] = fields;
    }
    Ok(mark_stand_in(json(StatusCode::OK, &view)?, stand_in.as_deref()))
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

/// What was asked for of the model's own answer: which stop sequence it was is all that Converse leaves out.
fn further(finished: &Finished, wanted: &[String]) -> Option<Value> {
    let is_wanted = wanted.iter().any(|path| path == "/stop_sequence");
    is_wanted.then(|| json!({ "stop_sequence": finished.generated.stop_sequence }))
}

pub(super) async fn converse_stream(app: Arc<App>, call: Call) -> Answer {
    let target = target::resolve(&app, &call.region, call.identifier())?;
    let asked = call.json::<ConverseRequest>()?.read(target.family)?;
    let stand_in = target.stand_in.clone();
    let begun = answering::start(app, target, asked.prompt).await?;
    let response = events::answer(messages(begun.parts, asked.settings, asked.wanted));
    Ok(mark_stand_in(response, stand_in.as_deref()))
}

/// The events of an answer as they come, each a message of its own so that text is seen as it is made.
fn messages(
    parts: mpsc::Receiver<Part>,
    settings: Settings,
    wanted: Vec<String>,
) -> impl futures_util::Stream<Item = Vec<u8>> + Send {
    let start = stream::iter([event("messageStart", &json!({ "role": "assistant" }))]);
    let rest = stream::unfold((parts, settings, wanted), |(mut parts, settings, wanted)| async move {
        let bytes = match parts.recv().await? {
            Part::Text { text, .. } => {
                event("contentBlockDelta", &json!({ "delta": { "text": text }, "contentBlockIndex": 0 }))
            }
            Part::End(Ok(finished)) => last_events(&finished, &settings, &wanted),
            Part::End(Err(error)) => exception(&error),
        };
        Some((bytes, (parts, settings, wanted)))
    });
    start.chain(rest)
}

fn last_events(finished: &Finished, settings: &Settings, wanted: &[String]) -> Vec<u8> {
    let mut stop = json!({ "stopReason": finished.stop_reason() });
    if let Some(fields) = further(finished, wanted) {
        stop["additionalModelResponseFields"] = fields;
    }
    let mut about = json!({ "usage": finished.usage(), "metrics": { "latencyMs": finished.latency_ms } });
    settings.show(&mut about);
    let end = event("contentBlockStop", &json!({ "contentBlockIndex": 0 }));
    [end, event("messageStop", &stop), event("metadata", &about)].concat()
}
