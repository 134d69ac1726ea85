//! The Bedrock operations as one table: method, path, body limit and handler.
//!
//! Purpose: a new operation is one entry in its group's `OPERATIONS` and one handler. Paths are matched on the raw
//! (still encoded) request path, so that an ARN that was percent-encoded stays one segment; the handler gets the
//! segments decoded. Deliberately absent: signatures (`auth`) and transport (`server`).

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode, header};
use percent_encoding::percent_decode_str;
use s3s::Body;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::access;
use crate::app::App;
use crate::auth::Given;
use crate::errors::{ApiError, ErrorKind};
use crate::identity::Caller;
use crate::{copies, custom_models, deployments, foundation_models, ids, imports, jobs, provisioned, runtime, tags};

/// Body limit of control-plane requests. Their largest members are lists of a few hundred tags.
pub(crate) const CONTROL_BODY: usize = 1024 * 1024;

/// Header that says that another model answered, or trained, in the place of the one that was named.
pub(crate) const STAND_IN_HEADER: &str = "x-whetstone-stand-in";

pub(crate) type Answer = Result<Response<Body>, ApiError>;

/// One verified request on its way to a handler.
pub(crate) struct Call {
    /// Region of the credential scope: the Region that this request speaks to.
    pub(crate) region: String,
    pub(crate) caller: Caller,
    /// The variable path segments, decoded, in the order of the pattern.
    pub(crate) segments: Vec<String>,
    headers: HeaderMap,
    query: Vec<(String, String)>,
    body: Bytes,
}

impl Call {
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All query parameters, in the order of the request.
    pub(crate) fn queries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.query.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A header's text; nothing when it is not there or is no text.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The path's (only) identifier.
    pub(crate) fn identifier(&self) -> &str {
        self.segments.first().map_or("", String::as_str)
    }

    /// The body as it came.
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body as JSON. An empty body reads as an empty object.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        serde_json::from_slice(body).map_err(|error| ApiError::new(ErrorKind::Serialization, error.to_string()))
    }
}

/// An answer that is being made.
pub(crate) type Pending = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// How an operation is carried out.
pub(crate) enum Handler {
    /// Short work on the state, done on a thread that may block.
    Control(fn(&Arc<App>, &Call) -> Answer),
    /// Work that waits or streams.
    Runtime(fn(Arc<App>, Call) -> Pending),
}

/// An entry of the table.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) method: Method,
    /// Segments between slashes; one in braces is variable.
    pub(crate) path: &'static str,
    pub(crate) body_limit: usize,
    pub(crate) handler: Handler,
}

fn operations() -> impl Iterator<Item = &'static Operation> {
    [
        foundation_models::OPERATIONS,
        jobs::OPERATIONS,
        custom_models::OPERATIONS,
        deployments::OPERATIONS,
        provisioned::OPERATIONS,
        imports::OPERATIONS,
        imports::models::OPERATIONS,
        copies::OPERATIONS,
        tags::OPERATIONS,
        runtime::OPERATIONS,
    ]
    .into_iter()
    .flatten()
}

/// The operation that a request names, with the path's variable segments decoded.
pub(crate) fn find(method: &Method, path: &str) -> Option<(&'static Operation, Vec<String>)> {
    operations()
        .filter(|operation| operation.method == *method)
        .find_map(|operation| Some((operation, match_path(operation.path, path)?)))
}

fn match_path(pattern: &str, path: &str) -> Option<Vec<String>> {
    let path = if path.len() > 1 { path.strip_suffix('/').unwrap_or(path) } else { path };
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    let mut segments = Vec::new();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(segments),
            (Some(name), Some(text)) if name.starts_with('{') => {
                let text = percent_decode_str(text).decode_utf8().ok()?;
                if text.is_empty() {
                    return None;
                }
                segments.push(text.into_owned());
            }
            (Some(name), Some(text)) if name == text => {}
            _ => return None,
        }
    }
}

