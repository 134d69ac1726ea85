//! Answers of a model, as they are sampled.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use aws_sdk_bedrockruntime::{
    config::Config,
    error::SdkError,
    operation::converse_stream::{ConverseStreamOutput as Answer, builders::ConverseStreamFluentBuilder},
    types::{
        ContentBlock, ContentBlockDelta, ConversationRole, ConverseStreamOutput, DocumentBlock, DocumentSource,
        ImageBlock, ImageSource, InferenceConfiguration, Message, SystemContentBlock, error::ConverseStreamOutputError,
    },
};
use aws_smithy_types::{Blob, Document, Number, event_stream::RawMessage, retry::RetryConfig};
use futures_util::{Stream, StreamExt as _, stream};

use crate::caught::{Caught, no_credentials};
use crate::{Cloud, CloudError, CloudErrorCode};

const OPERATION: &str = "ConverseStream";

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChatRole {
    User,
    Assistant,
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatMessage {
    pub role: ChatRole,
    pub text: String,
    /// Of the user's turns only.
    pub attached: Vec<Attached>,
}

impl ChatMessage {
    /// A turn that is text alone.
    pub fn text(role: ChatRole, text: impl Into<String>) -> Self {
        Self { role, text: text.into(), attached: Vec::new() }
    }
}

/// What stands beside the text of a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    pub what: AttachedAs,
    /// In AWS's spelling: `png`, `pdf` and so on.
    pub format: String,
    pub bytes: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttachedAs {
    Image,
    /// With the name that the model is told: letters, digits, single spaces, hyphens, parentheses and square brackets.
    Document(String),
}

/// What to answer, and how. What is not given is left to the model's own default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConverseRequest {
    pub system: Option<String>,
    /// Turns in their order; the last is the user's.
    pub messages: Vec<ChatMessage>,
    /// At least 1.
    pub max_tokens: Option<i32>,
    /// 0 to 1
    pub temperature: Option<f32>,
    /// 0 to 1
    pub top_p: Option<f32>,
    pub stop_sequences: Vec<String>,
    /// What the model takes beside Converse's own settings, in its own words; a JSON object.
    pub additional: Option<serde_json::Value>,
}

/// What happens in the course of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConverseEvent {
    /// The next words.
    Text(String),
    /// The answer is complete; nothing follows.
    Done {
        /// In AWS's spelling: `end_turn`, `max_tokens`, `stop_sequence` and others.
        stop_reason: String,
        /// Where the service told of it.
        input_tokens: Option<i32>,
        output_tokens: Option<i32>,
        /// As the service measured it.
        latency_ms: Option<i64>,
    },
}

/// An answer on its way. Dropping it closes the connection, and with it the sampling.
pub struct ConverseStream {
    pub(crate) events: Pin<Box<dyn Stream<Item = Result<ConverseEvent, CloudError>> + Send>>,
}

impl std::fmt::Debug for ConverseStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConverseStream").finish_non_exhaustive()
    }
}

impl ConverseStream {
    /// The next event; none after `Done` or an error.
    pub async fn next(&mut self) -> Option<Result<ConverseEvent, CloudError>> {
        self.events.next().await
    }
}

impl Stream for ConverseStream {
    type Item = Result<ConverseEvent, CloudError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.as_mut().poll_next(context)
    }
}

impl Cloud {
    /// Asks a model (an id, or the ARN of a deployment) and gives the answer as it is made.
    ///
    /// # Errors
    /// `NotReady` while a model is brought into memory, `Validation` for a request the model does not take, `Throttled`.
    pub async fn converse_stream(
        &self,
        model_id: &str,
        request: ConverseRequest,
    ) -> Result<ConverseStream, CloudError> {
        let builder = self.converse(model_id, request)?;
        let silence = self.timeouts.generation;
        let asking = builder.send();
        let asked = tokio::time::timeout(silence, asking).await.map_err(|_| silent(silence))?;
        let reading = Reading { answer: asked.map_err(CloudError::of(OPERATION))?, silence, stop_reason: None };
        let events = stream::unfold(Some(reading), |reading| async move {
            let mut reading = reading?;
            match reading.next().await {
                Ok(event @ ConverseEvent::Text(_)) => Some((Ok(event), Some(reading))),
                last => Some((last, None)),
            }
        });
        Ok(ConverseStream { events: Box::pin(events) })
    }

    /// The body that such a request has. Nothing is sent.
    ///
    /// # Errors
    /// `Validation` for a request that cannot be written.
    pub async fn converse_body(&self, model_id: &str, request: ConverseRequest) -> Result<String, CloudError> {
        let caught = Caught::default();
        let instead = Config::builder()
            .http_client(caught.client())
            .credentials_provider(no_credentials())
            .retry_config(RetryConfig::disabled());
        // What the network that is none answers is no stream of events; the request was written before.
        drop(self.converse(model_id, request)?.customize().config_override(instead).send().await);
        Ok(caught.text())
    }

