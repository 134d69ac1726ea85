//! Roles that a client takes on, and the API key: who gets in by them, what they may do, and when they end.

use http::header::AUTHORIZATION;
use serde_json::{Value, json};

use crate::client::{Answer, Client, receive};
use crate::running::{Held, job_request, start, upload};

const IAM: &str = "2010-05-08";
const STS: &str = "2011-06-15";
const MODELS: &str = "/foundation-models?byProvider=Whetstone";

async fn sts(client: &Client, action: &str, members: &[(&str, &str)]) -> Answer {
    client.form("sts", action, STS, members).await
}

/// A role that trusts `principal` under `condition`, with one inline policy of these statements; its ARN.
async fn role(client: &Client, name: &str, principal: &Value, condition: &Value, allowed: &Value) -> String {
    let trust = json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition,
    } });
    let trust = trust.to_string();
    let made = [("RoleName", name), ("AssumeRolePolicyDocument", &trust), ("MaxSessionDuration", "7200")];
    let answer = client.form("iam", "CreateRole", IAM, &made).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let policy = json!({ "Version": "2012-10-17", "Statement": allowed }).to_string();
    let put = [("RoleName", name), ("PolicyName", "p"), ("PolicyDocument", &policy)];
    assert_eq!(client.form("iam", "PutRolePolicy", IAM, &put).await.status, 200);
    element(&answer, "Arn")
}

fn element(answer: &Answer, name: &str) -> String {
    let text = answer.text();
    let (_, rest) = text.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {text}"));
    rest.split_once('<').unwrap().0.to_owned()
}

/// The same client with the keys of a session.
fn in_role(client: &Client, answer: &Answer) -> Client {
    assert_eq!(answer.status, 200, "{}", answer.text());
    Client {
        key: element(answer, "AccessKeyId"),
        secret: element(answer, "SecretAccessKey"),
        token: Some(element(answer, "SessionToken")),
        ..client.clone()
    }
}

async fn assume(client: &Client, role: &str, more: &[(&str, &str)]) -> Answer {
    let members: Vec<_> =
        [("RoleArn", role), ("RoleSessionName", "me")].into_iter().chain(more.iter().copied()).collect();
    sts(client, "AssumeRole", &members).await
}

