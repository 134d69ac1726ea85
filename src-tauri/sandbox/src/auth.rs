//! Signature version 4 on every side but S3's: who signed, for which Region, and whether the signature is true.
//!
//! The received request is signed again with the `aws-sigv4` crate, over exactly the headers that the client says it
//! signed, and the two signatures are compared in constant time; what HTTP/2 clients sign is in `authority`. The body is hashed here, never taken from a header.
//! S3 requests are verified by `s3s`, which also knows chunked and trailing signatures; this module only tells it
//! apart. Bedrock takes the folder's API key as a bearer token in place of a signature, as on AWS. Whose key it is, is
//! asked of `identity`. Deliberately absent: signatures in the query.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use http::HeaderMap;
use http::request::Parts;
use subtle::ConstantTimeEq;
use time::macros::format_description;

use crate::Keys;
use crate::authority::{self, AUTHORITY};
use crate::errors::{ApiError, ErrorKind};
use crate::identity::{self, Caller};

/// The header beside the signature of a temporary key.
pub(crate) const TOKEN_HEADER: &str = "x-amz-security-token";

/// How far a request's clock may be from ours.
const CLOCK_WINDOW: Duration = Duration::from_secs(5 * 60);

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The parts of an `Authorization` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authorization {
    pub(crate) access_key_id: String,
    pub(crate) date: String,
    pub(crate) region: String,
    pub(crate) service: String,
    pub(crate) signed_headers: Vec<String>,
    signature: String,
}

impl Authorization {
    /// Reads `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`; `None` when it has another form.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(ALGORITHM)?.strip_prefix(' ')?;
        let (mut credential, mut signed, mut signature) = (None, None, None);
        for part in rest.split(',') {
            match part.trim().split_once('=')? {
                ("Credential", value) => credential = Some(value),
                ("SignedHeaders", value) => signed = Some(value),
                ("Signature", value) => signature = Some(value),
                _ => return None,
            }
        }
        // An access key id has no slash of its own, so the scope is the last four of five segments.
        let mut scope = credential?.split('/');
        let (key, date, region, service, end) =
            (scope.next()?, scope.next()?, scope.next()?, scope.next()?, scope.next()?);
        if end != "aws4_request" || scope.next().is_some() || !is_region(region) {
            return None;
        }
        Some(Self {
            access_key_id: key.to_owned(),
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            signed_headers: signed?.split(';').map(str::to_owned).collect(),
            signature: signature?.to_owned(),
        })
    }

    pub(crate) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        Self::parse(headers.get(http::header::AUTHORIZATION)?.to_str().ok()?)
    }
}

/// A Region's name goes into ARNs and queries, so it must look like one.
fn is_region(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 32
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// What a sandbox holds requests to.
#[derive(Clone, Copy)]
pub(crate) struct Door<'a> {
    pub(crate) keys: &'a Keys,
    /// The Region that a request speaks to that does not say.
    pub(crate) region: &'a str,
    pub(crate) now: SystemTime,
}

/// Who makes a request, and to which Region it speaks.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) caller: Caller,
    pub(crate) region: String,
    /// `None` when a bearer token stood in its place.
    signature: Option<Authorization>,
}

#[cfg(fuzzing)]
impl Given {
    pub(crate) fn user(region: &str) -> Self {
        Self { caller: Caller::User, region: region.to_owned(), signature: None }
    }
}

