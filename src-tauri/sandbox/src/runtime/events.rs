//! The event stream of AWS: messages with a length, typed headers, a payload and two checksums, framed by
//! `aws-smithy-eventstream`, and an HTTP answer that sends them as they come.

use std::convert::Infallible;

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http::{Response, header};
use http_body_util::StreamBody;
use hyper::body::Frame;
use s3s::Body;
use serde_json::{Value, json};

use crate::errors::ApiError;

/// An answer of events, each list of bytes one or more whole messages.
pub(super) fn answer(messages: impl Stream<Item = Vec<u8>> + Send + 'static) -> Response<Body> {
    let frames = messages.map(|bytes| Ok::<_, Infallible>(Frame::data(Bytes::from(bytes))));
    let mut response = Response::new(Body::http_body_unsync(StreamBody::new(frames)));
    let kind = header::HeaderValue::from_static("application/vnd.amazon.eventstream");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

pub(super) fn event(kind: &str, payload: &Value) -> Vec<u8> {
    encode(&[(":event-type", kind), (":content-type", "application/json"), (":message-type", "event")], payload)
}

/// An error after the stream has begun. Its name in a stream begins with a small letter.
pub(super) fn exception(error: &ApiError) -> Vec<u8> {
    let code = error.kind.code();
    let name = format!("{}{}", code[..1].to_ascii_lowercase(), &code[1..]);
    let headers =
        [(":exception-type", name.as_str()), (":content-type", "application/json"), (":message-type", "exception")];
    encode(&headers, &json!({ "message": error.message }))
}

fn encode(headers: &[(&'static str, &str)], payload: &Value) -> Vec<u8> {
    let message = headers.iter().fold(Message::new(payload.to_string()), |message, (name, value)| {
        message.add_header(Header::new(*name, HeaderValue::String((*value).to_owned().into())))
    });
    let mut bytes = Vec::new();
    if let Err(error) = write_message_to(&message, &mut bytes) {
        // Only a message of many megabytes is refused, and a piece of text is a few letters.
        tracing::error!(%error, "an event could not be encoded");
    }
    bytes
}
