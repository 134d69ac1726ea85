use std::time::{Duration, Instant};

use whetstone_cloud::profiles::{ConfigFiles, Endpoints, Surroundings};
use whetstone_cloud::{Cloud, CloudError, CloudErrorCode, Credentials, Endpoint, Timeouts};

use crate::answering::{Answering, Reply, endpoint};

async fn from_bedrock(status: u16, code: &'static str) -> CloudError {
    let server = Answering::start(move |_, _| Reply::bedrock_error(status, code, "in words")).await;
    server.cloud().job("some-job").await.unwrap_err()
}

#[tokio::test]
async fn errors_of_bedrock_are_told_apart_by_their_code() {
    for (status, code, expected) in [
        (403, "AccessDeniedException", CloudErrorCode::AccessDenied),
        (400, "ValidationException", CloudErrorCode::Validation),
        // The same status, and only the code tells them apart.
        (400, "ConflictException", CloudErrorCode::Conflict),
        (400, "ServiceQuotaExceededException", CloudErrorCode::QuotaExceeded),
        (400, "ResourceInUseException", CloudErrorCode::Conflict),
        (404, "ResourceNotFoundException", CloudErrorCode::NotFound),
        (403, "ExpiredTokenException", CloudErrorCode::Expired),
        (403, "UnrecognizedClientException", CloudErrorCode::Credentials),
        (403, "InvalidSignatureException", CloudErrorCode::Signature),
        (418, "SomethingNewException", CloudErrorCode::Other),
    ] {
        let error = from_bedrock(status, code).await;
        assert_eq!(error.code, expected, "{code}");
        assert_eq!(error.message, "in words");
        assert_eq!(error.operation, "GetModelCustomizationJob");
        assert_eq!(error.aws_code.as_deref(), Some(code));
        assert_eq!(error.request_id.as_deref(), Some("4f0a7c1e-6d0f-4c0a-9a53-5b1f3a1f2c3d"));
    }
}

#[tokio::test]
async fn the_words_of_a_message_decide_nothing() {
    let server = Answering::start(|_, _| {
        Reply::bedrock_error(
            400,
            "ValidationException",
            "ThrottlingException: AccessDenied, signature expired, 404 NoSuchKey",
        )
    })
    .await;
    assert_eq!(server.cloud().job("some-job").await.unwrap_err().code, CloudErrorCode::Validation);
}

#[tokio::test]
async fn errors_of_s3_are_told_apart_by_their_code() {
    for (status, code, expected) in [
        (404, "NoSuchBucket", CloudErrorCode::NotFound),
        (404, "NoSuchKey", CloudErrorCode::NotFound),
        (403, "AccessDenied", CloudErrorCode::AccessDenied),
        (403, "SignatureDoesNotMatch", CloudErrorCode::Signature),
        (403, "InvalidAccessKeyId", CloudErrorCode::Credentials),
        (403, "RequestTimeTooSkewed", CloudErrorCode::ClockSkew),
        (400, "ExpiredToken", CloudErrorCode::Expired),
        (301, "PermanentRedirect", CloudErrorCode::WrongRegion),
    ] {
        let server = Answering::start(move |_, _| Reply::s3_error(status, code)).await;
        let error = server.cloud().get_object("bucket", "key").await.unwrap_err();
        assert_eq!(error.code, expected, "{code}");
        assert_eq!(error.request_id.as_deref(), Some("4442587FB7D0A2F9"), "{code}");
    }
}

#[tokio::test]
async fn an_answer_without_a_code_is_told_by_its_status() {
    for (status, expected) in [(403, CloudErrorCode::AccessDenied), (301, CloudErrorCode::WrongRegion)] {
        let server = Answering::start(move |_, _| Reply::Answer { status, headers: vec![], body: vec![] }).await;
        assert_eq!(server.cloud().ensure_bucket("bucket").await.unwrap_err().code, expected);
    }
}

#[tokio::test]
async fn a_refused_signature_is_a_matter_of_the_clock_when_the_clocks_differ() {
    for (date, expected) in
        [("Sun, 06 Nov 1994 08:49:37 GMT", CloudErrorCode::ClockSkew), ("not a date", CloudErrorCode::Signature)]
    {
        let server = Answering::start(move |_, _| Reply::Answer {
            status: 403,
            headers: vec![("x-amzn-errortype", "InvalidSignatureException".into()), ("date", date.into())],
            body: b"{}".to_vec(),
        })
        .await;
        assert_eq!(server.cloud().job("some-job").await.unwrap_err().code, expected);
    }
}

#[tokio::test]
async fn a_throttled_call_is_tried_three_times() {
    let mut server = Answering::start(|_, _| Reply::bedrock_error(429, "ThrottlingException", "slow down")).await;
    let error = server.cloud().foundation_models().await.unwrap_err();
    assert_eq!(error.code, CloudErrorCode::Throttled);
    assert_eq!(server.all_asked().len(), 3);
}

