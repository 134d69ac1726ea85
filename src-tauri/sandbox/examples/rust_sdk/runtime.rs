//! Inference.

use aws_sdk_bedrockruntime::primitives::Blob;
use aws_sdk_bedrockruntime::types::{
    ContentBlock, ConversationRole, CountTokensInput, InvokeModelTokensRequest, Message,
};

use crate::{Clients, Outcome};

pub async fn all(clients: &Clients, deployment: &str) -> Outcome<()> {
    let runtime = &clients.runtime;
    let asked = || {
        Message::builder().role(ConversationRole::User).content(ContentBlock::Text("Which colour is grass?".to_owned()))
    };
    runtime.converse().model_id(deployment).messages(asked().build()?).send().await?;
    let mut stream = runtime.converse_stream().model_id(deployment).messages(asked().build()?).send().await?.stream;
    while stream.recv().await?.is_some() {}
    let body = Blob::new(r#"{"messages":[{"role":"user","content":[{"text":"Which colour is grass?"}]}]}"#);
    runtime.invoke_model().model_id(deployment).body(body.clone()).send().await?;
    let request = runtime.invoke_model_with_response_stream().model_id(deployment).body(body.clone());
    let mut stream = request.send().await?.body;
    while stream.recv().await?.is_some() {}
    let input = CountTokensInput::InvokeModel(InvokeModelTokensRequest::builder().body(body).build()?);
    runtime.count_tokens().model_id("amazon.nova-micro-v1:0").input(input).send().await?;
    Ok(())
}
