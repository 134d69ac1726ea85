//! Only those who hold the folder's key get in.

use bytes::Bytes;
use http_body_util::Full;
use serde_json::json;

use crate::client::{Client, receive};
use crate::running::{start, start_in};

const LIST: &str = "/foundation-models?byProvider=Whetstone&byOutputModality=TEXT";

async fn refusal(client: &Client) -> (u16, String) {
    let (status, code, _) = client.get(LIST).await.error();
    (status, code)
}

fn refused(code: &str) -> (u16, String) {
    (403, code.to_owned())
}

#[tokio::test]
async fn a_true_signature_is_let_in_whatever_the_region() {
    let running = start().await;
    for region in ["us-east-1", "eu-central-1"] {
        let client = Client { region: region.to_owned(), ..running.client.clone() };
        let answer = client.get(LIST).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let arn = format!("arn:aws:bedrock:{region}::foundation-model/whetstone.tiny-v1");
        assert_eq!(answer.json()["modelSummaries"][0]["modelArn"], json!(arn));
    }
}

#[tokio::test]
async fn a_wrong_secret_an_unknown_key_and_a_wrong_clock_are_refused() {
    let client = start_and_keep().await;
    let wrong = Client { secret: "x".repeat(40), ..client.clone() };
    assert_eq!(refusal(&wrong).await, refused("InvalidSignatureException"));
    let unknown = Client { key: "AKIAAAAAAAAAAAAAAAAA".to_owned(), ..client.clone() };
    assert_eq!(refusal(&unknown).await, refused("UnrecognizedClientException"));
    for ahead in [-6 * 60, 6 * 60] {
        let off = Client { ahead, ..client.clone() };
        assert_eq!(refusal(&off).await, refused("InvalidSignatureException"), "{ahead}");
    }
    for ahead in [-4 * 60, 4 * 60] {
        let near = Client { ahead, ..client.clone() };
        assert_eq!(near.get(LIST).await.status, 200, "{ahead}");
    }
    let elsewhere = receive(client.send(client.signed("sagemaker", "GET", LIST, b"")).await).await;
    assert_eq!(elsewhere.error().0, 403);
}

/// The sandbox lives as long as the test's runtime.
async fn start_and_keep() -> Client {
    let running = start().await;
    let client = running.client.clone();
    tokio::spawn(async move {
        let _kept = running;
        std::future::pending::<()>().await;
    });
    client
}

#[tokio::test]
async fn nothing_of_a_signed_request_can_be_changed() {
    let client = start_and_keep().await;
    let mut other_body = client.signed("bedrock", "POST", "/model-customization-jobs", b"{}");
    *other_body.body_mut() = Full::from(Bytes::from_static(b"{\"jobName\":\"x\"}"));
    let mut other_query = client.signed("bedrock", "GET", LIST, b"");
    *other_query.uri_mut() = "/foundation-models".parse().unwrap();
    let mut other_method = client.signed("bedrock", "GET", "/custom-models/x", b"");
    *other_method.method_mut() = http::Method::DELETE;
    let mut other_time = client.signed("bedrock", "GET", LIST, b"");
    let date = other_time.headers()["x-amz-date"].to_str().unwrap().to_owned();
    let last = if date.ends_with("0Z") { "1Z" } else { "0Z" };
    other_time.headers_mut().insert("x-amz-date", format!("{}{last}", &date[..date.len() - 2]).parse().unwrap());
    for request in [other_body, other_query, other_method, other_time] {
        let what = format!("{} {}", request.method(), request.uri());
        let answer = receive(client.send(request).await).await;
        assert_eq!((answer.status, answer.header("x-amzn-errortype")), refused("InvalidSignatureException"), "{what}");
    }
}

#[tokio::test]
async fn a_request_without_a_signature_is_refused_in_the_words_of_its_service() {
    let client = start_and_keep().await;
    for (target, authorization) in
        [(LIST, None), (LIST, Some("Basic abc")), (LIST, Some("AWS4-HMAC-SHA256 Credential=a/b, Signature=c"))]
    {
        let mut request = client.signed("bedrock", "GET", target, b"");
        request.headers_mut().remove("authorization");
        if let Some(text) = authorization {
            request.headers_mut().insert("authorization", text.parse().unwrap());
        }
        let code =
            if authorization.is_none() { "MissingAuthenticationTokenException" } else { "InvalidSignatureException" };
        let answer = receive(client.send(request).await).await;
        assert_eq!((answer.status, answer.header("x-amzn-errortype")), refused(code));
    }
    let mut request = client.signed("s3", "GET", "/data/secret", b"");
    request.headers_mut().remove("authorization");
    let answer = receive(client.send(request).await).await;
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("<Code>AccessDenied</Code>"), "{}", answer.text());
}