/// Runs `operation` for a request whose signature was verified.
pub(crate) async fn run(
    app: Arc<App>,
    operation: &'static Operation,
    given: Given,
    segments: Vec<String>,
    parts: Parts,
    body: Bytes,
) -> Answer {
    let query = parse_query(parts.uri.query().unwrap_or_default());
    let Given { caller, region, .. } = given;
    let call = Call { region, caller, segments, headers: parts.headers, query, body };
    let (action, resource) = operation.question(&app, &call);
    access::permit(&app, &call.caller, &action, &resource)?;
    match operation.handler {
        Handler::Control(handler) => tokio::task::spawn_blocking(move || handler(&app, &call))
            .await
            .unwrap_or_else(|failure| Err(ApiError::internal(format!("{}: {failure}", operation.name)))),
        Handler::Runtime(handler) => handler(app, call).await,
    }
}

impl Operation {
    /// What IAM is asked before it: the action, and the ARN of what it works on. A thing that was named by its name, or
    /// that is yet to be made, stands for all of its kind, so that only a policy for all of them lets it pass; so does
    /// a list, of which AWS asks for `*`.
    fn question(&self, app: &App, call: &Call) -> (String, String) {
        let action = match self.name {
            "Converse" => "InvokeModel",
            "ConverseStream" => "InvokeModelWithResponseStream",
            other => other,
        };
        let (id, region, account) = (call.identifier(), &call.region, app.keys().account());
        let resource = match KINDS.into_iter().find(|(head, _)| self.path.starts_with(head)) {
            _ if id.starts_with("arn:") => id.to_owned(),
            Some((_, "foundation-model")) if !id.is_empty() => {
                ids::foundation_model_arn(region, foundation_models::of_profile(id))
            }
            Some((_, kind)) if !id.is_empty() || self.method == Method::POST => {
                format!("arn:aws:bedrock:{region}:{account}:{kind}/*")
            }
            _ => "*".to_owned(),
        };
        (format!("bedrock:{action}"), resource)
    }
}

/// The kind of resource in an ARN by the head of an operation's path.
const KINDS: [(&str, &str); 9] = [
    ("/foundation-model", "foundation-model"),
    ("/model/", "foundation-model"),
    ("/model-customization-jobs", "model-customization-job"),
    ("/model-customization/custom-model-deployments", "custom-model-deployment"),
    ("/custom-models", "custom-model"),
    ("/provisioned-model-throughput", "provisioned-model"),
    ("/model-import-jobs", "model-import-job"),
    ("/imported-models", "imported-model"),
    ("/model-copy-jobs", "model-copy-job"),
];

pub(crate) fn parse_query(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| -> String {
        let text: Cow<'_, str> = if text.contains('+') { text.replace('+', " ").into() } else { text.into() };
        percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

/// An answer with a JSON body.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    let text = serde_json::to_vec(body).map_err(ApiError::internal)?;
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    Ok(response)
}

/// Marks an answer that concerns a stand-in. `model` is the id of the model that really works.
pub(crate) fn mark_stand_in(mut response: Response<Body>, model: Option<&str>) -> Response<Body> {
    if let Some(value) = model.and_then(|id| header::HeaderValue::from_str(id).ok()) {
        response.headers_mut().insert(STAND_IN_HEADER, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_arn_is_one_segment() {
        let path = "/model-customization-jobs/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Amodel-customization-job%2Fa.b%3A0%2Fabc/stop";
        let found = find(&Method::POST, path).map(|(operation, segments)| (operation.name, segments));
        let arn = "arn:aws:bedrock:us-east-1:1:model-customization-job/a.b:0/abc".to_owned();
        assert_eq!(found, Some(("StopModelCustomizationJob", vec![arn])));
    }

    #[test]
    fn what_is_not_in_the_table_is_not_found() {
        assert!(find(&Method::GET, "/").is_none());
        assert!(find(&Method::DELETE, "/foundation-models").is_none());
        assert!(find(&Method::GET, "/model-customization-jobs//stop").is_none());
        assert!(find(&Method::GET, "/foundation-models/").is_some(), "a trailing slash is forgiven");
    }

    #[test]
    fn queries_are_decoded() {
        let query = parse_query("creationTimeAfter=2026-11-22T10%3A08%3A24Z&nameContains=a+b&empty");
        let expected = [("creationTimeAfter", "2026-11-22T10:08:24Z"), ("nameContains", "a b"), ("empty", "")];
        assert_eq!(query, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
