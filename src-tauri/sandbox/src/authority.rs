//! Signatures over HTTP/2's `:authority`.
//!
//! The AWS SDK for JavaScript speaks HTTP/2 to Bedrock Runtime, and signs the host under the name that it has there. The
//! `aws-sigv4` crate signs it as `host` and nothing else, so what such a client signed is put together here, as AWS's
//! guide to signature version 4 says; keys and the signature itself are the crate's.

use std::time::SystemTime;

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

use crate::auth::Authorization;

/// The host's name among signed headers.
pub(crate) const AUTHORITY: &str = ":authority";

/// A path is encoded once more, as everywhere but in S3.
const PATH: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The signature that is right for a request; none where a header that was signed is not there, or no text.
pub(crate) fn signature(
    parts: &Parts,
    body: &[u8],
    given: &Authorization,
    secret: &str,
    at: SystemTime,
) -> Option<String> {
    let mut headers = String::new();
    for name in &given.signed_headers {
        let header = if name == AUTHORITY { http::header::HOST.as_str() } else { name };
        let values: Option<Vec<String>> =
            parts.headers.get_all(header).iter().map(|value| Some(trimmed(value.to_str().ok()?))).collect();
        let values = values.filter(|values| !values.is_empty())?;
        headers.push_str(&format!("{name}:{}\n", values.join(",")));
    }
    let request = [
        parts.method.as_str(),
        &utf8_percent_encode(parts.uri.path(), &PATH).to_string(),
        &sorted(parts.uri.query().unwrap_or_default()),
        &headers,
        &given.signed_headers.join(";"),
        &hashed(body),
    ]
    .join("\n");
    let date = parts.headers.get("x-amz-date")?.to_str().ok()?;
    let scope = format!("{}/{}/{}/aws4_request", given.date, given.region, given.service);
    let signed = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hashed(request.as_bytes()));
    let key = generate_signing_key(secret, at, &given.region, &given.service);
    Some(calculate_signature(key, signed.as_bytes()))
}

/// Without spaces at the ends, and with one where there are several.
fn trimmed(value: &str) -> String {
    value.split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// In the order of names and values, as the client encoded them.
fn sorted(query: &str) -> String {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<(&str, &str)> = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    pairs.sort_unstable();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn hashed(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failure here is a failed test")]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn paths_queries_and_spaces_are_brought_into_the_one_form_that_is_signed() {
        assert_eq!(utf8_percent_encode("/model/a%3Ab~c.d/converse", &PATH).to_string(), "/model/a%253Ab~c.d/converse");
        assert_eq!(sorted("b=2&a&b=1&&c=%20"), "a=&b=1&b=2&c=%20");
        assert_eq!(trimmed("  a   b "), "a b");
    }

    #[test]
    fn a_header_that_was_signed_must_be_there() {
        let given = "AWS4-HMAC-SHA256 Credential=K/20261122/us-east-1/bedrock/aws4_request, \
                     SignedHeaders=:authority;x-amz-date;x-other, Signature=0";
        let given = Authorization::parse(given).unwrap();
        let request = || http::Request::post("/x").header("host", "a:1").header("x-amz-date", "20261122T100824Z");
        let at = UNIX_EPOCH + Duration::from_secs(1_795_342_104);
        let signed = |request: http::request::Builder| {
            let (parts, ()) = request.body(()).unwrap().into_parts();
            signature(&parts, b"", &given, "secret", at)
        };
        assert_eq!(signed(request()), None);
        let one = signed(request().header("x-other", "1"));
        assert!(one.is_some());
        assert_ne!(one, signed(request().header("x-other", "2")));
    }
}
