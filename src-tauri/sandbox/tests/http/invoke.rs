//! InvokeModel and its stream in every family's own words, CountTokens, and what is refused.

use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use aws_smithy_types::base64;
use serde_json::{Value, json};

use crate::client::{Client, receive, segment};
use crate::running::start;

const CLAUDE_2: &str = "anthropic.claude-v2";
const CLAUDE_3: &str = "anthropic.claude-3-haiku-20240307-v1:0";
const TITAN: &str = "amazon.titan-text-express-v1:0";
const LLAMA: &str = "meta.llama3-1-8b-instruct-v1:0";
const COHERE: &str = "cohere.command-text-v14";
const NOVA: &str = "amazon.nova-micro-v1:0";

fn path(model: &str, operation: &str) -> String {
    format!("/model/{}/{operation}", segment(model))
}

/// A request of each family for the same question, and where its answer has the text.
fn requests() -> [(&'static str, Value, &'static str); 6] {
    let asked = "What did the old man say?";
    let claude = format!("\n\nHuman: {asked}\n\nAssistant:");
    let llama = format!(
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n{asked}<|eot_id|>\
         <|start_header_id|>assistant<|end_header_id|>\n\n"
    );
    [
        (CLAUDE_2, json!({ "prompt": claude, "max_tokens_to_sample": 12, "temperature": 0 }), "/completion"),
        (
            CLAUDE_3,
            json!({
                "anthropic_version": "bedrock-2023-05-31", "max_tokens": 12, "temperature": 0,
                "messages": [{ "role": "user", "content": [{ "type": "text", "text": asked }] }],
            }),
            "/content/0/text",
        ),
        (
            TITAN,
            json!({ "inputText": asked, "textGenerationConfig": { "maxTokenCount": 12, "temperature": 0 } }),
            "/results/0/outputText",
        ),
        (LLAMA, json!({ "prompt": llama, "max_gen_len": 12, "temperature": 0 }), "/generation"),
        (COHERE, json!({ "prompt": asked, "max_tokens": 12, "temperature": 0 }), "/generations/0/text"),
        (
            NOVA,
            json!({
                "schemaVersion": "messages-v1", "inferenceConfig": { "max_new_tokens": 12, "temperature": 0 },
                "messages": [{ "role": "user", "content": [{ "text": asked }] }],
            }),
            "/output/message/content/0/text",
        ),
    ]
}

