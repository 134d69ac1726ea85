//! S3 on the sandbox's port: the protocol by `s3s`, the objects as plain files by `store`.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `store` | buckets and objects on disk; the only owner of their state |
//! | `service` | the S3 operations that there are, each a few lines or a call into one of the files below |
//! | `objects` | bodies in and out: ranges, conditions, copies |
//! | `digests` | what a body is said to hash to, what it does, and what is kept of it |
//! | `multipart`, `parts` | uploads in parts: the operations, and the parts on disk |
//! | `listing` | pages of keys |
//! | `permission` | whose key it is, and what its holder may do |
//!
//! Signatures (header, presigned, chunked and trailing) are verified by `s3s`.
//! Deliberately absent: versions, access control lists, policies, encryption, tags, virtual-hosted addresses.

mod digests;
mod listing;
mod multipart;
mod objects;
mod parts;
mod permission;
mod service;
pub(crate) mod store;

use std::sync::Arc;

use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::Body;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3Error, S3Result, s3_error};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::errors::{ApiError, ErrorKind};
use crate::ids;
use crate::router::parse_query;
use store::StoreError;

/// The S3 half of the port.
pub(crate) fn service(app: &Arc<App>) -> S3Service {
    // S3 knows an account by a long number of its own.
    let owner_id = hex::encode(Sha256::digest(app.keys().account().as_bytes()));
    let (store, clock) = (app.store().clone(), app.clock().clone());
    let mut builder = S3ServiceBuilder::new(service::Service { store, clock, owner_id });
    builder.set_auth(permission::Secrets(app.keys().clone()));
    builder.set_access(permission::Doorkeeper(Arc::downgrade(app)));
    builder.build()
}

/// Answers one request: what `s3s` says, with the request id that every answer of S3 carries and a message in every error.
pub(crate) async fn answer(service: &S3Service, request: Request<Body>) -> Result<Response<Body>, ApiError> {
    if let Some(error) = unreadable(&request) {
        return Ok(refused(&error));
    }
    let failed = |error| ApiError::internal(format!("{error:?}"));
    let mut response = service.call(request).await.map_err(failed)?;
    if let Ok(id) = HeaderValue::from_str(&ids::request_id()) {
        response.headers_mut().insert("x-amz-request-id", id);
    }
    if !response.status().is_client_error() {
        return Ok(response);
    }
    let (mut parts, body) = response.into_parts();
    let text = body.collect().await.map_err(ApiError::internal)?.to_bytes();
    let text = with_message(&String::from_utf8_lossy(&text));
    parts.headers.remove(header::CONTENT_LENGTH);
    Ok(Response::from_parts(parts, Body::from(text)))
}

