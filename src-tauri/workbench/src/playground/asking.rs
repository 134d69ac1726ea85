//! One answer: asked, waited for while the model is throttled or not ready, streamed, and told with what it cost.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use whetstone_catalog::{BaseModel, PriceItem};
use whetstone_cloud::{
    ChatMessage, ChatRole, Cloud, CloudError, CloudErrorCode, CompletionRequest, ConverseEvent, ConverseRequest,
    ConverseStream,
};
use whetstone_contract::{
    AppError, AppEvent, ErrorCode, PromptMode, PromptRequest, PromptRole, PromptTurn, Reply, ReplyCost,
};

use super::models::{TopK, top_k};
use crate::Workbench;
use crate::connections::Link;
use crate::errors::from_cloud;

/// The first wait for a model that cannot answer yet; each further one is half as long again.
const FIRST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// All waits together.
const MOST_WAITS: u32 = 12;

struct Whole {
    text: String,
    stop_reason: String,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    latency_ms: Option<i64>,
    first_token_ms: Option<u64>,
    total_ms: u64,
}

impl Workbench {
    pub async fn ask(&self, prompt: PromptRequest) -> Result<Reply, AppError> {
        let mut cancelled = self.playground.begin(&prompt.request);
        let reply = tokio::select! {
            reply = self.answer(&prompt) => reply,
            _ = &mut cancelled => Err(AppError::new(ErrorCode::Cancelled, "The answer was stopped.")),
        };
        self.playground.end(&prompt.request);
        reply
    }

    async fn answer(&self, prompt: &PromptRequest) -> Result<Reply, AppError> {
        let link = self.connections.link().await?;
        let base = self.base_of_prompt(&prompt.model_id).await;
        let raw_request = body_of_prompt(&link.cloud, prompt, base.as_deref()).await?;
        let (events, began) = self.patient_stream(&link, prompt, base.as_deref()).await?;
        let whole = self.read_stream(events, &prompt.request, began).await?;
        self.note_asked(&prompt.model_id);
        let cost = self.cost_of_reply(&link, &prompt.model_id, base.as_deref(), &whole).await;
        let raw_response = json!({
            "output": { "message": { "role": "assistant", "content": [{ "text": whole.text }] } },
            "stopReason": whole.stop_reason,
            "usage": { "inputTokens": whole.input_tokens, "outputTokens": whole.output_tokens },
            "metrics": { "latencyMs": whole.latency_ms },
        });
        Ok(Reply {
            stop_reason: whole.stop_reason,
            input_tokens: whole.input_tokens,
            output_tokens: whole.output_tokens,
            first_token_ms: whole.first_token_ms,
            total_ms: whole.total_ms,
            text: whole.text,
            cost,
            raw_request: pretty(&raw_request),
            raw_response: format!("{raw_response:#}"),
        })
    }

    /// The id of the base model behind what is asked; none for an imported model.
    pub(super) async fn base_of_prompt(&self, model_id: &str) -> Option<String> {
        if let Some(base) = whetstone_catalog::catalog().find_by_invocation_id(model_id) {
            return Some(base.id.clone());
        }
        let models = self.list_playable().await.ok()?;
        models.into_iter().find(|model| model.model_id == model_id).map(|model| model.base_model)
    }

    /// Asks until the model can answer. The time to the first token counts from the request that was answered.
    async fn patient_stream(
        &self,
        link: &Link,
        prompt: &PromptRequest,
        base: Option<&str>,
    ) -> Result<(ConverseStream, Instant), AppError> {
        let mut wait = FIRST_WAIT;
        let mut waits = 0;
        loop {
            let began = Instant::now();
            let asked = match prompt.mode {
                PromptMode::Chat => link.cloud.converse_stream(&prompt.model_id, converse(prompt, base)).await,
                PromptMode::Completion => link.cloud.complete(&prompt.model_id, &completion(prompt)).await,
            };
            let error = match asked {
                Ok(events) => return Ok((events, began)),
                Err(error) if waits < MOST_WAITS && why_wait(&error).is_some() => error,
                Err(error) => return Err(from_cloud(&error)),
            };
            waits += 1;
            let millis = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
            self.host.emit(AppEvent::ReplyWaits {
                request: prompt.request.clone(),
                why: why_wait(&error).unwrap_or_default().to_owned(),
                until: self.host.now_ms().saturating_add(millis),
            });
            tokio::time::sleep(wait).await;
            wait = wait.mul_f64(1.5).min(LONGEST_WAIT);
        }
    }

