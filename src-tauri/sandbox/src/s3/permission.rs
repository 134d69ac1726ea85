//! Who asks of S3, and whether they may: keys for `s3s` to verify signatures with, then the token of a temporary key,
//! then what its role allows.
//!
//! Deliberately absent: policies of buckets, and requests without a signature.

use std::borrow::Cow;
use std::sync::Weak;

use percent_encoding::percent_decode_str;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::path::S3Path;
use s3s::{S3Result, s3_error};

use crate::Keys;
use crate::access::permit;
use crate::app::App;
use crate::auth::TOKEN_HEADER;
use crate::errors::{ApiError, ErrorKind};
use crate::identity::{Caller, session_secret};
use crate::router::parse_query;

/// Secrets by access key, with the answer that AWS gives for a key that it does not know.
pub(super) struct Secrets(pub(super) Keys);

#[async_trait::async_trait]
impl S3Auth for Secrets {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key == self.0.access_key_id() {
            Ok(self.0.secret_access_key().into())
        } else if access_key.starts_with("ASIA") {
            Ok(session_secret(&self.0, access_key).into())
        } else {
            Err(s3_error!(InvalidAccessKeyId, "The AWS Access Key Id you provided does not exist in our records."))
        }
    }
}

/// Asks of every request whose signature is true.
pub(super) struct Doorkeeper(pub(super) Weak<App>);

#[async_trait::async_trait]
impl S3Access for Doorkeeper {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let key = match cx.credentials() {
            Some(credentials) => credentials.access_key.clone(),
            None => return Err(s3_error!(AccessDenied, "Signature is required")),
        };
        let app = self.0.upgrade().ok_or_else(|| s3_error!(ServiceUnavailable, "The sandbox is stopping."))?;
        let token = token(cx);
        let caller =
            Caller::of_key(app.keys(), app.clock().now(), &key, token.as_deref()).map_err(|error| worded(&error))?;
        for (action, resource) in questions(cx) {
            permit(&app, &caller, action, &resource).map_err(|error| worded(&error))?;
        }
        Ok(())
    }
}

/// The token of a temporary key, from the header or from a presigned address.
fn token(cx: &S3AccessContext<'_>) -> Option<String> {
    let header = cx.headers().get(TOKEN_HEADER).map(|value| value.to_str().unwrap_or_default().to_owned());
    header.or_else(|| {
        // Version 2 of presigned addresses writes the header's own name.
        let known = |name: &str| name.eq_ignore_ascii_case(TOKEN_HEADER);
        parse_query(cx.uri().query().unwrap_or_default())
            .into_iter()
            .find_map(|(name, value)| known(&name).then_some(value))
    })
}

fn worded(error: &ApiError) -> s3s::S3Error {
    match error.kind {
        ErrorKind::ExpiredToken => s3_error!(ExpiredToken, "The provided token has expired."),
        ErrorKind::UnrecognizedClient => {
            s3_error!(InvalidToken, "The provided token is malformed or otherwise invalid.")
        }
        ErrorKind::AccessDenied => s3_error!(AccessDenied, "{}", error.message),
        _ => s3_error!(InternalError, "{}", error.message),
    }
}

/// The actions that IAM knows an operation by, each with the ARN of what it is done to.
fn questions(cx: &S3AccessContext<'_>) -> Vec<(&'static str, String)> {
    let (bucket, object) = match cx.s3_path() {
        S3Path::Root => ("*".to_owned(), "*".to_owned()),
        S3Path::Bucket { bucket } => (bucket.to_string(), format!("{bucket}/*")),
        S3Path::Object { bucket, key } => (bucket.to_string(), format!("{bucket}/{key}")),
    };
    let bucket = |action| (action, format!("arn:aws:s3:::{bucket}"));
    let object = |action| (action, format!("arn:aws:s3:::{object}"));
    let mut asked = vec![match cx.s3_op().name() {
        "ListBuckets" => bucket("s3:ListAllMyBuckets"),
        "CreateBucket" => bucket("s3:CreateBucket"),
        "DeleteBucket" => bucket("s3:DeleteBucket"),
        "HeadBucket" | "ListObjects" | "ListObjectsV2" => bucket("s3:ListBucket"),
        "GetBucketLocation" => bucket("s3:GetBucketLocation"),
        "GetBucketVersioning" => bucket("s3:GetBucketVersioning"),
        "ListMultipartUploads" => bucket("s3:ListBucketMultipartUploads"),
        "GetObject" | "HeadObject" => object("s3:GetObject"),
        "DeleteObject" | "DeleteObjects" => object("s3:DeleteObject"),
        "ListParts" => object("s3:ListMultipartUploadParts"),
        "AbortMultipartUpload" => object("s3:AbortMultipartUpload"),
        "PutObject"
        | "CopyObject"
        | "CreateMultipartUpload"
        | "UploadPart"
        | "UploadPartCopy"
        | "CompleteMultipartUpload" => object("s3:PutObject"),
        // What there is not is refused by name; only one who may do everything gets that far.
        _ => bucket("s3:*"),
    }];
    if let Some(source) = cx.headers().get("x-amz-copy-source").and_then(|value| value.to_str().ok()) {
        let source = source.trim_start_matches('/').split("?versionId=").next().unwrap_or_default();
        let source: Cow<'_, str> = percent_decode_str(source).decode_utf8_lossy();
        asked.push(("s3:GetObject", format!("arn:aws:s3:::{source}")));
    }
    asked
}
