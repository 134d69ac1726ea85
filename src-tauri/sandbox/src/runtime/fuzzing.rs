//! What a fuzzer may call: bodies of every family, and the event stream. Compiled for it alone.

use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use serde_json::json;
use whetstone_tuner::{Generated, StopReason};

use super::answering::Finished;
use super::dialects::Said;
use super::family::Family;
use super::{events, invoke};
use crate::errors::ApiError;

const BASES: [&str; 7] = [
    "anthropic.claude-v2",
    "anthropic.claude-3-haiku-20240307-v1:0",
    "amazon.titan-text-express-v1",
    "meta.llama3-1-8b-instruct-v1:0",
    "cohere.command-text-v14",
    "amazon.nova-micro-v1:0",
    "whetstone.tiny-v1",
];

/// Reads the bytes as a body of each family. What is read can be answered, and every form of the answer goes over the
/// wire and comes back.
pub fn invoke_body(body: &[u8]) {
    let text = String::from_utf8_lossy(body);
    for base in BASES {
        let Ok((dialect, prompt)) = invoke::read(Family::of(base), body) else { continue };
        assert!(!prompt.is_blank() && prompt.options.max_tokens > 0);
        assert!((0.0..=5.0).contains(&prompt.options.temperature) && (0.0..=1.0).contains(&prompt.options.top_p));
        for stop in [StopReason::EndOfTurn, StopReason::MaxTokens, StopReason::StopSequence] {
            let stop_sequence = (stop == StopReason::StopSequence).then(|| "stop".to_owned());
            let generated =
                Generated { text: text.clone().into_owned(), input_tokens: 1, output_tokens: 1, stop, stop_sequence };
            let finished = Finished { generated, first_ms: 1, latency_ms: 2 };
            assert!(dialect.reply(&finished).is_object());
            let said = Said { text: &text, tokens: 1, input_tokens: 1, before: 0 };
            let piece = dialect.piece(&said);
            for chunk in dialect.opening(1).iter().chain([&piece]).chain(&dialect.closing(&finished)) {
                goes_over_the_wire("chunk", chunk);
            }
        }
    }
}

/// Sends the bytes as an event and as an exception, and reads them back.
pub fn event_stream(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    goes_over_the_wire("contentBlockDelta", &json!({ "delta": { "text": text } }));
    let error = ApiError::validation(text.clone());
    let frame = events::exception(&error);
    let payload = decoded(&frame, ":exception-type", "validationException");
    assert_eq!(payload["message"], json!(text));
    // Whatever the bytes are, reading them as a frame ends.
    let mut hostile = bytes;
    while let Ok(DecodedFrame::Complete(_)) = MessageFrameDecoder::new().decode_frame(&mut hostile) {}
}

fn goes_over_the_wire(kind: &str, payload: &serde_json::Value) {
    assert_eq!(decoded(&events::event(kind, payload), ":event-type", kind), *payload);
}

fn decoded(frame: &[u8], header: &str, kind: &str) -> serde_json::Value {
    let mut rest = frame;
    let Ok(DecodedFrame::Complete(message)) = MessageFrameDecoder::new().decode_frame(&mut rest) else {
        panic!("a frame of our own does not decode");
    };
    assert!(rest.is_empty(), "one message is one frame");
    let named = message.headers().iter().find(|one| one.name().as_str() == header);
    assert_eq!(named.and_then(|one| one.value().as_string().ok()).map(|value| value.as_str()), Some(kind));
    serde_json::from_slice(message.payload()).unwrap_or_default()
}
