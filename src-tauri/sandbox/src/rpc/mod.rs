//! The services that live at one path and name the operation in the request: STS and IAM in a form (the query protocol),
//! Service Quotas and the Price List in a header (JSON 1.1).
//!
//! | file | what is in it |
//! | --- | --- |
//! | `form` | a form's flat names as nested members |
//! | `xml` | an answer as the query protocol writes it |
//!
//! A handler sees members and answers members, whichever protocol they came by. State is owned by the services'
//! own modules. Deliberately absent: paths, streams, and bodies over a megabyte.

mod form;
mod xml;

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Response, StatusCode, header};
use s3s::Body;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::access;
use crate::app::App;
use crate::auth::Given;
use crate::errors::{ApiError, ErrorKind};
use crate::identity::Caller;
use crate::state::StateError;
use crate::{iam, ids, pricing, service_quotas, sts};

/// A service as a credential scope names it.
pub(crate) struct Service {
    pub(crate) scope: &'static str,
    pub(crate) protocol: Protocol,
    pub(crate) operations: &'static [Operation],
}

#[derive(Clone, Copy)]
pub(crate) enum Protocol {
    /// A form with `Action` and `Version`, answered in XML.
    Query { version: &'static str, namespace: &'static str },
    /// A header `X-Amz-Target: TARGET.Operation`, JSON in and out.
    Json { target: &'static str },
}

pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) handler: fn(&Arc<App>, &Call) -> Result<Value, Failure>,
}

/// One verified request.
pub(crate) struct Call {
    pub(crate) region: String,
    pub(crate) caller: Caller,
    members: Value,
}

impl Call {
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        T::deserialize(&self.members).map_err(|error| Failure::new("ValidationError", 400, error.to_string()))
    }

    /// Whether IAM lets the caller do this to what the request names. Everybody may ask who they are.
    fn permit(&self, app: &App, service: &Service, operation: &Operation) -> Result<(), ApiError> {
        if operation.name == "GetCallerIdentity" {
            return Ok(());
        }
        let member = |name: &str| self.members[name].as_str();
        let resource = member("RoleArn").or_else(|| member("PolicyArn")).or_else(|| member("PolicySourceArn"));
        let role = || member("RoleName").map(|name| format!("arn:aws:iam::{}:role/{name}", app.keys().account()));
        let resource = resource.map(str::to_owned).or_else(role).unwrap_or_else(|| "*".to_owned());
        access::permit(app, &self.caller, &format!("{}:{}", service.scope, operation.name), &resource)
    }
}

/// Why an operation was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    code: &'static str,
    status: u16,
    message: String,
}

impl Failure {
    pub(crate) fn new(code: &'static str, status: u16, message: impl Into<String>) -> Self {
        Self { code, status, message: message.into() }
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        tracing::error!(cause = %error, "a request failed inside the sandbox");
        Self::new("ServiceFailure", 500, format!("The sandbox could not answer: {error}"))
    }
}

const SERVICES: [&Service; 4] = [&sts::SERVICE, &iam::SERVICE, &service_quotas::SERVICE, &pricing::SERVICE];

/// The service that a credential scope names, when it is one of these.
pub(crate) fn service(scope: &str) -> Option<&'static Service> {
    SERVICES.into_iter().find(|service| service.scope == scope)
}

/// The name of the operation that a request asks for, known or not.
pub(crate) fn operation_name(service: &Service, parts: &Parts, body: &[u8]) -> Option<String> {
    match service.protocol {
        Protocol::Query { .. } => form::value(body, "Action"),
        Protocol::Json { target } => {
            let header = parts.headers.get("x-amz-target")?.to_str().ok()?;
            Some(header.strip_prefix(target)?.strip_prefix('.')?.to_owned())
        }
    }
}

/// Answers a request whose signature was verified.
pub(crate) async fn run(
    app: Arc<App>,
    service: &'static Service,
    given: Given,
    parts: &Parts,
    body: Bytes,
) -> Response<Body> {
    let answer = match prepare(service, parts, &body) {
        Ok((operation, members)) => {
            let call = Call { region: given.region, caller: given.caller, members };
            if let Err(error) = call.permit(&app, service, operation) {
                return refused(service, error);
            }
            tokio::task::spawn_blocking(move || (operation.handler)(&app, &call))
                .await
                .unwrap_or_else(|failure| Err(Failure::new("ServiceFailure", 500, failure.to_string())))
                .map(|members| (operation, members))
        }
        Err(failure) => Err(failure),
    };
    match answer {
        Ok((operation, members)) => success(service, operation, &members),
        Err(failure) => failed(service, &failure),
    }
}