/// What can be checked before the body is read: form, service, key, headers and time.
pub(crate) fn precheck(headers: &HeaderMap, service: &str, door: Door<'_>) -> Result<Given, ApiError> {
    let Some(header) = headers.get(http::header::AUTHORIZATION) else {
        return Err(ApiError::new(ErrorKind::MissingAuthenticationToken, "Missing Authentication Token"));
    };
    if let Some(token) = header.to_str().ok().and_then(bearer).filter(|_| service == "bedrock") {
        return by_api_key(token, door);
    }
    let given = Authorization::from_headers(headers)
        .ok_or_else(|| refused("The Authorization header is not a signature of version 4 (AWS4-HMAC-SHA256)."))?;
    if given.service != service {
        return Err(refused(format!("Credential should be scoped to correct service: '{service}'.")));
    }
    let token = headers.get(TOKEN_HEADER).map(|value| value.to_str().unwrap_or_default());
    let caller = Caller::of_key(door.keys, door.now, &given.access_key_id, token)?;
    for needed in ["host", "x-amz-date"] {
        if !given.signed_headers.iter().any(|name| name == needed || (needed == "host" && name == AUTHORITY)) {
            return Err(refused(format!("'{needed}' must be a signed header.")));
        }
    }
    let signed_at = request_time(headers)?;
    if given.date != headers.get("x-amz-date").and_then(|value| value.to_str().ok()).map_or("", |text| &text[..8]) {
        return Err(refused(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.",
        ));
    }
    let now = door.now;
    let apart = now.duration_since(signed_at).or_else(|_| signed_at.duration_since(now)).unwrap_or(Duration::MAX);
    if apart > CLOCK_WINDOW {
        return Err(refused("Signature expired or not yet current: the request's time is more than 5 minutes off."));
    }
    Ok(Given { caller, region: given.region.clone(), signature: Some(given) })
}

/// The token of `Bearer TOKEN`.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Such a request names no Region: on AWS its host does.
fn by_api_key(token: &str, door: Door<'_>) -> Result<Given, ApiError> {
    if token.as_bytes().ct_eq(identity::api_key(door.keys).as_bytes()).unwrap_u8() == 0 {
        let message = "Authentication failed: Please make sure your API Key is valid.";
        return Err(ApiError::new(ErrorKind::AccessDenied, message));
    }
    Ok(Given { caller: Caller::User, region: door.region.to_owned(), signature: None })
}

/// Whether the signature that was given is that of this request and body.
pub(crate) fn verify(parts: &Parts, body: &[u8], given: &Given, keys: &Keys) -> Result<(), ApiError> {
    let Given { caller, signature: Some(given), .. } = given else { return Ok(()) };
    let mismatch = || {
        refused(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
             Access Key and signing method. Consult the service documentation for details.",
        )
    };
    let at = request_time(&parts.headers)?;
    let matches = |expected: &str| expected.as_bytes().ct_eq(given.signature.as_bytes()).unwrap_u8() == 1;
    if given.signed_headers.iter().any(|name| name == AUTHORITY) {
        let expected = authority::signature(parts, body, given, &caller.secret(keys), at).ok_or_else(mismatch)?;
        return if matches(&expected) { Ok(()) } else { Err(mismatch()) };
    }
    let mut headers = Vec::new();
    for name in &given.signed_headers {
        for value in parts.headers.get_all(name.as_str()) {
            headers.push((name.as_str(), value.to_str().map_err(|_| mismatch())?));
        }
    }
    let host = parts.headers.get(http::header::HOST).and_then(|value| value.to_str().ok()).ok_or_else(mismatch)?;
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let request = SignableRequest::new(
        parts.method.as_str(),
        format!("http://{host}{target}"),
        headers.into_iter(),
        SignableBody::Bytes(body),
    )
    .map_err(|_| mismatch())?;

    // Every header that the client signed is signed here too: none is left out by name.
    let mut settings = SigningSettings::default();
    settings.excluded_headers = None;
    let identity = Credentials::new(&given.access_key_id, caller.secret(keys), None, None, "sandbox").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&given.region)
        .name(&given.service)
        .time(at)
        .settings(settings)
        .build()
        .map_err(ApiError::internal)?
        .into();
    let expected = sign(request, &params).map_err(|_| mismatch())?;
    if matches(expected.signature()) { Ok(()) } else { Err(mismatch()) }
}

fn refused(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorKind::InvalidSignature, message)
}

fn request_time(headers: &HeaderMap) -> Result<SystemTime, ApiError> {
    let form = format_description!("[year][month][day]T[hour][minute][second]Z");
    headers
        .get("x-amz-date")
        .and_then(|value| value.to_str().ok())
        .and_then(|text| time::PrimitiveDateTime::parse(text, &form).ok())
        .map(|at| SystemTime::from(at.assume_utc()))
        .ok_or_else(|| refused("The x-amz-date header is missing or is not of the form YYYYMMDD'T'HHMMSS'Z'."))
}
