//! Errors of the Bedrock side, in the shape that the AWS SDKs read.
//!
//! Purpose: one type that every handler returns, and its one translation to HTTP: status, the `x-amzn-errortype` header
//! and a body of `{"message": …}`. Statuses are those of the service model (conflicts and exceeded quotas are 400).
//! Deliberately absent: S3 errors, which are XML and belong to `s3s`.

use http::{Response, StatusCode, header};
use s3s::Body;

use crate::state::StateError;

/// What went wrong, named as the service names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    AccessDenied,
    Conflict,
    ExpiredToken,
    InternalServer,
    InvalidSignature,
    MissingAuthenticationToken,
    ModelNotReady,
    RequestTimeout,
    RequestTooLarge,
    ResourceNotFound,
    Serialization,
    ServiceQuotaExceeded,
    ServiceUnavailable,
    Throttling,
    TooManyTags,
    UnknownOperation,
    UnrecognizedClient,
    Validation,
}

impl ErrorKind {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::AccessDenied => "AccessDeniedException",
            Self::Conflict => "ConflictException",
            Self::ExpiredToken => "ExpiredTokenException",
            Self::InternalServer => "InternalServerException",
            Self::InvalidSignature => "InvalidSignatureException",
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::ModelNotReady => "ModelNotReadyException",
            Self::RequestTimeout => "RequestTimeoutException",
            Self::RequestTooLarge => "RequestEntityTooLargeException",
            Self::ResourceNotFound => "ResourceNotFoundException",
            Self::Serialization => "SerializationException",
            Self::ServiceQuotaExceeded => "ServiceQuotaExceededException",
            Self::ServiceUnavailable => "ServiceUnavailableException",
            Self::Throttling => "ThrottlingException",
            Self::TooManyTags => "TooManyTagsException",
            Self::UnknownOperation => "UnknownOperationException",
            Self::UnrecognizedClient => "UnrecognizedClientException",
            Self::Validation => "ValidationException",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::AccessDenied
            | Self::ExpiredToken
            | Self::InvalidSignature
            | Self::MissingAuthenticationToken
            | Self::UnrecognizedClient => StatusCode::FORBIDDEN,
            Self::Conflict
            | Self::Serialization
            | Self::ServiceQuotaExceeded
            | Self::TooManyTags
            | Self::Validation => StatusCode::BAD_REQUEST,
            Self::InternalServer => StatusCode::INTERNAL_SERVER_ERROR,
            Self::ModelNotReady | Self::Throttling => StatusCode::TOO_MANY_REQUESTS,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::RequestTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::ServiceUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::ResourceNotFound | Self::UnknownOperation => StatusCode::NOT_FOUND,
        }
    }
}

/// An error answer of a Bedrock operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", kind.code())]
pub(crate) struct ApiError {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
    /// A further member of the answer's body, such as the resource that has too many tags.
    extra: Option<(&'static str, String)>,
}

impl ApiError {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), extra: None }
    }

    /// Adds a member to the answer's body.
    pub(crate) fn with(self, member: &'static str, value: impl Into<String>) -> Self {
        Self { extra: Some((member, value.into())), ..self }
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Validation, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::ResourceNotFound, message)
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conflict, message)
    }

    /// A failure of the sandbox itself. The cause goes to the log; the client is told that it was not its fault.
    pub(crate) fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed inside the sandbox");
        Self::new(ErrorKind::InternalServer, format!("The sandbox could not answer: {cause}"))
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let mut body = serde_json::json!({ "message": self.message });
        if let Some((member, value)) = self.extra {
            body[member] = serde_json::Value::String(value);
        }
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = self.kind.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
        headers.insert("x-amzn-errortype", header::HeaderValue::from_static(self.kind.code()));
        response
    }
}

impl From<StateError> for ApiError {
    fn from(error: StateError) -> Self {
        Self::internal(error)
    }
}