fn prepare(service: &Service, parts: &Parts, body: &[u8]) -> Result<(&'static Operation, Value), Failure> {
    let (unknown, status) = match service.protocol {
        Protocol::Query { .. } => ("InvalidAction", 400),
        Protocol::Json { .. } => ("UnknownOperationException", 400),
    };
    let asked = operation_name(service, parts, body);
    let operation = (parts.method == Method::POST && parts.uri.path() == "/")
        .then(|| self::service(service.scope)?.operations.iter().find(|one| Some(one.name) == asked.as_deref()))
        .flatten()
        .ok_or_else(|| {
            let asked = asked.unwrap_or_default();
            Failure::new(unknown, status, format!("The sandbox has no operation '{asked}' of {}.", service.scope))
        })?;
    let members = match service.protocol {
        Protocol::Query { version, .. } => {
            if form::value(body, "Version").as_deref() != Some(version) {
                return Err(Failure::new(unknown, status, format!("The version must be {version}.")));
            }
            form::members(body)
        }
        Protocol::Json { .. } if body.is_empty() => Value::Object(Map::new()),
        Protocol::Json { .. } => serde_json::from_slice(body)
            .map_err(|error| Failure::new("SerializationException", 400, error.to_string()))?,
    };
    Ok((operation, members))
}

fn success(service: &Service, operation: &Operation, members: &Value) -> Response<Body> {
    let id = ids::request_id();
    let (kind, text) = match service.protocol {
        Protocol::Query { namespace, .. } => ("text/xml", xml::answer(operation.name, namespace, members, &id)),
        Protocol::Json { .. } => ("application/x-amz-json-1.1", members.to_string()),
    };
    response(StatusCode::OK, kind, text, &id)
}

/// A refusal in the service's own words.
pub(crate) fn failed(service: &Service, failure: &Failure) -> Response<Body> {
    let id = ids::request_id();
    match service.protocol {
        Protocol::Query { namespace, .. } => {
            let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::BAD_REQUEST);
            let text = xml::error(namespace, failure.code, &failure.message, failure.status, &id);
            response(status, "text/xml", text, &id)
        }
        Protocol::Json { .. } => {
            // Every mistake of a client is a 400 in this protocol.
            let status =
                if failure.status >= 500 { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::BAD_REQUEST };
            let body = serde_json::json!({ "__type": failure.code, "message": failure.message });
            response(status, "application/x-amz-json-1.1", body.to_string(), &id)
        }
    }
}

/// What is refused whatever the operation: signatures, clocks and sizes, and faults that were asked for.
pub(crate) fn refused(service: &Service, error: ApiError) -> Response<Body> {
    let (code, status) = match (service.protocol, error.kind) {
        (Protocol::Json { .. }, ErrorKind::InternalServer | ErrorKind::ServiceUnavailable) => ("ServiceException", 500),
        (Protocol::Json { .. }, kind) => (kind.code(), 400),
        (_, ErrorKind::InvalidSignature) => ("SignatureDoesNotMatch", 403),
        (_, ErrorKind::MissingAuthenticationToken) => ("MissingAuthenticationToken", 403),
        (_, ErrorKind::UnrecognizedClient) => ("InvalidClientTokenId", 403),
        (_, ErrorKind::RequestTooLarge) => ("RequestEntityTooLarge", 413),
        (_, ErrorKind::AccessDenied) => ("AccessDenied", 403),
        (_, ErrorKind::ExpiredToken) => ("ExpiredToken", 403),
        (_, ErrorKind::Throttling) => ("Throttling", 400),
        (_, ErrorKind::InternalServer) => ("ServiceFailure", 500),
        (_, ErrorKind::ServiceUnavailable) => ("ServiceUnavailable", 503),
        _ => ("ValidationError", 400),
    };
    failed(service, &Failure::new(code, status, error.message))
}

fn response(status: StatusCode, kind: &'static str, text: String, id: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    if let Ok(id) = header::HeaderValue::from_str(id) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}
