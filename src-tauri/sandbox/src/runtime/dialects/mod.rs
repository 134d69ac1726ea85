//! InvokeModel bodies and answers, family by family: reading a request, the whole answer, and the answer in chunks.
//!
//! | file | whose words |
//! | --- | --- |
//! | `claude` | Claude 2's text completion, and messages |
//! | `titan`, `llama`, `cohere`, `nova` | the family's own |
//!
//! A member that a family knows and this sandbox cannot honour is refused, never passed over. Where nothing is said,
//! the family's own default is taken.

mod claude;
mod cohere;
mod llama;
mod nova;
mod titan;

use serde_json::{Value, json};

use super::answering::{Finished, Prompt};
use super::family::Dialect;
use super::members::Members;
use crate::errors::ApiError;

/// A piece of an answer on its way.
pub(super) struct Said<'a> {
    pub(super) text: &'a str,
    /// Tokens drawn so far.
    pub(super) tokens: usize,
    pub(super) input_tokens: usize,
    /// Pieces before this one.
    pub(super) before: usize,
}

impl Dialect {
    /// The request of a body.
    pub(super) fn read(self, mut body: Members) -> Result<Prompt, ApiError> {
        let prompt = match self {
            Self::ClaudeText => claude::read_text(&mut body),
            Self::ClaudeMessages => claude::read_messages(&mut body),
            Self::Titan => Ok(titan::read(&mut body)),
            Self::Llama => Ok(llama::read(&mut body)),
            Self::Cohere => Ok(cohere::read(&mut body)),
            Self::Nova => nova::read(&mut body),
        };
        // What is wrong with the members comes before what is wrong with the words in them.
        body.finish()?;
        let prompt = prompt?;
        if prompt.is_blank() {
            return Err(ApiError::validation("Malformed input request: the prompt is empty."));
        }
        Ok(prompt)
    }

    /// The whole answer.
    pub(super) fn reply(self, finished: &Finished) -> Value {
        match self {
            Self::ClaudeText => claude::text_reply(finished),
            Self::ClaudeMessages => claude::messages_reply(finished),
            Self::Titan => titan::reply(finished),
            Self::Llama => llama::reply(finished),
            Self::Cohere => cohere::reply(finished),
            Self::Nova => nova::reply(finished),
        }
    }

    /// The chunks before the first text.
    pub(super) fn opening(self, input_tokens: usize) -> Vec<Value> {
        match self {
            Self::ClaudeMessages => claude::messages_opening(input_tokens),
            Self::Nova => vec![json!({ "messageStart": { "role": "assistant" } })],
            Self::ClaudeText | Self::Titan | Self::Llama | Self::Cohere => Vec::new(),
        }
    }

    /// The chunk of a piece of text.
    pub(super) fn piece(self, said: &Said<'_>) -> Value {
        match self {
            Self::ClaudeText => claude::text_piece(said),
            Self::ClaudeMessages => json!({
                "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": said.text },
            }),
            Self::Titan => titan::piece(said),
            Self::Llama => llama::piece(said),
            Self::Cohere => json!({ "text": said.text, "is_finished": false }),
            Self::Nova => json!({ "contentBlockDelta": { "delta": { "text": said.text }, "contentBlockIndex": 0 } }),
        }
    }

    /// The chunks after the last text. The very last one carries the metrics of the invocation.
    pub(super) fn closing(self, finished: &Finished) -> Vec<Value> {
        let mut chunks = match self {
            Self::ClaudeText => vec![claude::text_closing(finished)],
            Self::ClaudeMessages => claude::messages_closing(finished),
            Self::Titan => vec![titan::closing(finished)],
            Self::Llama => vec![llama::closing(finished)],
            Self::Cohere => vec![cohere::closing(finished)],
            Self::Nova => nova::closing(finished),
        };
        if let Some(last) = chunks.last_mut() {
            last["amazon-bedrock-invocationMetrics"] = json!({
                "inputTokenCount": finished.generated.input_tokens,
                "outputTokenCount": finished.generated.output_tokens,
                "invocationLatency": finished.latency_ms,
                "firstByteLatency": finished.first_ms,
            });
        }
        chunks
    }
}
