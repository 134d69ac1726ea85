use std::time::Duration;

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use whetstone_cloud::{
    Attached, AttachedAs, ChatMessage, ChatRole, CloudErrorCode, ConverseEvent, ConverseRequest, Timeouts,
};

use crate::answering::{Answering, Reply};

const DEPLOYMENT: &str = "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abcdefghijkl";

fn question() -> ConverseRequest {
    ConverseRequest {
        system: Some("Be brief.".into()),
        messages: vec![ChatMessage::text(ChatRole::User, "Hello?")],
        max_tokens: Some(20),
        temperature: Some(0.5),
        stop_sequences: vec!["\n".into()],
        ..ConverseRequest::default()
    }
}

fn event(kind: &'static str, name: &'static str, body: &str) -> Vec<u8> {
    let text = |value: &'static str| HeaderValue::String(value.into());
    let name_header = if kind == "event" { ":event-type" } else { ":exception-type" };
    let message = Message::new(body.as_bytes().to_vec())
        .add_header(Header::new(":message-type", text(kind)))
        .add_header(Header::new(name_header, text(name)))
        .add_header(Header::new(":content-type", text("application/json")));
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes).unwrap();
    bytes
}

fn words(text: &str) -> Vec<u8> {
    event(
        "event",
        "contentBlockDelta",
        &serde_json::json!({ "delta": { "text": text }, "contentBlockIndex": 0 }).to_string(),
    )
}

/// The beginning of an answer, and these events.
fn stream(events: &[Vec<u8>]) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\nconnection: close\r\n\r\n";
    [head.as_bytes(), &events.concat()].concat()
}