    async fn read_stream(&self, mut events: ConverseStream, request: &str, began: Instant) -> Result<Whole, AppError> {
        let mut text = String::new();
        let mut first_token_ms = None;
        while let Some(event) = events.next().await {
            match event.map_err(|error| from_cloud(&error))? {
                ConverseEvent::Text(piece) => {
                    first_token_ms.get_or_insert_with(|| milliseconds(began));
                    text.push_str(&piece);
                    self.host.emit(AppEvent::ReplyText { request: request.to_owned(), text: piece });
                }
                ConverseEvent::Done { stop_reason, input_tokens, output_tokens, latency_ms } => {
                    let total_ms = milliseconds(began);
                    let (input_tokens, output_tokens) = (count(input_tokens), count(output_tokens));
                    return Ok(Whole {
                        text,
                        stop_reason,
                        input_tokens,
                        output_tokens,
                        latency_ms,
                        first_token_ms,
                        total_ms,
                    });
                }
            }
        }
        Err(AppError::new(ErrorCode::Unreachable, "The answer broke off before its end.").hint("Send it again."))
    }

    async fn cost_of_reply(&self, link: &Link, model_id: &str, base: Option<&str>, whole: &Whole) -> ReplyCost {
        let unknown = |note: &str| ReplyCost { usd: None, note: note.to_owned() };
        if link.on_this_computer {
            return ReplyCost { usd: Some(0.0), note: "Answers on this computer are not billed.".into() };
        }
        if model_id.contains(":provisioned-model/") {
            return unknown("Billed by the hour, however much it answers.");
        }
        let base: Option<&'static BaseModel> = base.and_then(|id| whetstone_catalog::catalog().find(id));
        let (reading, writing) = if model_id.contains(":custom-model-deployment/") {
            (PriceItem::InputTokens, PriceItem::OutputTokens)
        } else {
            (PriceItem::BaseInputTokens, PriceItem::BaseOutputTokens)
        };
        let input = self.rate(link, base, reading, |_| true).await;
        let output = self.rate(link, base, writing, |_| true).await;
        let (Some(input), Some(output)) = (input, output) else {
            return unknown("No dated source names the price of this model's tokens.");
        };
        let (Some(read), Some(written)) = (whole.input_tokens, whole.output_tokens) else {
            return unknown("The endpoint did not tell how many tokens there were.");
        };
        #[expect(clippy::cast_precision_loss, reason = "tokens of one answer")]
        let usd = (read as f64 * input.usd + written as f64 * output.usd) / 1000.0;
        let note = format!(
            "{read} in at {} and {written} out at {} USD per {} ({}, {}).",
            input.usd, output.usd, input.unit, input.source, input.date
        );
        ReplyCost { usd: Some(usd), note }
    }
}

/// The body as the SDK writes it.
pub(super) async fn body_of_prompt(
    cloud: &Cloud,
    prompt: &PromptRequest,
    base: Option<&str>,
) -> Result<String, AppError> {
    match prompt.mode {
        PromptMode::Completion => Ok(completion(prompt).body().to_string()),
        PromptMode::Chat => {
            let body = cloud.converse_body(&prompt.model_id, converse(prompt, base)).await;
            body.map_err(|error| from_cloud(&error))
        }
    }
}

/// Trouble that is only a matter of time.
fn why_wait(error: &CloudError) -> Option<&'static str> {
    match error.code {
        CloudErrorCode::NotReady => Some("The model is being made ready"),
        CloudErrorCode::Throttled => Some("Too many requests at once"),
        _ => None,
    }
}

pub(super) fn completion(prompt: &PromptRequest) -> CompletionRequest {
    CompletionRequest {
        prompt: prompt.turns.last().map(|turn| turn.text.clone()).unwrap_or_default(),
        max_tokens: prompt.max_tokens,
        temperature: prompt.temperature,
        top_p: prompt.top_p,
    }
}

fn converse(prompt: &PromptRequest, base: Option<&str>) -> ConverseRequest {
    let additional = prompt.top_k.zip(base.and_then(top_k)).map(|(most, form)| match form {
        TopK::Named(name) => json!({ name: most }),
        TopK::InConfig => json!({ "inferenceConfig": { "topK": most } }),
    });
    ConverseRequest {
        system: prompt.system.clone().filter(|system| !system.trim().is_empty()),
        messages: prompt.turns.iter().map(message).collect(),
        max_tokens: Some(i32::try_from(prompt.max_tokens).unwrap_or(i32::MAX)),
        temperature: Some(prompt.temperature as f32),
        top_p: Some(prompt.top_p as f32),
        stop_sequences: prompt.stop_sequences.clone(),
        additional,
    }
}

fn message(turn: &PromptTurn) -> ChatMessage {
    let role = if turn.role == PromptRole::Assistant { ChatRole::Assistant } else { ChatRole::User };
    ChatMessage { role, text: turn.text.clone() }
}

fn pretty(body: &str) -> String {
    serde_json::from_str::<Value>(body).map_or_else(|_| body.to_owned(), |value| format!("{value:#}"))
}

/// Unknown where the endpoint did not tell, and then not shown.
fn count(tokens: Option<i32>) -> Option<u64> {
    tokens.and_then(|tokens| u64::try_from(tokens).ok())
}

fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
