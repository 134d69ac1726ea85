//! One answer being made.
//!
//! Generation runs on a thread that may block, one answer to a core, and is broken off between two tokens when nobody
//! waits for it any more: the async side holds the receiver, and a send that finds it gone ends the answer.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use rand::rngs::OsRng;
use rand::{RngCore, TryRngCore};
use tokio::sync::mpsc;
use whetstone_tuner::{Generated, LanguageModel, Piece, SampleOptions, StopReason, TunerError, Turn};

use crate::app::App;
use crate::errors::{ApiError, ErrorKind};

use super::conversation;
use super::target::Target;

/// Pieces of text that may wait for a slow reader.
const AHEAD: usize = 64;

/// What is asked of the model.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Prompt {
    pub(super) ask: Ask,
    pub(super) options: SampleOptions,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ask {
    Turns(Vec<Turn>),
    /// A text to go on from, with special tokens of Llama's spelled out in it.
    Text(String),
}

impl Prompt {
    pub(super) fn is_blank(&self) -> bool {
        match &self.ask {
            Ask::Turns(turns) => turns.iter().all(|turn| turn.text.is_empty()),
            Ask::Text(text) => text.is_empty(),
        }
    }

    /// In the form that this model reads: one that has no special tokens of its own is given turns.
    fn fitted(self, model: &LanguageModel) -> Result<Self, ApiError> {
        let ask = match self.ask {
            Ask::Text(text) if !model.reads_special_tokens() => Ask::Turns(conversation::of_llama(&text)),
            Ask::Turns(_) if !model.converses() => {
                return Err(ApiError::validation(
                    "This model doesn't support Converse: it came without a chat template. Use InvokeModel.",
                ));
            }
            other => other,
        };
        Ok(Self { ask, ..self })
    }

    fn tokens(&self, model: &LanguageModel) -> usize {
        match &self.ask {
            Ask::Turns(turns) => model.count_tokens(turns),
            Ask::Text(text) => model.count_text_tokens(text),
        }
    }
}

/// The service takes no seed, so two equal requests may be answered differently; at temperature 0 they are not.
pub(super) fn fresh_seed() -> u64 {
    OsRng.unwrap_err().next_u64()
}

/// An answer that has begun.
pub(super) struct Begun {
    pub(super) input_tokens: usize,
    pub(super) parts: mpsc::Receiver<Part>,
}

/// An answer's next part.
pub(super) enum Part {
    Text {
        text: String,
        /// Tokens drawn so far.
        tokens: usize,
    },
    /// The last part.
    End(Result<Finished, ApiError>),
}

pub(super) struct Finished {
    pub(super) generated: Generated,
    /// From the request's arrival to the first text.
    pub(super) first_ms: u64,
    /// From the request's arrival to the last token.
    pub(super) latency_ms: u64,
}

impl Finished {
    /// Why it ended, as Converse and Anthropic's messages alike say it.
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

/// The model of a target, from memory or from its folder.
pub(super) async fn model(app: &Arc<App>, target: &Target) -> Result<Arc<LanguageModel>, ApiError> {
    let (app, weights) = (app.clone(), target.weights.clone());
    tokio::task::spawn_blocking(move || app.models().load(app.home(), &weights))
        .await
        .map_err(ApiError::internal)?
        .map_err(ApiError::internal)
}

/// The tokens that a prompt takes.
pub(super) async fn count(app: &Arc<App>, target: &Target, prompt: Prompt) -> Result<usize, ApiError> {
    let model = model(app, target).await?;
    tokio::task::spawn_blocking(move || Ok(prompt.fitted(&model)?.tokens(&model))).await.map_err(ApiError::internal)?
}

/// Starts an answer. Loading, and a prompt that does not fit, are answered for here; the rest comes in parts.
pub(super) async fn start(app: Arc<App>, target: Target, prompt: Prompt) -> Result<Begun, ApiError> {
    let arrived = Instant::now();
    let turn = app
        .models()
        .answers
        .clone()
        .acquire_owned()
        .await
        .map_err(|_| ApiError::internal("the sandbox is stopping"))?;
    let model = model(&app, &target).await?;
    let prompt = prompt.fitted(&model)?;
    let (input_tokens, room) = (prompt.tokens(&model), model.context_length());
    if input_tokens >= room {
        return Err(too_long(input_tokens, room - 1));
    }
    let (parts, receiver) = mpsc::channel(AHEAD);
    let stopping = app.stopping().clone();
    tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let mut first_ms = None;
        let mut tell = |piece: Piece<'_>| {
            first_ms.get_or_insert_with(|| millis_since(arrived));
            let part = Part::Text { text: piece.text.to_owned(), tokens: piece.tokens };
            let gone = parts.blocking_send(part).is_err();
            if gone || stopping.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let result = match &prompt.ask {
            Ask::Turns(turns) => model.generate(turns, &prompt.options, &mut tell),
            Ask::Text(text) => model.generate_text(text, &prompt.options, &mut tell),
        };
        let latency_ms = millis_since(arrived);
        let finished = |generated| Finished { generated, first_ms: first_ms.unwrap_or(latency_ms), latency_ms };
        // Nobody waits any more: there is nobody to tell.
        parts.blocking_send(Part::End(ended(result).map(finished))).ok();
    });
    Ok(Begun { input_tokens, parts: receiver })
}

fn ended(result: Result<Generated, TunerError>) -> Result<Generated, ApiError> {
    match result {
        // The model had more to say: this is no answer that ended.
        Ok(generated) if generated.stop == StopReason::Cancelled => {
            Err(ApiError::new(ErrorKind::ServiceUnavailable, "The sandbox is stopping."))
        }
        Ok(generated) => Ok(generated),
        Err(TunerError::PromptTooLong { tokens, limit }) => Err(too_long(tokens, limit)),
        Err(refused @ TunerError::Template(_)) => Err(ApiError::validation(refused.to_string())),
        Err(other) => Err(ApiError::internal(other)),
    }
}

fn millis_since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// The whole answer at once.
pub(super) async fn whole(app: Arc<App>, target: Target, prompt: Prompt) -> Result<Finished, ApiError> {
    let mut begun = start(app, target, prompt).await?;
    while let Some(part) = begun.parts.recv().await {
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