#[tokio::test]
async fn an_answer_comes_word_by_word_and_ends_with_its_figures() {
    let mut server = Answering::start(|_, _| {
        Reply::ThenHangUp(stream(&[
            event("event", "messageStart", r#"{"role":"assistant"}"#),
            words("Good "),
            words("morning."),
            event("event", "contentBlockStop", r#"{"contentBlockIndex":0}"#),
            event("event", "messageStop", r#"{"stopReason":"end_turn"}"#),
            event(
                "event",
                "metadata",
                r#"{"usage":{"inputTokens":7,"outputTokens":3,"totalTokens":10},"metrics":{"latencyMs":42}}"#,
            ),
        ]))
    })
    .await;
    let mut answer = server.cloud().converse_stream(DEPLOYMENT, question()).await.unwrap();
    assert_eq!(answer.next().await.unwrap().unwrap(), ConverseEvent::Text("Good ".into()));
    assert_eq!(answer.next().await.unwrap().unwrap(), ConverseEvent::Text("morning.".into()));
    assert_eq!(
        answer.next().await.unwrap().unwrap(),
        ConverseEvent::Done {
            stop_reason: "end_turn".into(),
            input_tokens: Some(7),
            output_tokens: Some(3),
            latency_ms: Some(42)
        }
    );
    assert!(answer.next().await.is_none());

    let asked = server.asked().await;
    assert_eq!(
        asked.target,
        "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Acustom-model-deployment%2Fabcdefghijkl/converse-stream"
    );
    assert_eq!(
        asked.json(),
        serde_json::json!({
            "system": [{ "text": "Be brief." }],
            "messages": [{ "role": "user", "content": [{ "text": "Hello?" }] }],
            "inferenceConfig": { "maxTokens": 20, "temperature": 0.5, "stopSequences": ["\n"] },
        })
    );
}

#[tokio::test]
async fn what_is_attached_stands_beside_the_text_in_base64() {
    let attached = |what, format: &str| Attached { what, format: format.into(), bytes: b"seen".to_vec() };
    let mut asked = question();
    asked.messages[0].attached =
        vec![attached(AttachedAs::Image, "png"), attached(AttachedAs::Document("rates".into()), "xlsx")];
    let server = Answering::start(|_, _| Reply::json(500, "{}")).await;
    let body = server.cloud().converse_body(DEPLOYMENT, asked).await.unwrap();
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        body["messages"][0]["content"],
        serde_json::json!([
            { "text": "Hello?" },
            { "image": { "format": "png", "source": { "bytes": "c2Vlbg==" } } },
            { "document": { "format": "xlsx", "name": "rates", "source": { "bytes": "c2Vlbg==" } } },
        ])
    );
}

#[tokio::test]
async fn words_are_handed_on_while_the_answer_is_still_being_made() {
    let server = Answering::start(|_, _| Reply::ThenSilence(stream(&[words("First")]))).await;
    let mut answer = server.cloud().converse_stream(DEPLOYMENT, question()).await.unwrap();
    assert_eq!(answer.next().await.unwrap().unwrap(), ConverseEvent::Text("First".into()));
}

#[tokio::test]
async fn dropping_an_answer_closes_its_connection() {
    let mut server = Answering::start(|_, _| Reply::ThenSilence(stream(&[words("First")]))).await;
    let cloud = server.cloud();
    let mut answer = cloud.converse_stream(DEPLOYMENT, question()).await.unwrap();
    answer.next().await.unwrap().unwrap();
    drop(answer);
    server.closed().await;
}

#[tokio::test]
async fn an_exception_in_the_stream_is_told_by_its_code() {
    for (name, expected) in [
        ("throttlingException", CloudErrorCode::Throttled),
        ("modelStreamErrorException", CloudErrorCode::Unavailable),
        ("validationException", CloudErrorCode::Validation),
    ] {
        let server = Answering::start(move |_, _| {
            Reply::ThenHangUp(stream(&[words("First"), event("exception", name, r#"{"message":"in words"}"#)]))
        })
        .await;
        let mut answer = server.cloud().converse_stream(DEPLOYMENT, question()).await.unwrap();
        answer.next().await.unwrap().unwrap();
        let error = answer.next().await.unwrap().unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (expected, "in words"), "{name}");
        assert!(answer.next().await.is_none());
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_not_complete() {
    let whole = stream(&[words("First"), words("second")]);
    let cut = whole[..whole.len() - 5].to_vec();
    for bytes in [stream(&[words("First")]), cut] {
        let server = Answering::start(move |_, _| Reply::ThenHangUp(bytes.clone())).await;
        let mut answer = server.cloud().converse_stream(DEPLOYMENT, question()).await.unwrap();
        answer.next().await.unwrap().unwrap();
        assert_eq!(answer.next().await.unwrap().unwrap_err().code, CloudErrorCode::Unreachable);
    }
}

#[tokio::test]
async fn a_model_that_falls_silent_is_a_timeout() {
    let timeouts = Timeouts { generation: Duration::from_millis(200), ..Timeouts::default() };
    let server = Answering::start(|_, _| Reply::ThenSilence(stream(&[words("First")]))).await;
    let mut answer = server.cloud_with(timeouts).converse_stream(DEPLOYMENT, question()).await.unwrap();
    answer.next().await.unwrap().unwrap();
    assert_eq!(answer.next().await.unwrap().unwrap_err().code, CloudErrorCode::Timeout);
}

#[tokio::test]
async fn a_model_that_is_not_ready_is_said_to_be_so() {
    let server = Answering::start(|_, _| Reply::bedrock_error(429, "ModelNotReadyException", "warming up")).await;
    let error = server.cloud().converse_stream(DEPLOYMENT, question()).await.unwrap_err();
    assert_eq!(error.code, CloudErrorCode::NotReady);
}

#[tokio::test]
async fn a_question_that_is_not_answered_is_not_asked_again() {
    let timeouts = Timeouts { generation: Duration::from_millis(300), ..Timeouts::default() };
    let mut server = Answering::start(|_, _| Reply::ThenSilence(vec![])).await;
    let error = server.cloud_with(timeouts).converse_stream(DEPLOYMENT, question()).await.unwrap_err();
    assert_eq!(error.code, CloudErrorCode::Timeout);
    assert_eq!(server.all_asked().len(), 1, "it may have been paid for");
}
