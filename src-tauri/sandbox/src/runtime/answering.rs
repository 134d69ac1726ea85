//! One answer being made.
//!
//! Generation runs on a thread that may block, one answer to a core, and is broken off between two tokens when nobody
//! waits for it any more: the async side holds the receiver, and a send that finds it gone ends the answer.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;
use whetstone_tuner::{Generated, Piece, SampleOptions, StopReason, TunerError, Turn};

use crate::app::App;
use crate::errors::{ApiError, ErrorKind};

use super::target::Target;

/// Pieces of text that may wait for a slow reader.
const AHEAD: usize = 64;

/// What is asked of the model.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Prompt {
    pub(super) turns: Vec<Turn>,
    pub(super) options: SampleOptions,
}

/// An answer's next part.
pub(super) enum Part {
    Text(String),
    /// The last part.
    End(Result<Finished, ApiError>),
}

pub(super) struct Finished {
    pub(super) generated: Generated,
    /// From the request's arrival to the last token.
    pub(super) latency_ms: u64,
}

impl Finished {
    pub(super) fn stop_reason(&self) -> &'static str {
        match self.generated.stop {
            // A broken-off answer is an error before it gets here.
            StopReason::EndOfTurn | StopReason::Cancelled => "end_turn",
            StopReason::MaxTokens => "max_tokens",
            StopReason::StopSequence => "stop_sequence",
        }
    }

    pub(super) fn usage(&self) -> serde_json::Value {
        let (input, output) = (self.generated.input_tokens, self.generated.output_tokens);
        serde_json::json!({ "inputTokens": input, "outputTokens": output, "totalTokens": input + output })
    }
}

/// Starts an answer. Loading, and a prompt that does not fit, are answered for here; the rest comes in parts.
pub(super) async fn start(app: Arc<App>, target: Target, prompt: Prompt) -> Result<mpsc::Receiver<Part>, ApiError> {
    let arrived = Instant::now();
    let turn = app
        .models()
        .answers
        .clone()
        .acquire_owned()
        .await
        .map_err(|_| ApiError::internal("the sandbox is stopping"))?;
    let loading = app.clone();
    let model = tokio::task::spawn_blocking(move || loading.models().load(loading.home(), &target.weights))
        .await
        .map_err(ApiError::internal)?
        .map_err(ApiError::internal)?;
    let (tokens, room) = (model.count_tokens(&prompt.turns), model.context_length());
    if tokens >= room {
        return Err(too_long(tokens, room - 1));
    }
    let (parts, receiver) = mpsc::channel(AHEAD);
    let stopping = app.stopping().clone();
    tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let mut tell = |piece: Piece<'_>| {
            let gone = parts.blocking_send(Part::Text(piece.text.to_owned())).is_err();
            if gone || stopping.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let result = match model.generate(&prompt.turns, &prompt.options, &mut tell) {
            // The model had more to say: this is no answer that ended.
            Ok(generated) if generated.stop == StopReason::Cancelled => {
                Err(ApiError::new(ErrorKind::ServiceUnavailable, "The sandbox is stopping."))
            }
            Ok(generated) => Ok(generated),
            Err(TunerError::PromptTooLong { tokens, limit }) => Err(too_long(tokens, limit)),
            Err(other) => Err(ApiError::internal(other)),
        };
        let latency_ms = u64::try_from(arrived.elapsed().as_millis()).unwrap_or(u64::MAX);
        let end = Part::End(result.map(|generated| Finished { generated, latency_ms }));
        // Nobody waits any more: there is nobody to tell.
        parts.blocking_send(end).ok();
    });
    Ok(receiver)
}

/// The whole answer at once.
pub(super) async fn whole(app: Arc<App>, target: Target, prompt: Prompt) -> Result<Finished, ApiError> {
    let mut parts = start(app, target, prompt).await?;
    while let Some(part) = parts.recv().await {
        if let Part::End(result) = part {
            return result;
        }
    }
    Err(ApiError::internal("the answer broke off"))
}

fn too_long(tokens: usize, limit: usize) -> ApiError {
    ApiError::validation(format!(
        "Input is too long for requested model: the prompt has {tokens} tokens, and the model reads at most {limit}."
    ))
}
