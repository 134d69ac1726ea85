//! A plain HTTP client that signs with `aws-sigv4`, and can sign wrongly.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use whetstone_sandbox::Keys;

#[derive(Clone)]
pub struct Client {
    pub address: SocketAddr,
    pub key: String,
    pub secret: String,
    /// Beside a temporary key.
    pub token: Option<String>,
    pub region: String,
    /// Added to the clock.
    pub ahead: i64,
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Status, error code and message of a Bedrock error.
    pub fn error(&self) -> (u16, String, String) {
        let code = self.header("x-amzn-errortype");
        (self.status, code, self.json()["message"].as_str().unwrap().to_owned())
    }

    pub fn header(&self, name: &str) -> String {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned()
    }
}

impl Client {
    pub fn new(address: SocketAddr, keys: &Keys) -> Self {
        Self {
            address,
            key: keys.access_key_id().to_owned(),
            secret: keys.secret_access_key().to_owned(),
            token: None,
            region: "us-east-1".to_owned(),
            ahead: 0,
        }
    }

    pub async fn get(&self, target: &str) -> Answer {
        self.bedrock("GET", target, "").await
    }

    pub async fn post(&self, target: &str, body: &Value) -> Answer {
        self.bedrock("POST", target, &body.to_string()).await
    }

    pub async fn bedrock(&self, method: &str, target: &str, body: &str) -> Answer {
        let request = self.signed("bedrock", method, target, body.as_bytes());
        receive(self.send(request).await).await
    }

    /// A request of the query protocol.
    pub async fn form(&self, service: &str, action: &str, version: &str, members: &[(&str, &str)]) -> Answer {
        let all = [("Action", action), ("Version", version)].into_iter().chain(members.iter().copied());
        let body: Vec<String> = all.map(|(name, value)| format!("{name}={}", segment(value))).collect();
        receive(self.send(self.signed(service, "POST", "/", body.join("&").as_bytes())).await).await
    }

    pub async fn s3(&self, method: &str, target: &str, body: &[u8]) -> Answer {
        receive(self.send(self.signed("s3", method, target, body)).await).await
    }

    /// A signed request, before it is sent.
    pub fn signed(&self, service: &str, method: &str, target: &str, body: &[u8]) -> Request<Full<Bytes>> {
        self.signed_as(service, method, target, body, SignableBody::Bytes(body))
    }

    /// A signed request whose signature speaks of the body in another way than by its hash.
    pub fn signed_as(
        &self,
        service: &str,
        method: &str,
        target: &str,
        body: &[u8],
        signable: SignableBody<'_>,
    ) -> Request<Full<Bytes>> {
        let uri = format!("http://{}{target}", self.address);
        let mut settings = SigningSettings::default();
        if service == "s3" {
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        }
        let identity = Credentials::new(&self.key, &self.secret, self.token.clone(), None, "test").into();
        let now = SystemTime::now();
        let offset = Duration::from_secs(self.ahead.unsigned_abs());
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(if self.ahead < 0 { now - offset } else { now + offset })
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let host = self.address.to_string();
        let headers = [("host", host.as_str())].into_iter();
        let signable = SignableRequest::new(method, uri.as_str(), headers, signable).unwrap();
        let (instructions, _) = sign(signable, &params).unwrap().into_parts();
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", &host)
            .body(Full::from(body.to_vec()))
            .unwrap();
        for (name, value) in instructions.headers() {
            request.headers_mut().insert(
                http::HeaderName::from_bytes(name.as_bytes()).unwrap(),
                http::HeaderValue::from_str(value).unwrap(),
            );
        }
        request
    }

    /// Sends a request on a connection of its own.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Response<Incoming> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender.send_request(request).await.unwrap()
    }
}

pub async fn receive(response: Response<Incoming>) -> Answer {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}

/// An identifier as one path segment.
pub fn segment(identifier: &str) -> String {
    percent_encoding::utf8_percent_encode(identifier, percent_encoding::NON_ALPHANUMERIC).to_string()
}
