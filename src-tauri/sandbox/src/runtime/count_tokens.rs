//! CountTokens: how many tokens a prompt takes, by the tokenizer of the model that would answer it.

use std::sync::Arc;

use aws_smithy_types::base64;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::converse::ConverseRequest;
use super::{answering, invoke, target};
use crate::app::App;
use crate::errors::ApiError;
use crate::router::{Answer, Call, json, mark_stand_in};

#[derive(Debug, Deserialize)]
struct Request {
    input: Option<Input>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    invoke_model: Option<InvokeBody>,
    converse: Option<ConverseRequest>,
}

#[derive(Debug, Deserialize)]
struct InvokeBody {
    /// In base64.
    body: String,
}

/// The longest id of the model that the operation takes.
const LONGEST_ID: usize = 256;

pub(super) async fn count_tokens(app: Arc<App>, call: Call) -> Answer {
    if call.identifier().len() > LONGEST_ID {
        return Err(ApiError::validation("The provided model identifier is invalid."));
    }
    let target = target::resolve(&app, &call.region, call.identifier())?;
    let request: Request = call.json()?;
    let prompt = match request.input {
        Some(Input { invoke_model: Some(given), converse: None }) => {
            let body = base64::decode(&given.body)
                .map_err(|error| ApiError::validation(format!("input.invokeModel.body is not base64: {error}")))?;
            invoke::read(target.family, &body)?.1
        }
        Some(Input { invoke_model: None, converse: Some(given) }) => given.read(target.family)?.prompt,
        _ => return Err(ApiError::validation("input must have exactly one of invokeModel and converse.")),
    };
    let tokens = answering::count(&app, &target, prompt).await?;
    let answer = json(StatusCode::OK, &json!({ "inputTokens": tokens }))?;
    Ok(mark_stand_in(answer, target.stand_in.as_deref()))
}
