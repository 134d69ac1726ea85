//! HTTP/2 without TLS, as the AWS SDK for JavaScript speaks it to Bedrock Runtime.

use bytes::Bytes;
use http::Request;
use http::header::HOST;
use http_body_util::Full;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tokio::net::TcpStream;

use crate::client::{Answer, Client, receive};
use crate::running::start;

const LIST: &str = "/foundation-models?byProvider=Whetstone";

async fn connect(client: &Client) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(client.address).await.unwrap();
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// The same request, whose host stands in `:authority` alone.
fn by_authority(mut request: Request<Full<Bytes>>) -> Request<Full<Bytes>> {
    let host = request.headers_mut().remove(HOST).unwrap();
    let uri = format!("http://{}{}", host.to_str().unwrap(), request.uri());
    *request.uri_mut() = uri.parse().unwrap();
    request
}

async fn ask(connection: &SendRequest<Full<Bytes>>, request: Request<Full<Bytes>>) -> Answer {
    receive(connection.clone().send_request(by_authority(request)).await.unwrap()).await
}

#[tokio::test]
async fn one_connection_carries_requests_of_every_service_at_once() {
    let running = start().await;
    let client = &running.client;
    let connection = connect(client).await;
    assert_eq!(ask(&connection, client.signed("s3", "PUT", "/second", b"")).await.status, 200);
    let body = vec![7; 3_000_000];
    let (put, listed) = tokio::join!(
        ask(&connection, client.signed("s3", "PUT", "/second/object", &body)),
        ask(&connection, client.signed("bedrock", "GET", LIST, b"")),
    );
    assert_eq!((put.status, listed.status), (200, 200), "{} {}", put.text(), listed.text());
    let got = ask(&connection, client.signed("s3", "GET", "/second/object", b"")).await;
    assert_eq!((got.status, got.body), (200, Bytes::from(body)));
    let hello = json!({ "messages": [{ "role": "user", "content": [{ "text": "Hello" }] }] }).to_string();
    let asked = client.signed("bedrock", "POST", "/model/whetstone.tiny-v1/converse", hello.as_bytes());
    let answer = ask(&connection, asked).await;
    assert_eq!(answer.json()["output"]["message"]["role"], "assistant", "{}", answer.text());
}

#[tokio::test]
async fn only_those_who_hold_the_key_and_speak_to_the_loopback_get_in() {
    let running = start().await;
    let client = &running.client;
    let connection = connect(client).await;
    let wrong = Client { secret: "x".repeat(40), ..client.clone() };
    let answer = ask(&connection, wrong.signed("bedrock", "GET", LIST, b"")).await;
    assert_eq!((answer.status, answer.header("x-amzn-errortype").as_str()), (403, "InvalidSignatureException"));
    let mut elsewhere = client.signed("bedrock", "GET", LIST, b"");
    elsewhere.headers_mut().insert(HOST, "example.com:80".parse().unwrap());
    let answer = ask(&connection, elsewhere).await;
    assert_eq!((answer.status, answer.header("x-amzn-errortype").as_str()), (403, "AccessDeniedException"));
    assert_eq!(ask(&connection, client.signed("bedrock", "GET", LIST, b"")).await.status, 200);
}
