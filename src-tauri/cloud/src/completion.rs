//! A text gone on with, without turns: InvokeModelWithResponseStream with a body in the words of Llama's family, which
//! imported models and the models of this project take, too.

use std::time::Duration;

use aws_sdk_bedrockruntime::error::SdkError;
use aws_sdk_bedrockruntime::operation::invoke_model_with_response_stream::InvokeModelWithResponseStreamOutput as Answer;
use aws_sdk_bedrockruntime::primitives::Blob;
use aws_sdk_bedrockruntime::types::ResponseStream;
use aws_sdk_bedrockruntime::types::error::ResponseStreamError;
use aws_smithy_types::event_stream::RawMessage;
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::runtime::silent;
use crate::{Cloud, CloudError, CloudErrorCode, ConverseEvent, ConverseStream};

const OPERATION: &str = "InvokeModelWithResponseStream";

/// What to go on with, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct CompletionRequest {
    pub prompt: String,
    pub max_tokens: u32,
    pub temperature: f64,
    pub top_p: f64,
}

impl CompletionRequest {
    /// The body that is sent.
    pub fn body(&self) -> Value {
        json!({
            "prompt": self.prompt,
            "max_gen_len": self.max_tokens,
            "temperature": self.temperature,
            "top_p": self.top_p,
        })
    }
}

#[derive(Debug, Default, Deserialize)]
struct Chunk {
    #[serde(default)]
    generation: String,
    prompt_token_count: Option<i32>,
    generation_token_count: Option<i32>,
    stop_reason: Option<String>,
}

impl Cloud {
    /// Gives what a model goes on with, as it is made.
    ///
    /// # Errors
    /// As those of [`Cloud::converse_stream`].
    pub async fn complete(&self, model_id: &str, request: &CompletionRequest) -> Result<ConverseStream, CloudError> {
        let silence = self.timeouts.generation;
        let body = Blob::new(request.body().to_string());
        let asking = self.runtime.invoke_model_with_response_stream().model_id(model_id);
        let asking = asking.content_type("application/json").accept("application/json").body(body).send();
        let asked = tokio::time::timeout(silence, asking).await.map_err(|_| silent(silence))?;
        let answer = asked.map_err(CloudError::of(OPERATION))?;
        let reading = Reading { answer, silence, input: None, output: None, stop: None };
        let events = stream::unfold(Some(reading), |reading| async move {
            let mut reading = reading?;
            match reading.next().await {
                Ok(event @ ConverseEvent::Text(_)) => Some((Ok(event), Some(reading))),
                last => Some((last, None)),
            }
        });
        Ok(ConverseStream { events: Box::pin(events) })
    }
}

struct Reading {
    answer: Answer,
    silence: Duration,
    input: Option<i32>,
    output: Option<i32>,
    stop: Option<String>,
}

impl Reading {
    async fn next(&mut self) -> Result<ConverseEvent, CloudError> {
        loop {
            let event = tokio::time::timeout(self.silence, self.answer.body.recv()).await;
            let event = event.map_err(|_| silent(self.silence))?.map_err(in_stream)?;
            let Some(ResponseStream::Chunk(part)) = event else { return self.ended() };
            let bytes = part.bytes.map(Blob::into_inner).unwrap_or_default();
            let chunk: Chunk = serde_json::from_slice(&bytes).map_err(|error| {
                CloudError::new(
                    OPERATION,
                    CloudErrorCode::Other,
                    format!("a piece of the answer cannot be read: {error}"),
                )
            })?;
            self.input = chunk.prompt_token_count.or(self.input);
            self.output = chunk.generation_token_count.or(self.output);
            self.stop = chunk.stop_reason.or(self.stop.take());
            if !chunk.generation.is_empty() {
                return Ok(ConverseEvent::Text(chunk.generation));
            }
        }
    }

    fn ended(&mut self) -> Result<ConverseEvent, CloudError> {
        let Some(stop) = self.stop.take() else {
            return Err(CloudError::new(OPERATION, CloudErrorCode::Unreachable, "the answer broke off before its end"));
        };
        // In Converse's words, so that there is one set of them.
        let stop_reason = match stop.as_str() {
            "stop" => "end_turn".to_owned(),
            "length" => "max_tokens".to_owned(),
            _ => stop,
        };
        Ok(ConverseEvent::Done { stop_reason, input_tokens: self.input, output_tokens: self.output, latency_ms: None })
    }
}

/// The SDK knows an exception inside a stream by its type alone and leaves its code empty.
fn in_stream(error: SdkError<ResponseStreamError, RawMessage>) -> CloudError {
    let aws_code = match error.as_service_error() {
        Some(ResponseStreamError::InternalServerException(_)) => Some("InternalServerException"),
        Some(ResponseStreamError::ModelStreamErrorException(_)) => Some("ModelStreamErrorException"),
        Some(ResponseStreamError::ModelTimeoutException(_)) => Some("ModelTimeoutException"),
        Some(ResponseStreamError::ServiceUnavailableException(_)) => Some("ServiceUnavailableException"),
        Some(ResponseStreamError::ThrottlingException(_)) => Some("ThrottlingException"),
        Some(ResponseStreamError::ValidationException(_)) => Some("ValidationException"),
        _ => None,
    };
    let failure = CloudError::of(OPERATION)(error);
    match aws_code {
        Some(aws_code) => failure.with_aws_code(aws_code),
        None => failure,
    }
}
