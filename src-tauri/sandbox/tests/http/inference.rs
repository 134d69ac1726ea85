//! Converse, ConverseStream and InvokeModel.

use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::client::{Client, segment};
use crate::running::{create, deploy, job_over, job_request, start, start_with_data, until};

fn ask(text: &str) -> Value {
    json!({
        "messages": [{ "role": "user", "content": [{ "text": text }] }],
        "inferenceConfig": { "maxTokens": 16, "temperature": 0 },
    })
}

fn converse_path(model: &str) -> String {
    format!("/model/{}/converse", segment(model))
}

/// The events of a stream, each by its name with its payload.
async fn events(client: &Client, model: &str, request: &Value) -> Vec<(String, Value)> {
    let target = format!("/model/{}/converse-stream", segment(model));
    let answer = client.post(&target, request).await;
    assert_eq!((answer.status, answer.header("content-type").as_str()), (200, "application/vnd.amazon.eventstream"));
    let mut bytes = answer.body;
    let mut decoder = MessageFrameDecoder::new();
    let mut events = Vec::new();
    while let DecodedFrame::Complete(message) = decoder.decode_frame(&mut bytes).unwrap() {
        let header = |name: &str| {
            let found = message.headers().iter().find(|header| header.name().as_str() == name);
            found.unwrap().value().as_string().unwrap().as_str().to_owned()
        };
        assert_eq!((header(":message-type").as_str(), header(":content-type").as_str()), ("event", "application/json"));
        events.push((header(":event-type"), serde_json::from_slice(message.payload()).unwrap()));
    }
    assert!(bytes.is_empty());
    events
}

#[tokio::test]
async fn a_tuned_model_answers_what_it_learned_and_its_base_does_not() {
    let running = start_with_data().await;
    let client = &running.client;
    let mut request = job_request(&running.sandbox, "taught");
    request["hyperParameters"]["epochCount"] = json!("12");
    let arn = create(client, &request).await;
    let done = job_over(client, &arn).await;
    let model = done["outputModelArn"].as_str().unwrap_or_else(|| panic!("{done}"));
    let (status, code, message) = client.post(&converse_path(model), &ask("What comes after cat?")).await.error();
    assert_eq!((status, code.as_str()), (400, "ValidationException"));
    assert!(message.contains("deployment"), "{message}");

    let deployment = deploy(client, "taught", model).await;
    let answer = client.post(&converse_path(&deployment), &ask("What comes after cat?")).await;
    let tuned = answer.json();
    assert_eq!(tuned["output"]["message"], json!({ "role": "assistant", "content": [{ "text": "dog" }] }));
    assert_eq!(tuned["stopReason"], "end_turn");
    assert_eq!(answer.header("x-whetstone-stand-in"), "");
    let usage = &tuned["usage"];
    let count = |name: &str| usage[name].as_u64().unwrap();
    assert!(count("inputTokens") > 0 && count("outputTokens") > 0);
    assert_eq!(count("totalTokens"), count("inputTokens") + count("outputTokens"));
    assert!(tuned["metrics"]["latencyMs"].is_u64());
    let base = client.post(&converse_path("whetstone.tiny-v1"), &ask("What comes after cat?")).await.json();
    assert_ne!(base["output"]["message"]["content"][0]["text"], "dog");

    let events = events(client, &deployment, &ask("What comes after cat?")).await;
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    let (first, rest) = names.split_first().unwrap();
    let (deltas, end) = rest.split_at(rest.len() - 3);
    assert_eq!((*first, end), ("messageStart", ["contentBlockStop", "messageStop", "metadata"].as_slice()));
    assert!(deltas.iter().all(|name| *name == "contentBlockDelta"));
    let text: String = events.iter().filter_map(|(_, event)| event["delta"]["text"].as_str()).collect();
    assert_eq!(text, "dog");
    assert_eq!(events.last().unwrap().1["usage"], *usage);

    let body = json!({ "prompt": "What comes after cat?", "max_gen_len": 16, "temperature": 0 });
    let llama = client.post(&format!("/model/{}/invoke", segment(&deployment)), &body).await.json();
    assert_eq!((llama["generation"].as_str(), llama["stop_reason"].as_str()), (Some("dog"), Some("stop")));
    assert_eq!(llama["prompt_token_count"], usage["inputTokens"]);
    let nova = client.post(&format!("/model/{}/invoke", segment(&deployment)), &ask("What comes after cat?")).await;
    assert_eq!(nova.json()["output"]["message"]["content"][0]["text"], "dog");
}