/// What `s3s` 0.14.1 must not be given: a date with a character below `0` where a digit belongs, which its parser
/// subtracts from before it looks (a panic, where overflows are checked), and forms of browsers, which carry such a date
/// inside and which there are none of here.
fn unreadable(request: &Request<Body>) -> Option<ApiError> {
    let denied = |message: &str| Some(ApiError::new(ErrorKind::AccessDenied, message));
    // Not only what is ASCII: `s3s` reads the rest, too.
    let header = |name: &str| {
        let value = request.headers().get(name).map_or(&b""[..], |value| value.as_bytes());
        String::from_utf8_lossy(value).into_owned()
    };
    let kind = header("content-type").trim_start().to_ascii_lowercase();
    if request.method() == http::Method::POST && kind.starts_with("multipart/form-data") {
        let message = "A header you provided implies functionality that is not implemented: browser-based uploads.";
        return Some(ApiError::new(ErrorKind::UnknownOperation, message));
    }
    let authorization = header("authorization");
    if authorization.starts_with("AWS4-") && !is_date(&header("x-amz-date")) {
        return denied("AWS authentication requires a valid Date or x-amz-date header");
    }
    let query = parse_query(request.uri().query().unwrap_or_default());
    let mut dates = query.iter().filter(|(name, _)| name == "X-Amz-Date");
    if dates.any(|(_, value)| !is_date(value)) {
        return denied("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
    }
    let in_query = query.iter().filter(|(name, _)| name == "X-Amz-Credential").map(|(_, value)| &**value);
    let mut credentials = in_query.chain(authorization.split_once("Credential=").map(|(_, value)| value));
    if credentials.any(|credential| !is_dated(credential)) {
        return denied("The Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\"");
    }
    None
}

/// Whether only digits stand where the date of a credential's scope belongs.
fn is_dated(credential: &str) -> bool {
    credential.split('/').nth(1).is_none_or(|date| date.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `20261122T100824Z`, as far as its characters go.
fn is_date(text: &str) -> bool {
    let fits = |(at, byte): (usize, u8)| match at {
        8 => byte == b'T',
        15 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    };
    text.len() == 16 && text.bytes().enumerate().all(fits)
}

/// A refusal in S3's words, for what went wrong before `s3s` saw it.
pub(crate) fn refused(error: &ApiError) -> Response<Body> {
    let (code, status) = match error.kind {
        ErrorKind::Throttling => ("SlowDown", StatusCode::SERVICE_UNAVAILABLE),
        ErrorKind::ServiceUnavailable => ("ServiceUnavailable", StatusCode::SERVICE_UNAVAILABLE),
        ErrorKind::AccessDenied => ("AccessDenied", StatusCode::FORBIDDEN),
        ErrorKind::UnknownOperation => ("NotImplemented", StatusCode::NOT_IMPLEMENTED),
        ErrorKind::ExpiredToken => ("ExpiredToken", StatusCode::BAD_REQUEST),
        ErrorKind::InvalidSignature => ("RequestTimeTooSkewed", StatusCode::FORBIDDEN),
        _ => ("InternalError", StatusCode::INTERNAL_SERVER_ERROR),
    };
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{}</Message></Error>",
        error.message
    );
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    if let Ok(id) = HeaderValue::from_str(&ids::request_id()) {
        response.headers_mut().insert("x-amz-request-id", id);
    }
    response
}

/// What S3 calls the operation that a request asks for: `s3s` decides that too, and does not tell.
pub(crate) fn operation_name<B>(request: &Request<B>) -> &'static str {
    let (bucket, key) = request
        .uri()
        .path()
        .trim_start_matches('/')
        .split_once('/')
        .map_or_else(|| (request.uri().path().trim_start_matches('/'), ""), |(bucket, key)| (bucket, key));
    let query = request.uri().query().unwrap_or_default();
    let asks = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    let copies = request.headers().contains_key("x-amz-copy-source");
    match (request.method().as_str(), bucket.is_empty(), key.is_empty()) {
        ("GET", true, _) => "ListBuckets",
        ("GET", _, true) if asks("location") => "GetBucketLocation",
        ("GET", _, true) if asks("versioning") => "GetBucketVersioning",
        ("GET", _, true) if asks("uploads") => "ListMultipartUploads",
        ("GET", _, true) if asks("list-type") => "ListObjectsV2",
        ("GET", _, true) => "ListObjects",
        ("PUT", _, true) => "CreateBucket",
        ("HEAD", _, true) => "HeadBucket",
        ("DELETE", _, true) => "DeleteBucket",
        ("POST", _, true) if asks("delete") => "DeleteObjects",
        ("GET", ..) if asks("uploadId") => "ListParts",
        ("GET", ..) => "GetObject",
        ("HEAD", ..) => "HeadObject",
        ("PUT", ..) if asks("partNumber") && copies => "UploadPartCopy",
        ("PUT", ..) if asks("partNumber") => "UploadPart",
        ("PUT", ..) if copies => "CopyObject",
        ("PUT", ..) => "PutObject",
        ("POST", ..) if asks("uploads") => "CreateMultipartUpload",
        ("POST", ..) if asks("uploadId") => "CompleteMultipartUpload",
        ("DELETE", ..) if asks("uploadId") => "AbortMultipartUpload",
        ("DELETE", ..) => "DeleteObject",
        _ => "",
    }
}

/// `s3s` leaves some errors without words, and clients then show an empty line.
fn with_message(xml: &str) -> String {
    let Some((before, code)) = xml.split_once("<Code>") else { return xml.to_owned() };
    let Some((code, after)) = code.split_once("</Code>").filter(|_| !xml.contains("<Message>")) else {
        return xml.to_owned();
    };
    let message = match code {
        "SignatureDoesNotMatch" => {
            "The request signature we calculated does not match the signature you provided. Check your key and signing \
             method."
        }
        "EntityTooLarge" => "Your proposed upload exceeds the maximum allowed size",
        "InvalidRange" => "The requested range is not satisfiable",
        "InvalidDigest" => "The Content-MD5 you specified was invalid.",
        _ => "The request was refused.",
    };
    format!("{before}<Code>{code}</Code><Message>{message}</Message>{after}")
}

impl From<StoreError> for S3Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NoSuchBucket => s3_error!(NoSuchBucket, "The specified bucket does not exist"),
            StoreError::NoSuchKey => s3_error!(NoSuchKey, "The specified key does not exist."),
            StoreError::InvalidKey(reason) => s3_error!(InvalidArgument, "{reason}"),
            StoreError::Condition => {
                s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold")
            }
            StoreError::BucketNotEmpty => s3_error!(BucketNotEmpty, "The bucket you tried to delete is not empty"),
            StoreError::Io(source) => s3_error!(InternalError, "The sandbox could not use its folder: {source}"),
        }
    }
}

/// A key as an answer carries it: percent-encoded when the client asked for that, as XML cannot hold every character.
fn encoded(key: &str, url: bool) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');
    if url { utf8_percent_encode(key, KEPT).to_string() } else { key.to_owned() }
}

/// Runs file work where it may block.
async fn blocking<T: Send + 'static, E: Into<S3Error> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> S3Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(Into::into),
        Err(failure) => Err(s3_error!(InternalError, "{failure}")),
    }
}
