//! What went wrong, told apart by AWS's error code and by the kind of failure, never by the words of a message:
//! Conflict and ServiceQuotaExceeded are both HTTP 400, and the words change.

use std::{
    error::Error,
    time::{Duration, SystemTime},
};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_bedrock::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::{DateTime, date_time::Format, event_stream::RawMessage};

use crate::connect::BedrockOnly;
use crate::profiles::{CodeNeeded, SignInNeeded};

/// A signature is refused when the two clocks are further apart than this (AWS, Signature Version 4).
const ALLOWED_SKEW: Duration = Duration::from_secs(5 * 60);

/// What the caller can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloudErrorCode {
    /// Signed in, but not allowed to do this.
    AccessDenied,
    /// The request is not one the service accepts; the message says what is wrong with it.
    Validation,
    /// The thing exists already, or is in a state that does not allow this.
    Conflict,
    NotFound,
    /// Too many requests at once; asking again later helps.
    Throttled,
    /// The account may not have more of these.
    QuotaExceeded,
    /// The session is over; signing in again helps.
    Expired,
    /// The code of a device is needed to take on a role.
    CodeNeeded,
    /// No credentials could be had, or AWS does not know the key.
    Credentials,
    /// All there is to sign with is a Bedrock API key, which this service does not take.
    BedrockOnly,
    /// The secret key does not fit the key id.
    Signature,
    /// This computer's clock is too far from AWS's for a signature to be accepted.
    ClockSkew,
    /// The bucket is in another Region.
    WrongRegion,
    /// The model is being made ready; asking again in a moment helps.
    NotReady,
    /// The service failed; asking again may help.
    Unavailable,
    /// No connection could be made, or it broke.
    Unreachable,
    /// Connected, but nothing came for too long.
    Timeout,
    /// The object is larger than what is held in memory.
    TooLarge,
    /// A file on this computer could not be read.
    LocalFile,
    /// The caller cancelled it.
    Cancelled,
    Other,
}

/// A call that failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{operation}: {message}")]
pub struct CloudError {
    pub code: CloudErrorCode,
    /// What the service said, or what happened on the way there.
    pub message: String,
    /// AWS's name of the operation.
    pub operation: &'static str,
    /// AWS's own error code, where there was an answer that carried one.
    pub aws_code: Option<String>,
    /// What AWS's support asks for.
    pub request_id: Option<String>,
}

impl CloudError {
    pub(crate) fn new(operation: &'static str, code: CloudErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), operation, aws_code: None, request_id: None }
    }

    /// The service said that all is well, and left out what it was asked for.
    pub(crate) fn unreadable(operation: &'static str) -> Self {
        Self::new(operation, CloudErrorCode::Other, "the answer lacks what was asked for")
    }

    /// The same failure, known by AWS's code for it.
    pub(crate) fn with_aws_code(mut self, aws_code: &str) -> Self {
        self.code = of_aws_code(aws_code).unwrap_or(self.code);
        self.aws_code = Some(aws_code.to_owned());
        self
    }

    /// For `map_err` behind a call of the SDK.
    pub(crate) fn of<E, R>(operation: &'static str) -> impl Fn(SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: Answer + 'static,
    {
        move |error| match &error {
            SdkError::ServiceError(service) => answered(operation, service.err(), service.raw()),
            SdkError::ResponseError(response) => {
                let (code, message) = if response.raw().status().is_some_and(|status| status >= 400) {
                    (of_status(response.raw().status()), "the service answered with an error that cannot be read")
                } else {
                    (CloudErrorCode::Unreachable, "the answer broke off or cannot be read")
                };
                let mut failure = Self::new(operation, code, format!("{message}: {}", last_cause(&error)));
                failure.request_id = request_id(response.raw());
                failure
            }
            SdkError::TimeoutError(_) => Self::new(operation, CloudErrorCode::Timeout, last_cause(&error)),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                Self::new(operation, CloudErrorCode::Timeout, format!("no answer in time: {}", last_cause(&error)))
            }
            _ => not_sent(operation, &error),
        }
    }
}

