//! The playground: which models can be asked, and asking one, with the answer streamed as it is sampled.
//!
//! Owns the answers under way, so that one can be cancelled. Conversations belong to the window.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Instant;

use tokio::sync::oneshot;
use whetstone_cloud::{ChatMessage, ChatRole, ConverseEvent, ConverseRequest};
use whetstone_contract::{
    AppError, AppEvent, DeploymentStatus, ErrorCode, HoldOutPrompt, HoldOutRequest, PlayableKind, PlayableModel,
    PromptRequest, PromptRole, PromptTurn, Reply,
};

use crate::Workbench;
use crate::errors::from_cloud;

#[derive(Default)]
pub struct Playground {
    under_way: Mutex<HashMap<String, oneshot::Sender<()>>>,
}

impl Playground {
    fn begin(&self, request: &str) -> oneshot::Receiver<()> {
        let (cancel, cancelled) = oneshot::channel();
        self.lock().insert(request.to_owned(), cancel);
        cancelled
    }

    fn end(&self, request: &str) {
        self.lock().remove(request);
    }

    /// Cancelling an answer that has ended is no error: the two crossed on the way.
    pub fn cancel(&self, request: &str) {
        if let Some(cancel) = self.lock().remove(request) {
            let _ = cancel.send(());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, oneshot::Sender<()>>> {
        self.under_way.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Workbench {
    /// The base models that answer here, then every tuned model that is deployed, newest first.
    pub async fn list_playable(&self) -> Result<Vec<PlayableModel>, AppError> {
        let link = self.connections.link().await?;
        let on_this_computer = link.on_this_computer;
        let mut jobs = self.jobs.all()?;
        // A deployment answers where it was made.
        jobs.retain(|job| job.connection == link.connection);
        let used = |id: &str| jobs.iter().any(|job| job.draft.base_model == id);
        let bases = whetstone_catalog::catalog()
            .models()
            .iter()
            .filter(|model| if model.local { on_this_computer } else { used(&model.id) });
        let mut models: Vec<PlayableModel> = bases
            .map(|model| PlayableModel {
                model_id: model.invocation_id().to_owned(),
                name: model.name.clone(),
                kind: PlayableKind::Base,
                stand_in: on_this_computer && !model.local,
                job: None,
                base_model: model.id.clone(),
                dataset: None,
            })
            .collect();
        models.extend(jobs.iter().filter_map(|job| {
            let deployment = job.deployment.as_ref().filter(|one| one.status == DeploymentStatus::Active)?;
            Some(PlayableModel {
                model_id: deployment.arn.clone()?,
                name: job.draft.model_name.clone(),
                kind: PlayableKind::Tuned,
                stand_in: job.stand_in,
                job: Some(job.id.clone()),
                base_model: job.draft.base_model.clone(),
                dataset: Some(job.draft.dataset.clone()),
            })
        }));
        Ok(models)
    }

    pub async fn ask(&self, prompt: PromptRequest) -> Result<Reply, AppError> {
        let mut cancelled = self.playground.begin(&prompt.request);
        let reply = tokio::select! {
            reply = self.stream_answer(&prompt) => reply,
            _ = &mut cancelled => Err(AppError::new(ErrorCode::Cancelled, "The answer was stopped.")),
        };
        self.playground.end(&prompt.request);
        reply
    }

    async fn stream_answer(&self, prompt: &PromptRequest) -> Result<Reply, AppError> {
        let cloud = self.connections.link().await?.cloud;
        let began = Instant::now();
        let mut events =
            cloud.converse_stream(&prompt.model_id, converse(prompt)).await.map_err(|error| from_cloud(&error))?;
        let mut text = String::new();
        let mut first_token_ms = None;
        while let Some(event) = events.next().await {
            match event.map_err(|error| from_cloud(&error))? {
                ConverseEvent::Text(piece) => {
                    first_token_ms.get_or_insert_with(|| milliseconds(began));
                    text.push_str(&piece);
                    self.host.emit(AppEvent::ReplyText { request: prompt.request.clone(), text: piece });
                }
                ConverseEvent::Done { stop_reason, input_tokens, output_tokens, .. } => {
                    let total_ms = milliseconds(began);
                    return Ok(Reply {
                        text,
                        stop_reason,
                        input_tokens: count(input_tokens),
                        output_tokens: count(output_tokens),
                        first_token_ms,
                        total_ms,
                    });
                }
            }
        }
        Err(AppError::new(ErrorCode::Unreachable, "The answer broke off before its end.").hint("Send it again."))
    }

    /// A record that no training has seen, counted round so that "next" never ends.
    pub async fn hold_out(&self, asked: HoldOutRequest) -> Result<Option<HoldOutPrompt>, AppError> {
        self.datasets.hold_out_record(asked.dataset, asked.index).await
    }
}

fn converse(prompt: &PromptRequest) -> ConverseRequest {
    ConverseRequest {
        system: prompt.system.clone().filter(|system| !system.trim().is_empty()),
        messages: prompt.turns.iter().map(message).collect(),
        max_tokens: Some(i32::try_from(prompt.max_tokens).unwrap_or(i32::MAX)),
        temperature: Some(prompt.temperature as f32),
        top_p: Some(prompt.top_p as f32),
        stop_sequences: prompt.stop_sequences.clone(),
    }
}

fn message(turn: &PromptTurn) -> ChatMessage {
    let role = if turn.role == PromptRole::Assistant { ChatRole::Assistant } else { ChatRole::User };
    ChatMessage { role, text: turn.text.clone() }
}

/// Unknown where the endpoint did not tell, and then not shown.
fn count(tokens: Option<i32>) -> Option<u64> {
    tokens.and_then(|tokens| u64::try_from(tokens).ok())
}

fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