#[tokio::test]
async fn a_create_that_is_sent_again_carries_the_same_token() {
    let mut server = Answering::start(|number, _| match number {
        0 => Reply::ThenHangUp(vec![]),
        1 => Reply::bedrock_error(500, "InternalServerException", "try again"),
        _ => Reply::json(202, r#"{"customModelDeploymentArn":"arn:made"}"#),
    })
    .await;
    let arn = server.cloud().deploy("name", "arn:model", "token-1").await.unwrap();
    assert_eq!(arn, "arn:made");
    let tokens: Vec<_> = server.all_asked().iter().map(|asked| asked.json()["clientRequestToken"].clone()).collect();
    assert_eq!(tokens, ["token-1", "token-1", "token-1"]);
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = Cloud::connect(endpoint(&url)).unwrap().jobs(None).await.unwrap_err();
    assert_eq!(error.code, CloudErrorCode::Unreachable);
    assert!(error.message.contains("refused"), "{error}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_a_timeout() {
    let timeouts = Timeouts { answer: Duration::from_millis(100), ..Timeouts::default() };
    let server = Answering::start(|_, _| Reply::ThenSilence(vec![])).await;
    let begun = Instant::now();
    let error = server.cloud_with(timeouts).jobs(None).await.unwrap_err();
    assert_eq!(error.code, CloudErrorCode::Timeout, "{error}");
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn an_answer_that_is_not_of_the_protocol_is_no_success() {
    let server = Answering::start(|_, _| Reply::json(200, "<html>a login page</html>")).await;
    let error = server.cloud().jobs(None).await.unwrap_err();
    assert_eq!(error.code, CloudErrorCode::Other);
    assert!(error.message.starts_with("the answer cannot be read: "), "{error}");
}

/// Configuration files of a test's own.
fn files_with(config: &str) -> (tempfile::TempDir, ConfigFiles) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(".aws")).unwrap();
    std::fs::write(folder.path().join(".aws/config"), config).unwrap();
    let surroundings = Surroundings { home: Some(folder.path().to_owned()), variables: [].into() };
    (folder, ConfigFiles::read(surroundings))
}

#[tokio::test]
async fn a_profile_of_the_configuration_files_is_used() {
    let (_folder, files) =
        files_with("[profile tuning]\naws_access_key_id = AKIDOFTHISPROFILE\naws_secret_access_key = a secret\n");
    let plan = Box::new(files.plan("tuning").unwrap());
    let mut server = Answering::start(|_, _| Reply::json(200, "{}")).await;
    let endpoint = Endpoint { credentials: Credentials::Profile { plan, code: None }, ..endpoint(&server.url) };
    Cloud::connect(endpoint).unwrap().jobs(None).await.unwrap();
    assert!(server.asked().await.head.contains("credential=akidofthisprofile/"), "signed with the profile's key");
}

#[tokio::test]
async fn a_role_is_taken_on_with_the_code_of_a_device_and_not_without() {
    let mut server = Answering::start(|_, asked| {
        if !asked.body.starts_with(b"Action=AssumeRole") {
            return Reply::json(200, "{}");
        }
        let given = "<AccessKeyId>AKIDOFTHEROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
            <SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>";
        let result = format!("<AssumeRoleResult><Credentials>{given}</Credentials></AssumeRoleResult>");
        Reply::xml(&format!("<AssumeRoleResponse>{result}</AssumeRoleResponse>"))
    })
    .await;
    let (_folder, files) = files_with(&format!(
        "[profile role]\nrole_arn = arn:aws:iam::111122223333:role/tuner\nsource_profile = keys\nmfa_serial = \
         arn:aws:iam::111122223333:mfa/me\nendpoint_url = {}\n[profile keys]\naws_access_key_id = AKIDOFTHEPERSON\n\
         aws_secret_access_key = a secret\n",
        server.url
    ));
    let plan = Box::new(files.plan("role").unwrap());
    let with = |code: Option<&str>| Endpoint {
        credentials: Credentials::Profile { plan: plan.clone(), code: code.map(str::to_owned) },
        ..endpoint(&server.url)
    };
    let error = Cloud::connect(with(None)).unwrap().jobs(None).await.unwrap_err();
    assert_eq!(error.code, CloudErrorCode::CodeNeeded, "{error}");
    let cloud = Cloud::connect(with(Some("123456"))).unwrap();
    cloud.jobs(None).await.unwrap();
    assert!(cloud.credentials_end().is_some(), "it is known when the role ends");
    let asked = server.asked().await;
    assert!(asked.head.contains("credential=akidoftheperson/"), "the role is asked for with the person's key");
    assert!(String::from_utf8_lossy(&asked.body).contains("TokenCode=123456"));
    assert!(server.asked().await.head.contains("credential=akidoftherole/"), "and the call made with the role's");
}

#[test]
fn keys_do_not_show_in_a_debug_print() {
    let endpoint = Endpoint {
        region: "us-east-1".into(),
        endpoints: Endpoints::default(),
        credentials: Credentials::Static {
            id: "AKIDEXAMPLE".into(),
            secret: "very secret".into(),
            session: Some("the session".into()),
        },
    };
    let cloud = Cloud::connect(endpoint.clone()).unwrap();
    for printed in [format!("{endpoint:?}"), format!("{cloud:?}")] {
        for secret in ["AKIDEXAMPLE", "very secret", "the session"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}

#[test]
fn an_address_that_cannot_be_one_is_refused_at_once() {
    for (region, url) in
        [("", None), ("us east", None), ("us-east-1", Some("127.0.0.1:9000")), ("us-east-1", Some("file:///etc"))]
    {
        let endpoint = Endpoint {
            region: region.into(),
            endpoints: url.map(Endpoints::all).unwrap_or_default(),
            ..endpoint("http://localhost")
        };
        assert_eq!(Cloud::connect(endpoint).unwrap_err().code, CloudErrorCode::Validation);
    }
}