/// The service answered with an error.
fn answered<E: ProvideErrorMetadata + Error + 'static>(
    operation: &'static str,
    error: &E,
    raw: &impl Answer,
) -> CloudError {
    let mut code = error.code().and_then(of_aws_code).unwrap_or_else(|| of_status(raw.status()));
    if code == CloudErrorCode::Signature && skew(raw).is_some_and(|skew| skew > ALLOWED_SKEW) {
        code = CloudErrorCode::ClockSkew;
    }
    let message = match (error.message(), error.code(), raw.status()) {
        (Some(message), ..) if !message.is_empty() => message.to_owned(),
        (_, Some(code), _) => code.to_owned(),
        (_, _, Some(status)) if status >= 400 => format!("HTTP status {status}"),
        // It said that all is well, and then something that is not of the protocol.
        _ => format!("the answer cannot be read: {}", last_cause(error)),
    };
    CloudError { code, message, operation, aws_code: error.code().map(str::to_owned), request_id: request_id(raw) }
}

/// There was no answer: no credentials, no connection, or a request that cannot be written.
fn not_sent<E: Error + 'static, R: std::fmt::Debug + 'static>(
    operation: &'static str,
    error: &SdkError<E, R>,
) -> CloudError {
    if let Some(failure) = no_credentials(operation, error) {
        return failure;
    }
    match error {
        SdkError::DispatchFailure(failure) if failure.is_io() => {
            CloudError::new(operation, CloudErrorCode::Unreachable, format!("no connection: {}", last_cause(error)))
        }
        SdkError::ConstructionFailure(_) => CloudError::new(operation, CloudErrorCode::Validation, last_cause(error)),
        _ => CloudError::new(operation, CloudErrorCode::Other, last_cause(error)),
    }
}

/// Why credentials could not be had, where that is what went wrong.
fn no_credentials(operation: &'static str, error: &(dyn Error + 'static)) -> Option<CloudError> {
    causes(error).find(|cause| cause.is::<CredentialsError>())?;
    // A call on the way to them failed: that failure says more.
    if let Some(failure) = causes(error).find_map(|cause| cause.downcast_ref::<CloudError>()) {
        return Some(failure.clone());
    }
    if causes(error).any(|cause| cause.is::<BedrockOnly>()) {
        return Some(CloudError::new(operation, CloudErrorCode::BedrockOnly, last_cause(error)));
    }
    let code = if causes(error).any(|cause| cause.is::<SignInNeeded>()) {
        CloudErrorCode::Expired
    } else if causes(error).any(|cause| cause.is::<CodeNeeded>()) {
        CloudErrorCode::CodeNeeded
    } else if is_network(error) {
        CloudErrorCode::Unreachable
    } else {
        CloudErrorCode::Credentials
    };
    Some(CloudError::new(operation, code, format!("no credentials: {}", last_cause(error))))
}

/// The same for someone who asked for the credentials alone.
pub(crate) fn without_credentials(error: &CredentialsError) -> CloudError {
    let otherwise = || CloudError::new("Credentials", CloudErrorCode::Credentials, last_cause(error));
    no_credentials("Credentials", error).unwrap_or_else(otherwise)
}

/// Whether no connection could be made, somewhere beneath this.
pub(crate) fn is_network(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| cause.downcast_ref::<ConnectorError>().is_some_and(|one| one.is_io() || one.is_timeout()))
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |cause| (*cause).source())
}

/// The innermost cause says most: the outer ones say that a request failed.
pub(crate) fn last_cause(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map_or_else(String::new, ToString::to_string)
}

/// What is known of an answer beside the error in it.
pub(crate) trait Answer: std::fmt::Debug {
    fn status(&self) -> Option<u16>;
    fn header(&self, name: &str) -> Option<&str>;
}