fn reader() -> Value {
    json!([
        { "Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "arn:aws:s3:::data*" },
        { "Effect": "Allow", "Action": ["bedrock:List*", "bedrock:GetModelCustomizationJob"], "Resource": "*" },
    ])
}

async fn refused(client: &Client, target: &str) -> (u16, String) {
    let (status, code, _) = client.get(target).await.error();
    (status, code)
}

fn s3_code(answer: &Answer) -> (u16, String) {
    (answer.status, element(answer, "Code"))
}

#[tokio::test]
async fn whoever_is_in_a_role_may_do_what_the_role_may_until_its_time_is_over() {
    let mut held = Held::start().await;
    upload(&held.client).await;
    let account = held.sandbox.account().to_owned();
    let arn = role(&held.client, "Reader", &json!({ "AWS": account }), &json!({}), &reader()).await;
    let session = in_role(&held.client, &assume(&held.client, &arn, &[("DurationSeconds", "900")]).await);

    let who = sts(&session, "GetCallerIdentity", &[]).await;
    assert_eq!(element(&who, "Arn"), format!("arn:aws:sts::{account}:assumed-role/Reader/me"));
    assert_eq!(session.get(MODELS).await.status, 200);
    assert_eq!(session.s3("GET", "/data/train.jsonl", b"").await.status, 200);
    assert_eq!(s3_code(&session.s3("PUT", "/data/mine", b"x").await), (403, "AccessDenied".to_owned()));
    let (status, code, message) = session.post("/model-customization-jobs", &json!({})).await.error();
    assert_eq!((status, code.as_str()), (403, "AccessDeniedException"));
    assert!(message.contains("assumed-role/Reader/me is not authorized to perform: bedrock:Create"), "{message}");
    let listed = session.form("iam", "ListRoles", IAM, &[]).await;
    assert_eq!((listed.status, element(&listed, "Code").as_str()), (403, "AccessDenied"));

    let no_token = Client { token: None, ..session.clone() };
    let other_token = Client { token: Some("c29tZXRoaW5n".to_owned()), ..session.clone() };
    let own_key = Client { token: session.token.clone(), ..held.client.clone() };
    for wrong in [&no_token, &other_token, &own_key] {
        assert_eq!(refused(wrong, MODELS).await, (403, "UnrecognizedClientException".to_owned()));
        assert_eq!(s3_code(&wrong.s3("GET", "/data/train.jsonl", b"").await), (400, "InvalidToken".to_owned()));
    }
    let wrong_secret = Client { secret: "x".repeat(40), ..session.clone() };
    assert_eq!(refused(&wrong_secret, MODELS).await, (403, "InvalidSignatureException".to_owned()));
    assert_eq!(wrong_secret.s3("GET", "/data/train.jsonl", b"").await.status, 403);

    held.pass(899);
    let late = Client { ahead: 899, ..session.clone() };
    assert_eq!(late.get(MODELS).await.status, 200);
    held.pass(1);
    let over = Client { ahead: 900, ..session.clone() };
    assert_eq!(refused(&over, MODELS).await, (403, "ExpiredTokenException".to_owned()));
    let who = sts(&over, "GetCallerIdentity", &[]).await;
    assert_eq!((who.status, element(&who, "Code").as_str()), (403, "ExpiredToken"));
    // S3 reads the computer's own clock for signatures, and the sandbox's for the session.
    assert_eq!(s3_code(&session.s3("GET", "/data/train.jsonl", b"").await), (400, "ExpiredToken".to_owned()));
}

#[tokio::test]
async fn a_role_is_taken_on_by_whom_it_trusts_and_a_chain_of_roles_goes_on() {
    let running = start().await;
    let client = &running.client;
    let account = running.sandbox.account();
    let next = format!("arn:aws:iam::{account}:role/Second");
    let to_next = json!([{ "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": next }]);
    let outside = json!({ "StringEquals": { "sts:ExternalId": "secret-word" } });
    let root = json!({ "AWS": format!("arn:aws:iam::{account}:root") });
    let first = role(client, "First", &root, &outside, &to_next).await;
    let second = role(client, "Second", &json!({ "AWS": first }), &json!({}), &reader()).await;

    let denied =
        |answer: &Answer| assert_eq!((answer.status, element(answer, "Code")), (403, "AccessDenied".to_owned()));
    denied(&assume(client, &first, &[]).await);
    denied(&assume(client, &first, &[("ExternalId", "another")]).await);
    denied(&assume(client, running.sandbox.role_arn(), &[]).await);
    denied(&assume(client, &format!("arn:aws:iam::{account}:role/Nobody"), &[]).await);
    denied(&assume(client, &second, &[]).await);
    let one = in_role(client, &assume(client, &first, &[("ExternalId", "secret-word")]).await);
    denied(&assume(&one, &first, &[("ExternalId", "secret-word")]).await);
    let two = in_role(client, &assume(&one, &second, &[]).await);
    let who = sts(&two, "GetCallerIdentity", &[]).await;
    assert!(element(&who, "Arn").ends_with(":assumed-role/Second/me"));
    assert_eq!(two.get(MODELS).await.status, 200);
    assert_eq!(refused(&one, MODELS).await, (403, "AccessDeniedException".to_owned()));

    for (members, what) in [
        ([("DurationSeconds", "7201"), ("ExternalId", "secret-word")], "longer than the role allows"),
        ([("DurationSeconds", "899"), ("ExternalId", "secret-word")], "too short"),
        ([("RoleSessionName", "a b"), ("ExternalId", "secret-word")], "no name"),
    ] {
        let answer = assume(client, &first, &members).await;
        assert_eq!((answer.status, element(&answer, "Code").as_str()), (400, "ValidationError"), "{what}");
    }
    let chained = assume(&one, &second, &[("DurationSeconds", "7200")]).await;
    assert_eq!(chained.status, 400, "a chain is bounded to an hour");

    // A session goes with its role, also when another one of its name is made.
    let gone = [("RoleName", "Second"), ("PolicyName", "p")];
    assert_eq!(client.form("iam", "DeleteRolePolicy", IAM, &gone).await.status, 200);
    assert_eq!(client.form("iam", "DeleteRole", IAM, &gone[..1]).await.status, 200);
    assert_eq!(refused(&two, MODELS).await, (403, "AccessDeniedException".to_owned()));
    role(client, "Second", &json!({ "AWS": first }), &json!({}), &reader()).await;
    assert_eq!(refused(&two, MODELS).await, (403, "AccessDeniedException".to_owned()));
}

#[tokio::test]
async fn a_session_is_narrowed_by_its_policy_and_may_pass_a_role_only_when_it_is_told_so() {
    let running = start().await;
    let client = &running.client;
    upload(client).await;
    let root = json!({ "AWS": running.sandbox.account() });
    let jobs = json!([
        { "Effect": "Allow", "Action": ["bedrock:*", "s3:*"], "Resource": "*" },
        { "Effect": "Allow", "Action": "iam:PassRole", "Resource": running.sandbox.role_arn(),
          "Condition": { "StringEquals": { "iam:PassedToService": "bedrock.amazonaws.com" } } },
    ]);
    let arn = role(client, "Tuner", &root, &json!({}), &jobs).await;
    let request = job_request(&running.sandbox, "passed");
    let only = json!({ "Statement": { "Effect": "Allow", "Action": "bedrock:*", "Resource": "*" } }).to_string();
    let narrow = in_role(client, &assume(client, &arn, &[("Policy", &only)]).await);
    let (status, code, message) = narrow.post("/model-customization-jobs", &request).await.error();
    assert_eq!((status, code.as_str()), (403, "AccessDeniedException"));
    assert!(message.contains("iam:PassRole"), "{message}");
    assert_eq!(narrow.s3("GET", "/data/train.jsonl", b"").await.status, 403);
    let whole = in_role(client, &assume(client, &arn, &[]).await);
    assert_eq!(whole.s3("GET", "/data/train.jsonl", b"").await.status, 200);
    assert_eq!(whole.post("/model-customization-jobs", &request).await.status, 201);
    let broken = assume(client, &arn, &[("Policy", "{}")]).await;
    assert_eq!(element(&broken, "Code"), "MalformedPolicyDocument");
}

#[tokio::test]
async fn the_api_key_opens_bedrock_and_nothing_else() {
    let running = start().await;
    let key = whetstone_sandbox::api_key(running.folder.path()).unwrap();
    let ask = async |target: &str, key: &str| {
        let mut request = running.client.signed("bedrock", "GET", target, b"");
        request.headers_mut().insert(AUTHORIZATION, format!("Bearer {key}").parse().unwrap());
        receive(running.client.send(request).await).await
    };
    let answer = ask(MODELS, &key).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let arn = answer.json()["modelSummaries"][0]["modelArn"].to_string();
    assert!(arn.contains("us-east-1"), "the sandbox's own Region, as the request names none: {arn}");
    for wrong in ["ABSK", running.sandbox.keys().secret_access_key()] {
        let answer = ask(MODELS, wrong).await;
        assert_eq!((answer.status, answer.header("x-amzn-errortype").as_str()), (403, "AccessDeniedException"));
    }
    let bucket = ask("/data/train.jsonl", &key).await;
    assert!(bucket.status >= 400, "{}", bucket.text());
}