    fn converse(&self, model_id: &str, request: ConverseRequest) -> Result<ConverseStreamFluentBuilder, CloudError> {
        let incomplete = |error: aws_smithy_types::error::operation::BuildError| {
            CloudError::new(OPERATION, CloudErrorCode::Validation, error.to_string())
        };
        let mut messages = Vec::with_capacity(request.messages.len());
        for ChatMessage { role, text, attached } in request.messages {
            let role = match role {
                ChatRole::User => ConversationRole::User,
                ChatRole::Assistant => ConversationRole::Assistant,
            };
            let blocks = attached.into_iter().map(block);
            let content = std::iter::once(Ok(ContentBlock::Text(text))).chain(blocks).collect::<Result<_, _>>();
            let message = Message::builder().role(role).set_content(Some(content.map_err(incomplete)?)).build();
            messages.push(message.map_err(incomplete)?);
        }
        let stop_sequences = Some(request.stop_sequences).filter(|sequences| !sequences.is_empty());
        let settings = InferenceConfiguration::builder()
            .set_max_tokens(request.max_tokens)
            .set_temperature(request.temperature)
            .set_top_p(request.top_p)
            .set_stop_sequences(stop_sequences)
            .build();
        Ok(self
            .runtime
            .converse_stream()
            .model_id(model_id)
            .set_system(request.system.map(|text| vec![SystemContentBlock::Text(text)]))
            .set_messages(Some(messages))
            .inference_config(settings)
            .set_additional_model_request_fields(request.additional.map(document)))
    }
}

fn block(attached: Attached) -> Result<ContentBlock, aws_smithy_types::error::operation::BuildError> {
    let Attached { what, format, bytes } = attached;
    let bytes = Blob::new(bytes);
    match what {
        AttachedAs::Image => {
            let image = ImageBlock::builder().format(format.as_str().into()).source(ImageSource::Bytes(bytes));
            image.build().map(ContentBlock::Image)
        }
        AttachedAs::Document(name) => {
            let document = DocumentBlock::builder().format(format.as_str().into()).name(name);
            document.source(DocumentSource::Bytes(bytes)).build().map(ContentBlock::Document)
        }
    }
}

fn document(value: serde_json::Value) -> Document {
    use serde_json::Value;
    match value {
        Value::Null => Document::Null,
        Value::Bool(flag) => Document::Bool(flag),
        Value::String(text) => Document::String(text),
        Value::Array(items) => Document::Array(items.into_iter().map(document).collect()),
        Value::Object(members) => {
            Document::Object(members.into_iter().map(|(key, value)| (key, document(value))).collect())
        }
        Value::Number(number) => Document::Number(match number.as_u64() {
            Some(whole) => Number::PosInt(whole),
            None => Number::Float(number.as_f64().unwrap_or_default()),
        }),
    }
}

/// An answer that is being read.
struct Reading {
    answer: Answer,
    silence: Duration,
    stop_reason: Option<String>,
}

impl Reading {
    /// The next event that the caller wants to know of.
    async fn next(&mut self) -> Result<ConverseEvent, CloudError> {
        loop {
            let event = tokio::time::timeout(self.silence, self.answer.stream.recv()).await;
            let event = event.map_err(|_| silent(self.silence))?;
            match event.map_err(in_stream)? {
                Some(ConverseStreamOutput::ContentBlockDelta(event)) => {
                    if let Some(ContentBlockDelta::Text(text)) = event.delta
                        && !text.is_empty()
                    {
                        return Ok(ConverseEvent::Text(text));
                    }
                }
                Some(ConverseStreamOutput::MessageStop(event)) => {
                    self.stop_reason = Some(event.stop_reason.as_str().to_owned());
                }
                // The last event of an answer, after the one that says why it stopped.
                Some(ConverseStreamOutput::Metadata(event)) => {
                    return Ok(ConverseEvent::Done {
                        stop_reason: self.stop_reason.take().unwrap_or_default(),
                        input_tokens: event.usage.as_ref().map(|usage| usage.input_tokens),
                        output_tokens: event.usage.as_ref().map(|usage| usage.output_tokens),
                        latency_ms: event.metrics.as_ref().map(|metrics| metrics.latency_ms),
                    });
                }
                Some(_) => {}
                None => return self.ended(),
            }
        }
    }

    /// The stream ended without telling of tokens: complete when a stop was told, broken off otherwise.
    fn ended(&mut self) -> Result<ConverseEvent, CloudError> {
        match self.stop_reason.take() {
            Some(stop_reason) => {
                Ok(ConverseEvent::Done { stop_reason, input_tokens: None, output_tokens: None, latency_ms: None })
            }
            None => Err(CloudError::new(OPERATION, CloudErrorCode::Unreachable, "the answer broke off before its end")),
        }
    }
}

pub(crate) fn silent(silence: Duration) -> CloudError {
    let message = format!("the model said nothing for {} s", silence.as_secs_f32());
    CloudError::new(OPERATION, CloudErrorCode::Timeout, message)
}

/// The SDK knows an exception inside a stream by its type alone and leaves its code empty.
fn in_stream(error: SdkError<ConverseStreamOutputError, RawMessage>) -> CloudError {
    let aws_code = match error.as_service_error() {
        Some(ConverseStreamOutputError::InternalServerException(_)) => Some("InternalServerException"),
        Some(ConverseStreamOutputError::ModelStreamErrorException(_)) => Some("ModelStreamErrorException"),
        Some(ConverseStreamOutputError::ServiceUnavailableException(_)) => Some("ServiceUnavailableException"),
        Some(ConverseStreamOutputError::ThrottlingException(_)) => Some("ThrottlingException"),
        Some(ConverseStreamOutputError::ValidationException(_)) => Some("ValidationException"),
        _ => None,
    };
    let failure = CloudError::of(OPERATION)(error);
    match aws_code {
        Some(aws_code) => failure.with_aws_code(aws_code),
        None => failure,
    }
}
