//! One answer: asked, waited for while the model is throttled or not ready, streamed, and told with what it cost.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use whetstone_catalog::{BaseModel, PriceItem};
use whetstone_cloud::{
    Attached, AttachedAs, ChatMessage, ChatRole, Cloud, CloudError, CloudErrorCode, CompletionRequest, ConverseEvent,
    ConverseRequest, ConverseStream,
};
use whetstone_contract::{
    AppError, AppEvent, Attachment, AttachmentKind, ErrorCode, PromptMode, PromptRequest, PromptRole, PromptTurn,
    Reply, ReplyCost,
};

use super::attachments::{DocumentNames, parts};
use super::models::{TopK, top_k};
use crate::Workbench;
use crate::connections::Link;
use crate::errors::from_cloud;
use crate::import::blocking;

/// The first wait for a model that cannot answer yet; each further one is half as long again.
const FIRST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// All waits together.
const MOST_WAITS: u32 = 12;

/// The content of what is attached, by the ids of the copies.
type Contents = HashMap<String, Vec<u8>>;

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
        let raw_request = body_of_prompt(&link.cloud, prompt, base.as_deref(), abbreviated).await?;
        let contents = self.contents(prompt).await?;
        let (events, began) = self.patient_stream(&link, prompt, base.as_deref(), &contents).await?;
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
            raw_request: format!("{raw_request:#}"),
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

    /// What is attached to the turns of a chat, read anew for each prompt.
    async fn contents(&self, prompt: &PromptRequest) -> Result<Contents, AppError> {
        let attached: Vec<Attachment> = prompt.turns.iter().flat_map(|turn| &turn.attachments).cloned().collect();
        if attached.is_empty() {
            return Ok(Contents::new());
        }
        if prompt.mode == PromptMode::Completion {
            return Err(AppError::new(ErrorCode::InvalidInput, "A completion takes text alone, and nothing was sent.")
                .hint("Send what is attached in a chat."));
        }
        let attachments = Arc::clone(&self.playground.attachments);
        blocking(move || {
            let content = |one: &Attachment| Ok((one.id.clone(), attachments.content(one)?));
            attached.iter().map(content).collect()
        })
        .await
    }

    /// Asks until the model can answer. The time to the first token counts from the request that was answered.
    async fn patient_stream(
        &self,
        link: &Link,
        prompt: &PromptRequest,
        base: Option<&str>,
        contents: &Contents,
    ) -> Result<(ConverseStream, Instant), AppError> {
        let content = |attachment: &Attachment| contents.get(&attachment.id).cloned().unwrap_or_default();
        let mut wait = FIRST_WAIT;
        let mut waits = 0;
        loop {
            let began = Instant::now();
            let asked = match prompt.mode {
                PromptMode::Chat => {
                    link.cloud.converse_stream(&prompt.model_id, converse(prompt, base, &content)).await
                }
                PromptMode::Completion => link.cloud.complete(&prompt.model_id, &completion(prompt)).await,
            };
            let error = match asked {
                Ok(events) => return Ok((events, began)),
                Err(error) if waits < MOST_WAITS && why_wait(&error).is_some() => error,
                Err(error) if contents.is_empty() => return Err(from_cloud(&error)),
                Err(error) => return Err(refused_with_attachments(&error)),
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

/// The body as the SDK writes it, but that each attachment's content is what is `shown` of it.
pub(super) async fn body_of_prompt(
    cloud: &Cloud,
    prompt: &PromptRequest,
    base: Option<&str>,
    shown: impl Fn(&Attachment) -> String,
) -> Result<Value, AppError> {
    if prompt.mode == PromptMode::Completion {
        return Ok(completion(prompt).body());
    }
    let body = cloud.converse_body(&prompt.model_id, converse(prompt, base, &|_| Vec::new())).await;
    let body = body.map_err(|error| from_cloud(&error))?;
    let mut body: Value = serde_json::from_str(&body).unwrap_or(Value::String(body));
    let mut attached = prompt.turns.iter().flat_map(|turn| &turn.attachments);
    let messages = body.get_mut("messages").and_then(Value::as_array_mut).into_iter().flatten();
    for block in messages.filter_map(|message| message.get_mut("content")?.as_array_mut()).flatten() {
        for content in ["/image/source/bytes", "/document/source/bytes"] {
            if let Some(bytes) = block.pointer_mut(content) {
                *bytes = attached.next().map(&shown).into();
            }
        }
    }
    Ok(body)
}

/// Of something that is too long to be read.
fn abbreviated(attachment: &Attachment) -> String {
    format!("({}: {} bytes, sent in Base64)", attachment.name, attachment.bytes)
}

/// A model that takes no attachments answers as one that was asked wrongly: which it was, the message says.
fn refused_with_attachments(error: &CloudError) -> AppError {
    let told = from_cloud(error);
    if told.code != ErrorCode::Validation {
        return told;
    }
    told.hint("If it is about what was attached, send the prompt without it, or to a model that takes it.")
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

fn converse(prompt: &PromptRequest, base: Option<&str>, content: &impl Fn(&Attachment) -> Vec<u8>) -> ConverseRequest {
    let mut names = DocumentNames::default();
    let additional = prompt.top_k.zip(base.and_then(top_k)).map(|(most, form)| match form {
        TopK::Named(name) => json!({ name: most }),
        TopK::InConfig => json!({ "inferenceConfig": { "topK": most } }),
    });
    ConverseRequest {
        system: prompt.system.clone().filter(|system| !system.trim().is_empty()),
        messages: prompt.turns.iter().map(|turn| message(turn, content, &mut names)).collect(),
        max_tokens: Some(i32::try_from(prompt.max_tokens).unwrap_or(i32::MAX)),
        temperature: Some(prompt.temperature as f32),
        top_p: Some(prompt.top_p as f32),
        stop_sequences: prompt.stop_sequences.clone(),
        additional,
    }
}

fn message(turn: &PromptTurn, content: &impl Fn(&Attachment) -> Vec<u8>, names: &mut DocumentNames) -> ChatMessage {
    let role = if turn.role == PromptRole::Assistant { ChatRole::Assistant } else { ChatRole::User };
    let attached = turn.attachments.iter().map(|attachment| {
        // The copy says what it is; the window's word is for the window.
        let (kind, format) = parts(&attachment.id).unwrap_or((attachment.kind, ""));
        let what = match kind {
            AttachmentKind::Image => AttachedAs::Image,
            AttachmentKind::Document => AttachedAs::Document(names.name(&attachment.name)),
        };
        Attached { what, format: format.to_owned(), bytes: content(attachment) }
    });
    ChatMessage { role, text: turn.text.clone(), attached: attached.collect() }
}

/// Unknown where the endpoint did not tell, and then not shown.
fn count(tokens: Option<i32>) -> Option<u64> {
    tokens.and_then(|tokens| u64::try_from(tokens).ok())
}

fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