#[tokio::test]
async fn a_base_model_that_is_not_here_is_answered_for_and_the_answer_says_so() {
    let running = start().await;
    for id in [
        "amazon.nova-micro-v1:0",
        "us.amazon.nova-micro-v1:0",
        "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0",
        "anthropic.claude-3-haiku-20240307-v1:0",
    ] {
        let answer = running.client.post(&converse_path(id), &ask("Hello")).await;
        assert_eq!(answer.status, 200, "{id}: {}", answer.text());
        assert_eq!(answer.header("x-whetstone-stand-in"), "whetstone.tiny-v1", "{id}");
    }
    for (id, said) in [
        ("amazon.nova-micro-v1:0:128k", "The provided model doesn't support on-demand throughput."),
        ("ai21.j2-mid-v1", "does not answer in this sandbox"),
        ("us.nobody.nothing", "The provided model identifier is invalid."),
    ] {
        let (status, code, message) = running.client.post(&converse_path(id), &ask("Hello")).await.error();
        assert_eq!((status, code.as_str()), (400, "ValidationException"), "{id}");
        assert!(message.contains(said), "{said} in {message}");
    }
}

#[tokio::test]
async fn requests_that_no_model_can_answer_are_refused() {
    let running = start().await;
    let client = &running.client;
    let account = running.sandbox.account();
    let text = |text: &str| json!([{ "text": text }]);
    let user = |content: Value| json!({ "role": "user", "content": content });
    let cases: [(Value, &str); 15] = [
        (json!({}), "end with a user message"),
        (json!({ "messages": [{ "role": "assistant", "content": text("a") }] }), "start with a user message"),
        (json!({ "messages": [user(text("a")), user(text("b"))] }), "alternate"),
        (json!({ "messages": [user(json!([]))] }), "blank"),
        (json!({ "messages": [user(json!([{ "image": {} }]))] }), "image"),
        (json!({ "messages": [user(text("a"))], "toolConfig": {} }), "tool"),
        (json!({ "messages": [user(text("a"))], "inferenceConfig": { "temperature": 1.5 } }), "temperature"),
        (json!({ "messages": [user(text("a"))], "inferenceConfig": { "maxTokens": 0 } }), "maxTokens"),
        (json!({ "messages": [user(text("a"))], "inferenceConfig": { "topP": -0.1 } }), "topP"),
        (json!({ "messages": [{ "role": "system", "content": text("a") }] }), "role system"),
        (json!({ "messages": [user(text("a"))], "additionalModelRequestFields": { "k": 1 } }), "extraneous key [k]"),
        (json!({ "messages": [user(text("a"))], "performanceConfig": { "latency": "warp" } }), "performanceConfig"),
        (json!({ "messages": [user(text("a"))], "outputConfig": { "effort": "low" } }), "structured output"),
        (json!({ "messages": [user(text("a"))], "requestMetadata": { "": "a" } }), "requestMetadata"),
        (json!({ "messages": [user(text(&"word ".repeat(20_000)))] }), "too long"),
    ];
    for operation in ["converse", "converse-stream"] {
        for (request, said) in &cases {
            let answer = client.post(&format!("/model/whetstone.tiny-v1/{operation}"), request).await;
            let (status, code, message) = answer.error();
            assert_eq!((status, code.as_str()), (400, "ValidationException"), "{message}");
            assert!(message.contains(said), "{said} in {message}");
        }
    }
    let (_, code, message) = client.post(&converse_path("nobody.nothing"), &ask("a")).await.error();
    assert_eq!((code.as_str(), message.as_str()), ("ValidationException", "The provided model identifier is invalid."));
    let absent = format!("arn:aws:bedrock:us-east-1:{account}:custom-model-deployment/abcdefghijkl");
    let (status, code, _) = client.post(&converse_path(&absent), &ask("a")).await.error();
    assert_eq!((status, code.as_str()), (404, "ResourceNotFoundException"));
    let body = json!({ "prompt": "a", "max_tokens_to_sample": 5 });
    let (_, code, message) = client.post("/model/whetstone.tiny-v1/invoke", &body).await.error();
    assert_eq!(code, "ValidationException");
    assert!(message.contains("Malformed input request") && message.contains("max_tokens_to_sample"), "{message}");
}

#[tokio::test]
async fn an_answer_ends_when_its_client_goes_away() {
    let running = start().await;
    let client = &running.client;
    let mut long = ask("Tell me everything.");
    long["inferenceConfig"] = json!({ "maxTokens": 100_000, "temperature": 1, "topP": 1 });
    let cores = std::thread::available_parallelism().unwrap().get();
    // As many answers as there are cores, each left after its first words, would leave no core for one more.
    for _ in 0..cores * 2 {
        let request =
            client.signed("bedrock", "POST", "/model/whetstone.tiny-v1/converse-stream", long.to_string().as_bytes());
        let mut response = client.send(request).await;
        response.body_mut().frame().await.unwrap().unwrap();
        drop(response);
    }
    until(async || (client.post(&converse_path("whetstone.tiny-v1"), &ask("a")).await.status == 200).then_some(()))
        .await;
}