/// Found by a fuzzer: the parser of dates subtracted before it looked, and the connection was gone without an answer.
#[tokio::test]
async fn a_date_that_is_none_is_refused_in_s3s_words() {
    let client = start_and_keep().await;
    let presigned = "/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20261122%2Fus-east-1%2Fs3%2Faws4_request\
                     &X-Amz-Date=2026112%20T100824Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=";
    let mut in_query = client.signed("s3", "GET", &format!("{presigned}{}", "0".repeat(64)), b"");
    in_query.headers_mut().remove("authorization");
    let mut in_header = client.signed("s3", "GET", "/b/k", b"");
    in_header.headers_mut().insert("x-amz-date", "2026112 T100824Z".parse().unwrap());
    let mut in_scope = client.signed("s3", "GET", "/b/k", b"");
    let scope = "AWS4-HMAC-SHA256 Credential=A/20261!22/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00";
    in_scope.headers_mut().insert("authorization", scope.parse().unwrap());
    let presigned =
        presigned.replace("2026112%20T100824Z", "20261122T100824Z").replace("%2F20261122%2F", "%2F20261%2122%2F");
    let mut in_query_scope = client.signed("s3", "GET", &format!("{presigned}{}", "0".repeat(64)), b"");
    in_query_scope.headers_mut().remove("authorization");
    let mut in_odd_scope = client.signed("s3", "GET", "/b/k", b"");
    let scope =
        http::HeaderValue::from_bytes(&[b"AWS4-HMAC-SHA256 Credential=\xC2\xBE", &scope.as_bytes()[28..]].concat());
    in_odd_scope.headers_mut().insert("authorization", scope.unwrap());
    for request in [in_query, in_header, in_scope, in_query_scope] {
        let answer = receive(client.send(request).await).await;
        assert_eq!(answer.status, 403, "{}", answer.text());
        assert!(answer.text().contains("<Code>AccessDenied</Code>"), "{}", answer.text());
    }
    // Whose service cannot be read, Bedrock refuses.
    assert_eq!(receive(client.send(in_odd_scope).await).await.status, 403);
    let mut form = client.signed("s3", "POST", "/b", b"");
    form.headers_mut().insert("content-type", "multipart/form-data; boundary=b".parse().unwrap());
    let answer = receive(client.send(form).await).await;
    assert!(answer.status == 501 && answer.text().contains("NotImplemented"), "{}", answer.text());
}

#[tokio::test]
async fn s3_refuses_in_xml() {
    let client = start_and_keep().await;
    let wrong = Client { secret: "x".repeat(40), ..client.clone() };
    let answer = wrong.s3("GET", "/", b"").await;
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("<Code>SignatureDoesNotMatch</Code><Message>The request"), "{}", answer.text());
    assert!(!answer.header("x-amz-request-id").is_empty());
    let unknown = Client { key: "AKIAAAAAAAAAAAAAAAAA".to_owned(), ..client.clone() };
    assert!(unknown.s3("GET", "/", b"").await.text().contains("<Code>InvalidAccessKeyId</Code>"));
    let old = Client { ahead: -3600, ..client.clone() };
    assert!(old.s3("GET", "/", b"").await.text().contains("<Code>RequestTimeTooSkewed</Code>"));
}

#[tokio::test]
async fn a_request_that_was_addressed_to_another_host_is_refused() {
    let client = start_and_keep().await;
    for host in ["example.com", "127.0.0.1", "127.0.0.1:1", "localhost.example.com:4566"] {
        for service in ["bedrock", "s3"] {
            let mut request = client.signed(service, "GET", "/", b"");
            request.headers_mut().insert("host", host.parse().unwrap());
            let answer = receive(client.send(request).await).await;
            assert_eq!((answer.status, answer.header("x-amzn-errortype")), refused("AccessDeniedException"), "{host}");
            assert!(!answer.headers.contains_key("access-control-allow-origin"));
        }
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let client = start_and_keep().await;
    let body = format!("{{\"jobName\":\"{}\"}}", "x".repeat(2 * 1024 * 1024));
    let answer = client.bedrock("POST", "/model-customization-jobs", &body).await;
    assert_eq!((answer.status, answer.header("x-amzn-errortype").as_str()), (413, "RequestEntityTooLargeException"));
}

#[tokio::test]
async fn the_environment_opens_the_sandbox() {
    let folder = tempfile::tempdir().unwrap();
    let before = whetstone_sandbox::environment(folder.path(), 4711).unwrap();
    let sandbox = start_in(folder.path(), 0).await.unwrap();
    let lines = whetstone_sandbox::environment(folder.path(), 0).unwrap();
    for line in [
        format!("export AWS_ENDPOINT_URL={}\n", sandbox.endpoint()),
        format!("export AWS_ACCESS_KEY_ID={}\n", sandbox.keys().access_key_id()),
        format!("export AWS_SECRET_ACCESS_KEY={}\n", sandbox.keys().secret_access_key()),
        "export AWS_REGION=us-east-1\n".to_owned(),
        format!("export WHETSTONE_ROLE_ARN={}\n", sandbox.role_arn()),
    ] {
        assert!(lines.contains(&line), "{line}");
    }
    assert!(before.contains("export AWS_ENDPOINT_URL=http://127.0.0.1:4711\n"));
    assert!(before.contains(sandbox.keys().secret_access_key()), "the keys made before the start are the ones it uses");
}