/// The chunks of a stream.
async fn chunks(client: &Client, model: &str, body: &Value) -> Vec<Value> {
    let answer = client.post(&path(model, "invoke-with-response-stream"), body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/vnd.amazon.eventstream");
    assert_eq!(answer.header("x-amzn-bedrock-content-type"), "application/json");
    let mut bytes = answer.body;
    let mut decoder = MessageFrameDecoder::new();
    let mut chunks = Vec::new();
    while let DecodedFrame::Complete(message) = decoder.decode_frame(&mut bytes).unwrap() {
        let kind = message.headers().iter().find(|header| header.name().as_str() == ":event-type").unwrap();
        assert_eq!(kind.value().as_string().unwrap().as_str(), "chunk");
        let payload: Value = serde_json::from_slice(message.payload()).unwrap();
        let bytes = base64::decode(payload["bytes"].as_str().unwrap()).unwrap();
        chunks.push(serde_json::from_slice(&bytes).unwrap());
    }
    assert!(bytes.is_empty());
    chunks
}

fn streamed(chunk: &Value) -> &str {
    let places = ["/completion", "/delta/text", "/outputText", "/generation", "/text", "/contentBlockDelta/delta/text"];
    places.iter().find_map(|place| chunk.pointer(place)?.as_str()).unwrap_or_default()
}

#[tokio::test]
async fn every_family_answers_in_its_own_words_and_in_chunks_the_same() {
    let running = start().await;
    let client = &running.client;
    let mut texts = Vec::new();
    for (model, body, place) in requests() {
        let answer = client.post(&path(model, "invoke"), &body).await;
        assert_eq!(answer.status, 200, "{model}: {}", answer.text());
        let text = answer.json().pointer(place).and_then(Value::as_str).unwrap_or_else(|| panic!("{model}")).to_owned();
        let header = |name: &str| answer.header(name).parse::<u64>().unwrap();
        let (input, output) = (header("x-amzn-bedrock-input-token-count"), header("x-amzn-bedrock-output-token-count"));
        assert!(input > 0 && output > 0, "{model}");

        let chunks = chunks(client, model, &body).await;
        let whole: String = chunks.iter().map(streamed).collect();
        assert_eq!(whole, text, "{model}");
        let metrics = &chunks.last().unwrap()["amazon-bedrock-invocationMetrics"];
        assert_eq!((&metrics["inputTokenCount"], &metrics["outputTokenCount"]), (&json!(input), &json!(output)));
        assert!(metrics["firstByteLatency"].as_u64() <= metrics["invocationLatency"].as_u64());

        let counting = json!({ "input": { "invokeModel": { "body": base64::encode(body.to_string()) } } });
        let counted = client.post(&path(model, "count-tokens"), &counting).await;
        assert_eq!(counted.json(), json!({ "inputTokens": input }), "{model}: {}", counted.text());
        texts.push(text.trim().to_owned());
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "the same question is the same prompt in every family: {texts:?}");
}

#[tokio::test]
async fn answers_say_why_they_ended_and_how_long_they_are() {
    let running = start().await;
    let client = &running.client;
    let ask = async |model: &str, body: &Value| client.post(&path(model, "invoke"), body).await.json();
    let [(_, mut claude_2, _), (_, mut claude_3, _), (_, titan, _), (_, llama, _), (_, cohere, _), (_, nova, _)] =
        requests();
    let shown = ask(NOVA, &nova).await;
    assert_eq!((&shown["stopReason"], &shown["usage"]["outputTokens"]), (&json!("max_tokens"), &json!(12)));
    let words = shown["output"]["message"]["content"][0]["text"].as_str().unwrap().to_owned();
    let stop = words.split_whitespace().nth(2).unwrap();

    assert_eq!(ask(CLAUDE_2, &claude_2).await["stop_reason"], "max_tokens");
    claude_2["stop_sequences"] = json!([stop]);
    let stopped = ask(CLAUDE_2, &claude_2).await;
    assert_eq!((&stopped["stop_reason"], &stopped["stop"]), (&json!("stop_sequence"), &json!(stop)));
    claude_3["stop_sequences"] = json!(["never said", stop]);
    let stopped = ask(CLAUDE_3, &claude_3).await;
    assert_eq!((&stopped["stop_reason"], &stopped["stop_sequence"]), (&json!("stop_sequence"), &json!(stop)));
    assert!(!stopped["content"][0]["text"].as_str().unwrap().contains(stop));
    assert!(stopped["usage"]["input_tokens"].as_u64().unwrap() > 0);
    assert_eq!(ask(TITAN, &titan).await["results"][0]["completionReason"], "LENGTH");
    assert_eq!(ask(LLAMA, &llama).await["stop_reason"], "length");
    assert_eq!(ask(COHERE, &cohere).await["generations"][0]["finish_reason"], "MAX_TOKENS");

    let converse = json!({
        "messages": [{ "role": "user", "content": [{ "text": "What did the old man say?" }] }],
        "inferenceConfig": { "maxTokens": 12, "temperature": 0, "stopSequences": [stop] },
        "additionalModelResponseFieldPaths": ["/stop_sequence"],
        "additionalModelRequestFields": { "top_k": 5 },
        "performanceConfig": { "latency": "standard" },
        "serviceTier": { "type": "default" },
    });
    let answer = client.post(&path(CLAUDE_3, "converse"), &converse).await.json();
    assert_eq!(answer["stopReason"], "stop_sequence", "{answer}");
    assert_eq!(answer["additionalModelResponseFields"], json!({ "stop_sequence": stop }));
    assert_eq!(answer["performanceConfig"], json!({ "latency": "standard" }));
    let counting = json!({ "input": { "converse": { "messages": converse["messages"] } } });
    let counted = client.post(&path(CLAUDE_3, "count-tokens"), &counting).await.json();
    assert_eq!(counted["inputTokens"], answer["usage"]["inputTokens"]);
}

#[tokio::test]
async fn a_body_in_another_familys_words_is_a_malformed_request() {
    let running = start().await;
    let client = &running.client;
    for (model, _, _) in requests() {
        for (other, body, _) in requests() {
            let answer = client.post(&path(model, "invoke"), &body).await;
            // Claude 2 takes messages as well.
            if model == other || (model == CLAUDE_2 && other == CLAUDE_3) {
                assert_eq!(answer.status, 200, "{model}: {}", answer.text());
                continue;
            }
            let (status, code, message) = answer.error();
            assert_eq!((status, code.as_str()), (400, "ValidationException"), "{model} and the words of {other}");
            assert!(message.starts_with("Malformed input request: "), "{model} and the words of {other}: {message}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_honoured_is_refused_in_words() {
    let running = start().await;
    let client = &running.client;
    let user = json!([{ "role": "user", "content": "a" }]);
    let messages = |more: Value| {
        let mut body = json!({ "anthropic_version": "bedrock-2023-05-31", "max_tokens": 5, "messages": user });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let picture = json!([{ "role": "user", "content": [{ "type": "image", "source": {} }] }]);
    for (model, body, said) in [
        (CLAUDE_2, json!({ "prompt": "Hello", "max_tokens_to_sample": 5 }), "Human:"),
        (CLAUDE_2, json!({ "prompt": "\n\nHuman: a\n\nAssistant:" }), "required key [max_tokens_to_sample]"),
        (CLAUDE_3, messages(json!({ "tools": [] })), "extraneous key [tools]"),
        (CLAUDE_3, messages(json!({ "anthropic_version": "2023-06-01" })), "anthropic_version"),
        (CLAUDE_3, messages(json!({ "messages": picture })), "content block of type image"),
        (CLAUDE_3, messages(json!({ "messages": [] })), "end with a user message"),
        (TITAN, json!({ "inputText": "" }), "empty"),
        (
            TITAN,
            json!({ "inputText": "a", "textGenerationConfig": { "topK": 1 } }),
            "#/textGenerationConfig: extraneous",
        ),
        (LLAMA, json!({ "prompt": "a", "top_p": "high" }), "#/top_p: expected type: Number, found: String"),
        (LLAMA, json!({ "prompt": "a", "images": ["aGk="] }), "images"),
        (COHERE, json!({ "prompt": "a", "num_generations": 3 }), "num_generations"),
        (COHERE, json!({ "prompt": "a", "return_likelihoods": "ALL" }), "return_likelihoods"),
        (NOVA, json!({ "schemaVersion": "messages-v2", "messages": user }), "schemaVersion"),
        (NOVA, json!({ "messages": [{ "role": "user", "content": [{ "image": {} }] }] }), "image"),
    ] {
        for operation in ["invoke", "invoke-with-response-stream"] {
            let (status, code, message) = client.post(&path(model, operation), &body).await.error();
            assert_eq!((status, code.as_str()), (400, "ValidationException"), "{model}: {message}");
            assert!(message.contains(said), "{said} in {message}");
        }
    }
    let body = json!({ "prompt": "a", "max_gen_len": 1 }).to_string();
    for (name, value) in [
        ("x-amzn-bedrock-guardrailidentifier", "abc"),
        ("x-amzn-bedrock-trace", "LOUD"),
        ("x-amzn-bedrock-service-tier", "gold"),
        ("content-type", "text/plain"),
        ("accept", "image/png"),
    ] {
        let mut request = client.signed("bedrock", "POST", &path(LLAMA, "invoke"), body.as_bytes());
        request.headers_mut().insert(name, value.parse().unwrap());
        assert_eq!(receive(client.send(request).await).await.error().1, "ValidationException", "{name}");
    }
    for input in [json!({}), json!({ "invokeModel": { "body": "" }, "converse": {} })] {
        let answer = client.post(&path(LLAMA, "count-tokens"), &json!({ "input": input })).await;
        assert_eq!(answer.error().1, "ValidationException");
    }
    let huge = "x".repeat(25_000_001);
    let answer = client.bedrock("POST", &path(LLAMA, "invoke"), &huge).await;
    assert_eq!(answer.error().0, 413);
}