impl Answer for HttpResponse {
    fn status(&self) -> Option<u16> {
        Some(self.status().as_u16())
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers().get(name)
    }
}

/// A message inside an event stream has no headers of HTTP.
impl Answer for RawMessage {
    fn status(&self) -> Option<u16> {
        None
    }

    fn header(&self, _name: &str) -> Option<&str> {
        None
    }
}

fn request_id(raw: &impl Answer) -> Option<String> {
    raw.header("x-amzn-requestid").or_else(|| raw.header("x-amz-request-id")).map(str::to_owned)
}

/// How far this computer's clock is from the one that answered.
fn skew(raw: &impl Answer) -> Option<Duration> {
    let theirs = SystemTime::try_from(DateTime::from_str(raw.header("date")?, Format::HttpDate).ok()?).ok()?;
    let ours = SystemTime::now();
    Some(ours.duration_since(theirs).unwrap_or_else(|ahead| ahead.duration()))
}

/// The codes of Bedrock, Bedrock Runtime and S3, and those that every service of AWS can answer with.
fn of_aws_code(code: &str) -> Option<CloudErrorCode> {
    Some(match code {
        "AccessDeniedException" | "AccessDenied" | "AllAccessDisabled" | "AccountProblem" => {
            CloudErrorCode::AccessDenied
        }
        "ValidationException"
        | "ValidationError"
        | "TooManyTagsException"
        | "InvalidBucketName"
        | "InvalidRequest"
        | "InvalidArgument"
        | "InvalidURI"
        | "KeyTooLongError"
        | "EntityTooLarge"
        | "MalformedPolicyDocument"
        | "MalformedXML" => CloudErrorCode::Validation,
        "ConflictException"
        | "ResourceInUseException"
        | "EntityAlreadyExists"
        | "BucketAlreadyExists"
        | "OperationAborted" => CloudErrorCode::Conflict,
        "ResourceNotFoundException"
        | "NoSuchEntity"
        | "NoSuchResourceException"
        | "NoSuchBucket"
        | "NoSuchKey"
        | "NoSuchUpload"
        | "NotFound" => CloudErrorCode::NotFound,
        "ThrottlingException" | "Throttling" | "TooManyRequestsException" | "SlowDown" | "RequestLimitExceeded" => {
            CloudErrorCode::Throttled
        }
        "ServiceQuotaExceededException" | "TooManyBuckets" | "LimitExceededException" | "LimitExceeded" => {
            CloudErrorCode::QuotaExceeded
        }
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => CloudErrorCode::Expired,
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "InvalidToken"
        | "NotSignedUp" => CloudErrorCode::Credentials,
        "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "AuthorizationHeaderMalformed" => CloudErrorCode::Signature,
        "RequestTimeTooSkewed" | "RequestExpired" => CloudErrorCode::ClockSkew,
        "PermanentRedirect" | "TemporaryRedirect" | "IllegalLocationConstraintException" => CloudErrorCode::WrongRegion,
        "ModelNotReadyException" => CloudErrorCode::NotReady,
        "ModelTimeoutException" | "RequestTimeout" => CloudErrorCode::Timeout,
        "InternalServerException"
        | "InternalError"
        | "InternalFailure"
        | "ServiceUnavailableException"
        | "ServiceUnavailable"
        | "ModelErrorException"
        | "ModelStreamErrorException" => CloudErrorCode::Unavailable,
        _ => return None,
    })
}

/// For answers without a code: S3 has no body to put one in when it answers a HEAD request.
fn of_status(status: Option<u16>) -> CloudErrorCode {
    match status {
        Some(301 | 307) => CloudErrorCode::WrongRegion,
        Some(400) => CloudErrorCode::Validation,
        Some(403) => CloudErrorCode::AccessDenied,
        Some(404) => CloudErrorCode::NotFound,
        Some(429) => CloudErrorCode::Throttled,
        Some(500..) => CloudErrorCode::Unavailable,
        _ => CloudErrorCode::Other,
    }
}
