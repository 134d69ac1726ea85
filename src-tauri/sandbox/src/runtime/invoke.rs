//! InvokeModel and InvokeModelWithResponseStream: a body in the family's own words, and what the headers say about it.

use std::sync::Arc;

use aws_smithy_types::base64;
use futures_util::{StreamExt, stream};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use s3s::Body;
use serde_json::{Value, json};

use super::answering::{self, Begun, Finished, Part, Prompt};
use super::dialects::Said;
use super::family::{Dialect, Family};
use super::members::Members;
use super::settings::Settings;
use super::{events, target};
use crate::app::App;
use crate::constraints::Checks;
use crate::errors::ApiError;
use crate::router::{Answer, Call, json, mark_stand_in};

const LATENCY: HeaderName = HeaderName::from_static("x-amzn-bedrock-performanceconfig-latency");
const TIER: HeaderName = HeaderName::from_static("x-amzn-bedrock-service-tier");

/// What a request's headers say.
fn settings(call: &Call, accept: &str) -> Result<Settings, ApiError> {
    if !call.header("x-amzn-bedrock-guardrailidentifier").is_empty() {
        return Err(ApiError::validation("Guardrails are not available in this sandbox."));
    }
    let given = |name: &str| Some(call.header(name)).filter(|value| !value.is_empty()).map(str::to_owned);
    let mut checks = Checks::default();
    let trace = given("x-amzn-bedrock-trace");
    checks.one_of("trace", trace.as_deref(), &["ENABLED", "DISABLED", "ENABLED_FULL"]);
    checks.at_most("requestMetadata", call.header("x-amzn-bedrock-request-metadata").len(), 8500);
    let settings = Settings::checked(given(LATENCY.as_str()), given(TIER.as_str()), checks)?;
    // Clients that are not told a type say that the body is bytes.
    let sent = call.header("content-type");
    let is_json = |kind: &str| kind.split(';').next().is_some_and(|kind| kind.trim() == "application/json");
    if !(sent.is_empty() || sent == "application/octet-stream" || is_json(sent)) {
        return Err(ApiError::validation(format!("The content type {sent} is not supported: send application/json.")));
    }
    if !(accept.is_empty() || accept == "*/*" || is_json(accept)) {
        return Err(ApiError::validation(format!("The type {accept} is not supported: accept application/json.")));
    }
    Ok(settings)
}

/// A body read in the words of a family.
pub(super) fn read(family: Family, body: &[u8]) -> Result<(Dialect, Prompt), ApiError> {
    let members = Members::of_body(body)?;
    let dialect = family.dialect(|member| members.has(member));
    Ok((dialect, dialect.read(members)?))
}

pub(super) async fn invoke(app: Arc<App>, call: Call) -> Answer {
    let target = target::resolve(&app, &call.region, call.identifier())?;
    let settings = settings(&call, call.header("accept"))?;
    let (dialect, prompt) = read(target.family, call.body())?;
    let stand_in = target.stand_in.clone();
    let finished = answering::whole(app, target, prompt).await?;
    let mut answer = json(StatusCode::OK, &dialect.reply(&finished))?;
    told(answer.headers_mut(), &settings);
    counted(answer.headers_mut(), &finished);
    Ok(mark_stand_in(answer, stand_in.as_deref()))
}

pub(super) async fn invoke_with_stream(app: Arc<App>, call: Call) -> Answer {
    let target = target::resolve(&app, &call.region, call.identifier())?;
    let settings = settings(&call, call.header("x-amzn-bedrock-accept"))?;
    let (dialect, prompt) = read(target.family, call.body())?;
    let stand_in = target.stand_in.clone();
    let begun = answering::start(app, target, prompt).await?;
    let mut answer: Response<Body> = events::answer(chunks(dialect, begun));
    let kind = HeaderName::from_static("x-amzn-bedrock-content-type");
    answer.headers_mut().insert(kind, HeaderValue::from_static("application/json"));
    told(answer.headers_mut(), &settings);
    Ok(mark_stand_in(answer, stand_in.as_deref()))
}

/// The chunks of an answer, each a message of its own so that text is seen as it is made.
fn chunks(dialect: Dialect, begun: Begun) -> impl futures_util::Stream<Item = Vec<u8>> + Send {
    let Begun { input_tokens, parts } = begun;
    let opening: Vec<Vec<u8>> = dialect.opening(input_tokens).iter().map(chunk).collect();
    let rest = stream::unfold((parts, 0), move |(mut parts, before)| async move {
        let bytes = match parts.recv().await? {
            Part::Text { text, tokens } => chunk(&dialect.piece(&Said { text: &text, tokens, input_tokens, before })),
            Part::End(Ok(finished)) => dialect.closing(&finished).iter().flat_map(chunk).collect(),
            Part::End(Err(error)) => events::exception(&error),
        };
        Some((bytes, (parts, before + 1)))
    });
    stream::iter(opening).chain(rest)
}

fn chunk(value: &Value) -> Vec<u8> {
    events::event("chunk", &json!({ "bytes": base64::encode(value.to_string()) }))
}

/// The settings that were asked for, said back.
fn told(headers: &mut HeaderMap, settings: &Settings) {
    for (name, value) in [(LATENCY, &settings.latency), (TIER, &settings.tier)] {
        if let Some(value) = value.as_ref().and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(name, value);
        }
    }
}

fn counted(headers: &mut HeaderMap, finished: &Finished) {
    let counts = [
        ("x-amzn-bedrock-input-token-count", finished.generated.input_tokens as u64),
        ("x-amzn-bedrock-output-token-count", finished.generated.output_tokens as u64),
        ("x-amzn-bedrock-invocation-latency", finished.latency_ms),
    ];
    for (name, count) in counts {
        headers.insert(HeaderName::from_static(name), HeaderValue::from(count));
    }
}
